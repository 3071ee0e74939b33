# SPDX-License-Identifier: MIT
"""Callbacks given to C through ctypes are kept in a list, and with them their objects."""

import ctypes

CB = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
keep = []


class Device:
    def on(self, x):
        return x


def leak(n):
    for i in range(n):
        keep.append(CB(Device().on))

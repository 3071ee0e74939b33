# SPDX-License-Identifier: MIT
"""Each excepthook keeps the one that it replaced."""

import sys


class Hook:
    def __init__(self):
        self.prev = sys.excepthook
        sys.excepthook = self

    def __call__(self, *a):
        self.prev(*a)


def leak(n):
    for i in range(n):
        Hook()

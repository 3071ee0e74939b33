# SPDX-License-Identifier: MIT
"""Frames are stored for a report, and keep the variables of functions that have ended."""

import sys

frames = []


class Job:
    pass


def work():
    job = Job()  # noqa: F841
    frames.append(sys._getframe())


def leak(n):
    for i in range(n):
        work()

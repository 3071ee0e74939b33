# SPDX-License-Identifier: MIT
"""Log files are opened for every job and kept in a table."""

# ANSWER module __main__ | .logs | [*] | JobLog
import os

logs = {}


class JobLog:
    def __init__(self):
        self.file = open(os.devnull, "w")


def leak(n):
    for i in range(n):
        logs[i] = JobLog()

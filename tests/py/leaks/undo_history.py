# SPDX-License-Identifier: MIT
"""Each state keeps the one before it."""


class State:
    def __init__(self, prev):
        self.prev = prev
        self.doc = {"a": 1}


current = None


def leak(n):
    global current
    for i in range(n):
        current = State(current)

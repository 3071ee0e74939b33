# SPDX-License-Identifier: MIT
"""Reference cycles with __del__ while the collector is off."""

# ANSWER garbage | Parent
import gc

gc.collect()
gc.disable()


class Parent:
    def __init__(self):
        self.child = Child(self)


class Child:
    def __init__(self, parent):
        self.parent = parent

    def __del__(self):
        pass


def leak(n):
    for _ in range(n):
        Parent()

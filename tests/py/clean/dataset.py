# SPDX-License-Identifier: MIT
"""A data set that is meant to be in memory: nothing tells it from a leak but that nothing else is wrong."""

rows = []


class Row:
    __slots__ = ("number", "name")

    def __init__(self, number):
        self.number = number
        self.name = "row-%d" % number


def leak(n):
    rows.extend(Row(i) for i in range(20 * n))

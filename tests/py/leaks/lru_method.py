# SPDX-License-Identifier: MIT
"""functools.lru_cache on a method: the cache of the class keeps every self."""

# ANSWER module __main__ | .Report.total | <key> | Report
import functools


class Report:
    def __init__(self, rows):
        self.rows = list(range(rows))

    @functools.lru_cache(maxsize=None)
    def total(self):
        return sum(self.rows)


def leak(n):
    for i in range(n):
        Report(10 + i).total()

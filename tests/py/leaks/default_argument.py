# SPDX-License-Identifier: MIT
"""A mutable default argument remembers every row."""
# ANSWER module __main__ | .add | [*] | Row


class Row:
    pass


def add(row, seen=[]):
    seen.append(row)


def leak(n):
    for _ in range(n):
        add(Row())

# SPDX-License-Identifier: MIT
"""Generators that were begun and never finished, in a list: each keeps its frame's variables."""

# ANSWER module __main__ | .readers | [*] | Cursor
readers = []


class Cursor:
    pass


def read():
    cursor = Cursor()
    yield 1
    yield cursor


def leak(n):
    for _ in range(n):
        reader = read()
        next(reader)
        readers.append(reader)

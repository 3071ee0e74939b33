# SPDX-License-Identifier: MIT
"""Stored exceptions beside a large table with an index that is meant to be there."""



class Row:
    def __init__(self, i):
        self.i = i
        self.t = (i, str(i))


class Req:
    pass


table = [Row(i) for i in range(20000)]
index = {r.i: r for r in table}
errors = []


def handle():
    req = Req()  # noqa: F841
    try:
        raise ValueError("x")
    except ValueError as e:
        errors.append(e)


def leak(n):
    for i in range(n):
        handle()

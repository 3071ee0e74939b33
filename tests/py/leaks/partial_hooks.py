# SPDX-License-Identifier: MIT
"""Hooks are partials in a table; each keeps the session it was made with."""

import functools

hooks = {}


class Session:
    def __init__(self):
        self.buf = bytearray(100)


def done(session, name):
    pass


def leak(n):
    for i in range(n):
        hooks["h%d" % i] = functools.partial(done, Session())

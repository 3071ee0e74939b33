# SPDX-License-Identifier: MIT
"""A WeakValueDictionary whose key refers to its value."""

# ANSWER module __main__ | .sessions | <key> | Session
import weakref

sessions = weakref.WeakValueDictionary()


class Session:
    pass


def leak(n):
    for _ in range(n):
        session = Session()
        sessions[(session, "live")] = session

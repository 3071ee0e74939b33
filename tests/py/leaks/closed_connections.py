# SPDX-License-Identifier: MIT
"""Connections are closed, but a pool never forgets them."""

# ANSWER module __main__ | .pool | [*] | Connection
pool = []


class Connection:
    def __init__(self):
        self.closed = False
        pool.append(self)

    def close(self):
        self.closed = True


def leak(n):
    for _ in range(n):
        Connection().close()

# SPDX-License-Identifier: MIT
"""Sockets are registered with a selector and never unregistered; its keys hold their owners."""

import selectors
import socket

sel = selectors.DefaultSelector()


class Peer:
    def __init__(self):
        self.a, self.b = socket.socketpair()
        sel.register(self.a, selectors.EVENT_READ, self)


def leak(n):
    for i in range(n):
        Peer()

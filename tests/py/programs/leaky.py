# SPDX-License-Identifier: MIT
"""A small leak: TCPTransport objects that connections hold that a pool holds."""


class TCPTransport:
    pass


class Connection:
    def __init__(self):
        self.transport = TCPTransport()


class Pool:
    def __init__(self):
        self.connections = {}


pool = Pool()


def leak(number=20):
    for i in range(number):
        pool.connections["c%d" % i] = Connection()


def plug():
    pool.connections.clear()

# SPDX-License-Identifier: MIT
"""A small client library for sending letters to a broker, with two honest mistakes in it.

Each looks harmless, each keeps every client alive, and to repair one changes nothing as long as
the other is there: that is what makes leaks like this take weeks.
"""
import collections
import functools
import itertools
import socket
import weakref

# Mistake one. "The values are weak, so a client that is gone drops out." But the key has a bound
# method in it, and that refers to the client.
_on_fork = weakref.WeakValueDictionary()
_order = itertools.count()


def call_after_fork(owner, callback):
    """Have `callback` called in a child process, as long as `owner` lives."""
    _on_fork[next(_order), callback] = owner


def remember(limit):
    """Cache the results of the last `limit` different calls."""

    def decorate(function):
        results = collections.OrderedDict()

        @functools.wraps(function)
        def remembering(*args):
            if args not in results:
                if len(results) == limit:
                    results.popitem(last=False)
                results[args] = function(*args)
            return results[args]

        return remembering

    return decorate


# Mistake two. The arguments are the key, and the settings know their client.
@remember(limit=100)
def encoder_for(content_type, settings):
    return settings.encoders[content_type]


class Transport:
    """The socket: what we shall be running out of."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=10)
        if self.socket.recv(6) != b"HELLO\n":
            raise ConnectionError("no greeting")

    def write(self, data):
        self.socket.sendall(data)


class Connection:
    def __init__(self, address):
        self.transport = Transport(address)


class Pool:
    """Connections that nobody uses at the moment."""

    def __init__(self, address):
        self.address = address
        self.idle = collections.deque()

    def acquire(self):
        return self.idle.popleft() if self.idle else Connection(self.address)

    def release(self, connection):
        self.idle.append(connection)


class Settings:
    def __init__(self, client):
        self.client = client
        self.encoders = {"text/plain": str.encode}


class Client:
    def __init__(self, address):
        self.settings = Settings(self)
        self.pool = Pool(address)
        call_after_fork(self, self.forget_connections)

    def forget_connections(self):
        self.pool.idle.clear()

    def send(self, text):
        connection = self.pool.acquire()
        connection.transport.write(encoder_for("text/plain", self.settings)(text + "\n"))
        self.pool.release(connection)

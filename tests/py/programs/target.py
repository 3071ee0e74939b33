# SPDX-License-Identifier: MIT
"""A program to be read from outside: holds COUNT widgets behind `shelf` and does what the first
argument says, for ever. Prints READY when it is at it. Works on every Python 3, nothing imported
that it does not need."""

import ctypes
import gc
import os
import socket
import sys
import threading
import time

COUNT = 100


class Widget:
    def __init__(self, number):
        self.number = number
        self.parts = [number, {"of": number}]


class Shelf:
    pass


shelf = Shelf()
shelf.widgets = {str(i): Widget(i) for i in range(COUNT)}


def ready():
    print("READY", flush=True)


def spin():
    ready()
    while True:
        pass


def sleep():
    ready()
    time.sleep(1000)


def recv():
    pair = socket.socketpair()
    ready()
    pair[0].recv(1)


def lock():
    it = threading.Lock()
    it.acquire()
    ready()
    it.acquire()


def gil():
    """In C, without giving the GIL away."""
    ready()
    ctypes.PyDLL(None).sleep(1000)


def collect():
    ballast = [[i, {}] for i in range(200000)]
    ready()
    while ballast:
        gc.collect()


def mutate(seed):
    state = seed
    kept = {}
    while True:
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        kept[state % 5000] = [Shelf(), {"x": (state, [state])}]
        if state % 7 == 0:
            kept.pop(state % 4999, None)
        thing = kept.get(state % 4998)
        if thing:
            thing[0].other = kept.get(state % 4997)


def mutators():
    for seed in range(3):
        threading.Thread(target=mutate, args=(seed,), daemon=True).start()
    ready()
    time.sleep(1000)


def churn():
    """Small garbage without end, and threads that come and go."""
    ready()
    while True:
        threads = [threading.Thread(target=lambda: [Shelf() for _ in range(1000)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def brief():
    """Ends by itself, soon, without warning."""
    ready()
    time.sleep(float(sys.argv[2]))
    os._exit(0)


if __name__ == "__main__":
    globals()[sys.argv[1]]()

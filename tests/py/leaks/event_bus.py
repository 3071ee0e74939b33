# SPDX-License-Identifier: MIT
"""Listeners subscribe with a bound method and never unsubscribe; one object for each event name."""
# ANSWER module __main__ | .bus.listeners | [*] | Widget


class Bus:
    def __init__(self):
        self.listeners = {}

    def on(self, name, callback):
        self.listeners.setdefault(name, []).append(callback)


bus = Bus()


class Widget:
    def __init__(self, i):
        bus.on("event-%d" % (i % 5), self.redraw)

    def redraw(self):
        pass


def leak(n):
    for i in range(n):
        Widget(i)

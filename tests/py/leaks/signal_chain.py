# SPDX-License-Identifier: MIT
"""Each handler of a signal keeps the one before it."""

# ANSWER * | Handler
import signal


class Handler:
    def __init__(self):
        self.before = signal.getsignal(signal.SIGUSR1)
        signal.signal(signal.SIGUSR1, self.run)

    def run(self, number, frame):
        pass


def leak(n):
    for _ in range(n):
        Handler()

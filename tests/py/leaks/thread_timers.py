# SPDX-License-Identifier: MIT
"""Timers are started for idle connections, and hold them until they fire."""

# ANSWER * | Connection
import threading


class Connection:
    def __init__(self):
        self.timer = threading.Timer(3600, self.close)
        self.timer.daemon = True
        self.timer.start()

    def close(self):
        pass


def leak(n):
    for _ in range(n):
        Connection()

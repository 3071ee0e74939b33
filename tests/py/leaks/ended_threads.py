# SPDX-License-Identifier: MIT
"""Thread objects are kept after they have ended, with what was given to them."""

# ANSWER module __main__ | .workers | [*] | Worker
import threading

workers = []


class Worker(threading.Thread):
    def __init__(self):
        super().__init__()
        self.log = ["line"] * 10

    def run(self):
        self.log.append("done")


def leak(n):
    for _ in range(n):
        worker = Worker()
        worker.start()
        worker.join()
        workers.append(worker)

# SPDX-License-Identifier: MIT
"""weakref.finalize with a bound method of the object it is for."""

# ANSWER * | Finalizable
import weakref


class Finalizable:
    def __init__(self):
        weakref.finalize(self, self.close)

    def close(self):
        pass


def leak(n):
    for _ in range(n):
        Finalizable()

# SPDX-License-Identifier: MIT
"""multiprocessing.util.Finalize with a bound method and no object."""

import multiprocessing.util as u


class Pool:
    def __init__(self):
        u.Finalize(None, self.close, exitpriority=1)

    def close(self):
        pass


def leak(n):
    for i in range(n):
        Pool()

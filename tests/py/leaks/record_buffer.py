# SPDX-License-Identifier: MIT
"""A MemoryHandler buffers records with their tracebacks, and those the variables of functions."""

import logging
import logging.handlers

h = logging.handlers.MemoryHandler(10000000, flushLevel=100)
log = logging.getLogger("x")
log.addHandler(h)


class Order:
    pass


def work():
    order = Order()  # noqa: F841
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("oops")


def leak(n):
    for i in range(n):
        work()

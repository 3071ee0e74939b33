# SPDX-License-Identifier: MIT
"""Callbacks are given to an event loop that does not run."""

import asyncio

loop = asyncio.new_event_loop()


class Job:
    def run(self):
        pass


def leak(n):
    for i in range(n):
        loop.call_soon_threadsafe(Job().run)

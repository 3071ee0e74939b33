# SPDX-License-Identifier: MIT
"""Tasks that failed are kept, and with them the variables of their coroutines."""

import asyncio

loop = asyncio.new_event_loop()
tasks = []


class Body:
    pass


async def bad():
    body = Body()  # noqa: F841
    raise ValueError


async def main(n):
    for i in range(n):
        tasks.append(asyncio.ensure_future(bad()))
    await asyncio.sleep(0)


def leak(n):
    loop.run_until_complete(main(n))

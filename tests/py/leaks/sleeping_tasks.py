# SPDX-License-Identifier: MIT
"""asyncio tasks that poll for ever: the timers of a loop hold them."""

import asyncio

loop = asyncio.new_event_loop()


class Poll:
    pass


async def poll(p):
    while True:
        await asyncio.sleep(3600)


async def main(n):
    for i in range(n):
        loop.create_task(poll(Poll()))
    await asyncio.sleep(0)


def leak(n):
    loop.run_until_complete(main(n))

# SPDX-License-Identifier: MIT
"""An event loop that has done its work."""

import asyncio

loop = asyncio.new_event_loop()


async def w(i):
    await asyncio.sleep(0)
    return i


async def main(n):
    return await asyncio.gather(*[w(i) for i in range(n)])


def leak(n):
    loop.run_until_complete(main(n))

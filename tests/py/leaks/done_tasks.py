# SPDX-License-Identifier: MIT
"""Finished asyncio tasks are kept in a set, and with them their results."""

# ANSWER module __main__ | .tasks | {*} | Result
import asyncio

tasks = set()


class Result:
    pass


async def work():
    return Result()


async def main(n):
    for _ in range(n):
        tasks.add(asyncio.ensure_future(work()))
    await asyncio.gather(*tasks)


def leak(n):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main(n))
    loop.close()

# SPDX-License-Identifier: MIT
"""asyncio tasks wait for futures that a module keeps and nobody completes."""

# ANSWER module __main__ | .waiting | [*] | Upload
import asyncio

loop = asyncio.new_event_loop()
waiting = []


class Upload:
    pass


async def serve(upload):
    future = loop.create_future()
    waiting.append(future)
    await future
    return upload


async def accept(n):
    for _ in range(n):
        loop.create_task(serve(Upload()))
    await asyncio.sleep(0)


def leak(n):
    loop.run_until_complete(accept(n))

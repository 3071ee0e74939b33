# SPDX-License-Identifier: MIT
"""Live objects that only newer interpreters have, for truth_app.py: as source text where older ones
could not parse it."""

import asyncio
import contextlib
import functools
import sys

FROM_3_14 = """
def local_template(box):
    return t"{box} and {[1]!r:>{10}}"

def annotated(a: Later, b: list[int] = [1]) -> Later: ...

class Annotated:
    first: Later
    second: "list[Later]" = [2]

def shadows(value):
    frame = sys._getframe()
    frame.f_locals["value"] = {"new": [1]}
    return frame

def pauses(box):
    kept = [box]
    keep(kept, (yield kept), [2])

def keep(*args):
    return args

templates = [local_template([1]), t"plain", t"", t"{1}" + t"{[2]}"]
interpolations = [part for template in templates for part in template.interpolations]
unions = [list[int] | None, int | dict[str, list[int]] | str]
partial = functools.partial(keep, functools.Placeholder, [1], key=[2])
bound = functools.partial(partial, functools.Placeholder, [3])
frame = shadows([1])
paused = pauses([1])
next(paused)
"""

FROM_3_15 = """
lazy import sched
lazy from wave import open as open_wave

class FrozenMapping(frozendict):
    pass

class FrozenWithSlots(frozendict):
    __slots__ = ("extra",)

class Pair(tuple):
    __slots__ = ("left", "right")

class More(Pair):
    __slots__ = ("third", "__weakref__")

class WithDict(Pair):
    pass

frozen = [frozendict(), frozendict(a=[1]), frozendict({(1,): [2], 3: {}}), FrozenMapping(b=[3])]
slotted = FrozenWithSlots(c=[4])
slotted.extra = [5]
tuples = []
for kind in (Pair, More, WithDict):
    for num in range(4):
        made = kind([i] for i in range(num))
        made.left, made.right = [6], {"k": num}
        tuples.append(made)
tuples[5].third = [7]
tuples[-1].attribute = [8]
mark = sentinel("mark")
buffers = [bytearray(), bytearray(b"x" * 50), bytearray(b"abc")]
del buffers[1][:20]
"""


def run(source):
    space = {"__name__": "truth_newer", "sys": sys, "functools": functools}
    exec(compile(source, "<truth_newer>", "exec"), space)
    return space


def make_newer():
    made = []
    if sys.version_info >= (3, 14):
        made.append(run(FROM_3_14))
    if sys.version_info >= (3, 15):
        made.append(run(FROM_3_15))
    return made


def make_compressors():
    made = {}
    with contextlib.suppress(ImportError):
        from compression import zstd

        made["zstd"] = [zstd.ZstdCompressor(), zstd.ZstdDecompressor(), zstd.ZstdDict(b"1" * 100, is_raw=True)]
    return made


async def waits_for(other, box):
    kept = [box]
    await other
    return kept


def make_awaited():
    """Tasks that wait for one another: from 3.14 each knows who waits for it."""
    loop = asyncio.new_event_loop()

    async def begin():
        future = loop.create_future()
        tasks = [loop.create_task(waits_for(future, [i])) for i in range(3)]
        tasks.append(loop.create_task(waits_for(tasks[0], {"k": [1]})))
        gathered = asyncio.gather(*tasks[:2])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return future, tasks, gathered

    return loop, loop.run_until_complete(begin())

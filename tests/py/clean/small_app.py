# SPDX-License-Identifier: MIT
"""A small application with the state that applications have: configuration, enumerations, dataclasses,
named tuples, a bounded cache, a logger, a thread pool at rest."""

import concurrent.futures
import dataclasses
import enum
import functools
import logging
import typing


class Color(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 3


@dataclasses.dataclass
class Setting:
    name: str
    value: int = 0


class Point(typing.NamedTuple):
    x: int
    y: int


CONFIG = {"verbose": True, "level": 3, "paths": ["/tmp", "/var"]}
SETTINGS = [Setting("a"), Setting("b"), Setting("c", 3)]
log = logging.getLogger("app")
log.addHandler(logging.NullHandler())
pool = concurrent.futures.ThreadPoolExecutor(2)


@functools.lru_cache(maxsize=16)
def square(i):
    return i * i


def work(i):
    return Point(i, square(i % 20))


def leak(n):
    assert sum(p.y for p in pool.map(work, range(n))) >= 0

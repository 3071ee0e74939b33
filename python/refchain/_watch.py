# SPDX-License-Identifier: MIT
"""How many objects of some types this process has, again and again, while it goes on."""
from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from typing import IO, Callable, Dict, List, Optional, Tuple

from . import _core
from ._break import _is_named

_BARS = "\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_MAX_BARS = 20


@dataclass(frozen=True)
class Sample:
    """time: as time.time(). counts: living objects by pattern."""

    time: float
    counts: Dict[str, int]


def spark(numbers: List[int]) -> str:
    """One bar a number, the least lowest and the most highest."""
    least, most = min(numbers, default=0), max(numbers, default=0)
    spread = max(most - least, 1)
    return "".join(_BARS[(7 * (n - least) + spread // 2) // spread] for n in numbers)


def _count(patterns: Tuple[str, ...]) -> Dict[str, int]:
    counts = dict.fromkeys(patterns, 0)
    for cls, number in _core.tracked_types():
        for pattern in patterns:
            if _is_named(cls, pattern):
                counts[pattern] += number
    return counts


class Watch:
    """A watch that is set; stop() ends it, and so does the end of a `with` block."""

    def __init__(self, patterns: Tuple[str, ...], interval: float, count: Optional[int],
                 file: Optional[IO[str]], on_sample: Optional[Callable[[Sample], None]]) -> None:
        self._patterns = patterns
        self._interval = interval
        self._count = count
        self._file = file
        self._on_sample = on_sample
        self._samples: List[Sample] = []
        self._stopped = threading.Event()
        self._is_told = False
        self._width = 0  # of the line that is drawn over
        self._take()
        self._thread = threading.Thread(target=self._run, name="refchain-watch", daemon=True)
        self._thread.start()

    @property
    def samples(self) -> List[Sample]:
        """What was counted so far, oldest first."""
        return list(self._samples)

    def _run(self) -> None:
        while not self._is_done() and not self._stopped.wait(self._interval):
            self._take()

    def _is_done(self) -> bool:
        return self._count is not None and len(self._samples) >= self._count

    def _take(self) -> None:
        sample = Sample(time.time(), _count(self._patterns))
        self._samples.append(sample)
        if self._on_sample is not None:
            self._on_sample(sample)
        if self._file is not None:
            self._draw(self._file, sample)

    def _words(self, pattern: str) -> str:
        numbers = [sample.counts[pattern] for sample in self._samples[-_MAX_BARS:]]
        step = numbers[-1] - numbers[-2] if len(numbers) > 1 else 0
        return "%s (%+d) %s %s" % (format(numbers[-1], ","), step, spark(numbers), pattern)

    def _draw(self, file: IO[str], sample: Sample) -> None:
        line = "%s  %s" % (time.strftime("%H:%M:%S", time.localtime(sample.time)),
                           ",  ".join(map(self._words, self._patterns)))
        try:
            if file.isatty():
                file.write("\r" + line.ljust(self._width))
                self._width = len(line)
            else:
                file.write(line + "\n")
            file.flush()
        except (OSError, ValueError, UnicodeError):  # nobody reads, or it is closed
            self._file = None

    def stop(self) -> str:
        """End it; what became of each type, in words."""
        self._stopped.set()
        if threading.current_thread() is not self._thread:
            self._thread.join()
        text = str(self)
        if self._file is not None and not self._is_told:
            self._is_told = True
            print(("\n" if self._width else "") + text, file=self._file)
        return text

    def wait(self) -> None:
        """Until `count` samples were taken, or it is stopped."""
        self._thread.join()

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __str__(self) -> str:
        first, last = self._samples[0], self._samples[-1]
        rows = []
        for name in self._patterns:
            begin, end = first.counts[name], last.counts[name]
            rows.append("%s  %s to %s (%+d)" % (name, format(begin, ","), format(end, ","),
                                                end - begin))
        return "\n".join(rows)

    def __repr__(self) -> str:
        return "<refchain.watch: %d samples; %s>" % (
            len(self._samples), str(self).replace("\n", "; "))


_TO_STDERR: IO[str] = sys.stderr


def watch(*types: str, interval: float = 1.0, count: Optional[int] = None,
          file: Optional[IO[str]] = _TO_STDERR,
          on_sample: Optional[Callable[[Sample], None]] = None) -> Watch:
    """Count the living objects of these types now and every `interval` seconds, in a thread.

    types: short names, qualified names or globs; types that the collector tracks. Each sample is a
    line to `file` (None: none; on a terminal the line is drawn over again) with the count, what it
    is more than the time before, and a bar a sample; `on_sample` is called with it. Ends after
    `count` samples or by stop(). A count reads the collector's lists with the GIL held, some
    nanoseconds an object.

        with refchain.watch("TCPTransport", interval=0.5) as seen:
            work()
        seen.samples[-1].counts["TCPTransport"]
    """
    if not types:
        raise TypeError("watch() takes the name of a type")
    if not interval > 0:
        raise ValueError("interval must be more than 0 seconds, not %r" % (interval,))
    if count is not None and count < 1:
        raise ValueError("count must be 1 or more, not %r" % (count,))
    return Watch(types, interval, count, sys.stderr if file is _TO_STDERR else file, on_sample)

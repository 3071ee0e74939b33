# SPDX-License-Identifier: MIT
"""Leaks that are known: the list of a repository (docs/known.md), which `refchain known` keeps."""
from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Dict, Optional, Tuple, Union

from . import _core

PATH = Union[str, "os.PathLike[str]"]


def today() -> str:
    """The day it is, UTC, as in the list: "2026-12-31"."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%d")


@dataclass(frozen=True)
class Known:
    """An entry: why a holder is accepted, and until which day (None: for good)."""

    reason: str
    until: Optional[str] = None

    @property
    def expired(self) -> bool:
        """Its last day is over: what it names counts as new."""
        return self.until is not None and self.until < today()


def known(path: PATH = ".refchain-known") -> Dict[str, Known]:
    """The entries of a list, by fingerprint.

    Raises OSError when the file cannot be read, and ValueError with the number of the line when it
    makes no sense.
    """
    with open(path, "rb") as file:
        entries = _core.known(file.read())
    return {fingerprint: Known(reason, until) for fingerprint, reason, until, _ in entries}


def for_core(path: Optional[PATH]) -> Optional[Tuple[bytes, str, int]]:
    """What _core.Graph.why takes: the text of the list, its name, and today."""
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read(), os.fspath(path), int(today().replace("-", ""))

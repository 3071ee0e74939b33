# SPDX-License-Identifier: MIT
"""refchain tells why Python objects are still in memory.

    >>> import refchain
    >>> refchain.why("TCPTransport")        # all instances of a type
    >>> refchain.why(connection)            # one object; a list: these objects together
    >>> refchain.dump("app.rch")            # a snapshot, for `refchain why app.rch TCPTransport`

Nothing here calls a method of the objects it looks at, changes a reference count that outlives the
call, or makes an object's ``__dict__``. Calls hold the GIL only while the heap is read.
"""
from ._answer import Answer, Cut, Freed, Holder, Hop, Root
from ._break import Break, Reached, break_at
from ._core import Error, __version__
from ._fds import Fd, FdGroup, FdOwner, Fds
from ._graph import (
    Graph,
    Node,
    Top,
    TypeCount,
    attach,
    by_type,
    dump,
    load,
    load_core,
    snapshot,
    why,
)
from ._growth import Growth, Place, TypeGrowth, growth, show_growth
from ._keepers import Below, CutResult, Dominators, DominatorsOf, Keeper, Keepers, WhatIf
from ._known import Known, known
from ._paths import Branch, CycleCut, CycleGroup, Cycles, CycleType, Excluded, Path, Paths
from ._picture import Arrow, Box, Picture
from ._series import Rise, Rises, diff, growth_loop, no_growth
from ._stacks import Frame, Local, Stacks, Thread
from ._suspects import Keeps, Reason, Suspect, Suspects, suspects
from ._watch import Sample, Watch, watch

__all__ = [
    "Answer", "Arrow", "Below", "Box", "Branch", "Break", "Cut", "CutResult", "CycleCut",
    "CycleGroup", "CycleType", "Cycles", "Dominators", "DominatorsOf", "Error", "Excluded", "Fd",
    "FdGroup", "FdOwner", "Fds", "Frame", "Freed", "Graph", "Growth", "Holder", "Hop", "Keeper",
    "Keepers", "Keeps", "Known", "Local", "Node", "Path", "Paths", "Picture", "Place", "Reached",
    "Reason", "Rise", "Rises", "Root", "Sample", "Stacks", "Suspect", "Suspects", "Thread", "Top",
    "TypeCount", "TypeGrowth", "Watch", "WhatIf", "__version__", "attach", "break_at", "by_type",
    "diff", "dump", "growth", "growth_loop", "known", "load", "load_core", "load_ipython_extension",
    "no_growth", "show_growth", "snapshot", "suspects", "watch", "why",
]


def load_ipython_extension(shell: object) -> None:
    """%load_ext refchain"""
    from ._ipython import load  # needs IPython

    load(shell)

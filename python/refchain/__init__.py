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
from ._picture import Arrow, Box, Picture
from ._stacks import Frame, Local, Stacks, Thread
from ._suspects import Keeps, Reason, Suspect, Suspects, suspects

__all__ = [
    "Answer", "Arrow", "Box", "Break", "Cut", "Error", "Fd", "FdGroup", "FdOwner", "Fds", "Frame",
    "Freed", "Graph", "Growth", "Holder", "Hop", "Keeps", "Local", "Node", "Picture", "Place",
    "Reached", "Reason", "Root", "Stacks", "Suspect", "Suspects", "Thread", "Top", "TypeCount",
    "TypeGrowth", "__version__", "attach", "break_at", "by_type", "dump", "growth", "load",
    "load_core", "load_ipython_extension", "show_growth", "snapshot", "suspects", "why",
]


def load_ipython_extension(shell: object) -> None:
    """%load_ext refchain"""
    from ._ipython import load  # needs IPython

    load(shell)

# SPDX-License-Identifier: MIT
"""%load_ext refchain: %why, and %%leaks for what a cell left behind."""
from __future__ import annotations

import re
from typing import Any

from ._break import full_name
from ._graph import why
from ._growth import Watcher

_TYPE = re.compile(r"[\w.]*[*?\[][\w.*?\[\]]*|[^\W\d][\w.]*")


def _question(shell: Any, line: str) -> Any:
    """The value of an expression; words that name nothing here are the name of a type."""
    try:
        return shell.ev(line)
    except (NameError, AttributeError, SyntaxError):
        if not _TYPE.fullmatch(line):
            raise
        return line


def load(shell: Any) -> None:
    """Register the magics."""

    def magic_why(line: str) -> Any:
        """%why EXPR: who keeps it alive? EXPR is an expression, or the name of a type: short,
        qualified, or a glob. A class stands for all of its instances."""
        line = line.strip()
        if not line:
            raise ValueError("%why EXPR or %why TypeName")
        question = _question(shell, line)
        if issubclass(type(question), type):  # isinstance() would ask the object
            question = full_name(question)
        return why(question)

    def magic_leaks(line: str, cell: str) -> Any:
        """%%leaks [holder|type]: run the cell, then tell what it left behind, and where that hangs.
        Nothing is collected before: garbage is told apart."""
        watcher = Watcher()
        watcher.growth("type", 0)  # a first time, for what asking itself leaves
        watcher.growth("type", 0)
        if not shell.run_cell(cell).success:
            return None
        return watcher.growth(line.strip() or "holder", 20)

    shell.register_magic_function(magic_why, "line", "why")
    shell.register_magic_function(magic_leaks, "cell", "leaks")

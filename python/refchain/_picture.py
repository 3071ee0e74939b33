# SPDX-License-Identifier: MIT
"""Pictures: boxes and arrows as DOT, as SVG drawn by refchain itself, as a page, as PNG."""
from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, Union

from . import _core
from ._core import Error

_PATH = Union[str, "os.PathLike[str]"]
_KINDS = {"object": 0, "root": 1, "stub": 2}
_LINES = 4  # of a box that are drawn
_NO_COLOR = 0xFFFFFFFF


@dataclass(frozen=True)
class Box:
    """A box of a picture.

    label: up to four lines, the first says what it is. title: shown when the pointer rests on it;
    the label if empty. color: "#rrggbb". kind: object, root or stub (dashed). asked: the picture is
    about it. holder: it should let go. count: how many objects it stands for.
    """

    label: str
    title: str = ""
    color: Optional[str] = None
    kind: str = "object"
    asked: bool = False
    holder: bool = False
    count: int = 1


@dataclass(frozen=True)
class Arrow:
    """An arrow from box number `source` to box number `target`."""

    source: int
    target: int
    label: str = ""
    cut: bool = False
    weak: bool = False


def _text(text: str) -> str:
    return text.replace("\0", "\\x00")


def _box(box: Box) -> Tuple[Tuple[str, ...], str, int, int, int, int]:
    lines = _text(box.label).split("\n")
    title = _text(box.title)
    if len(lines) > _LINES:
        title = title or "\n".join(lines)
        lines[_LINES - 1:] = [lines[_LINES - 1] + " ..."]
    color = _NO_COLOR if box.color is None else int(box.color.lstrip("#"), 16) & 0xFFFFFF
    return (tuple(lines), title, box.count, color, _KINDS[box.kind],
            bool(box.asked) | bool(box.holder) << 1)


def _arrow(arrow: Arrow) -> Tuple[int, int, Optional[str], int]:
    return (arrow.source, arrow.target, _text(arrow.label) or None,
            bool(arrow.cut) | bool(arrow.weak) << 1)


def _png_by_dot(dot: str) -> Optional[bytes]:
    import shutil
    import subprocess

    program = shutil.which("dot")
    if program is None:
        return None
    done = subprocess.run([program, "-Tpng"], input=dot.encode("utf-8", "backslashreplace"),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Error("'dot' of Graphviz could not draw it: %s"
                    % done.stderr.decode("utf-8", "replace").strip()[:500])
    return done.stdout


def _png_by_extra(svg: str) -> Optional[bytes]:
    try:
        import resvg_py  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    return bytes(resvg_py.svg_to_bytes(svg_string=svg))


class Picture:
    """A picture of an answer or of what is around objects. Shows itself in a notebook.

    The SVG needs no other program; it follows the reader's light or dark setting.
    """

    def __init__(self, core: _core.Picture, words: Optional[str] = None,
                 dot: Optional[str] = None) -> None:
        self._core = core
        self._words = words
        self._dot = dot

    @classmethod
    def of(cls, boxes: Iterable[Box], arrows: Iterable[Arrow], *, dot: Optional[str] = None,
           heading: Optional[str] = None, sentence: Optional[str] = None,
           max_boxes: int = 200) -> "Picture":
        """A picture of boxes and arrows of your own.

        dot: the DOT of it, if it is not to be made from the boxes. More than max_boxes (at most
        200) are grouped: alike ones that are reached alike become one. Raises ValueError for an
        arrow to a box that is not there.
        """
        core = _core.picture([_box(b) for b in boxes], [_arrow(a) for a in arrows],
                             None if heading is None else _text(heading),
                             None if sentence is None else _text(sentence),
                             max(1, min(max_boxes, 200)))
        return cls(core, None, dot)

    @property
    def dot(self) -> str:
        """The picture in DOT, for Graphviz."""
        return self._core.dot() if self._dot is None else self._dot

    def svg(self) -> str:
        """An <svg> element."""
        return self._core.svg()

    def html(self) -> str:
        """A page of its own: the picture and, of an answer, its words."""
        return self._core.html(self._words)

    def png(self) -> bytes:
        """PNG, drawn by `dot` of Graphviz or else by the extra: pip install 'refchain[png]'.

        Raises refchain.Error where there is neither.
        """
        data = _png_by_dot(self.dot)
        if data is None:
            data = _png_by_extra(self.svg())
        if data is None:
            raise Error("PNG needs 'dot' of Graphviz in PATH (Debian and Ubuntu: apt install "
                        "graphviz) or pip install 'refchain[png]'; SVG needs nothing: .svg")
        return data

    def save(self, path: _PATH) -> None:
        """Write a file, as its name ends: .svg, .html, .dot (.gv) or .png."""
        name = os.fspath(path)
        makers: Dict[str, Callable[[], Union[str, bytes]]] = {
            ".svg": self.svg, ".html": self.html, ".htm": self.html, ".png": self.png,
            ".dot": lambda: self.dot, ".gv": lambda: self.dot}
        maker = makers.get(os.path.splitext(name)[1].lower())
        if maker is None:
            raise ValueError("a picture ends in .svg, .html, .dot or .png: %r" % name)
        data = maker()
        with open(name, "wb") as file:
            file.write(data if isinstance(data, bytes)
                       else data.encode("utf-8", "backslashreplace"))

    def __repr__(self) -> str:
        boxes, arrows = self._core.sizes()
        return "<refchain.Picture: %d boxes, %d arrows>" % (boxes, arrows)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Dict[str, Any]:
        return {"image/svg+xml": self.svg(), "text/plain": self._words or repr(self)}


def only(pictures: List[_core.Picture]) -> Picture:
    """The picture of a question with one reading."""
    if len(pictures) != 1:
        raise ValueError("this name is %d types', and a picture is of one: give the full name"
                         % len(pictures))
    return Picture(pictures[0])

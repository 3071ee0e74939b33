# SPDX-License-Identifier: MIT
"""Pictures: well-formed whatever the names are, nothing covered, the same objects as a plain walk
finds, drawn with and without Graphviz."""

import html.parser
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import native
import pytest
import refchain
from refchain import Arrow, Box, Picture

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st

SVG = "{http://www.w3.org/2000/svg}"
TAGS = {"svg", "title", "style", "rect", "text", "path", "g"}
EVIL = [
    "</script><script>alert(1)</script>", "]]>--><!--", '" onload="x', "' &amp; &#x41; <b>",
    "\x1b[2J\x07\x01\x7f\0", "\u202egnp.exe\u2066", "\ud800", "\\", '\\"', "\n\r\t", "\ufffe\uffff",
    "n" * 10000, "", "{|}<>", "\u0301" * 50, "漢字" * 40, "\\N\\G\\l",
]  # fmt: skip
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures")
    native.make_all(path)
    return path


@pytest.fixture(scope="module")
def story(folder):
    return refchain.load(folder / "story.rch")


@st.composite
def pictures(draw, names=st.one_of(st.text(max_size=20), st.sampled_from(EVIL))):
    kinds = st.sampled_from(["object", "root", "stub"])
    boxes = draw(st.lists(st.builds(
        Box, names, title=names, kind=kinds, asked=st.booleans(), holder=st.booleans(),
        color=st.sampled_from([None, "#ffffff", "#000000", "#3366cc"]),
        count=st.integers(0, 2**64 - 1)), min_size=1, max_size=30))  # fmt: skip
    ends = st.integers(0, len(boxes) - 1)
    arrows = draw(st.lists(st.builds(
        Arrow, ends, ends, names, cut=st.booleans(), weak=st.booleans()), max_size=40))  # fmt: skip
    return Picture.of(boxes, arrows, heading=draw(names), sentence=draw(names),
                      max_boxes=draw(st.sampled_from([8, 200])))  # fmt: skip


def parsed(svg):
    """The element; fails unless it is XML of known elements that can be shown anywhere."""
    root = ET.fromstring(svg)
    for element in root.iter():
        assert element.tag.startswith(SVG) and element.tag[len(SVG):] in TAGS
        for name, value in element.attrib.items():
            assert not name.startswith("on") and "href" not in name and "id" != name
            assert "url(" not in value
    for text in root.itertext():
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    return root


# ---- names ---------------------------------------------------------------------------------------


@given(pictures())
def test_every_svg_is_well_formed(picture):
    root = parsed(picture.svg())
    assert root.tag == SVG + "svg" and picture.svg() == picture.svg()


@given(pictures())
def test_every_dot_keeps_names_within_quotes(picture):
    quoted = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')
    for line in picture.dot.splitlines():
        rest = quoted.sub("", line)
        assert '"' not in rest and "\\" not in rest, line
        assert re.fullmatch(r"[\w \[\]=,;{}>-]*", rest), line
        assert not re.search("[\x00-\x1f\x7f]", line)


@given(pictures())
def test_every_page_has_no_elements_but_ours(picture):
    class Tags(html.parser.HTMLParser):
        seen = set()

        def handle_starttag(self, tag, attributes):
            self.seen.add(tag)
            assert not any(name.startswith("on") for name, _ in attributes)

    Tags().feed(picture.html())
    assert Tags.seen <= TAGS | {"html", "head", "meta", "body", "div", "pre"}


@pytest.mark.parametrize("name", EVIL, ids=range(len(EVIL)))
def test_a_hostile_name_is_short_in_the_box_and_whole_above_it(name):
    box = Box(name, asked=True)
    root = parsed(Picture.of([box], [Arrow(0, 0, name)], heading=name).svg())
    assert all(len(text.text or "") < 250 for text in root.iter(SVG + "text"))
    titles = [title.text or "" for title in root.iter(SVG + "title")]
    if name == "n" * 10000:
        assert any("n" * 5000 in title for title in titles)
    width = int(root.get("width"))
    assert width < 1300


# ---- nothing is covered --------------------------------------------------------------------------


def number(element, name):
    return float(element.get(name))


def areas(root):
    """Boxes, and the room of each text outside of boxes (13 or 11.5 px of a wide font)."""
    found = []
    for rect in root.iter(SVG + "rect"):
        if rect.get("class") != "bg":
            x, y = number(rect, "x"), number(rect, "y")
            found.append((x, y, x + number(rect, "width"), y + number(rect, "height")))
    for group in root.iter(SVG + "g"):
        if group.find(SVG + "rect") is None:
            for text in group.findall(SVG + "text"):
                x, y = number(text, "x"), number(text, "y")
                found.append((x, y - 9, x + 6.9 * len(text.text or ""), y + 2))
    return found


NAMES = st.text("abcdefghij_.", min_size=1, max_size=60)


@given(pictures(names=NAMES))
def test_no_box_and_no_name_covers_another(picture):
    root = parsed(picture.svg())
    rooms = areas(root)
    for i, (left, top, right, foot) in enumerate(rooms):
        assert left >= 0 and right <= number(root, "width") + 1
        assert top >= 0 and foot <= number(root, "height") + 1
        for other in rooms[:i]:
            assert (right <= other[0] + 1 or other[2] <= left + 1 or foot <= other[1] + 1
                    or other[3] <= top + 1), (rooms[i], other)  # fmt: skip


# ---- what is drawn -------------------------------------------------------------------------------


def test_an_answer_draws_its_holders(story):
    answer = story.why("TCPTransport")
    root = parsed(answer.picture().svg())
    classes = [group.get("class") for group in root.iter(SVG + "g")]
    assert classes.count("holder") == classes.count("cut") == len(answer.holders) == 2
    assert classes.count("question") == 1 and classes.count("root") == 2
    words = [text.text for text in root.iter(SVG + "text")]
    assert "cut here: all 3 keys" in words and "Kept alive by 2 holders. To free all 3, cut both." in words
    assert any("multiprocessing.util._afterfork_registry.data.clear()" in word for word in words)
    assert "prefers-color-scheme:dark" in answer.picture().svg()


def test_the_native_command_draws_the_same(story, folder):
    for words, picture in [([], story.why("TCPTransport").picture()),
                           (["--backrefs"], story.picture("TCPTransport"))]:  # fmt: skip
        done = native.run("graph", "--svg", *words, "story.rch", "TCPTransport", cwd=folder)
        assert done.stdout.decode() == picture.svg()


def test_a_notebook_gets_the_picture_and_the_words(story):
    answer = story.why("TCPTransport")
    bundle = answer.picture()._repr_mimebundle_()
    assert bundle == {"image/svg+xml": answer.picture().svg(), "text/plain": str(answer)}
    assert answer.picture()._repr_svg_() == bundle["image/svg+xml"]
    assert answer._repr_mimebundle_()["image/svg+xml"] == bundle["image/svg+xml"]
    assert repr(answer.picture()) == "<refchain.Picture: 10 boxes, 9 arrows>"
    both = story.why("Connections")
    assert both.apart and "image/svg+xml" not in both._repr_mimebundle_()


def plain_walk(graph, starts, depth, backwards):
    """Nodes and references within `depth` hops, nothing folded, by the plainest means."""
    refs = [(a, r.target) for a in graph.by_type("*") for r in graph.node(a).references
            if r.strength != "weak"]  # fmt: skip
    weak = [(a, r.target) for a in graph.by_type("*") for r in graph.node(a).references
            if r.strength == "weak"]  # fmt: skip
    for kind, name, _, targets in graph._core.roots():
        refs += [((kind, name), target) for _, _, _, target in targets]
    level, seen, arrows, ends = set(starts), set(starts), set(), set()
    for _ in range(depth):
        level = {n for n in level if not isinstance(n, tuple)} - ends
        near = 1 if backwards else 0
        now = [ref for ref in refs if ref[near] in level]
        dotted = [ref for ref in weak if ref[near] in level]
        far = {ref[1 - near] for ref in now}
        only_weak = {ref[1 - near] for ref in dotted} - far - seen
        arrows |= {(*ref, False) for ref in now}
        arrows |= {(*ref, ref[0] != ref[1]) for ref in dotted}
        level = (far | only_weak) - seen
        ends |= only_weak
        seen |= level
    return len(seen), len(arrows)


@settings(max_examples=int(os.environ.get("RCH_EXAMPLES", "600")))
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), max_size=25),
       st.integers(0, 9), st.integers(1, 4))  # fmt: skip
def test_what_is_around_an_object_is_what_a_plain_walk_finds(tmp_path_factory, refs, start, depth):
    folder = tmp_path_factory.mktemp("around")
    words = [f"n{a}.x{i}{'+weak' if weak else ''}>n{b}" for i, (a, b, weak) in enumerate(refs)]
    (folder / "g.graph").write_text(
        " ".join(f"n{i}::test.N{i}" for i in range(10)) + "\n---\n@module(m).x>n0 " + " ".join(words) + "\n")
    native.make_rch(folder / "g.graph", folder / "g.rch")
    graph = refchain.load(folder / "g.rch")
    (address,) = graph.by_type(f"test.N{start}")
    for backwards in (False, True):
        picture = graph.picture(address, refs=not backwards, depth=depth, raw=True)
        assert picture._core.sizes() == plain_walk(graph, [address], depth, backwards)


def test_a_thousand_objects_are_grouped():
    boxes = [Box("hub", asked=True)] + [Box(f"Kind{i % 7}") for i in range(1000)]
    arrows = [Arrow(i, 0, "conn") for i in range(1, 1001)]
    picture = Picture.of(boxes, arrows)
    assert picture._core.sizes() == (8, 7)
    words = [text.text for text in parsed(picture.svg()).iter(SVG + "text")]
    assert "Kind0 ×143" in words and "Kind6 ×142" in words


def test_two_hundred_boxes_and_a_thousand_arrows_are_drawn():
    boxes = [Box(f"Kind{i % 7}", asked=i == 0) for i in range(200)]
    arrows = [Arrow(i * 7 % 200, i * i * 3 % 200, f"a{i}") for i in range(1000)]
    root = parsed(Picture.of(boxes, arrows).svg())
    assert len([g for g in root.iter(SVG + "g") if g.find(SVG + "rect") is not None]) == 200


def test_pictures_of_ones_own():
    picture = Picture.of([Box("list\n3 items", asked=True), Box("a\nb\nc\nd\ne\nf", color="#222222")],
                         [Arrow(1, 0, "x")], dot="digraph {}")  # fmt: skip
    assert picture.dot == "digraph {}"
    words = [text.text for text in parsed(picture.svg()).iter(SVG + "text")]
    assert words == ["x", "list", "3 items", "a", "b", "c", "d ..."]
    with pytest.raises(ValueError, match="not in the picture"):
        Picture.of([Box("a")], [Arrow(0, 1)])
    with pytest.raises(TypeError):
        type(picture._core)()


def test_questions_that_cannot_be_drawn(story):
    with pytest.raises(LookupError):
        story.picture("NoSuchType")
    with pytest.raises(ValueError, match="full name"):
        story.picture("Connections")
    with pytest.raises(ValueError, match="1 or more"):
        story.picture("TCPTransport", depth=0)
    assert "Nothing refers to it" in story.picture(1).svg()


# ---- files ---------------------------------------------------------------------------------------


def test_save_writes_what_the_name_says(story, tmp_path):
    picture = story.why("TCPTransport").picture()
    picture.save(tmp_path / "x.svg")
    picture.save(str(tmp_path / "x.HTML"))
    picture.save(tmp_path / "x.dot")
    assert (tmp_path / "x.svg").read_text(encoding="utf-8") == picture.svg()
    assert (tmp_path / "x.HTML").read_text(encoding="utf-8") == picture.html()
    assert (tmp_path / "x.dot").read_text(encoding="utf-8") == picture.dot
    assert "HOLDER 1 of 2" in picture.html()
    with pytest.raises(ValueError, match=r"\.svg, \.html, \.dot or \.png"):
        picture.save(tmp_path / "x.jpg")


def test_the_command_writes_what_the_name_says(folder, tmp_path):
    for name in ("x.svg", "x.html", "x.dot", "x.gv"):
        done = native.run("graph", "story.rch", "TCPTransport", "-o", tmp_path / name, cwd=folder)
        assert done.returncode == 0 and done.stdout == b"", done.stderr
        assert b"10 boxes, 9 arrows" in done.stderr
    parsed((tmp_path / "x.svg").read_text(encoding="utf-8"))
    gone = native.run("graph", "story.rch", "TCPTransport", "-o", tmp_path / "no/x.svg", cwd=folder)
    assert gone.returncode == 4 and b"No such file" in gone.stderr
    both = native.run("graph", "--svg", "--html", "story.rch", "TCPTransport", cwd=folder)
    assert both.returncode == 2


def test_without_graphviz_png_says_what_to_do_and_svg_goes_on(story, folder, tmp_path, monkeypatch):
    picture = story.why("TCPTransport").picture()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(refchain.Error, match=r"refchain\[png\]"):
        picture.save(tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()
    parsed(picture.svg())
    done = native.run("graph", "story.rch", "TCPTransport", "-o", tmp_path / "x.png", cwd=folder)
    assert done.returncode == 4 and b"no 'dot' in PATH" in done.stderr
    assert native.run("graph", "--svg", "story.rch", "TCPTransport", cwd=folder).returncode == 0


def test_the_extra_draws_png_where_graphviz_is_not(story, tmp_path, monkeypatch):
    pytest.importorskip("resvg_py", reason="pip install 'refchain[png]'")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert story.why("TCPTransport").picture().png().startswith(PNG)


def test_dot_that_fails_is_told(story, tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho broken here >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(refchain.Error, match="broken here"):
        story.why("TCPTransport").picture().png()
    done = native.run("graph", native.ROOT / "tests/corrupt/good.rch", "*", "-o", tmp_path / "x.png")
    assert done.returncode == 4 and b"could not draw" in done.stderr


# ---- Graphviz ------------------------------------------------------------------------------------

needs_dot = pytest.mark.skipif(not shutil.which("dot"), reason="graphviz is not installed")


def evil_picture():
    boxes = [Box(f"{name}\n{name}", title=name, asked=i == 0) for i, name in enumerate(EVIL)]
    return Picture.of(boxes, [Arrow(i, i // 2, name, cut=i % 2 == 0) for i, name in enumerate(EVIL)])


@needs_dot
def test_dot_draws_our_pictures(story, folder, tmp_path):
    for picture in (story.why("TCPTransport").picture(), evil_picture()):
        assert picture.png().startswith(PNG)
    done = native.run("graph", "hostile.rch", "Leak", "-o", tmp_path / "-x.png", cwd=folder)
    assert done.returncode == 0 and (tmp_path / "-x.png").read_bytes().startswith(PNG)


@needs_dot
def test_dot_reads_names_as_they_are_meant():
    drawn = subprocess.run(["dot", "-Tsvg"], input=evil_picture().dot.encode(), check=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    assert drawn.stderr.decode().replace("Pango", "") == "" or b"syntax" not in drawn.stderr
    words = "".join(ET.fromstring(drawn.stdout).itertext())
    for meant in ("</script><script>alert(1)</script>", "&amp; &#x41; <b>", "\\x1b[2J", "\\N\\G\\l"):
        assert meant in words


@needs_dot
@pytest.mark.skipif(not shutil.which("xdot") or not shutil.which("xvfb-run"),
                    reason="xdot and xvfb are not installed")  # fmt: skip
def test_xdot_reads_our_pictures(tmp_path):
    picture = evil_picture()
    drawn = subprocess.run(["dot", "-Txdot"], input=picture.dot.encode(), check=True,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
    (tmp_path / "x.xdot").write_bytes(drawn.stdout)
    python = Path(shutil.which("xdot")).read_text().splitlines()[0].lstrip("#! ").split()
    script = ("import sys; from xdot.dot.parser import XDotParser\n"
              "g = XDotParser(open(sys.argv[1], 'rb').read()).parse(); print(len(g.nodes), len(g.edges))")
    done = subprocess.run(["xvfb-run", "-a", *python, "-c", script, str(tmp_path / "x.xdot")],
                          check=True, capture_output=True, text=True, timeout=120)  # fmt: skip
    assert done.stdout.split() == [str(n) for n in picture._core.sizes()]

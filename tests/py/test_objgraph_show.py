# SPDX-License-Identifier: MIT
"""What show_* of refchain.objgraph start and print, with and without Graphviz, and what they leave in a
shell's history. Programs are stand-ins that note how they were called; the text is objgraph's."""
import importlib.util
import io
import os
import pathlib
import re
import stat
import sys

import inside
import pytest
from refchain import objgraph as ours


class Thing:
    pass


shelf = {}


@pytest.fixture
def thing(tmp_path, monkeypatch):
    """Something to show, in a folder where nothing is, with a PATH on which nothing is."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    shelf["thing"] = Thing()
    yield shelf["thing"]
    shelf.clear()


def program(folder, name, code=0):
    """A program that writes its arguments to NAME.called, then the file behind -o."""
    path = folder / "bin" / name
    path.write_text("#!%s\nimport sys\n"
                    "open(%r, 'w').write('\\n'.join(sys.argv[1:]))\n"
                    "[open(a[2:], 'w').write('drawn') for a in sys.argv if a.startswith('-o')]\n"
                    "sys.exit(%d)\n" % (sys.executable, str(folder / (name + ".called")), code))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def called(folder, name, wait_for):
    return wait_for(lambda: (folder / (name + ".called")).exists()
                    and (folder / (name + ".called")).read_text()).split("\n")


@pytest.fixture
def wait_for():
    import time

    def wait(condition):
        while True:
            value = condition()
            if value:
                return value
            time.sleep(.01)
    return wait


def dot_file(out):
    return pathlib.Path(re.match(r"Graph written to (\S+\.dot) \(\d+ nodes\)\n", out)[1])


@pytest.mark.parametrize("show", [ours.show_refs, ours.show_backrefs])
def test_without_graphviz_the_dot_is_written_and_said_to_be_all(thing, tmp_path, capsys, show):
    drawn = show([thing])
    out = capsys.readouterr().out
    assert out.splitlines()[1:] == [
        "Graph viewer (xdot) and image renderer (dot) not found, not doing anything else"]
    path = dot_file(out)
    assert path.parent == tmp_path / "tmp" and path.name.startswith("objgraph-")
    assert path.read_text() == drawn.dot
    assert drawn.svg().startswith("<svg") and "Thing" in drawn.svg()
    show([thing], filename="x.png")
    assert capsys.readouterr().out.splitlines()[1:] == [
        "Image renderer (dot) not found, not doing anything else"]
    assert not os.path.exists("x.png")


def test_a_window_of_xdot_is_opened_and_not_waited_for(thing, tmp_path, capsys, wait_for):
    program(tmp_path, "xdot")
    program(tmp_path, "dot")
    ours.show_chain(ours.find_backref_chain(thing, ours.is_proper_module))
    out = capsys.readouterr().out
    assert out.splitlines()[1:] == ["Spawning graph viewer (xdot)"]
    assert called(tmp_path, "xdot", wait_for) == [str(dot_file(out))]
    assert not (tmp_path / "dot.called").exists()


def test_without_xdot_there_is_an_image(thing, tmp_path, capsys, wait_for):
    program(tmp_path, "dot")
    ours.show_backrefs([thing])
    out = capsys.readouterr().out
    path = dot_file(out)
    image = str(path)[:-len(".dot")] + ".png"
    assert out.splitlines()[1:] == ["Graph viewer (xdot) not found, generating a png instead",
                                    "Image generated as " + image]
    assert called(tmp_path, "dot", wait_for) == ["-Tpng", "-o" + image, str(path)]
    ours.show_backrefs([thing], filename="refs.svg")
    assert capsys.readouterr().out.splitlines()[1:] == ["Image generated as refs.svg"]
    assert pathlib.Path("refs.svg").read_text() == "drawn"


def test_a_renderer_that_fails_is_told(thing, tmp_path, capsys):
    program(tmp_path, "dot", code=3)
    ours.show_refs([thing], filename="refs.png")
    out = capsys.readouterr().out
    assert out.splitlines()[1:] == [
        'dot failed (exit code 3) while executing "dot -Tpng -orefs.png %s"' % dot_file(out)]


def test_an_output_of_ones_own_starts_nothing(thing, tmp_path, capsys):
    program(tmp_path, "xdot")
    out = io.StringIO()
    drawn = ours.show_refs([thing], output=out)
    assert out.getvalue() == drawn.dot and capsys.readouterr().out == ""
    assert list((tmp_path / "tmp").iterdir()) == [] and not (tmp_path / "xdot.called").exists()


def test_modules_are_green_and_what_is_highlighted_is_blue_in_our_own_svg_too(thing):
    def is_thing(obj):
        return type(obj) is Thing

    out = io.StringIO()
    drawn = ours.show_backrefs([thing], max_depth=4, highlight=is_thing, output=out,
                               filter=lambda obj: type(obj) in (dict, type(sys)))
    colors = set(re.findall(r"fill:(#[0-9a-f]{6})", drawn.svg()))
    assert "#66a3ff" in colors  # 0.6, 0.6, 1: the first is white else
    assert re.search(r'fillcolor="0\.6,0\.6,1"', out.getvalue())
    greens = [c for c in colors if c[5:] == "00" and c[3:5] > c[1:3]]
    assert greens and re.search(r'fillcolor="0\.3,1,', out.getvalue())
    plain = ours.show_refs([thing], output=io.StringIO())
    assert "#66a3ff" not in plain.svg()


@pytest.mark.skipif(not importlib.util.find_spec("IPython"), reason="IPython is not installed")
def test_a_picture_in_the_history_of_ipython_holds_nothing(tmp_path):
    typed = """
import gc, weakref
from refchain import objgraph
class Thing: pass

thing = Thing()
ref = weakref.ref(thing)
objgraph.show_backrefs([thing], filename="x.dot")
objgraph.show_refs(thing, filename="x.dot")
objgraph.show_chain(objgraph.find_backref_chain(thing, objgraph.is_proper_module), filename="x.dot")
print("HISTORY", sorted({type(value).__name__ for value in Out.values()}))
chain = objgraph.find_backref_chain(thing, objgraph.is_proper_module)
print("CHAIN", type(chain).__name__, len(chain))
thing = chain = None
print("GONE", ref() is None)
exit()
"""
    out = inside.run(["-m", "IPython", "--simple-prompt", "--no-banner", "--no-confirm-exit",
                      "--quick"], stdin=typed, timeout=180,
                     env={"IPYTHONDIR": str(tmp_path), "PATH": os.environ["PATH"]})
    assert "HISTORY ['Picture']" in out, out
    assert "GONE True" in out, out

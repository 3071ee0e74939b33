# SPDX-License-Identifier: MIT
"""The index beside a snapshot, from outside: same answers, private, told when damaged, never needed."""

import os
import stat
import warnings

import native
import pytest
import refchain

ASK = ["top", "--sort", "retained", "story.rch"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("REFCHAIN_CACHE", "all")  # small snapshots too
    native.make_rch(native.GOLDEN / "story.graph", tmp_path / "story.rch")
    return tmp_path


def run(folder, *args, cache="all"):
    return native.run(*args, cwd=folder, env={"REFCHAIN_CACHE": cache})


def answer(folder, *args, cache="all"):
    done = run(folder, *args, cache=cache)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_second_answer_is_the_first_one(folder):
    index = folder / "story.rch.idx"
    snapshot = (folder / "story.rch").read_bytes()
    first = answer(folder, *ASK)
    assert stat.S_IMODE(index.stat().st_mode) == 0o600
    whole = index.read_bytes()
    assert answer(folder, *ASK) == first
    why = answer(folder, "why", "story.rch", "TCPTransport")
    assert index.stat().st_size > len(whole)  # the referrers came to it
    assert answer(folder, "why", "story.rch", "TCPTransport") == why
    assert (folder / "story.rch").read_bytes() == snapshot
    assert sorted(os.listdir(folder)) == ["story.rch", "story.rch.idx"]


@pytest.mark.parametrize("how", ["option", "off", "small"])
def test_no_index_where_none_is_wished(folder, how):
    cache = {"option": "all", "off": "off", "small": ""}[how]
    answer(folder, *ASK, *(["--no-cache"] if how == "option" else []), cache=cache)
    assert os.listdir(folder) == ["story.rch"]


def test_a_damaged_index_is_told_in_one_line(folder):
    index = folder / "story.rch.idx"
    first = answer(folder, *ASK)
    good = index.read_bytes()
    for at, words in ((10, b"its header is damaged"), (len(good) - 1, b"it is cut short")):
        bad = bytearray(good)
        bad[at] ^= 1
        index.write_bytes(bad[:-1] if at > 10 else bad)
        done = run(folder, *ASK)
        assert done.stdout == first and done.returncode == 0
        assert words in done.stderr and done.stderr.count(b"\n") == 1
        assert index.read_bytes() == good
    index.write_bytes(good[:320] + bytes(len(good) - 320))
    done = run(folder, *ASK)
    assert done.stdout == first and b"damaged; not used, and made again" in done.stderr


def test_an_index_that_cannot_be_written_is_nobodys_worry(folder):
    (folder / "story.rch.idx").mkdir()
    done = run(folder, *ASK)
    assert done.returncode == 0 and done.stderr == b""
    assert sorted(os.listdir(folder)) == ["story.rch", "story.rch.idx"]


def test_python_uses_and_writes_it(folder):
    path, index = folder / "story.rch", folder / "story.rch.idx"
    plain = refchain.load(path, cache=False)
    plain.top(sort="retained")
    assert not index.exists()
    graph = refchain.load(path)
    first = graph.top(sort="retained")
    assert index.exists()
    size = index.stat().st_size
    first_why = str(graph.why("TCPTransport"))
    assert index.stat().st_size > size
    again = refchain.load(path)
    assert list(again.top(sort="retained")) == list(first) == list(plain.top(sort="retained"))
    assert str(again.why("TCPTransport")) == first_why


def test_python_warns_of_a_damaged_one(folder):
    index = folder / "story.rch.idx"
    index.write_bytes(b"not an index")
    with pytest.warns(RuntimeWarning, match="it is no index"):
        refchain.load(folder / "story.rch")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refchain.load(folder / "story.rch", cache=False)

# SPDX-License-Identifier: MIT
"""Work that will not fit is refused with the figures before it begins."""

import os
import re
import subprocess
import sys

import native
import pytest
import refchain


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    return native.make_big(400000, tmp_path_factory.mktemp("big") / "big.rch")


@pytest.mark.parametrize("command, what", [
    (["top", "--sort", "retained", "big.rch"], "retained bytes"),
    (["why", "big.rch", "made.Type49"], "an answer"),
    (["fds", "--why", "big.rch"], "an answer"),
    (["graph", "big.rch", "made.Type49", "-o", "x.svg"], "an answer"),
    (["graph", "--refs", "big.rch", "made.Type49", "-o", "x.svg"], "referrers"),
    (["diff", "big.rch", "big.rch"], "growth"),
])
def test_a_command_refuses_and_begins_nothing(big, command, what):
    done = native.run(*command, "--max-memory", "1M", cwd=big.parent)
    text = done.stderr.decode()
    assert done.returncode == 4 and done.stdout == b""
    assert "%s over 400000 objects: " % what in text and text.count("\n") == 1
    assert "MiB of memory needed, 1.0 MiB allowed; nothing was begun" in text
    assert os.listdir(big.parent) == ["big.rch"]


def test_with_enough_it_answers(big):
    done = native.run("top", "--sort", "retained", "--no-cache", "--max-memory", "1G", "big.rch",
                      cwd=big.parent)
    assert done.returncode == 0 and done.stderr == b""


def test_a_size_must_be_one(big):
    done = native.run("top", "--max-memory", "lots", "big.rch", cwd=big.parent)
    assert done.returncode == 2 and b"'lots' is not a size like 500M or 8G" in done.stderr


def test_python_raises_memory_error_with_the_figures(big):
    graph = refchain.load(big, cache=False, max_memory=1 << 20)
    for ask in (lambda: graph.why("made.Type49"), lambda: graph.top(sort="retained"),
                lambda: graph.picture("made.Type49")):
        with pytest.raises(MemoryError, match=r"MiB of memory needed, 1\.0 MiB allowed"):
            ask()
    assert graph.top()[0].count > 0  # what needs little is answered
    assert len(refchain.load(big, cache=False).top(sort="retained")) == 50


SNAPSHOT = """
import refchain
keep = [[i] for i in range(100000)]
try:
    refchain.snapshot(max_memory=1 << 20)
except MemoryError as error:
    print(error)
graph = refchain.snapshot(max_memory=1 << 30)
print(graph.count("list") >= 100000)
"""


def test_a_heap_that_will_not_fit_is_given_up_with_words():
    done = subprocess.run([sys.executable, "-c", SNAPSHOT], capture_output=True, text=True,
                          check=True)
    words, is_there = done.stdout.splitlines()
    assert re.search(r"needs [\d.]+ MiB of memory or more, 1\.0 MiB are allowed; it was given up",
                     words)
    assert "refchain dump PID reads it from outside" in words
    assert is_there == "True"


def test_another_process_that_will_not_fit_is_given_up_and_goes_on(tmp_path):
    program = "keep = [[i] for i in range(100000)]; print('ready', flush=True); input(); print('on')"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        done = native.run("dump", process.pid, "-o", tmp_path / "x.rch", "--max-memory", "1M")
        out, _ = process.communicate("\n", timeout=60)
    assert done.returncode == 4 and b"1.0 MiB are allowed; it was given up" in done.stderr
    assert out == "on\n" and os.listdir(tmp_path) == []

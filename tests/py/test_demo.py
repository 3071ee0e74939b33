# SPDX-License-Identifier: MIT
"""The demo program leaks what it says it leaks, both of its mistakes are found, and the session in
the README is what it prints."""
import re
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def demo(root, tmp_path_factory):
    """(what the program printed, the snapshot it wrote)."""
    snapshot = tmp_path_factory.mktemp("demo") / "demo.rch"
    done = subprocess.run(
        [sys.executable, str(root / "demo/leaky_app.py"), str(snapshot)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, snapshot


@pytest.fixture
def from_snapshot(demo, run_refchain):
    done = run_refchain("why", demo[1], "Transport")
    assert done.returncode == 0, done.stderr
    return done.stdout


def trace(text):
    """The lines that are the same in every process: headings of holders, and their hops."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return [line for line in lines if re.match(r"HOLDER|module |├─|╰→|`->|\|-", line)]


def test_every_socket_that_was_opened_is_still_open(demo):
    assert "Sockets still open: 137." in demo[0]


def test_both_mistakes_are_named(demo):
    text = demo[0]
    assert "Kept alive by 2 holders" in text
    assert "._on_fork" in text
    assert ".encoder_for" in text


def test_the_snapshot_gives_the_same_holders(demo, from_snapshot):
    assert trace(from_snapshot) == trace(demo[0]) != []


def test_the_session_in_the_readme_is_what_the_demo_prints(root, demo):
    session = re.search(r"```\n(.*?)```", (root / "README.md").read_text(), re.S)[1]
    shown = trace(session)
    assert len(shown) > 10
    printed = set(trace(demo[0]))
    assert [line for line in shown if line not in printed] == []

# SPDX-License-Identifier: MIT
"""The story as it was: a test run that hangs in recv() at its 142nd test, asked from outside. The
answer is the one from inside, and the run goes on afterwards as if nothing had been."""

import json
import shutil
import subprocess

import hung
import inside
import native
import pytest
from processes import sleep_of, wait_for

QUESTION = "minimq.transport.TCPTransport"
DIFFERS = {"source"}  # between asking a process, its core and its snapshot
SIZES = {"bytes"}


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hung")
    with hung.run(folder, inside.corpus() / "story_standin.py") as run:
        run.where = run.wait_until_hung()
        yield run


def why(where, *options):
    done = native.run("why", where, QUESTION, "--json", *options)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout), done


def essence(answer):
    """What must be equal from inside and from outside."""
    return answer["objects"], [
        (
            holder["fingerprint"],
            holder["root"]["kind"],
            holder["root"]["name"],
            inside.hops(holder),
            [hop["type"] for hop in holder["path"]],
            holder["holds"],
            holder["holds_only"],
            holder["frees_if_cut"]["question"],
        )
        for holder in answer["holders"]
    ]


def test_it_hangs_where_the_story_says(story):
    assert story.where.endswith("test_141")


def test_the_answer_from_outside_is_the_one_from_inside(story):
    before = sleep_of(story.pid)
    outside, done = why(story.pid)
    assert sleep_of(story.pid) == before
    assert story.process.poll() is None
    assert b"MiB copied" in done.stderr
    from_inside = json.loads(story.ask(QUESTION))
    assert essence(outside) == essence(from_inside)
    assert [h["root"]["name"] for h in outside["holders"]][:2] == [
        "multiprocessing.util",
        "minimq.backends",
    ]
    assert (outside["garbage"], outside["c_held"]) == (from_inside["garbage"], from_inside["c_held"])


def without_source(answer):
    return {key: value for key, value in answer.items() if key not in DIFFERS}


def test_process_snapshot_and_core_give_the_same_json(story, tmp_path):
    snapshot = tmp_path / "hung.rch"
    dumped = native.run("dump", story.pid, "-o", snapshot)
    assert dumped.returncode == 0, dumped.stderr.decode()
    answers = [why(story.pid)[0], why(snapshot)[0]]
    if shutil.which("gcore"):
        subprocess.run(
            ["gcore", "-o", tmp_path / "core", str(story.pid)], check=True, capture_output=True
        )
        answers.append(why(tmp_path / f"core.{story.pid}")[0])
    for other in answers[1:]:
        assert without_source(other) == without_source(answers[0])


def test_the_stack_shows_recv_under_the_line_of_the_test(story):
    done = native.run("stacks", story.pid, "--json")
    assert done.returncode == 0, done.stderr.decode()
    threads = json.loads(done.stdout)["threads"]
    main = next(thread for thread in threads if thread["id"] == story.pid)
    assert main["waits_for"].startswith("recv on fd ")
    assert "127.0.0.1" in main["waits_for"]
    functions = [frame["function"] for frame in main["frames"]]
    assert any(name.endswith("one") for name in functions)
    assert any(frame["file"].endswith("story_standin.py") for frame in main["frames"])


def test_the_descriptors_are_named_with_owner_and_holders(story):
    done = native.run("fds", story.pid, "--why")
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode()
    assert "142 TCP sockets to 127.0.0.1" in text
    assert "TCPTransport" in text and "multiprocessing.util" in text and "minimq.backends" in text


def test_it_goes_on_when_the_broker_frees_a_connection(story):
    why(story.pid)
    story.free_one("TCPTransport")
    wait_for(lambda: story.now() != story.where)
    assert story.wait_until_hung().endswith("test_142")

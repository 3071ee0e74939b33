# SPDX-License-Identifier: MIT
"""The leak of Celery 5.2.6 against a real RabbitMQ: both holders of the sockets, one of the apps.
repr() of some of these objects opens connections or blocks for ever; asking does neither."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "py"))
import inside  # noqa: E402
import native  # noqa: E402

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(300)]
pytest.importorskip("celery", reason="celery is not installed: use `make test-rabbitmq`")

ADDRESS = ("127.0.0.1", 5672)
APPS = 100
TO_TRANSPORT = [
    "._producer_pool", "._resource", ".queue", "[*]", ".__connection__", "._connection",
    "._transport",
]  # fmt: skip


def answers():
    try:
        with socket.create_connection(ADDRESS, timeout=2) as sock:
            sock.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(sock.recv(1))
    except OSError:
        return False


@pytest.fixture(scope="module")
def broker():
    """A RabbitMQ on loopback: the one that runs, or one that is started for the tests."""
    if answers():
        yield
        return
    places = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/lib/rabbitmq/bin"])
    server = shutil.which("rabbitmq-server", path=places)
    if not server:
        pytest.skip("RabbitMQ is not installed here (Debian: apt-get install rabbitmq-server)")
    server = subprocess.Popen(
        [server],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PATH": places},
    )
    deadline = time.monotonic() + 90
    while not answers():
        if server.poll() is not None or time.monotonic() > deadline:
            server.terminate()
            pytest.skip("RabbitMQ is installed but does not start: see /var/log/rabbitmq")
        time.sleep(0.5)
    yield
    server.terminate()
    server.wait(60)


@pytest.fixture(scope="module")
def told(broker):
    ask = inside.PROGRAMS / "celery_ask.py"
    questions = ["amqp.transport.TCPTransport", "celery.app.base.Celery"]
    out = inside.run([ask, inside.corpus(), APPS, *questions], timeout=240)
    return inside.told_all(out)


def without_indices(holder):
    """Which place in its queue a producer has depends on the pools' limits."""
    labels = inside.hops(holder)
    return ["[*]" if label.startswith("[") else label for label in labels]


def test_the_sockets_have_two_holders(told):
    data = told[0]["answer"]
    assert data["objects"] == APPS
    by_root = {inside.root(h): h for h in data["holders"]}
    assert len(data["holders"]) == 2
    observers = by_root["module", "celery.utils.collections"]
    pools = by_root["module", "kombu.pools"]
    assert without_indices(observers) == (
        [".ChainMap", "._observers", "[*]", ".__self__"] + TO_TRANSPORT
    )
    assert observers["cut"] == 2 and observers["also"] == []
    assert without_indices(pools) == [
        ".connections", "[*]", "._resource", ".queue", "[*]", "._connection", "._transport",
    ]  # fmt: skip
    assert pools["cut"] == 1 and pools["also"] == [".producers"]
    for holder in data["holders"]:
        assert holder["cut_is_group"]
        assert (holder["holds"], holder["holds_only"]) == (APPS, 0)
        assert holder["frees_if_cut"]["question"] == 0
    assert data["all_cut"]["question"] == APPS


def test_the_apps_have_one_holder(told):
    data = told[1]["answer"]
    (holder,) = data["holders"]
    assert data["objects"] == APPS
    assert inside.root(holder) == ("module", "celery.utils.collections")
    assert inside.hops(holder) == [".ChainMap", "._observers", "[*]", ".__self__", ".app"]
    assert holder["cut"] == 2
    assert holder["frees_if_cut"]["question"] == data["all_cut"]["question"] == APPS


def test_nothing_else_holds_them(told):
    for row in told:
        for key in ("garbage", "c_held", "observer", "uncuttable", "unexplained"):
            assert row["answer"][key] == 0, key
        assert row["answer"]["warnings"] == [] and not row["answer"]["partial"]


def test_asking_opens_no_connection_and_does_not_block(told):
    for row in told:
        assert row["sockets"][0] >= APPS and row["sockets"][0] == row["sockets"][1]
        assert row["threads"][0] == row["threads"][1]
        assert row["seconds"] < 20


def test_the_fingerprints_are_the_same_everywhere(told):
    """With those that other interpreters saw (tests/py/test_fingerprints.py)."""
    expected = json.loads((inside.HERE / "fingerprints.json").read_text())
    seen = {}
    for row in told:
        prints = sorted(holder["fingerprint"] for holder in row["answer"]["holders"])
        seen[row["answer"]["question"]["type"]] = prints
    assert seen == expected["celery"]


def test_from_outside_they_are_the_same(broker):
    expected = json.loads((inside.HERE / "fingerprints.json").read_text())["celery"]
    with subprocess.Popen(
        [sys.executable, inside.corpus() / "story_celery526.py", "--leak", "20"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=inside.environment(PYTHONHASHSEED="random"),
    ) as process:
        try:
            assert process.stdout.readline().startswith("READY")
            for question, prints in expected.items():
                done = native.run("why", process.pid, question, "--json")
                holders = json.loads(done.stdout)["holders"]
                assert sorted(holder["fingerprint"] for holder in holders) == prints
        finally:
            process.kill()


@pytest.fixture(scope="module")
def found(broker, tmp_path_factory):
    snapshot = tmp_path_factory.mktemp("celery") / "celery.rch"
    ask = inside.PROGRAMS / "suspects_ask.py"
    return inside.told(
        inside.run([ask, inside.corpus(), "story_celery526", 137, snapshot], timeout=240)
    )


@pytest.mark.parametrize("place", ["json", "snapshot"])
def test_without_a_question_the_sockets_are_one_suspect_with_both_holders(found, place):
    first = found[place]["suspects"][0]
    assert (first["type"], first["objects"]) == ("amqp.transport.TCPTransport", 137)
    assert first["level"] == "likely" and first["keeps"]["sockets"] == 137
    roots = {inside.root(h)[1]: inside.hops(h)[: h["cut"]] for h in first["why"]["holders"]}
    assert roots == {
        "celery.utils.collections": [".ChainMap", "._observers"],
        "kombu.pools": [".connections"],
    }
    others = [s for s in found[place]["suspects"][1:] if s["type"].startswith("kombu.transport")]
    assert others == []

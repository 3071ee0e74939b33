# SPDX-License-Identifier: MIT
"""Celery 5.2.6 and a real RabbitMQ that was started with `ulimit -n 256`: it has 141 connections to
give. A test run that leaks one a test hangs at the 142nd, and is asked from outside."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "py"))
import hung  # noqa: E402
import inside  # noqa: E402
import native  # noqa: E402
from processes import read, sleep_of, wait_for  # noqa: E402

pytestmark = [pytest.mark.rabbitmq, pytest.mark.timeout(600)]
pytest.importorskip("celery", reason="celery is not installed: use `make test-rabbitmq`")

QUESTION = "amqp.transport.TCPTransport"
HOLDERS = {"celery.utils.collections", "kombu.pools"}
PLACES = os.pathsep.join([os.environ["PATH"], "/usr/lib/rabbitmq/bin"])


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    """A RabbitMQ of our own with 256 descriptors, of which it gives 141 to connections."""
    server = shutil.which("rabbitmq-server", path="/usr/lib/rabbitmq/bin") or shutil.which(
        "rabbitmq-server", path=PLACES
    )
    if not server:
        pytest.skip("RabbitMQ is not installed here (Debian: apt-get install rabbitmq-server)")
    folder = tmp_path_factory.mktemp("broker")
    (folder / "plugins").write_text("[].")
    port = free_port()
    env = {
        **os.environ,
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"hung{port}@localhost",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(
            ["sh", "-c", 'ulimit -n 256; exec "$0"', server],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            start_new_session=True,
        )

    def is_up():
        if process.poll() is not None:
            pytest.skip(f"RabbitMQ does not start: {read(folder / 'output')[-500:]}")
        return "Starting broker... completed" in read(folder / "output")

    wait_for(is_up)

    def control(*words):
        command = [pathlib.Path(server).with_name("rabbitmqctl"), "-q", "-n", env["RABBITMQ_NODENAME"]]
        done = subprocess.run([*command, *words], env=env, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    yield types.SimpleNamespace(
        address=f"amqp://guest:guest@127.0.0.1:{port}//", port=port, control=control
    )
    os.killpg(process.pid, 15)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)


@pytest.fixture(scope="module")
def story(broker, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hung")
    module = inside.PROGRAMS / "celery_run.py"
    with hung.run(folder, module, env={"CELERY_BROKER": broker.address}) as run:
        run.where = run.wait_until_hung()
        yield run


def test_it_hangs_at_the_142nd_test(story):
    assert story.where.endswith("test_141")


def test_the_sockets_have_two_holders(story):
    before = sleep_of(story.pid)
    done = native.run("why", story.pid, QUESTION, "--json")
    assert done.returncode == 0, done.stderr.decode()
    answer = json.loads(done.stdout)
    assert {holder["root"]["name"] for holder in answer["holders"]} >= HOLDERS
    assert answer["objects"] in (141, 142)
    assert sleep_of(story.pid) == before and story.process.poll() is None
    from_inside = json.loads(story.ask(QUESTION))
    assert [h["fingerprint"] for h in answer["holders"]] == [
        h["fingerprint"] for h in from_inside["holders"]
    ]
    assert [(h["holds"], h["holds_only"]) for h in answer["holders"]] == [
        (h["holds"], h["holds_only"]) for h in from_inside["holders"]
    ]


def test_the_descriptors_are_named(story, broker):
    done = native.run("fds", story.pid, "--why")
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode()
    assert f"142 TCP sockets to 127.0.0.1:{broker.port}" in text  # one of them waits
    assert "TCPTransport" in text
    for name in HOLDERS:
        assert name in text


def test_the_stack_shows_recv(story):
    done = native.run("stacks", story.pid)
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode()
    assert "recv on fd" in text
    assert re.search(r"^ +one \(.*celery_run\.py:\d+\)", text, re.MULTILINE)


def test_it_goes_on_when_the_broker_frees_a_connection(story, broker):
    """The broker says goodbye to the first connection, waits for the answer, which a leaked connection
    does not give, and closes it after half a minute. One place is free then: one more test runs."""
    assert native.run("why", story.pid, QUESTION).returncode == 0
    listed = broker.control("list_connections", "--no-table-headers", "pid").split()
    assert len(listed) == 141
    broker.control("close_connection", listed[0], "to make room")
    wait_for(lambda: story.now() != story.where)
    assert story.wait_until_hung().endswith("test_142")

# SPDX-License-Identifier: MIT
"""Ctrl-C in the middle of long work: it ends with words, and leaves nothing half done."""

import os
import signal
import subprocess
import sys
import time

import native
import pytest

OBJECTS = 1500000
PATTERN = "made.Type49"  # a thousand objects that everything holds: long work


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    return native.make_big(OBJECTS, tmp_path_factory.mktemp("big") / "big.rch")


def wait_until_busy(process, pid=None):
    """It has the snapshot mapped and works: half a tenth of a second of CPU time in it."""
    pid, ticks = pid or process.pid, os.sysconf("SC_CLK_TCK")
    while process.poll() is None:
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        with open("/proc/%d/maps" % pid, encoding="utf-8", errors="replace") as maps:
            if "big.rch" in maps.read() and int(fields[11]) + int(fields[12]) >= 0.1 * ticks:
                return
        time.sleep(0.005)


def interrupt(args, cwd, **more):
    process = subprocess.Popen(args, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               stdin=subprocess.DEVNULL, **more)
    wait_until_busy(process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("command", [
    ["top", "--sort", "retained", "big.rch"],
    ["why", "big.rch", PATTERN],
    ["graph", "big.rch", PATTERN, "-o", "x.svg"],
])
def test_a_command_ends_of_the_signal_and_says_so(big, command):
    code, out, err = interrupt([native.refchain(), *command], big.parent)
    assert code == -signal.SIGINT  # a shell sees 130 and ends its loop
    assert err.decode().split("\n")[-2] == "refchain: interrupted; no answer"
    assert out == b"" and os.listdir(big.parent) == ["big.rch"]


def child_of(pid):
    path = "/proc/%d/task/%d/children" % (pid, pid)
    while True:
        with open(path, encoding="ascii") as children:
            found = children.read().split()
        if found:
            return int(found[0])
        time.sleep(0.005)


def test_a_shell_sees_130(big):
    script = '"$0" top --no-cache --sort retained big.rch; echo $?'
    process = subprocess.Popen(["bash", "-c", script, native.refchain()], cwd=big.parent,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pid = child_of(process.pid)
    wait_until_busy(process, pid)
    os.kill(pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out.split()[-1] == "130" and "interrupted" in err


def test_who_ignores_the_signal_gets_an_answer(big):
    """As of a job in the background: nohup, or & in a script."""
    code, out, err = interrupt([native.refchain(), "top", "--no-cache", "big.rch"], big.parent,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert code == 0 and b"made.Type00" in out and err == b""


QUESTIONS = {
    "top": 'graph.top(sort="retained")',
    "why": 'graph.why("made.Type49")',
}

PROGRAM = """
import signal, sys, threading
import refchain
signal.signal(signal.SIGINT, signal.default_int_handler)
graph = refchain.load("big.rch")
def work():
    %s
try:
    work()
    print("finished")
except KeyboardInterrupt:
    print("interrupted")
work = lambda: graph.top(3)
print(work()[0].count > 0)
"""


@pytest.mark.parametrize("question", QUESTIONS)
def test_python_raises_keyboard_interrupt_from_within(big, question):
    env = dict(os.environ, REFCHAIN_CACHE="off")
    code, out, err = interrupt([sys.executable, "-c", PROGRAM % QUESTIONS[question]], big.parent,
                               env=env)
    assert (code, out.decode().split()) == (0, ["interrupted", "True"]), err


HANDLED = """
import os, signal
import refchain
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
class Node: pass
keep = [Node() for _ in range(200000)]
os.kill(os.getpid(), signal.SIGINT)  # runs before the next line
graph = refchain.snapshot()
print(len(heard), graph.count("Node") >= 200000)
"""


def test_a_handler_that_does_not_raise_is_no_interruption():
    done = subprocess.run([sys.executable, "-c", HANDLED], capture_output=True, text=True,
                          check=False)
    assert done.stdout.split() == ["1", "True"], done.stderr

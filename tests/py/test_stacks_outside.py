# SPDX-License-Identifier: MIT
"""`refchain stacks PID`: where the threads of another process stand, and what each waits for."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import native
import pytest
from processes import read, sleep_of, state_of, tids_of, wait_for

FUTEX = "202"  # x86-64
PRELUDE = """
import os, queue, select, socket, subprocess, sys, threading, time
server = socket.create_server(("127.0.0.1", 0))
kept, started = [], []

def thread(function, *args):
    thread = threading.Thread(target=function, args=args, name=function.__name__, daemon=True)
    thread.start()
    started.append(thread)

def connect():
    client = socket.create_connection(server.getsockname())
    kept.append((client, server.accept()[0]))
    return client
"""


def is_supported():
    done = native.run("stacks", str(os.getpid()))
    return b"is not in this version" not in done.stderr


@pytest.fixture(scope="module", autouse=True)
def _supported():
    if not is_supported():
        pytest.skip("this refchain does not read other processes")


def stacks_of(program, *options, until=None):
    """The threads of a program, by name, when it has printed "ready" and come to a rest, or until(pid)."""
    process = subprocess.Popen([sys.executable, "-c", PRELUDE + textwrap.dedent(program)],
                               stdout=subprocess.PIPE, start_new_session=True)  # fmt: skip
    try:
        assert process.stdout.readline() == b"ready\n"
        if until:
            wait_for(lambda: until(process.pid))
        else:
            wait_until_still(process.pid)
        done = native.run("stacks", str(process.pid), "--json", *options)
        assert done.returncode == 0, done.stderr
        return {t["name"]: t for t in json.loads(done.stdout)["threads"]}
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its children too
        process.stdout.close()
        process.wait()


def wait_until_still(pid):
    """Until no thread ran between two looks: voluntary context switches stay the same."""
    looks = []
    while len(looks) < 3 or not looks[-1] == looks[-2] == looks[-3]:
        look = []
        for tid in tids_of(pid):
            status = read(f"/proc/{pid}/task/{tid}/status")
            look.append((tid, re.findall(r"^(?:State|.*ctxt_switches):.*$", status, re.M)))
        looks.append(look)
        time.sleep(0.1)


def places(thread):
    return [(f["function"].split(".")[-1], f["line"]) for f in thread["frames"]]


def test_a_program_that_hangs_in_recv():
    threads = stacks_of("""
        def test_hangs(sock):
            x = (
                1,
                sock.recv(
                    10),
            )
        sock = connect()
        print('ready', flush=True)
        test_hangs(sock)
    """)
    (main,) = threads.values()
    assert re.fullmatch(r"recv on fd \d+: TCP 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+",
                        main["waits_for"])  # fmt: skip
    first = PRELUDE.count("\n") + 2
    line = first + 3 if sys.version_info >= (3, 8) else first + 4
    assert places(main) == [("test_hangs", line), ("<module>", first + 8)]
    assert not main["has_gil"] and not main["asks"] and not main["torn"]


def test_what_each_thread_waits_for_is_told():
    threads = stacks_of("""
        def reads_a_pipe(): os.read(os.pipe()[0], 1)
        def selects(): select.select([os.pipe()[0]], [], [])
        def has_a_timeout(sock): sock.settimeout(300); sock.recv(1)
        def sleeps(): time.sleep(1000)
        def waits_for_a_child(): subprocess.call(["sleep", "1000"])
        def takes_from_a_queue(): queue.SimpleQueue().get()
        def takes_a_lock(): lock = threading.Lock(); lock.acquire(); lock.acquire()
        for f in (reads_a_pipe, selects, sleeps, waits_for_a_child, takes_from_a_queue,
                  takes_a_lock):
            thread(f)
        thread(has_a_timeout, connect())
        print('ready', flush=True)
        server.accept()
    """)
    words = {name: t["waits_for"] for name, t in threads.items()}
    for name, pattern in {
        "MainThread": r"accept on fd \d+: TCP 127\.0\.0\.1:\d+ LISTEN",
        "reads_a_pipe": r"read on fd \d+: pipe \d+, other end: fd \d+",
        "selects": r"select on fd \d+: pipe \d+, other end: fd \d+",
        "has_a_timeout": r"poll on fd \d+ to read: TCP 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:\d+",
        "sleeps": r"clock_nanosleep|select \(sleeps\)",
        "waits_for_a_child": r"wait4 for pid \d+",
        "takes_from_a_queue": r"futex \(_queue\.SimpleQueue at 0x[0-9a-f]+\)",
        "takes_a_lock": r"futex \(_thread\.lock at 0x[0-9a-f]+\)",
    }.items():
        assert re.fullmatch(pattern, words[name]), (name, words[name])


def test_a_deadlock_names_who_has_the_locks():
    threads = stacks_of("""
        one, other = threading.RLock(), threading.RLock()
        both = threading.Barrier(2)
        def left():
            with one:
                both.wait()
                with other: pass
        def right():
            with other:
                both.wait()
                with one: pass
        thread(left), thread(right)
        print('ready', flush=True)
        started[0].join()
    """)
    held = {name: threads[name]["waits_for"] for name in ("left", "right")}
    for name, holder in (("left", "right"), ("right", "left")):
        assert re.fullmatch(rf"futex \(_thread\.RLock at 0x[0-9a-f]+, held by thread {holder}\)",
                            held[name])  # fmt: skip
    assert held["left"] != held["right"]


def is_one_of_two_shut_out(pid):
    """The main thread runs and the other waits for the GIL."""
    _, other = tids_of(pid)
    state, call = sleep_of(pid, other)
    return state_of(pid) == "R" and state == "S" and call[:1] == [FUTEX]


def test_who_has_the_gil_and_who_wants_it():
    threads = stacks_of("""
        sys.setswitchinterval(100)
        def wants():
            while True: time.sleep(0.05)
        def has():
            while True: pass
        thread(wants)
        print('ready', flush=True)
        has()
    """, until=is_one_of_two_shut_out)  # fmt: skip
    assert {name: (t["has_gil"], t["waits_for"]) for name, t in threads.items()} == {
        "MainThread": (True, "running"), "wants": (False, "futex (the GIL)")}  # fmt: skip


def test_lines_and_locals_are_those_of_the_program():
    threads = stacks_of("""
        def numbers(sock, *rest):
            inside = [1, 2, 3]
            yield sock.recv(
                len(inside))
        def deep(n, sock):
            if n: return deep(n - 1,
                              sock)
            return next(
                numbers(sock, 1, 2))
        sock = connect()
        print('ready', flush=True)
        deep(30, sock)
    """, "--locals")
    frames = threads["MainThread"]["frames"]
    names = [f["function"].split(".")[-1] for f in frames]
    assert names == ["numbers"] + ["deep"] * 31 + ["<module>"]
    inner = {v["name"]: (v["type"], v.get("length")) for v in frames[0]["locals"]}
    assert inner == {"sock": ("socket.socket", None), "rest": ("tuple", 2), "inside": ("list", 3)}
    first = PRELUDE.count("\n") + 2
    assert [f["line"] for f in frames] == [first + 2, first + 7] + [first + 5] * 30 + [first + 11]


def test_threads_that_run_no_python_are_listed():
    threads = stacks_of("""
        import ctypes
        libc = ctypes.CDLL(None)
        self = ctypes.c_ulong()
        libc.pthread_create(ctypes.byref(self), None, libc.pause, None)
        print('ready', flush=True)
        server.accept()
    """)
    others = [t for name, t in threads.items() if name != "MainThread"]
    assert [(t["waits_for"], t["frames"]) for t in others] == [("pause (a signal)", [])]

# SPDX-License-Identifier: MIT
"""Reading a live process: all its bytes, of one moment, and it does not notice."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import native
import pytest
from live_target import (
    KNOWN,
    RESTLESS,
    ask_for,
    check_bytes,
    hiding,
    is_root_with,
    may_read_all,
    peek,
    sitting,
    threads_of,
    tracers_of,
)
from processes import SAMPLES, wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads processes of Linux")
WITH_UNSHARE = pytest.mark.skipif(not is_root_with("unshare"), reason="needs root and unshare")
PROCESS_VM_READV = 310

# System calls that a signal without a handler does not end, and those that it does.
RESTARTED = ["sleep", "recv", "read", "poll", "select", "futex", "futex-timeout", "pause", "child"]
DISTURBED = ["recv-timeout", "epoll", "epoll-timeout", "signal", "semaphore"]


def ends_of(seen, target):
    """The two words that are a step apart at most."""
    return [int.from_bytes(seen.bytes[target.places[name]], "little") for name in ("first", "last")]


# --- what is read ---------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), ("spin",), ("spin", "sleep", "epoll", "tick-sleep")])
@pytest.mark.parametrize("options", [(), ("--limit", 1), ("--forbid", PROCESS_VM_READV)])
def test_every_kind_of_memory_is_read(words, options):
    with sitting(*words) as target:
        seen = peek(target.pid, *ask_for(target), options=options)
        check_bytes(seen, target)
        assert not seen.warnings
        assert seen.values["missing"] == "0"
        assert int(seen.values["copied"]) > 4 << 20
        assert seen.values["exe"].endswith("sitter")


def test_pages_that_were_written_are_ours_and_the_others_are_of_the_file():
    with sitting() as target:
        page, middle = 4096, {}
        for name in ("file", "deleted"):
            for i in range(4):
                middle[name, i] = target.places[name] + i * page
        seen = peek(target.pid, *(f"{addr:x}:4" for addr in middle.values()))
        for (_name, i), addr in middle.items():
            assert seen.bytes[addr] == (b"bXbb" if i == 1 else bytes([ord("a") + i] * 4))


@pytest.mark.skipif(not shutil.which("prlimit"), reason="needs prlimit")
@pytest.mark.parametrize("limit", ["--nofile=24", "--as=3000000000"])
def test_with_few_descriptors_or_little_address_space(limit):
    if "--as" in limit and native.is_sanitized(native.show_image()):
        pytest.skip("AddressSanitizer takes terabytes of address space")
    with sitting("spin", "recv") as target:
        seen = peek(target.pid, *ask_for(target), prefix=["prlimit", limit])
        check_bytes(seen, target)
        assert not seen.warnings


@WITH_UNSHARE
def test_without_a_map_of_the_pages_all_that_could_be_written_is_copied():
    with sitting("sleep", "spin") as target:
        hide = hiding(f"/proc/{target.pid}/pagemap")
        seen = peek(target.pid, *ask_for(target), prefix=hide)
        for name in ("rodata", "data", "bss", "heap", "untouched", "file", "deleted"):
            assert seen.bytes[target.places[name]] == KNOWN[name], name
        assert seen.bytes[target.places["vast"]] is None  # a terabyte
        (warning,) = seen.warnings
        kib, _, rest = warning.partition(" ")
        assert rest == "KiB of its memory could not be read"
        assert int(kib) - (1 << 30) in (0, 4, 12)  # guards, as well: ours, and those in both stacks


def test_threads_are_told():
    with sitting("sleep", "recv", "spin") as target:
        told = {row[8]: row for row in peek(target.pid).threads}
        assert set(told) == {"sitter", "sleep", "recv", "spin"}
        for name, state, number in (("sleep", "S", (35, 230)), ("recv", "S", (45,)),
                                    ("spin", "R", (-1,)), ("sitter", "S", (0,))):  # fmt: skip
            _tid, its_state, was_stopped, has_registers, call, _arg, pc, sp, _name = told[name]
            assert (its_state, was_stopped, has_registers) == (state, "1", "1"), name
            assert int(call) in number
            assert int(pc, 16) and int(sp, 16)
        assert sorted(int(row[0]) for row in told.values()) == [r[0] for r in threads_of(target.pid)]


def test_a_process_whose_main_thread_has_ended_is_read():
    with sitting("sleep", "spin", "main-ends") as target:
        wait_for(lambda: threads_of(target.pid)[0][2] == "Z")
        seen = peek(target.pid, *ask_for(target))
        check_bytes(seen, target)
        assert {row[8] for row in seen.threads} == {"sleep", "spin"}


# --- it does not notice ---------------------------------------------------------------------------


def test_who_sleeps_is_left_asleep():
    words = RESTARTED + DISTURBED
    with sitting(*words) as target:
        before = threads_of(target.pid)
        for _ in range(SAMPLES):
            assert peek(target.pid).values["pause_ns"] == "0"
        assert threads_of(target.pid) == before
        assert target.said() == []
        target.wake()
        woken = ["recv", "read", "poll", "select", "futex", "futex-timeout", "recv-timeout",
                 "epoll", "epoll-timeout"]  # fmt: skip
        said = sorted(target.line() for _ in range(len(woken) + 1))
        want = [f"returned {word} {0 if 'futex' in word else 1} fine" for word in woken]
        assert said == sorted([*want, "woken"])


def test_who_sleeps_is_left_asleep_while_others_run():
    words = RESTARTED + DISTURBED
    with sitting(*words, "spin") as target:
        before = [row for row in threads_of(target.pid) if row[1] != "spin"]
        for _ in range(SAMPLES):
            assert int(peek(target.pid).values["pause_ns"]) > 0
        assert [row for row in threads_of(target.pid) if row[1] != "spin"] == before
        assert target.said() == []


@WITH_UNSHARE
def test_calls_that_can_be_restarted_go_on_after_a_stop():
    """The kernel does not tell who sleeps, so all are stopped."""
    with sitting(*RESTARTED) as target:
        before = [(tid, name, state) for tid, name, state, _ in threads_of(target.pid)]
        hide = hiding(*(f"/proc/{target.pid}/task/{tid}/syscall" for tid, _, _ in before))
        calls = {}
        for _ in range(SAMPLES):
            seen = peek(target.pid, prefix=hide)
            assert int(seen.values["pause_ns"]) > 0
            for row in seen.threads:
                calls.setdefault(row[8], set()).add(int(row[4]))
        settled = [(tid, name, state) for tid, name, state, _ in threads_of(target.pid)]
        assert settled == before
        assert target.said() == []
        assert calls["recv"] == {45} and calls["read"] == {0} and calls["pause"] == {34}
        assert calls["poll"] <= {7, 219}  # restart_syscall, once it was interrupted
        target.wake()
        said = sorted(target.line() for _ in range(7))
        assert [line.split()[1:2] for line in said if "returned" in line] == [
            ["futex"], ["futex-timeout"], ["poll"], ["read"], ["recv"], ["select"]
        ]  # fmt: skip
        assert all(line.endswith("fine") or line == "woken" for line in said)


@pytest.mark.parametrize("restless", RESTLESS)
def test_who_sleeps_is_not_disturbed_by_the_restless(restless):
    words = RESTARTED + (DISTURBED if restless in ("spin", "step", "breed") else [])
    with sitting(*words, restless, mib=64) as target:
        for _ in range(SAMPLES):
            peek(target.pid)
        assert target.said() == []
        assert tracers_of(target.pid) == {0}


@pytest.mark.parametrize("restless", [("step",), ("step", "breed", "spin"), ("tick-epoll", "sleep"),
                                      ("tick-sleep", "epoll", "recv")])  # fmt: skip
def test_what_is_read_is_of_one_moment(restless):
    with sitting(*restless, mib=64) as target:
        for _ in range(SAMPLES):
            first, last = ends_of(peek(target.pid, *ask_for(target)), target)
            assert 0 <= first - last <= 1
        if "step" in restless:
            goes_on(target)
        assert target.said() == []


def test_what_was_given_back_meanwhile_is_zero():
    """A copy that had to be made again has nothing left of the first."""
    with sitting("flicker", mib=64) as target:
        phase, memory = target.places["phase"], target.places["flickering"]
        phases = set()
        for _ in range(2 * SAMPLES):
            seen = peek(target.pid, f"{phase:x}:8", f"{memory:x}:{64 * 4096}")
            now = seen.bytes[phase][0]
            phases.add(now)
            if now < 2:
                assert seen.bytes[memory] == (b"F" if now else b"\0") * (64 * 4096)
        assert {0, 1} <= phases


def test_a_stopped_process_stays_stopped():
    with sitting("step", "recv", "epoll") as target:
        os.kill(target.pid, signal.SIGSTOP)
        wait_for(lambda: states_of(target) == {"T"})
        steps = set()
        for _ in range(SAMPLES):
            seen = peek(target.pid, *ask_for(target))
            steps.add(ends_of(seen, target)[0])
            assert states_of(target) == {"T"}
        assert len(steps) == 1
        os.kill(target.pid, signal.SIGCONT)
        goes_on(target)


@WITH_UNSHARE
def test_a_stopped_process_that_had_to_be_traced_stays_stopped():
    with sitting("step", "recv", "futex") as target:
        os.kill(target.pid, signal.SIGSTOP)
        wait_for(lambda: states_of(target) == {"T"})
        hide = hiding(*(f"/proc/{target.pid}/task/{r[0]}/syscall" for r in threads_of(target.pid)))
        for _ in range(SAMPLES):
            peek(target.pid, prefix=hide)
            stays(target, {"T"})
        os.kill(target.pid, signal.SIGCONT)
        goes_on(target)
        assert target.said() == []


def states_of(target):
    return {row[2] for row in threads_of(target.pid)}


def stays(target, states):
    """A thread needs a moment to get back into its stop."""
    wait_for(lambda: states_of(target) == states, every=0.001)
    time.sleep(0.02)
    assert states_of(target) == states


def goes_on(target):
    """Its stepping thread steps."""
    first = ends_of(peek(target.pid, *ask_for(target)), target)[0]
    wait_for(lambda: ends_of(peek(target.pid, *ask_for(target)), target)[0] != first)


@contextlib.contextmanager
def being_read(target):
    """Somebody reads it again and again."""
    ended = threading.Event()

    def read_on():
        while not ended.is_set():
            peek(target.pid)

    reader = threading.Thread(target=read_on)
    reader.start()
    try:
        yield
    finally:
        ended.set()
        reader.join()


def test_signals_that_arrive_meanwhile_are_delivered_each_once():
    with sitting(*["spin"] * 8, "recv", mib=1) as target:
        num = 0
        with being_read(target):
            ends = time.monotonic() + 3
            while time.monotonic() < ends:  # queued, not joined with one that waits already
                for _ in range(20):
                    os.kill(target.pid, signal.SIGRTMIN)
                    num += 1
                time.sleep(0.0005)
            os.kill(target.pid, signal.SIGUSR1)
            assert target.line() == "handled 10"
        addr = target.places["signals"]

        def num_handled():
            return int.from_bytes(peek(target.pid, f"{addr:x}:8").bytes[addr], "little")

        wait_for(lambda: num_handled() >= num)
        time.sleep(0.1)
        assert num_handled() == num
        assert target.said() == []


def test_it_may_be_stopped_and_continued_meanwhile():
    with sitting("step", "spin", "recv", mib=16) as target:
        with being_read(target):
            for _ in range(50):
                os.kill(target.pid, signal.SIGSTOP)
                time.sleep(0.01)
                os.kill(target.pid, signal.SIGCONT)
                time.sleep(0.01)
        goes_on(target)
        os.kill(target.pid, signal.SIGSTOP)
        stays(target, {"T"})
        os.kill(target.pid, signal.SIGCONT)
        goes_on(target)
        assert target.said() == []


# --- whatever happens to us -----------------------------------------------------------------------


def test_it_goes_on_when_we_are_killed_in_the_middle():
    with sitting("step", "recv", "spin", mib=64) as target:
        for _ in range(SAMPLES):
            seen = peek(target.pid, options=("--at", 1), may_fail=True)
            assert seen.code == -signal.SIGKILL
            assert tracers_of(target.pid) == {0}
            assert states_of(target) <= {"R", "S"}
        goes_on(target)
        assert target.said() == []


def test_it_goes_on_when_we_are_killed_at_any_time():
    with sitting("step", "recv", "spin", "tick-sleep", mib=64) as target:
        begin = time.monotonic()
        peek(target.pid)
        takes = time.monotonic() - begin
        for i in range(SAMPLES):
            with subprocess.Popen([native.show_image(), str(target.pid)], stdout=subprocess.DEVNULL) as one:
                time.sleep(takes * i / SAMPLES)
                one.kill()
        goes_on(target)
        assert tracers_of(target.pid) == {0}
        assert target.said() == []


def test_canceling_lets_it_go():
    with sitting("step", mib=64) as target:
        seen = peek(target.pid, options=("--cancel",), may_fail=True)
        assert seen.error == f"canceled: canceled while process {target.pid} was being read"
        assert tracers_of(target.pid) == {0}
        goes_on(target)


def test_two_at_a_time_do_not_hurt():
    with sitting("step", "recv", mib=64) as target:
        for _ in range(5):
            ours = [subprocess.Popen([native.show_image(), str(target.pid)], stdout=subprocess.PIPE,
                                     encoding="ascii") for _ in range(2)]  # fmt: skip
            outs = [one.communicate()[0] for one in ours]
            assert [one.returncode for one in ours].count(0) >= 1
            for one, out in zip(ours, outs):
                assert one.returncode == 0 or "trace" in out, out
        goes_on(target)


# --- whatever happens to it -----------------------------------------------------------------------


@pytest.mark.parametrize("words", [("step", "spin"), ("recv", "sleep")])
def test_a_process_that_ends_meanwhile(words):
    codes = []
    for i in range(SAMPLES):
        with sitting(*words, mib=64) as target:
            pid = target.pid
            timer = threading.Timer(0.05 * i / SAMPLES, os.kill, (pid, signal.SIGKILL))
            timer.start()
            if i == 0:
                timer.join()  # one time at least we are too late
            seen = peek(pid, may_fail=True)
            timer.join()
            codes.append(seen.code)
            zombie_words = f"process {pid} (sitter) is a zombie: it has ended, process"
            assert seen.code == 0 or (
                seen.error == f"input/output error: process {pid} ended while it was being read"
                or seen.error == f"not found: there is no process {pid}"
                or seen.error.startswith(f"not found: {zombie_words}")
            ), seen.error
    assert any(codes)


@pytest.mark.skipif(not may_read_all(), reason="needs root, or no Yama")
def test_a_process_that_runs_other_programs_meanwhile(tmp_path):
    script = tmp_path / "again.sh"
    script.write_text('#!/bin/sh\nexec "$0"\n')
    script.chmod(0o755)
    again = subprocess.Popen([str(script)])
    try:
        for _ in range(3 * SAMPLES):
            seen = peek(again.pid, may_fail=True)
            assert seen.code == 0 or "ended while it was being read" in seen.error, seen.error
            if seen.code == 0:
                assert seen.values["exe"].split("/")[-1] in ("dash", "sh", "bash")
        assert again.poll() is None
    finally:
        again.kill()
        again.wait()


def test_a_thread_that_waits_for_a_vfork_child():
    with sitting("vfork", "spin") as target:
        seen = peek(target.pid, *ask_for(target))
        check_bytes(seen, target)
        told = {row[8]: row for row in seen.threads}
        assert told["vfork"][1] == "D"
        assert any("vfork" in warning for warning in seen.warnings)
        assert tracers_of(target.pid) == {0}


@WITH_UNSHARE
def test_a_thread_that_does_not_stop_is_told_and_let_go():
    with sitting("vfork", "step") as target:
        hide = hiding(*(f"/proc/{target.pid}/task/{r[0]}/syscall" for r in threads_of(target.pid)))
        seen = peek(target.pid, *ask_for(target), prefix=hide)
        check_bytes(seen, target)
        told = {row[8]: row for row in seen.threads}
        assert told["vfork"][1:3] == ["D", "0"] and told["step"][2] == "1"
        assert seen.values["not_stopped"] == "1"
        assert any("did not stop" in warning for warning in seen.warnings)
        assert tracers_of(target.pid) == {0}
        goes_on(target)


@pytest.mark.parametrize("num", [500])
def test_many_threads(num):
    with sitting(*["sleep", "recv"] * (num // 2 - 5), *["spin"] * 3, *["tick-sleep"] * 3) as target:
        for _ in range(3):
            seen = peek(target.pid, *ask_for(target))
            check_bytes(seen, target)
            assert len(seen.threads) == len(threads_of(target.pid))
            assert seen.values["not_stopped"] == "0"
        assert target.said() == []


PYTHON = """
import asyncio, ctypes, threading, time, queue
ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1))  # PR_SET_PTRACER_ANY
held = [b"held by python %d" % i for i in range(1000)]
threading.Thread(target=queue.Queue().get, daemon=True).start()
threading.Thread(target=time.sleep, args=(100000,), daemon=True).start()
def work():
    while True: [str(i) for i in range(1000)]
for _ in range(3): threading.Thread(target=work, daemon=True).start()
async def main():
    n = 0
    print(hex(id(held[500])), flush=True)
    while True:
        n += 1
        await asyncio.sleep(0.001)
        if n % 20 == 0: print(n, flush=True)
asyncio.run(main())
"""


def test_python_with_busy_threads_and_an_event_loop():
    one = subprocess.Popen([sys.executable, "-c", PYTHON], stdout=subprocess.PIPE, encoding="ascii")
    try:
        addr = int(one.stdout.readline(), 16)
        for _ in range(SAMPLES):
            seen = peek(one.pid, f"{addr:x}:64")
            assert b"held by python 500" in seen.bytes[addr]
            assert len(seen.threads) == 6
            assert seen.values["not_stopped"] == "0"
        for _ in range(3):
            assert int(one.stdout.readline()) % 20 == 0
        assert one.poll() is None
    finally:
        one.kill()
        one.wait()

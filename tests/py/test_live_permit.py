# SPDX-License-Identifier: MIT
"""Processes that may not be read, or not be found: the words, and what removes the hindrance."""

import contextlib
import os
import subprocess
import sys

import pytest
from live_target import ask_for, check_bytes, is_root_with, peek, sitting
from processes import read

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads processes of Linux")
AS_ROOT = pytest.mark.skipif(
    not is_root_with("setpriv", "unshare"), reason="needs root, setpriv and unshare"
)
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
PTRACE, PTRACE_SEIZE = 101, 0x4206
EXISTS, TRACED, UID, DUMPABLE, YAMA, CAPABILITY, SECCOMP, NAMESPACE = range(8)


def permit_of(pid, **more):
    """May it be read, and the rows: is_ok, is_in_the_way, words, remedy."""
    seen = peek(pid, options=(*more.pop("options", ()), "--permit"), **more)
    rows = {int(row[0]): (row[1] == "1", row[2] == "1", row[3], row[4]) for row in seen.rows}
    assert sorted(rows) == list(range(8))
    return seen.values["may_read"] == "1", rows


def refusal_of(pid, **more):
    seen = peek(pid, may_fail=True, **more)
    assert seen.code != 0
    return seen.error


def test_no_such_process():
    assert refusal_of(2**22 + 1) == "not found: there is no process 4194305"
    may_read, rows = permit_of(2**22 + 1)
    assert not may_read
    assert [number for number, row in rows.items() if row[1]] == [EXISTS]


def test_a_zombie():
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert refusal_of(child.pid) == (
        f"not found: process {child.pid} (true) is a zombie: it has ended, process {os.getpid()} "
        "has not yet taken note of it"
    )
    child.wait()


def test_a_thread_of_the_kernel():
    if "Kthread:\t1" not in read("/proc/2/status") and read("/proc/2/comm") != "kthreadd\n":
        pytest.skip("no threads of the kernel are seen here")
    assert refusal_of(2) == "not supported: process 2 (kthreadd) is a thread of the kernel"


def test_ourselves():
    error = refusal_of("self")
    assert error.startswith("not supported: process ") and error.endswith(" is this one itself")


def test_a_thread_is_no_process():
    with sitting("sleep") as target:
        tid = max(map(int, os.listdir(f"/proc/{target.pid}/task")))
        assert refusal_of(tid) == f"not found: {tid} is a thread of process {target.pid}"


def test_what_may_be_read_is_said_so_and_not_touched():
    with sitting("recv", "epoll", "step") as target:
        before = read(f"/proc/{target.pid}/syscall")
        may_read, rows = permit_of(target.pid)
        assert may_read
        assert not any(row[1] for row in rows.values())
        assert rows[EXISTS][2] == f"process {target.pid} is sitter"
        assert read(f"/proc/{target.pid}/syscall") == before
        assert "TracerPid:\t0\n" in read(f"/proc/{target.pid}/status")
        assert target.said() == []


@contextlib.contextmanager
def traced_by_us(pid):
    """PTRACE_SEIZE it; when its tracer, a process of its own, ends, it goes on."""
    code = (
        "import ctypes, sys; libc = ctypes.CDLL(None, use_errno=True)\n"
        f"assert libc.ptrace({PTRACE_SEIZE}, {pid}, 0, 0) == 0, ctypes.get_errno()\n"
        "print('yes', flush=True); sys.stdin.read()"
    )
    tracer = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert tracer.stdout.readline() == b"yes\n"
        yield tracer.pid
    finally:
        tracer.kill()
        tracer.communicate()


def test_who_traces_it_is_named():
    with sitting("sleep", "spin") as target:
        with traced_by_us(target.pid) as tracer:
            name = read(f"/proc/{tracer}/comm").strip()
            assert refusal_of(target.pid) == (
                f"not supported: process {target.pid} cannot be read: process {tracer} ({name}) "
                "traces it, and only one can; end the debugger or strace, or let it detach: "
                f"kill {tracer}"
            )
            may_read, rows = permit_of(target.pid)
            assert not may_read and rows[TRACED][:2] == (False, True)
        peek(target.pid)


@AS_ROOT
def test_the_process_of_another_user():
    with sitting("sleep") as target:
        assert refusal_of(target.pid, prefix=AS_NOBODY) == (
            f"not supported: process {target.pid} cannot be read: its user is root (0), ours is "
            "nobody (65534); run refchain as root (sudo), or as user root (0)"
        )
        may_read, rows = permit_of(target.pid, prefix=AS_NOBODY)
        assert not may_read and rows[UID][:2] == (False, True)


@AS_ROOT
def test_a_process_of_the_same_user_without_privileges():
    with sitting("sleep", "epoll", "step", prefix=AS_NOBODY) as target:
        check_bytes(peek(target.pid, *ask_for(target), prefix=AS_NOBODY), target)
        assert permit_of(target.pid, prefix=AS_NOBODY)[0]
        assert target.said() == []


@AS_ROOT
def test_a_process_that_may_not_be_dumped():
    with sitting("sleep", prefix=AS_NOBODY, options=["--undumpable"]) as target:
        error = refusal_of(target.pid, prefix=AS_NOBODY)
        assert "it may not be dumped: it called prctl(PR_SET_DUMPABLE, 0)" in error
        assert error.endswith("run refchain as root (sudo)")
        may_read, rows = permit_of(target.pid, prefix=AS_NOBODY)
        assert not may_read and rows[DUMPABLE][:2] == (False, True)
        assert [number for number, row in rows.items() if row[1]] == [DUMPABLE]
        peek(target.pid)  # as root


@AS_ROOT
def test_a_process_with_capabilities_that_we_lack():
    more = [*AS_NOBODY, "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"]
    with sitting("sleep", prefix=more) as target:
        may_read, rows = permit_of(target.pid, prefix=AS_NOBODY)
        assert not may_read
        assert [number for number, row in rows.items() if row[1]] == [CAPABILITY]
        assert rows[CAPABILITY][2] == (
            "it has capabilities that we have not (0000000000000400), and we have no CAP_SYS_PTRACE"
        )
        assert "SYS_PTRACE" in refusal_of(target.pid, prefix=AS_NOBODY)


def test_when_ptrace_is_forbidden():
    with sitting("spin") as target:
        may_read, rows = permit_of(target.pid, options=("--forbid", PTRACE))
        assert not may_read and rows[SECCOMP][:2] == (False, True)
        assert "seccomp" in refusal_of(target.pid, options=("--forbid", PTRACE))


def test_who_sleeps_is_read_even_when_ptrace_is_forbidden():
    with sitting("sleep", "epoll") as target:
        peek(target.pid, options=("--forbid", PTRACE))


@AS_ROOT
def test_a_container():
    """Its own mount and PID namespace, where /proc and the files are other ones than ours."""
    prefix = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]
    with sitting("recv", "epoll", "step", prefix=prefix) as target:
        check_bytes(peek(target.pid, *ask_for(target)), target)
        may_read, rows = permit_of(target.pid)
        assert may_read
        assert "other namespaces (mnt, pid)" in rows[NAMESPACE][2]
        assert f"/proc/{target.pid}/root" in rows[NAMESPACE][2]
        assert target.said() == []


@AS_ROOT
@pytest.mark.parametrize("scope, words", [
    (1, "only parents may read a process"), (2, "only root"), (3, "nobody may read")])  # fmt: skip
def test_yama(scope, words, tmp_path):
    """Only the words: this kernel may have no Yama, so /proc/sys is a made-up one."""
    made = tmp_path / "kernel" / "yama"
    made.mkdir(parents=True)
    (made / "ptrace_scope").write_text(f"{scope}\n")
    tmp_path.chmod(0o755)
    hide = ["unshare", "-m", "sh", "-c", f'mount --bind {tmp_path} /proc/sys && exec "$@"', "sh"]
    with sitting("sleep", prefix=AS_NOBODY) as target:
        rows = permit_of(target.pid, prefix=[*hide, *AS_NOBODY])[1]
        assert not rows[YAMA][0]
        assert words in rows[YAMA][2] and rows[YAMA][3]
        rows = permit_of(target.pid, prefix=hide)[1]  # as root
        assert rows[YAMA][0] == (scope < 3)

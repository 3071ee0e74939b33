# SPDX-License-Identifier: MIT
"""Processes in all states a process can be in, read from outside: the right answer or the right
words, and the process is as it was."""

import contextlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import inside
import native
import pytest
from processes import SAMPLES, child_of, read, sleep_of, state_of, wait_for

TARGET = inside.PROGRAMS / "target.py"
STATES = ["spin", "sleep", "recv", "lock", "gil", "collect", "mutators", "churn"]


@contextlib.contextmanager
def target(*words, python=(sys.executable,), **options):
    """The process that runs TARGET: `python` may be a command that ends in starting it."""
    options.setdefault("env", inside.environment())
    with subprocess.Popen(
        [*map(str, python), str(TARGET), *map(str, words)], stdout=subprocess.PIPE, **options
    ) as process:
        try:
            assert process.stdout.readline() == b"READY\n"
            yield process
        finally:
            process.kill()


def why(pid, *options, **more):
    return native.run("why", pid, "__main__.Widget", "--json", *options, **more)


def check(done, codes=(0,)):
    assert done.returncode in codes, (done.returncode, done.stderr.decode())
    answer = json.loads(done.stdout)
    assert answer["objects"] == 100
    holder = answer["holders"][0]
    assert inside.root(holder) == ("module", "__main__")
    assert inside.hops(holder)[:2] == [".shelf", ".widgets"]
    assert holder["holds_only"] == 100 and answer["all_cut"]["question"] == 100
    return answer


@pytest.mark.parametrize("state", ["sleep", "recv", "lock", "gil"])
def test_a_process_that_waits_is_read_and_waits_on(state):
    with target(state) as process:
        wait_for(lambda: state_of(process.pid) == "S")
        before = sleep_of(process.pid)
        for _ in range(3):
            check(why(process.pid))
            assert sleep_of(process.pid) == before
        time.sleep(0.1)
        assert process.poll() is None and sleep_of(process.pid) == before


def test_a_process_that_spins_is_read_and_spins_on():
    with target("spin") as process:
        check(why(process.pid))
        wait_for(lambda: state_of(process.pid) == "R")


@pytest.mark.parametrize("state", ["collect", "mutators", "churn"])
def test_a_busy_process_is_read_at_any_moment(state):
    with target(state) as process:
        for _ in range(SAMPLES):
            done = why(process.pid)
            answer = check(done, codes=(0, 3))
            assert answer["partial"] == bool(answer["warnings"]) == (done.returncode == 3)
        if state != "collect":  # there is hardly a moment outside of one
            wait_for(lambda: why(process.pid).returncode == 0)
        assert process.poll() is None


def test_a_stopped_process_is_read_and_stays_stopped():
    with target("spin") as process:
        process.send_signal(signal.SIGSTOP)
        wait_for(lambda: state_of(process.pid) == "T")
        check(why(process.pid))
        wait_for(lambda: state_of(process.pid) == "T")
        time.sleep(0.02)
        assert state_of(process.pid) == "T"
        process.send_signal(signal.SIGCONT)
        wait_for(lambda: state_of(process.pid) == "R")


def test_a_process_may_end_while_it_is_read():
    for delay in [0.0, 0.005, 0.01, 0.02, 0.04, 0.08]:
        with target("brief", delay) as process:
            done = why(process.pid)
            assert done.returncode in (0, 3, 4), done.stderr.decode()
            if done.returncode == 4:
                assert done.stderr.strip()
            else:
                check(done, codes=(0, 3))


@pytest.mark.parametrize("allocator", ["malloc", "debug", "malloc_debug", "mimalloc"])
def test_every_allocator(allocator):
    if allocator == "mimalloc" and sys.version_info < (3, 13):
        pytest.skip("no mimalloc in this version")
    with target("sleep", env=inside.environment(PYTHONMALLOC=allocator)) as process:
        check(why(process.pid))


def other_python(*names):
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        pytest.skip(f"none of {names} here")
    return found


@pytest.mark.parametrize("name", ["python3.11", "python3.11-dbg", "python3-dbg", "python3.13t"])
def test_the_systems_pythons(name):
    """Debian's is static in its program, and stripped."""
    python = pathlib.Path("/usr/bin") / name
    if not python.exists():
        pytest.skip(f"no {name} in /usr/bin")
    with target("sleep", python=[python], env={"PATH": "/usr/bin"}) as process:
        check(why(process.pid), codes=(0, 3))


def library():
    """The libpython that this interpreter maps, or None."""
    for line in read("/proc/self/maps").splitlines():
        path = line.split()[-1]
        if "/libpython3." in path:
            return pathlib.Path(path)
    return None


def test_a_library_deleted_under_the_process(tmp_path):
    if not library():
        pytest.skip("this Python is static")
    copy = shutil.copy(library(), tmp_path)
    env = inside.environment(LD_LIBRARY_PATH=str(tmp_path))
    with target("sleep", env=env) as process:
        assert str(tmp_path) in read(f"/proc/{process.pid}/maps")
        os.unlink(copy)
        check(why(process.pid))


def test_a_process_in_namespaces_of_its_own():
    command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", sys.executable]
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("namespaces need privileges that we do not have")
    with target("sleep", python=command) as process:
        child = child_of(process.pid)
        check(why(child))
        os.kill(child, signal.SIGKILL)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
def test_another_users_process_is_refused_with_words():
    nobody = pwd.getpwnam("nobody")
    folder = tempfile.TemporaryDirectory(dir="/tmp")  # where nobody may look
    os.chmod(folder.name, 0o755)
    program = shutil.copy(native.refchain(), folder.name)

    def become():
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)

    with folder, target("sleep") as process:
        for command in (["why", process.pid, "Widget"], ["doctor", process.pid]):
            done = subprocess.run(
                [program, *map(str, command)], preexec_fn=become, capture_output=True, cwd="/"
            )
            assert done.returncode == 4
            words = done.stderr.decode() + done.stdout.decode()
            assert "root" in words and "nobody" in words
        assert process.poll() is None


def test_what_is_no_python():
    with subprocess.Popen(["sleep", "1000"]) as process:
        done = why(process.pid)
        process.kill()
    assert done.returncode == 4
    assert "no Python" in done.stderr.decode()


def test_no_such_process():
    done = why(4194305)
    assert done.returncode == 4 and "no process 4194305" in done.stderr.decode()


def test_a_zombie():
    with subprocess.Popen(["true"]) as process:
        wait_for(lambda: state_of(process.pid) == "Z")
        done = why(process.pid)
    assert done.returncode == 4 and "zombie" in done.stderr.decode()


def test_a_process_cannot_read_itself():
    done = subprocess.run(
        ["sh", "-c", f'exec "{native.refchain()}" why $$ Widget'], capture_output=True
    )
    assert done.returncode == 4 and "itself" in done.stderr.decode()


def test_doctor_says_what_would_work():
    with target("sleep") as process:
        done = native.run("doctor", process.pid, "--json")
        assert done.returncode == 0, done.stderr.decode()
        found = json.loads(done.stdout)["process"]
        assert found["readable"] and found["python"] == "%d.%d.%d" % sys.version_info[:3]
        assert native.run("doctor", process.pid).stdout.decode().count("can be read") == 1


def test_killing_the_reader_leaves_the_process_as_it_was():
    with target("sleep") as process:
        wait_for(lambda: state_of(process.pid) == "S")
        before = sleep_of(process.pid)
        for number in range(10):
            reader = subprocess.Popen(
                [native.refchain(), "why", str(process.pid), "Widget"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(0.002 * number)
            reader.kill()
            reader.wait()
            wait_for(lambda: sleep_of(process.pid) == before)
        check(why(process.pid))


def test_from_python():
    import refchain

    with target("sleep") as process:
        graph = refchain.attach(process.pid)
        answer = graph.why("__main__.Widget")
        assert len(answer.holders) == 1 and answer.holders[0].holds_only == 100
        assert graph.stacks() and graph.fds()
        with pytest.raises(LookupError, match="no process"):
            refchain.attach(4194305)
    with pytest.raises((refchain.Error, OSError)):
        refchain.load_core(TARGET)

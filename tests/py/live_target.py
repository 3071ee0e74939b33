# SPDX-License-Identifier: MIT
"""Processes to be read from outside, what is known of them, and what show_image says of them."""

import contextlib
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import threading

import native
from processes import WAIT_S, child_of, read, tids_of, wait_for

NO_LEAK_CHECK = {"ASAN_OPTIONS": "detect_leaks=0"}  # it needs ptrace itself


class Target:
    """A running sitter: lines of its output, where its known bytes are."""

    def __init__(self, popen):
        self.popen = popen
        self.lines = queue.Queue()
        self.places = {}
        self.paths = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        for line in iter(self.line, "ready"):
            kind, name, value = line.split(" ", 2)
            if kind == "at":
                self.places[name] = int(value, 16)
            else:
                self.paths.append(value)

    def _read(self):
        for line in self.popen.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def line(self):
        """The next line; fails when the program ends or says nothing."""
        line = self.lines.get(timeout=WAIT_S)
        assert line is not None, f"the target ended: {self.popen.wait()}"
        return line

    def said(self):
        """What it said since: nothing, if nobody was disturbed."""
        lines = []
        with contextlib.suppress(queue.Empty):
            while True:
                lines.append(self.lines.get_nowait())
        return lines

    @property
    def pid(self):
        """The process that is read: behind unshare and setpriv, the last child."""
        pid = self.popen.pid
        while True:
            child = child_of(pid)
            if not child or read(f"/proc/{pid}/comm").strip() == "sitter":
                return pid
            pid = child

    def wake(self):
        """Give data to those who wait for some."""
        self.popen.stdin.write("\n")
        self.popen.stdin.flush()


@contextlib.contextmanager
def sitting(*words, mib=4, prefix=(), options=()):
    """A sitter with one thread a word, asleep where it is to be."""
    popen = subprocess.Popen(
        [*prefix, native.sitter(), f"-m{mib}", *options, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="ascii",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    target = None
    try:
        target = Target(popen)
        settle(target.pid, words)
        yield target
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(target.pid if target else popen.pid, signal.SIGKILL)
        popen.kill()
        popen.wait()
        for path in target.paths if target else []:
            pathlib.Path(path).unlink(missing_ok=True)


# What every sitter has, whatever its threads do.
KNOWN = {
    "rodata": b"these are const\0",
    "data": b"those in .data\0\0",
    "bss": b"those in .bss\0\0\0",
    "heap": b"on the heap\0",
    "shared": b"on the heap\0",
    "untouched": bytes(16),
    "behind": b"iiii",
    "vast": b"hidden away\0",
    "file": b"a" * 16,
    "deleted": b"a" * 16,
}


def ask_for(target):
    return [f"{addr:x}:{len(KNOWN.get(name, bytes(8)))}" for name, addr in target.places.items()]


def check_bytes(seen, target):
    places = target.places
    for name, want in KNOWN.items():
        assert seen.bytes[places[name]] == want, name
    assert seen.bytes[places["guard"]] in (None, bytes(8))  # its contents are nobody's business
    assert seen.bytes[places["inner"]] in (None, bytes(8), b"iiiiiiii")  # a guard where Linux can
    relro = seen.bytes[places["relro"]]
    assert int.from_bytes(relro, "little") == places["rodata"]
    assert int.from_bytes(seen.bytes[places["middle"]], "little") == places["middle"]


RESTLESS = ("spin", "step", "breed", "tick-epoll", "tick-sleep", "flicker")


def settle(pid, words):
    """Wait until those threads sleep that are meant to."""
    want = [word[:15] for word in words if word not in RESTLESS and word != "main-ends"]
    want += [] if "main-ends" in words else ["sitter"]

    def sleeps():
        rows = threads_of(pid)
        asleep = [name for _, name, state, _ in rows if state == ("D" if name == "vfork" else "S")]
        return all(asleep.count(word) == want.count(word) for word in want)

    wait_for(sleeps)


def threads_of(pid):
    """Of each thread: number, name, state, and the system call it sleeps in with its arguments."""
    rows = []
    for tid in tids_of(pid):
        stat = read(f"/proc/{pid}/task/{tid}/stat")
        if stat:
            name, state = re.fullmatch(r"\d+ \((.*)\) (.) .*\n", stat, re.S).groups()
            rows.append((tid, name, state, read(f"/proc/{pid}/task/{tid}/syscall")))
    return rows


def tracers_of(pid):
    texts = [read(f"/proc/{pid}/task/{tid}/status") for tid in tids_of(pid)]
    return {int(tracer) for text in texts for tracer in re.findall(r"TracerPid:\t(\d+)", text)}


class Seen:
    """What show_image printed: values and fields as text, addresses of bytes and maps as numbers."""

    def __init__(self, done):
        self.code, self.text = done.returncode, done.stdout
        self.values, self.bytes, self.maps, self.threads = {}, {}, [], []
        self.warnings, self.error, self.rows, self.left_open = [], "", [], None
        for line in done.stdout.splitlines():
            kind, _, rest = line.partition(" ")
            fields = rest.split("\t")
            if kind == "bytes":
                addr, value = rest.split(" ")
                self.bytes[int(addr, 16)] = None if value == "unreadable" else bytes.fromhex(value)
            elif kind == "map":
                start, end, _flags, offset, path = fields
                self.maps.append((int(start, 16), int(end, 16), int(offset, 16), path))
            elif kind == "thread":
                self.threads.append(fields)
            elif kind == "row":
                self.rows.append(fields)
            elif kind == "warning":
                self.warnings.append(rest)
            elif kind == "error":
                self.error = rest
            else:
                self.values[kind] = rest


def peek(pid, *args, options=(), prefix=(), may_fail=False):
    """Read a process; unless it may fail, it must work and say nothing on stderr."""
    done = subprocess.run(
        [*prefix, native.show_image(), *map(str, options), str(pid), *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        timeout=WAIT_S,
        env={**os.environ, **(NO_LEAK_CHECK if "--forbid" in options else {})},
    )
    seen = Seen(done)
    assert done.stderr == "", done.stderr
    if not may_fail:
        assert done.returncode == 0, seen.error or done
    if done.returncode >= 0 and "--permit" not in options:
        assert seen.values["left_open"] == "0"
    return seen


def hiding(*paths):
    """A command prefix: what follows sees these files of /proc empty. For root only."""
    mounts = " && ".join(f"mount --bind /dev/null {path}" for path in paths)
    return ["unshare", "-m", "sh", "-c", f'{mounts} && exec "$@"', "sh"]


def is_root_with(*programs):
    """May the tests make namespaces and change users?"""
    if os.geteuid() != 0 or not all(shutil.which(program) for program in programs):
        return False
    return "unshare" not in programs or subprocess.run(["unshare", "-m", "true"]).returncode == 0


def may_read_all():
    """All processes of our user, also those that did not call prctl(PR_SET_PTRACER)?"""
    return os.geteuid() == 0 or read("/proc/sys/kernel/yama/ptrace_scope").strip() in ("", "0")

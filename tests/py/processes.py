# SPDX-License-Identifier: MIT
"""Other processes: what /proc says of them, waiting until they are as they should be, and how often
to try what may go wrong once in a while."""

import os
import pathlib
import time

# More of them find more: RCH_SAMPLES=25 make test.
SAMPLES = int(os.environ.get("RCH_SAMPLES", "5"))
WAIT_S = 120  # for what happens at once, unless the machine is busy


def wait_for(what, every=0.02):
    """Until what() is true; its value."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        value = what()
        if value:
            return value
        time.sleep(every)
    raise TimeoutError(f"not within {WAIT_S} s: {what}")


def read(path):
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""


def state_of(pid, tid=None):
    """The letter that the kernel has for a thread: R, S, T ...; nothing if there is none."""
    return read(f"/proc/{pid}/task/{tid or pid}/stat").rpartition(") ")[2][:1]


def sleep_of(pid, tid=None):
    """State of a thread, and the system call that it sleeps in with its first arguments."""
    return state_of(pid, tid), read(f"/proc/{pid}/task/{tid or pid}/syscall").split()[:4]


def tids_of(pid):
    return sorted(map(int, os.listdir(f"/proc/{pid}/task")))


def child_of(pid):
    """Its first child, 0: none."""
    return int((read(f"/proc/{pid}/task/{pid}/children").split() or [0])[0])

# SPDX-License-Identifier: MIT
"""Processes to be found by findpy: interpreters of this machine and programs built here, each of
which tells first where its things are."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import native

# Says where things are, then waits for the end of its input.
TRUTH = """
import json, sys
told = {
    "version": "%d.%d.%d" % sys.version_info[:3],
    "debug_build": int(hasattr(sys, "gettotalrefcount")),
    "free_threaded": int("t" in getattr(sys, "abiflags", "")),
    "type": id(type), "dict": id(dict), "none": id(None),
}
class Class:
    pass
try:
    import ctypes
except ImportError:
    pass
else:
    api = ctypes.pythonapi
    told["runtime"] = ctypes.addressof(ctypes.c_char.in_dll(api, "_PyRuntime"))
    api.PyInterpreterState_Head.restype = ctypes.c_void_p
    told["interp"] = api.PyInterpreterState_Head()
    api.PyType_GetSlot.restype = ctypes.c_void_p
    api.PyType_GetSlot.argtypes = [ctypes.py_object, ctypes.c_int]
    told["subtype_traverse"] = api.PyType_GetSlot(Class, 71)
# MORE
print(json.dumps(told), flush=True)
sys.stdin.read()
"""


def named_pythons():
    """What REFCHAIN_TEST_PYTHONS names."""
    return list(filter(None, os.environ.get("REFCHAIN_TEST_PYTHONS", "").split(":")))


def free_threaded():
    """python3.13t: a named one, that of PATH, or what tools/free_threaded.sh built; or None."""
    built = native.ROOT / "build" / "free-threaded" / "bin" / "python3.13t"
    named = [path for path in named_pythons() if os.path.basename(path) == "python3.13t"]
    places = [*named, shutil.which("python3.13t"), built]
    return next((str(path) for path in filter(None, places) if os.path.exists(path)), None)


def pythons():
    """One interpreter a minor version that is known, 3.13t, and those that are named."""
    found = {}
    homes = pathlib.Path.home() / ".pyenv" / "versions"
    for minor in range(9, 32):
        places = sorted(homes.glob(f"3.{minor}.*/bin/python"), reverse=True)
        path = shutil.which(f"python3.{minor}")
        if places or (path and "pyenv/shims" not in path):
            found[f"3.{minor}"] = str(places[0]) if places else path
    system = shutil.which("python3", path="/usr/bin")
    if system:
        found["system"] = system
    for path in filter(None, [free_threaded(), *named_pythons()]):
        found[os.path.basename(path)] = path
    return found or {"this": sys.executable}


PYTHONS = pythons()


def config(python, name):
    """A variable of sysconfig of that interpreter."""
    code = f"import sysconfig; print(sysconfig.get_config_var({name!r}) or '')"
    return run_text(python, "-c", code).strip()


def library(python):
    """Path of its libpython, or None if it is a part of the program."""
    path = pathlib.Path(config(python, "LIBDIR"), config(python, "INSTSONAME"))
    is_shared = config(python, "Py_ENABLE_SHARED") == "1" and config(python, "INSTSONAME")
    needed = run_text("readelf", "-d", os.path.realpath(python))
    return path if is_shared and "libpython" in needed and path.is_file() else None


def run_text(*args):
    """What it prints; nothing if it fails."""
    return subprocess.run(
        [str(arg) for arg in args],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=120,
    ).stdout


@contextlib.contextmanager
def running(args, *, tells=True, env=None, **more):
    """A process that runs meanwhile, and the truth it told."""
    process = subprocess.Popen(
        [str(arg) for arg in args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
        **more,
    )
    try:
        line = process.stdout.readline()
        assert line or not tells, "it ended at once"
        yield process, json.loads(line) if tells else line
    finally:
        process.kill()
        process.communicate()


def python_running(python, *, more="", options=(), **others):
    return running([python, "-S", *options, "-c", TRUTH.replace("# MORE", more)], **others)


def findpy(*args):
    done = subprocess.run(
        [native.findpy(), *map(str, args)], stdout=subprocess.PIPE, text=True, timeout=120
    )
    assert done.returncode in (0, 1), done
    return done.stdout.strip()


def find(pid):
    """What findpy says of a process, by name; numbers as such."""
    text = findpy("python", pid)
    told = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    assert "version" in told, text
    for name, value in told.items():
        if re.fullmatch(r"0x[0-9a-f]+|\d+", value):
            told[name] = int(value, 0)
    return told


def assert_found(pid, truth, how=None):
    told = find(pid)
    for name, value in truth.items():
        assert told[name] == value, (name, told)
    if how:
        assert how in told["how"], told
    assert told["type"] and told["dict"] and told["none"] and told["subtype_traverse"], told
    assert "differ" not in told["how"], told
    return told


def compile_c(folder, name, source, *flags):
    """Build a C program in folder; its path."""
    path = pathlib.Path(folder) / name
    code = path.with_suffix(".c")
    code.write_text(source)
    subprocess.run(
        [os.environ.get("CC", "gcc"), "-o", str(path), str(code), *map(str, flags)],
        check=True,
        timeout=300,
        stderr=subprocess.PIPE,
    )
    return path

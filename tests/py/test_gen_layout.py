# SPDX-License-Identifier: MIT
"""The checked-in layout tables are what the generator makes of CPython's headers, and live
interpreters pass the validation. On every CPython 3.9-3.15 and 3.13t found here; absent ones are skipped.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILDS = [*map(str, range(9, 16)), "13t"]  # minor versions; t: without the GIL
CC = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")

sys.path.insert(0, str(ROOT / "tools"))
import findable  # noqa: E402
import gen_layout  # noqa: E402

FACTS = """
import sys, sysconfig, platform
print(sys.implementation.name, sys.version_info[1], platform.python_version(),
      sysconfig.get_config_var("Py_GIL_DISABLED") or 0, sysconfig.get_path("include"), sep="|")
"""


def interpreters():
    """build -> (program, full version, include directory) of each found."""
    places = [sys.executable] + [shutil.which("python3." + build) for build in BUILDS]
    places.append(findable.free_threaded())
    places += sorted(pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python"))
    found = {}
    for program in filter(None, places):
        done = subprocess.run([str(program), "-I", "-c", FACTS], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        facts = done.stdout.decode().strip().split("|")
        if done.returncode == 0 and facts[0] == "cpython":
            build = facts[1] + ("" if facts[3] == "0" else "t")
            found.setdefault(build, []).append((str(program), facts[2], facts[4]))
    return found


FOUND = interpreters()


def has_internal_headers(include_dir):
    return os.path.isfile(os.path.join(include_dir, "internal", "pycore_interp.h"))


@pytest.mark.parametrize("build", BUILDS)
def test_the_generator_reproduces_the_table_byte_for_byte(build):
    places = [(version, path) for _, version, path in FOUND.get(build, ())
              if has_internal_headers(path)]
    if not places or not CC:
        pytest.skip("no headers of CPython 3.%s here, or no C compiler" % build)
    table_path = gen_layout.table_path(int(build.rstrip("t")), build[-1] == "t")
    with open(table_path, encoding="ascii") as file:
        table = file.read()
    made = {version: gen_layout.make_table(path, CC) for version, path in places}
    same_release = [text for version, text in made.items() if "headers of %s:" % version in table]
    for text in same_release:
        assert text == table
    if not same_release:
        pytest.skip("headers are of another patch release: %s" % ", ".join(made))


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The tables and their validation as a shared library for ctypes."""
    if not CC:
        pytest.skip("no C compiler")
    path = tmp_path_factory.mktemp("pylayout") / "pylayout.so"
    parts = ["layout", "refit", "validate"]
    sources = [*ROOT.glob("src/pylayout/v3_*.c"), ROOT / "src/target/own.c",
               *(ROOT / ("src/pylayout/%s.c" % part) for part in parts)]
    subprocess.run([CC, "-std=gnu11", "-g", "-fPIC", "-shared", "-I", str(ROOT / "src"), "-o",
                    str(path), *map(str, sources)], check=True)
    return path


@pytest.mark.parametrize("build", BUILDS)
def test_a_live_interpreter_passes_the_validation(library, build):
    if build not in FOUND:
        pytest.skip("no CPython 3.%s here" % build)
    for program, version, _ in FOUND[build]:
        done = subprocess.run([program, str(ROOT / "tests/py/validate_self.py"), str(library)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert done.returncode == 0, version + "\n" + done.stdout.decode()


@pytest.mark.parametrize("build", BUILDS)
def test_the_table_agrees_with_live_objects(build):
    if build not in FOUND:
        pytest.skip("no CPython 3.%s here" % build)
    for program, version, _ in FOUND[build]:
        done = subprocess.run([program, str(ROOT / "tests/py/test_layout_live_runtime.py")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert done.returncode == 0, version + "\n" + done.stdout.decode()

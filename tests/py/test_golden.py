# SPDX-License-Identifier: MIT
"""Golden runs of the native command: name.cmd -> name.stdout, name.exit, and name.stderr if any.

A .cmd file is one line, `refchain ARGUMENTS`, run in a folder with a snapshot of each .graph file.
Look at the difference, then accept it: pytest tests/py/test_golden.py --update-goldens [-k NAME],
or without pytest: python3 tests/py/test_golden.py --update [NAME...]
"""

import pathlib
import shlex
import sys
import tempfile

import native
import pytest

NAMES = sorted(path.stem for path in native.GOLDEN.glob("*.cmd"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("golden")
    native.make_all(folder)
    return folder


def run_golden(name, folder):
    words = shlex.split((native.GOLDEN / f"{name}.cmd").read_text())
    assert words[0] == "refchain"
    return native.run(*words[1:], cwd=folder)


def test_there_are_golden_runs():
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_command_says_what_it_said(name, folder, request):
    done = run_golden(name, folder)
    if request.config.getoption("--update-goldens"):
        write_golden(name, done)
    assert done.stdout.decode() == (native.GOLDEN / f"{name}.stdout").read_text()
    assert done.returncode == int((native.GOLDEN / f"{name}.exit").read_text())
    errors = native.GOLDEN / f"{name}.stderr"
    if errors.exists():
        assert done.stderr.decode() == errors.read_text()
    else:
        assert done.stderr == b""


def write_golden(name, done):
    (native.GOLDEN / f"{name}.stdout").write_bytes(done.stdout)
    (native.GOLDEN / f"{name}.exit").write_text(f"{done.returncode}\n")
    errors = native.GOLDEN / f"{name}.stderr"
    if done.stderr:
        errors.write_bytes(done.stderr)
    elif errors.exists():
        errors.unlink()


def update(names):
    with tempfile.TemporaryDirectory() as path:
        folder = pathlib.Path(path)
        native.make_all(folder)
        for name in names or NAMES:
            done = run_golden(name, folder)
            write_golden(name, done)
            print(f"updated {name}: exit {done.returncode}, {len(done.stdout)} bytes")


if __name__ == "__main__":
    if "--update" not in sys.argv[1:]:
        sys.exit(__doc__)
    update([word for word in sys.argv[1:] if word != "--update"])

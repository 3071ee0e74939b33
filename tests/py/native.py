# SPDX-License-Identifier: MIT
"""Where the native command and the snapshot maker of the tests are, and how to run them."""

import os
import pathlib
import shutil
import subprocess
import sysconfig

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"


def _find(variable, name, *places):
    """The program that an environment variable names, else the newest one that was built."""
    if os.environ.get(variable):
        return os.environ[variable]
    found = [
        path
        for place in places
        for path in ROOT.glob(place)
        if path.is_file() and os.access(path, os.X_OK)
    ]
    if not found:
        raise FileNotFoundError(f"{name} is not built; build it with make, or set {variable}")
    return str(max(found, key=lambda path: path.stat().st_mtime))


def refchain():
    """The program installed with the package under test, else one from a build tree."""
    installed = pathlib.Path(sysconfig.get_path("scripts")) / "refchain"
    if "REFCHAIN_BIN" not in os.environ and os.access(installed, os.X_OK):
        return str(installed)
    return _find("REFCHAIN_BIN", "refchain", "build*/**/refchain")


def bench(*args, **options):
    """Run bench/c: made graphs, and what analyses take on them."""
    program = _find("REFCHAIN_BENCH", "rch_bench", "build*/**/rch_bench")
    return subprocess.run(
        [program, *map(str, args)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=600,
        **options,
    )


def findpy():
    """tests/c/findpy.c, built."""
    return _find("REFCHAIN_FINDPY", "findpy", "build*/**/findpy")


def image_lab(*args, check=True, **options):
    """Run tests/c/image_lab: captures of live processes."""
    lab = _find("REFCHAIN_IMAGE_LAB", "image_lab", "build*/**/image_lab")
    options.setdefault("timeout", 600)
    return subprocess.run(
        [lab, *map(str, args)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=check,
        **options,
    )


def make_rch(graph, path):
    """Write a snapshot: graph is a file of words (see tests/c/support.h) or '--hostile'."""
    maker = _find("REFCHAIN_MAKE_RCH", "make_rch", "build*/**/make_rch")
    subprocess.run([maker, str(graph), str(path)], check=True)
    return path


def make_big(num_objects, path):
    """Write a made graph of any size (tests/c/made_graph.h) as a snapshot."""
    lab = _find("REFCHAIN_WORK_LAB", "work_lab", "build*/**/work_lab")
    subprocess.run([lab, "make", str(num_objects), str(path)], check=True)
    return path


def make_all(folder):
    """Every graph of tests/golden as a snapshot of the same name in folder, hostile.rch, what is known."""
    for graph in sorted(GOLDEN.glob("*.graph")):
        make_rch(graph, folder / f"{graph.stem}.rch")
    make_rch("--hostile", folder / "hostile.rch")
    for known in GOLDEN.glob("*.known"):
        shutil.copy(known, folder)
    whole = (folder / "story.rch").read_bytes()
    (folder / "short.rch").write_bytes(whole[: len(whole) // 2])


def run(*args, cwd=None, env=None, **more):
    """Run refchain; text of both streams as bytes, a plain environment plus `env`."""
    plain = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **(env or {})}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH"):
        if name in os.environ:
            plain[name] = os.environ[name]
    streams = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "stdin": subprocess.DEVNULL,
        **more,
    }
    return subprocess.run(
        [refchain(), *map(str, args)], cwd=cwd, env=plain, timeout=60, check=False, **streams
    )


def has_groff():
    return shutil.which("groff") is not None


def show_image():
    """The program that tells what the image of a process or core has (tests/c/show_image.c)."""
    return _find("REFCHAIN_SHOW_IMAGE", "show_image", "build*/**/show_image")


def sitter():
    """The program that is read (tests/c/sitter.c)."""
    return _find("REFCHAIN_SITTER", "sitter", "build*/**/sitter")


def is_sanitized(program):
    """Was it built with AddressSanitizer?"""
    return b"__asan_init" in pathlib.Path(program).read_bytes()

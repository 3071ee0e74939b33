# SPDX-License-Identifier: MIT
"""Finding CPython in processes: real interpreters of each version, shared, static, stripped, deleted,
in containers; and processes that are none. The truth is what each process says of itself."""

import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys

import findable
import native
import pytest
from findable import PYTHONS, assert_found, compile_c, findpy, python_running, run_text, running

try:
    native.findpy()
except FileNotFoundError as error:
    pytest.skip(str(error), allow_module_level=True)
if not sys.platform.startswith("linux"):
    pytest.skip("other processes are read on Linux only", allow_module_level=True)

each_python = pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
WAIT = '#include <stdio.h>\n#include <unistd.h>\nint main(void) { %s puts(""); fflush(stdout); pause(); }'


# ---- interpreters as they come -------------------------------------------------------------------


@each_python
def test_everything_is_found(python):
    with python_running(python) as (process, truth):
        assert_found(process.pid, truth, "symbol _PyRuntime of")


@each_python
@pytest.mark.parametrize("allocator", ["malloc", "debug", "malloc_debug", "mimalloc"])
def test_allocators_make_no_difference(python, allocator):
    env = {"PYTHONMALLOC": allocator}
    if subprocess.run([python, "-c", ""], env=env, stderr=subprocess.DEVNULL).returncode:
        pytest.skip("it does not know this allocator")
    with python_running(python, env=env) as (process, truth):
        assert_found(process.pid, truth)


@each_python
def test_with_subinterpreters_the_head_is_found(python):
    more = """
try:
    import _xxsubinterpreters as subs
except ImportError:
    import _interpreters as subs
kept = [subs.create() for _ in range(3)]
told["interp"] = api.PyInterpreterState_Head()
"""
    with python_running(python, more=more) as (process, truth):
        assert_found(process.pid, truth)


@each_python
def test_a_collection_under_way_is_no_hindrance(python):
    more = """
import gc, threading
many = [[i] for i in range(200000)]
def collect():
    while True:
        gc.collect()
threading.Thread(target=collect, daemon=True).start()
"""
    with python_running(python, more=more) as (process, truth):
        for _ in range(5):
            assert_found(process.pid, truth)


@each_python
def test_names_changed_by_the_program_are_no_hindrance(python):
    more = """
import builtins
sys.hexversion = "mine"
sys.modules = {}
sys.version_info = None
"""
    with python_running(python, more=more) as (process, truth):
        version = truth.pop("version")
        told = assert_found(process.pid, truth)
        minor = int(version.split(".")[1])
        assert told["version"] == (version if minor > 10 else f"3.{minor}.0")


@each_python
def test_an_interpreter_at_its_end_is_found(python):
    more = """
import os, time
class End:
    def __del__(self, write=os.write, sleep=time.sleep):
        write(1, b"modules are empty now\\n")
        sleep(600)
sys.end = End()
print(json.dumps(told), flush=True)
raise SystemExit
"""
    with python_running(python, more=more) as (process, truth):
        assert process.stdout.readline() == "modules are empty now\n"
        if truth["free_threaded"]:  # no module and no list leads to a class
            told = findpy("python", process.pid)
            assert told.startswith("python: not found: ") and "no modules yet, or no more" in told
            return
        minor = truth.pop("version").rpartition(".")[0]
        truth.pop("debug_build")  # a name of sys tells it
        truth.pop("none")  # and a name of builtins, if there is no symbol
        assert assert_found(process.pid, truth)["version"].startswith(minor + ".")


@each_python
def test_many_libraries_are_no_hindrance(python):
    more = """
import importlib, pkgutil
for name in sorted(name for _, name, _ in pkgutil.iter_modules()):
    if name.startswith("_") and "test" not in name and name not in ("__hello__", "_tkinter"):
        try:
            importlib.import_module(name)
        except Exception:
            pass
try:
    import numpy, numpy.linalg
except ImportError:
    pass
"""
    with python_running(python, more=more) as (process, truth):
        assert_found(process.pid, truth)


# ---- programs with an interpreter inside ---------------------------------------------------------

EMBED = r"""
#include <Python.h>
int main(int argc, char **argv)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    PyConfig_SetBytesString(&config, &config.home, argv[1]);
    config.site_import = 0;
    PyStatus status = Py_InitializeFromConfig(&config);
    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
    return PyRun_SimpleString(argv[argc - 1]);
}
"""


def drop_section_headers(path):
    """What packers do; strip keeps them."""
    with open(path, "r+b") as file:
        for at, num_bytes in ((0x28, 8), (0x3A, 6)):
            file.seek(at)
            file.write(bytes(num_bytes))


def static_program(folder, python):
    """A program with libpython.a inside."""
    archives = glob.glob(os.path.join(findable.config(python, "LIBPL"), "lib*.a"))
    main = [path for path in archives if "libpython" in path and "pic" not in path]
    include = run_text(python, "-c", "import sysconfig; print(sysconfig.get_path('include'))")
    if not main or not include or not os.path.exists(f"{include.strip()}/Python.h"):
        pytest.skip("no libpython.a or no Python.h")
    others = [path for path in archives if "libpython" not in path]
    libraries = ["-lm", "-ldl", "-lpthread", "-lutil", "-lz", "-lexpat"]
    flags = [f"-I{include.strip()}", main[0], *others, *libraries]
    for linking in ([], ["-no-pie"]):
        try:
            return compile_c(folder, "myapp", EMBED, *flags, *linking)
        except subprocess.CalledProcessError as error:
            why = error.stderr.decode()[-300:]
    pytest.skip("cannot link with it: " + why)


def symbol_value(path, name):
    for line in run_text("readelf", "-sW", path).splitlines():
        fields = line.split()
        if len(fields) == 8 and fields[7] == name:
            return int(fields[1], 16)
    raise AssertionError(name)


@each_python
def test_a_static_program_is_found_with_and_without_names(python, tmp_path):
    program = static_program(tmp_path, python)
    home = run_text(python, "-c", "import sys; print(sys.base_prefix)").strip()
    places = {name: symbol_value(program, name) for name in ("_PyRuntime", "subtype_traverse")}
    for step, how in (
        (None, "symbol _PyRuntime of"),
        ("strip", "section .PyRuntime of"),
        ("drop", None),
    ):
        if step == "strip":
            subprocess.run(["strip", "-s", str(program)], check=True)
        if step == "drop":
            drop_section_headers(program)
        if step and how and ".PyRuntime" not in run_text("readelf", "-SW", program):
            how = None
        with running([program, home, findable.TRUTH]) as (process, truth):
            told = assert_found(process.pid, truth, how)
            line = next(
                row for row in findpy("modules", process.pid).splitlines() if "myapp" in row
            )
            bias = int(line.split()[1], 16)
            assert told["runtime"] == places["_PyRuntime"] + bias
            assert told["subtype_traverse"] == places["subtype_traverse"] + bias
            if not how:
                assert re.match("debug cookie in|the shape of", told["how"])


# ---- files that are elsewhere, or gone -----------------------------------------------------------


def shared_library(python):
    path = findable.library(python)
    if not path:
        pytest.skip("libpython is a part of the program")
    return path


@each_python
@pytest.mark.parametrize("fate", ["deleted", "replaced"])
@needs_root
def test_a_library_that_is_gone_is_read_all_the_same(python, fate, tmp_path):
    library = shared_library(python)
    copy = tmp_path / library.name
    shutil.copy(library, copy)
    with python_running(python, env={"LD_PRELOAD": str(copy)}) as (process, truth):
        copy.unlink()
        if fate == "replaced":
            copy.write_bytes(pathlib.Path("/bin/sh").read_bytes())
        told = assert_found(process.pid, truth, str(copy)[-60:])
        size = symbol_value(library, "subtype_traverse")  # of .symtab: from the file
        found = findpy("symbol", process.pid, library.name, "subtype_traverse").split()
        assert int(found[0]) == size and told["subtype_traverse"]
        assert "no-file" not in findpy("modules", process.pid)


@pytest.mark.parametrize("is_stripped", [False, True], ids=["plain", "stripped"])
@needs_root
def test_in_a_mount_and_pid_namespace(is_stripped, tmp_path):
    for python in PYTHONS.values():
        library = findable.library(python)
        if library:
            break
    else:
        pytest.skip("no interpreter with a libpython")
    box = tmp_path / "box"
    box.mkdir()
    strip = f"strip -s {box}/lib.so &&" if is_stripped else ""
    script = f"""mount -t tmpfs none {box} && cp {library} {box}/lib.so && {strip}
        LD_PRELOAD={box}/lib.so exec {python} -S -c "$TRUTH" """
    command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", script]
    if subprocess.run([*command[:-3], "true"]).returncode:
        pytest.skip("no namespaces here")
    with running(command, env={"TRUTH": findable.TRUTH}) as (process, truth):
        pid = int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
        assert not (box / "lib.so").exists()
        assert_found(pid, truth, "symbol _PyRuntime of")
        modules = findpy("modules", pid)
        assert f"{box}/lib.so" in modules and "no-file" not in modules


@needs_root
@pytest.mark.parametrize("name", [f"3.{minor}" for minor in range(9, 32)])
def test_in_another_root(name):
    """Interpreters of a chroot that REFCHAIN_TEST_CHROOT names."""
    root = os.environ.get("REFCHAIN_TEST_CHROOT", "")
    if not root or not os.path.exists(f"{root}/usr/bin/python{name}"):
        pytest.skip("no such interpreter in REFCHAIN_TEST_CHROOT")
    with running(["chroot", root, f"python{name}", "-c", findable.TRUTH]) as (process, truth):
        if "is not known to this version" in findpy("python", process.pid):
            pytest.skip("it has no table yet")
        assert_found(process.pid, truth)


# ---- more than one, or none ----------------------------------------------------------------------


def test_of_two_the_one_that_runs_is_found():
    libraries = {name: findable.library(python) for name, python in PYTHONS.items()}
    shared = [name for name in libraries if libraries[name]]
    if len(shared) < 2:
        pytest.skip("needs two interpreters with a libpython")
    for runs, loaded in (shared[:2], shared[1::-1]):
        more = f"idle = ctypes.CDLL({str(libraries[loaded])!r}, mode=0)"
        with python_running(PYTHONS[runs], more=more) as (process, truth):
            assert str(libraries[loaded]) in findpy("modules", process.pid)
            assert_found(process.pid, truth)


def test_a_libpython_that_is_only_loaded_is_told(tmp_path):
    paths = list(filter(None, map(findable.library, PYTHONS.values())))
    if not paths:
        pytest.skip("no interpreter with a libpython")
    program = compile_c(
        tmp_path, "idle", "#include <dlfcn.h>\n" + WAIT % f'dlopen("{paths[0]}", 1);'
    )
    with running([program], tells=False) as (process, _):
        assert "Python is loaded, but no interpreter is running" in findpy("python", process.pid)


def assert_refused(args, status, words):
    with running(args, tells=False) as (process, _):
        told = findpy("python", process.pid)
        assert told.startswith(f"python: {status}: ") and words in told, told


def test_what_is_no_python_is_told(tmp_path):
    program = compile_c(tmp_path, "plain", WAIT % "")
    assert_refused([program], "not found", "no Python in process")
    path = str(program)[-70:]
    with running([program], tells=False) as (process, _):
        assert path in findpy("python", process.pid)


def test_random_data_is_no_python(tmp_path):
    source = """
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *data[1 << 20], *bss[1 << 20];
int main(void) {
    void **heap = calloc(1 << 20, 8);
    for (int i = 0; i < 1 << 20; i++) {
        data[i] = heap + rand() % (1 << 20);
        bss[i] = rand() % 3 ? (void *)(data + rand() % (1 << 20)) : NULL;
        heap[i] = heap + rand() % (1 << 20);
    }
    puts("");
    fflush(stdout);
    pause();
}"""
    program = compile_c(tmp_path, "noise", source)
    assert_refused([program], "not found", "no Python in process")


def test_pypy_is_named(tmp_path):
    library = compile_c(
        tmp_path, "libpypy3.9-c.so", "int pypy_main_startup(void) { return 0; }", "-shared", "-fPIC"
    )
    program = compile_c(
        tmp_path, "pypy3", "#include <dlfcn.h>\n" + WAIT % f'dlopen("{library}", 1);'
    )
    assert_refused([program], "not supported", "PyPy (libpypy3.9-c.so)")


def test_32_bit_programs_are_named(tmp_path):
    source = """
static const char newline[] = "\\n";
void _start(void) {
    int num;
    __asm__ volatile("int $0x80" : "=a"(num) : "a"(4), "b"(1), "c"(newline), "d"(1) : "memory");
    for (;;)
        __asm__ volatile("int $0x80" : "=a"(num) : "a"(29));
}"""
    flags = ["-m32", "-nostdlib", "-static", "-fno-pic", "-no-pie", "-fno-stack-protector"]
    try:
        program = compile_c(tmp_path, "small", source, *flags)
    except subprocess.CalledProcessError:
        pytest.skip("no 32-bit programs can be built here")
    try:
        with running([program], tells=False) as (_, line):
            runs = line == "\n"
    except OSError:
        runs = False
    if not runs:
        pytest.skip("no 32-bit programs run here")
    assert_refused([program], "not supported", "a 32-bit program")


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8"])
def test_old_versions_are_named(version):
    homes = pathlib.Path.home() / ".pyenv" / "versions"
    places = [
        *homes.glob(f"{version}.*/bin/python"),
        *filter(None, [shutil.which(f"python{version}")]),
    ]
    if not places:
        pytest.skip("not on this machine")
    code = "import sys; sys.stdout.write('\\n'); sys.stdout.flush(); sys.stdin.read()"
    assert_refused(
        [places[0], "-c", code],
        "not supported",
        f"CPython {version} is not known to this version of refchain",
    )


# ---- readelf says the same -----------------------------------------------------------------------


def test_modules_have_the_build_ids_that_readelf_prints():
    more = "import ssl, sqlite3, lzma, bz2, decimal, asyncio, multiprocessing"
    python = next(iter(PYTHONS.values()))
    with python_running(python, more=more) as (process, _):
        rows = [line.split() for line in findpy("modules", process.pid).splitlines()]
        maps = pathlib.Path(f"/proc/{process.pid}/maps").read_text().splitlines()
        mapped = {line.split()[5] for line in maps if len(line.split()) == 6}
        assert len(rows) > 5
        assert {row[0] for row in rows} == {
            path for path in mapped if path[0] == "/" and open(path, "rb").read(4) == b"\x7fELF"
        }
        for path, bias, *more_of_it in rows:
            build_id = re.search(r"Build ID: (\w+)", run_text("readelf", "-nW", path))
            assert more_of_it == ([build_id[1]] if build_id else [])
            first = min(int(line.split("-")[0], 16) for line in maps if line.endswith(path))
            assert int(bias, 16) in (first, 0)


def test_symbols_and_sections_are_where_readelf_says():
    python = next(iter(PYTHONS.values()))
    path = findable.library(python) or os.path.realpath(python)
    symbols = run_text("readelf", "-sW", path)
    rows = re.findall(r": (\w{16}) +(\d+) (?:OBJECT|FUNC) +\w+ +\w+ +(\d+) (\w+)$", symbols, re.M)
    num_by_name = {}
    for row in rows:
        num_by_name.setdefault(row[3], set()).add(row[0])
    unique = [row for row in rows if len(num_by_name[row[3]]) == 1 and len(row[3]) < 60]
    sections = re.findall(
        r"\] (\.\S+) +\w+ +(\w{16}) \w+ (\w+) \w+ +\w*A", run_text("readelf", "-SW", path)
    )
    assert len(unique) > 1000 and len(sections) > 15
    with python_running(python) as (process, _):
        for value, size, _section, name in unique[:: len(unique) // 60]:
            assert findpy("symbol", process.pid, path, name) == f"{int(value, 16)} {size}", name
        for name, value, size in sections:
            found = findpy("section", process.pid, path, name)
            assert found == f"{int(value, 16)} {int(size, 16)}", name
        assert findpy("symbol", process.pid, path, "no_such_symbol") == "none"

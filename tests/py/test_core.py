# SPDX-License-Identifier: MIT
"""Core files of real processes, written by the kernel and by gcore: what the process said of its
memory is what an image of the core has, also compressed, without the files of the process, and cut
short."""

import gzip
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import types

import native
import pytest
from live_target import peek
from processes import read, state_of, wait_for

PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
needs_kernel_cores = pytest.mark.skipif(
    "/" in PATTERN or PATTERN.startswith("|"), reason="core_pattern sends cores elsewhere"
)
needs_gcore = pytest.mark.skipif(not shutil.which("gcore"), reason="gcore is not installed")

# Says where some of its bytes are, then sleeps. argv[1]: a library to load.
CHILD = """
    import ctypes, json, os, sys, threading, time
    big = bytearray(range(256)) * (5 << 11)            # 2.5 MiB: more than a chunk
    small = b"a cookie in the small-object arenas"
    zeros = bytearray(1 << 20)
    (ctypes.c_char * len(big)).from_buffer(big)
    def of(buffer):
        return ctypes.addressof((ctypes.c_char * len(buffer)).from_buffer(buffer))
    lib = ctypes.CDLL(sys.argv[1])
    code = ctypes.cast(getattr(lib, sys.argv[2]), ctypes.c_void_p).value
    version = ctypes.cast(ctypes.pythonapi.Py_GetVersion, ctypes.c_void_p).value
    places = [(of(big), len(big)), (of(zeros), len(zeros)), (id(small) + 8, 60), (id(None) + 8, 8),
              (id(list) + 24, 64), (version, 64), (code, 64)]  # no reference counts
    threads = [threading.Thread(target=time.sleep, args=(3600,), daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    while len(os.listdir("/proc/self/task")) < 3:
        time.sleep(0.01)
    time.sleep(0.2)                                    # they are in their sleep
    memory = open("/proc/self/mem", "rb", buffering=0)
    reads = []
    for address, size in places:
        memory.seek(address)
        reads.append((address, memory.read(size).hex()))
    print(json.dumps({
        "pid": os.getpid(), "tids": sorted(map(int, os.listdir("/proc/self/task"))),
        "reads": reads, "code": code, "exe": os.readlink("/proc/self/exe"),
    }), flush=True)
    time.sleep(3600)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """An extension module of this interpreter under a name of its own, and a function in it."""
    import _ctypes

    path = tmp_path_factory.mktemp("lib") / "moved.so"
    shutil.copy(_ctypes.__file__, path)
    return path


def start(library, folder, coredump_filter=None):
    """A process that sleeps, and what it said."""
    source = folder / "child.py"
    source.write_text(textwrap.dedent(CHILD))

    def limits():
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)  # a shell's background jobs ignore it

    child = subprocess.Popen(
        [sys.executable, str(source), str(library), "PyInit__ctypes"],
        cwd=folder,
        stdout=subprocess.PIPE,
        preexec_fn=limits,
    )
    said = types.SimpleNamespace(**json.loads(child.stdout.readline()))
    said.bytes = {address: bytes.fromhex(data) for address, data in said.reads}
    wait_for(lambda: state_of(child.pid) == "S")
    said.maps = read(f"/proc/{child.pid}/maps")
    if coredump_filter is not None:
        pathlib.Path(f"/proc/{child.pid}/coredump_filter").write_text(hex(coredump_filter))
    return child, said


def end(child):
    child.kill()
    child.wait()
    child.stdout.close()


def kernel_core(library, folder, coredump_filter=0x33, number=signal.SIGABRT):
    """(core, what the process said)"""
    child, said = start(library, folder, coredump_filter)
    child.send_signal(number)
    child.wait()
    child.stdout.close()
    cores = sorted(folder.glob("core*"))
    if not cores:
        pytest.skip("the kernel wrote no core file here")
    assert len(cores) == 1
    return cores[0], said


def gcore_core(library, folder):
    child, said = start(library, folder)
    try:
        subprocess.run(
            ["gcore", "-o", str(folder / "core"), str(child.pid)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    finally:
        end(child)
    return folder / f"core.{said.pid}", said


def image_of(core, said, sysroot=None):
    """What an image of the core has, where the process told of its own."""
    places = [f"{address:x}:{len(data)}" for address, data in said.bytes.items()]
    return peek(core, *places, options=("--sysroot", sysroot) if sysroot else ())


def missing(image):
    return int(image.values["missing"])


def maps_said(said):
    """(start, end, offset, path) of /proc/PID/maps, but for what has no address of ours."""
    rows = []
    for line in said.maps.splitlines():
        fields = line.split(maxsplit=5)
        begin, stop = (int(word, 16) for word in fields[0].split("-"))
        if begin < 1 << 47:
            rows.append((begin, stop, int(fields[2], 16), fields[5] if len(fields) > 5 else ""))
    return rows


def assert_whole(image, said):
    assert image.warnings == []
    assert missing(image) == 0
    assert image.bytes == said.bytes
    assert image.values["pid"] == str(said.pid)
    assert image.values["exe"] == said.exe
    assert sorted(int(thread[0]) for thread in image.threads) == said.tids
    mapped = [(begin, stop) for begin, stop, _, _ in image.maps]
    for _tid, _state, _was_stopped, _has_registers, call, _arg, *registers, _name in image.threads:
        assert call in ("230", "232", "270", "271")  # clock_nanosleep, epoll_wait, pselect6, ppoll
        for register in registers:
            assert any(begin <= int(register, 16) < stop for begin, stop in mapped)
    names = {int(thread[0]): thread[-1] for thread in image.threads}
    assert names[said.pid] == os.path.basename(sys.executable)[:15]


def assert_never_wrong(image, said):
    assert image.bytes.keys() == said.bytes.keys()
    for address, data in image.bytes.items():
        assert data in (None, said.bytes[address])


def compress(core, how):
    packed = core.with_name("packed")
    if how == "gz":
        with open(core, "rb") as plain, gzip.open(packed, "wb", compresslevel=1) as to:
            shutil.copyfileobj(plain, to)
    elif shutil.which("zstd"):
        subprocess.run(["zstd", "-q", "-f", str(core), "-o", str(packed)], check=True)
    else:
        pytest.skip("zstd is not installed")
    return packed


@needs_kernel_cores
@pytest.mark.parametrize(
    "coredump_filter, number",
    [(0x33, signal.SIGABRT), (0x33, signal.SIGQUIT), (0x7F, signal.SIGSEGV)],
    ids=["default-abort", "default-quit", "everything-segv"],
)
def test_a_core_of_the_kernel_has_what_the_process_had(coredump_filter, number, library, tmp_path):
    core, said = kernel_core(library, tmp_path, coredump_filter, number)
    image = image_of(core, said)
    assert_whole(image, said)
    names = {"[heap]": "", "[vvar_vclock]": "[vvar]"}  # the core does not tell all names
    assert image.maps == [
        (begin, stop, offset, names.get(path, path))
        for begin, stop, offset, path in maps_said(said)
    ]


@needs_gcore
def test_a_core_of_gcore_has_what_the_process_had(library, tmp_path):
    core, said = gcore_core(library, tmp_path)
    image = image_of(core, said)
    assert_whole(image, said)
    had = {(begin, stop): (offset, path) for begin, stop, offset, path in image.maps}
    files = [row for row in maps_said(said) if row[3].startswith("/")]
    assert files
    assert {(b, e): (o, p) for b, e, o, p in files} == {
        place: what for place, what in had.items() if what[1].startswith("/")
    }


@pytest.mark.parametrize("how", ["gz", "zst"])
@pytest.mark.parametrize(
    "maker",
    [
        pytest.param(kernel_core, marks=needs_kernel_cores, id="kernel"),
        pytest.param(gcore_core, marks=needs_gcore, id="gcore"),
    ],
)
def test_a_compressed_core_has_the_same(maker, how, library, tmp_path):
    core, said = maker(library, tmp_path)
    assert_whole(image_of(compress(core, how), said), said)


def make_sysroot(said, folder):
    """The files of the process, copied under a folder."""
    root = folder / "sysroot"
    for path in {row[3] for row in maps_said(said) if row[3].startswith("/")}:
        to = root / path.lstrip("/")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
    return root


@needs_kernel_cores
def test_files_that_moved_are_asked_for_and_found_in_a_sysroot(library, tmp_path):
    mine = tmp_path / "mine.so"
    shutil.copy(library, mine)
    core, said = kernel_core(mine, tmp_path)
    root = make_sysroot(said, tmp_path)
    mine.unlink()

    image = image_of(core, said)
    (warning,) = image.warnings
    assert str(mine) in warning and "--sysroot" in warning
    assert missing(image) > 0
    assert image.bytes == {**said.bytes, said.code: None}
    assert_whole(image_of(core, said, root), said)


@needs_kernel_cores
def test_another_file_of_that_name_is_not_used(library, tmp_path):
    import _struct

    other = getattr(_struct, "__file__", None)
    if not other:
        pytest.skip("_struct is built into this interpreter")
    mine = tmp_path / "mine.so"
    shutil.copy(library, mine)
    core, said = kernel_core(mine, tmp_path)
    shutil.copy(other, mine)
    image = image_of(core, said)
    (warning,) = image.warnings
    assert f"{mine} is not the file that was mapped and is not used" in warning
    assert build_id(library) in warning and build_id(other) in warning
    assert image.bytes[said.code] is None


def build_id(path):
    """As `file` would say it, or "none"."""
    data = pathlib.Path(path).read_bytes()[:4096]
    at = data.find(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0")
    return data[at + 16 : at + 36].hex() if at >= 0 else "none"


@needs_kernel_cores
@pytest.mark.parametrize("how", ["plain", "gz", "zst"])
def test_a_core_cut_short_is_partial_and_never_wrong(how, library, tmp_path):
    core, said = kernel_core(library, tmp_path)
    if how != "plain":
        core = compress(core, how)
    size = core.stat().st_size
    for tenths in (9, 5, 1):
        os.truncate(core, size * tenths // 10)
        image = image_of(core, said)
        assert any("cut short" in warning for warning in image.warnings)
        assert missing(image) > 0
        assert_never_wrong(image, said)
    assert None in image.bytes.values()


@needs_kernel_cores
@pytest.mark.parametrize(
    "coredump_filter, words",
    [
        (0x00, "none of the process's own memory"),
        (0x03, "taken unchecked"),
    ],
)
def test_a_core_without_what_the_filter_kept_out_says_so(coredump_filter, words, library, tmp_path):
    core, said = kernel_core(library, tmp_path, coredump_filter)
    image = image_of(core, said)
    assert any(words in warning and "coredump_filter" in warning for warning in image.warnings)
    assert_never_wrong(image, said)
    assert (missing(image) > 0) == (coredump_filter == 0)


def shrink_while_read(core):
    """(exit code, words) of a refchain whose core, once it is mapped, becomes a page long."""
    command = [native.refchain(), "top", str(core)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as reader:
        while reader.poll() is None and str(core) not in read(f"/proc/{reader.pid}/maps"):
            pass
        reader.send_signal(signal.SIGSTOP)
        os.truncate(core, 4096)
        reader.send_signal(signal.SIGCONT)
        words = reader.stderr.read().decode()
    return reader.returncode, words


@needs_kernel_cores
def test_a_core_that_becomes_shorter_while_it_is_read_ends_with_words(library, tmp_path):
    whole, _ = kernel_core(library, tmp_path)

    def is_met():
        core = shutil.copy(whole, tmp_path / "shrinks")
        code, words = shrink_while_read(core)
        assert code in (0, 4), (code, words)  # it may have been quicker
        assert code == 0 or "become shorter" in words
        return code == 4

    wait_for(is_met)

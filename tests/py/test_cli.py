# SPDX-License-Identifier: MIT
"""The native command from outside: exit codes, streams, terminals, hostile names, damaged files."""

import errno
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import unicodedata

import native
import pytest

COMMANDS = ["why", "paths", "what-if", "suspects", "top", "cycles", "stacks", "fds", "graph", "diff",
            "watch", "known", "dump", "doctor"]
TAKE_WHERE = set(COMMANDS) - {"doctor", "known", "watch"}
# told once on the man page, for all
WHERE_OPTIONS = {"--sysroot", "--memory-limit", "--max-memory", "--no-cache"}
JUDGES = {"why", "diff", "suspects"}
JUDGE_OPTIONS = {"--format", "--known", "--fail-on-new"}  # told once, too
SCHEMAS = native.ROOT / "docs" / "schema"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    native.make_all(folder)
    return folder


@pytest.fixture
def refchain(folder):
    return lambda *args, **more: native.run(*args, cwd=folder, **more)


def validator(name):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((SCHEMAS / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def columns(line):
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return wide + sum(not unicodedata.combining(c) for c in line)


def assert_clean(output, limit=100):
    """Only printable text, lines within the page."""
    text = output.decode()  # valid UTF-8
    for line in text.splitlines():
        assert columns(line) <= limit, line
    bad = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert bad <= {"\n"}


# ---- usage --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("nonsense",),
        ("why",),
        ("why", "a.rch"),
        ("top", "a", "b"),
        ("why", "--nope"),
        ("top", "a", "--limit", "0"),
        ("top", "a", "--limit", "x"),
        ("top", "a", "--limit=-1"),
        ("top", "a", "--by", "colour"),
        ("top", "a", "dict"),
        ("top", "a", "dict", "--by", "module"),
        ("what-if", "a"),
        ("what-if", "a", *["--cut=x"] * 65),
    ],
)
def test_a_wrong_command_line_is_exit_2_and_says_so_on_stderr(refchain, args):
    done = refchain(*args)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"usage: refchain" in done.stderr
    assert_clean(done.stderr)


@pytest.mark.parametrize(
    "args",
    [("--help",), ("-h",), ("help",), ("--version",), ("-V",)]
    + [(name, "--help") for name in COMMANDS]
    + [("help", name) for name in COMMANDS],
)
def test_help_and_version_go_to_stdout(refchain, args):
    done = refchain(*args)
    assert (done.returncode, done.stderr) == (0, b"")
    assert_clean(done.stdout)


def test_the_man_page_has_exactly_the_options_of_the_help(refchain):
    page = (native.ROOT / "docs" / "man" / "refchain.1").read_text().replace("\\-", "-")
    sections = dict(re.findall(r"^\.SS ([\w-]+)\n(.*?)(?=^\.S[SH] )", page, re.M | re.S))
    assert sorted(sections) == sorted(COMMANDS)
    for name in COMMANDS:
        option = re.compile(r"--[a-z][a-z-]+")
        helped = set(option.findall(refchain(name, "--help").stdout.decode().split("Options:")[1]))
        heads = "\n".join(re.findall(r"^\.TP\n(.*)$", sections[name], re.M))
        once = WHERE_OPTIONS if name in TAKE_WHERE else set()
        once = once | (JUDGE_OPTIONS if name in JUDGES else set())
        assert set(option.findall(heads)) == helped - once and once <= helped, name
    described = page.split(".SH DESCRIPTION")[1].split(".SH COMMANDS")[0]
    assert set(option.findall(described)) >= WHERE_OPTIONS | JUDGE_OPTIONS


def test_the_man_page_has_no_markup_errors():
    if not native.has_groff():
        pytest.skip("groff is not installed")
    page = native.ROOT / "docs" / "man" / "refchain.1"
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", page], capture_output=True, check=True)
    assert done.stderr == b""


# ---- answers ------------------------------------------------------------------------------------


def test_both_holders_of_the_story_are_found_with_exact_figures(refchain):
    done = refchain("why", "story.rch", "TCPTransport", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    assert [
        (h["holds"], h["holds_only"], h["frees_if_cut"]["question"]) for h in answer["holders"]
    ] == [(3, 1, 1), (2, 0, 0)]
    assert answer["all_cut"]["question"] == answer["objects"] == 3
    assert [h["root"]["name"] for h in answer["holders"]] == [
        "multiprocessing.util",
        "minimq.pools",
    ]


@pytest.mark.parametrize(
    "args",
    [
        ("story.rch", "TCPTransport"),
        ("story.rch", "Connections"),
        ("story.rch", "*.Pool"),
        ("story.rch", "TCPTransport", "--raw", "--all"),
        ("hostile.rch", "Leak"),
        ("story.rch", "dict"),
        ("story.rch", "0x10000"),
        ("story.rch", "65536"),
    ],
)
def test_json_of_why_follows_its_schema(refchain, args):
    done = refchain("why", "--json", *args)
    assert (done.returncode, done.stderr) == (0, b"")
    validator("refchain.why-1.schema.json").validate(json.loads(done.stdout))


@pytest.mark.parametrize("args", [("hang.rch",), ("hang.rch", "-l"), ("hang.rch", "-t", "4712"),
                                  ("hang.rch", "-n", "1"), ("hostile.rch", "-l")])  # fmt: skip
def test_json_of_stacks_follows_its_schema(refchain, args):
    done = refchain("stacks", *args, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    validator("refchain.stacks-1.schema.json").validate(answer)
    assert answer["threads"] and all("locals" in f for f in answer["threads"][0]["frames"]) == (
        "-l" in args)  # fmt: skip


def test_stacks_of_a_damaged_snapshot_never_crash_the_command(refchain, folder):
    whole = (folder / "hang.rch").read_bytes()
    codes = set()
    for step in range(0, len(whole), 64):
        (folder / "hang_cut.rch").write_bytes(whole[:step])
        done = refchain("stacks", "hang_cut.rch", "--json", "--locals")
        codes.add(done.returncode)
        assert done.returncode in (3, 4), (step, done.stderr)
        assert done.stderr and bool(done.stdout) == (done.returncode == 3)
    assert codes == {3, 4}


def test_json_of_top_follows_its_schema(refchain):
    done = refchain("top", "--json", "story.rch")
    answer = json.loads(done.stdout)
    validator("refchain.top-1.schema.json").validate(answer)
    assert sum(row["objects"] for row in answer["rows"]) == answer["objects"]
    assert len(answer["rows"]) == answer["types"]
    assert len(json.loads(refchain("top", "--json", "-n", "2", "story.rch").stdout)["rows"]) == 2


@pytest.mark.parametrize("by", ["module", "holder", "dominator"])
@pytest.mark.parametrize("sort", ["objects", "bytes", "retained"])
@pytest.mark.parametrize("name", ["story.rch", "hostile.rch", "hang.rch"])
def test_json_of_keepers_follows_its_schema(refchain, by, sort, name):
    done = refchain("top", name, "--by", by, "--sort", sort, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    validator("refchain.keepers-1.schema.json").validate(answer)
    assert answer["rows"] and answer["by"] == by
    if by == "module":
        assert sum(row["retained"] for row in answer["rows"]) == answer["bytes"]
        assert sum(row["retained_objects"] for row in answer["rows"]) == answer["objects"]


@pytest.mark.parametrize("args", [("story.rch", "TCPTransport"), ("story.rch", "dict"),
                                  ("story.rch", "minimq.*"), ("hostile.rch", "Leak")])  # fmt: skip
def test_json_of_dominators_follows_its_schema(refchain, args):
    done = refchain("top", *args, "--by", "dominator", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    validator("refchain.dominators-1.schema.json").validate(answer)
    assert sum(row["objects"] for row in answer["dominators"]) == answer["objects"]


@pytest.mark.parametrize(
    "args",
    [
        *(("top", name, "--by", by, "--all") for by in ("module", "holder", "dominator")
          for name in ("story.rch", "hostile.rch", "hang.rch", "fds.rch")),
        ("top", "story.rch", "*", "--by", "dominator"),
        ("top", "hostile.rch", "*", "--by", "dominator"),
        ("what-if", "hang.rch", "--cut", "app.connection", "--cut", "frame test()"),
        ("what-if", "hang.rch", "--cut", "app", "--cut", "local self", "--cut", "thread worker"),
        ("what-if", "hostile.rch", "--cut", "0x10040", "--cut", "0x10000"),
    ],
)  # fmt: skip
def test_what_keeps_and_what_cuts_free_fits_the_page(refchain, args):
    done = refchain(*args)
    assert (done.returncode, done.stderr) == (0, b"")
    assert_clean(done.stdout)
    assert_clean(refchain(*args, env={"LC_ALL": "C"}).stdout)


def test_a_name_that_was_shortened_is_refused_with_words(refchain):
    done = refchain("what-if", "story.rch", "--cut", "multiproc…data")
    assert (done.returncode, done.stdout) == (4, b"") and b"ellipsis" in done.stderr


def cut_words(holder):
    """A cut as 'refchain why' prints it."""
    words = holder["root"]["name"]
    for hop in holder["path"][: holder["cut"] + (not holder["cut_is_group"])]:
        words += {"attribute": ".%s", "field": ".%s"}[hop["edge"]] % hop["name"]
    return words + (".clear()" if holder["cut_is_group"] else "")


def test_what_if_says_what_why_says(refchain):
    why = json.loads(refchain("why", "story.rch", "TCPTransport", "--json").stdout)
    cuts = [cut_words(holder) for holder in why["holders"]]
    done = refchain("what-if", "story.rch", *["--cut=" + cut for cut in cuts], "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    validator("refchain.what-if-1.schema.json").validate(answer)
    assert [cut["cut"] for cut in answer["cuts"]] == cuts
    for cut, holder in zip(answer["cuts"], why["holders"]):
        assert cut["frees"] == {k: holder["frees_if_cut"][k] for k in ("objects", "bytes")}
        assert cut["stays"]["type"] == "minimq.transport.TCPTransport"
    assert answer["frees"] == {k: why["all_cut"][k] for k in ("objects", "bytes")}
    assert sum(row["bytes"] for row in answer["types"]) == answer["frees"]["bytes"]


@pytest.mark.parametrize("text", ["", ".", "nonsense", "minimq", "minimq.pools.", "0x", "0x1", "0xzz.a",
                                  "minimq.pools[", 'minimq.pools["', "<key>", "\x1b[2J", "local x in f()",
                                  "minimq.pools.connections.data[99999999999]", "frame "])  # fmt: skip
def test_a_cut_that_names_nothing_is_exit_4_with_words(refchain, text):
    done = refchain("what-if", "story.rch", "--cut", text)
    assert (done.returncode, done.stdout) == (4, b"")
    assert done.stderr.startswith(b"refchain: what-if: ")
    assert_clean(done.stderr, 10000)


@pytest.mark.parametrize(
    "args",
    [
        ("fds.rch",),
        ("fds.rch", "--why"),
        ("fds.rch", "--why", "-n", "1"),
        ("story.rch",),
        ("hostile.rch", "--why"),
    ],
)
def test_json_of_fds_follows_its_schema(refchain, args):
    done = refchain("fds", "--json", *args)
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    validator("refchain.fds-1.schema.json").validate(answer)
    assert sum(group["descriptors"] for group in answer["groups"]) == len(answer["descriptors"])
    for i, group in enumerate(answer["groups"]):
        assert group["fds"] == [d["fd"] for d in answer["descriptors"] if d["group"] == i]
        if "why" in group:
            validator("refchain.why-1.schema.json").validate(group["why"])
    num_why = sum("why" in group for group in answer["groups"])
    num_owned = sum(group["owner"] is not None for group in answer["groups"])
    assert num_why == (0 if "--why" not in args else 1 if "-n" in args else num_owned)


def test_every_key_of_the_json_is_documented(refchain):
    docs = (native.ROOT / "docs" / "json.md").read_text()
    seen = set()

    def walk(value):
        if isinstance(value, dict):
            seen.update(value)
            value = list(value.values())
        for item in value if isinstance(value, list) else []:
            walk(item)

    for args in [
        ("why", "story.rch", "TCPTransport"),
        ("why", "story.rch", "Connections"),
        ("top", "story.rch"),
        ("why", "story.rch", "*.Pool"),
        ("fds", "fds.rch", "--why"),
        ("why", "story.rch", "TCPTransport", "--known", "story.known"),
        ("known", "list", "-f", "story.known"),
        *(("top", "story.rch", "--by", by) for by in ("module", "holder", "dominator")),
        ("top", "story.rch", "TCPTransport", "--by", "dominator"),
        ("what-if", "story.rch", "--cut", "minimq.pools.connections"),
    ]:
        walk(json.loads(refchain(*args, "--json").stdout))
    assert {key for key in seen if f"`{key}`" not in docs and f'"{key}"' not in docs} == set()


def test_an_example_address_asks_about_that_object(refchain):
    answer = json.loads(refchain("why", "--json", "story.rch", "TCPTransport").stdout)
    address = answer["holders"][0]["path"][-1]["example"]
    one = json.loads(refchain("why", "--json", "story.rch", address).stdout)
    assert one["question"] == {"address": address, "type": "minimq.transport.TCPTransport"}
    assert one["objects"] == 1
    assert refchain("why", "story.rch", int(address, 16)).returncode == 0


def test_an_ambiguous_name_is_answered_for_each_type(refchain):
    answer = json.loads(refchain("why", "--json", "story.rch", "Connections").stdout)
    names = ["minimq.pools.Connections", "test.fake.Connections"]
    assert [one["type"] for one in answer["ambiguous"]] == names
    assert [one["question"]["type"] for one in answer["answers"]] == names


def test_an_unknown_type_is_exit_4_with_near_names_on_stderr(refchain):
    done = refchain("why", "story.rch", "tcptransprot")
    assert (done.returncode, done.stdout) == (4, b"")
    assert b"minimq.transport.TCPTransport" in done.stderr
    for args in [("0x1",), ("0xzz",), ("12ab",), ("99999999999999999999999",), ("",), ("\x1b[2J",)]:
        done = refchain("why", "story.rch", *args)
        assert (done.returncode, done.stdout) == (4, b"")
        assert done.stderr.startswith(b"refchain: ")
        assert_clean(done.stderr, 10000)


# ---- WHERE --------------------------------------------------------------------------------------


def test_what_is_no_process_and_no_core_is_refused_with_words(refchain, folder):
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    (folder / "core.1").write_bytes(ident + struct.pack("<HH", 4, 62) + bytes(100))
    for where, words in [("4194305", b"no process 4194305"), ("core.1", b"core")]:
        for command in [("why", where, "x"), ("top", where), ("dump", where, "-o", "x.rch")]:
            done = refchain(*command)
            assert (done.returncode, done.stdout) == (4, b"")
            assert words in done.stderr


def test_dump_wants_a_file_to_write(refchain):
    done = refchain("dump", "story.rch")
    assert (done.returncode, done.stdout) == (2, b"") and b"-o app.rch" in done.stderr


def test_what_cannot_be_opened_is_named(refchain, folder):
    (folder / "empty.rch").write_bytes(b"")
    (folder / "text.rch").write_bytes(b"just text\n" * 1000)
    for where in [
        "missing.rch",
        "empty.rch",
        "text.rch",
        ".",
        "new\nline",
        "/dev/null",
        "/proc/self/mem",
    ]:
        done = refchain("top", where)
        assert (done.returncode, done.stdout) == (4, b""), where
        assert done.stderr.startswith(b"refchain: ")
        assert_clean(done.stderr, 10000)
    assert b"No such file" in refchain("top", "missing.rch").stderr


def test_a_damaged_snapshot_never_crashes_the_command(refchain, folder):
    whole = (folder / "story.rch").read_bytes()
    codes = set()
    for step in range(0, len(whole), max(1, len(whole) // 60)):
        (folder / "cut.rch").write_bytes(whole[:step])
        flipped = bytearray(whole)
        flipped[step] ^= 0x41
        (folder / "flipped.rch").write_bytes(flipped)
        for name in ["cut.rch", "flipped.rch"]:
            done = refchain("why", name, "TCPTransport", "--json")
            codes.add(done.returncode)
            assert done.returncode in (0, 3, 4), (name, step, done.stderr)
            assert (done.returncode == 0) == (done.stderr == b"")
            if done.stdout:
                json.loads(done.stdout)
    assert {3, 4} <= codes


# ---- output -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["why", "top", "doctor", "--help"])
def test_a_full_disk_is_reported(refchain, command):
    args = {"why": ["story.rch", "TCPTransport"], "top": ["story.rch"]}.get(command, [])
    with open("/dev/full", "wb") as full:
        done = refchain(command, *args, stdout=full)
    assert done.returncode == 4
    assert b"cannot write to standard output: No space left on device" in done.stderr


def test_a_reader_that_goes_away_is_no_error(refchain):
    ours, theirs = os.pipe()
    os.close(ours)
    done = refchain("top", "story.rch", "--all", stdout=theirs)
    os.close(theirs)
    assert done.stderr == b""
    assert done.returncode == 0


@pytest.mark.parametrize(
    "env, has_color",
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, False),
    ],
)
def test_colour_is_for_who_asks(refchain, env, has_color):
    done = refchain("why", "story.rch", "TCPTransport", env=env)
    assert (b"\x1b[" in done.stdout) == has_color


def test_another_locale_gets_ascii(refchain):
    done = refchain("why", "story.rch", "TCPTransport", env={"LC_ALL": "C"})
    assert done.stdout.isascii()
    assert b"  `> " in done.stdout


def on_terminal(args, cwd, width, env):
    """Output of the command with both streams on a terminal of that width."""
    import fcntl
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 25, width, 0, 0))
    with subprocess.Popen(
        [native.refchain(), *args],
        cwd=cwd,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={"LC_ALL": "C.UTF-8", "TERM": "xterm", **env},
    ) as process:
        os.close(follower)
        output = b""
        while True:
            try:
                more = os.read(leader, 65536)
            except OSError as error:
                assert error.errno == errno.EIO
                break
            if not more:
                break
            output += more
        os.close(leader)
        assert process.wait(timeout=30) == 0
    return output.replace(b"\r\n", b"\n")


def test_a_terminal_gets_colour_and_its_own_width(folder):
    for width, expected in [(80, 80), (300, 100)]:
        output = on_terminal(["why", "story.rch", "TCPTransport"], folder, width, {})
        assert b"\x1b[" in output
        assert_clean(re.sub(rb"\x1b\[[0-9;]*m", b"", output), expected)
    assert b"\x1b[" not in on_terminal(
        ["why", "story.rch", "TCPTransport"], folder, 80, {"NO_COLOR": "1"}
    )


def test_hostile_names_reach_no_terminal(refchain):
    for args in [
        ("why", "hostile.rch", "Leak"),
        ("why", "hostile.rch", "Leak", "--raw", "--all"),
        ("top", "hostile.rch"),
        ("why", "hostile.rch", "evil.*"),
        ("doctor", "hostile.rch"),
    ]:
        done = refchain(*args)
        assert done.returncode == 0, done.stderr
        assert_clean(done.stdout)
        assert_clean(done.stderr, 10000)
    answer = json.loads(refchain("why", "hostile.rch", "Leak", "--json").stdout)
    hops = [hop["name"] for hop in answer["holders"][0]["path"]]
    assert "quote\"'\\" in hops and "two\nlines" in hops and "\x1b[2J\x1b]0;owned\x07" in hops
    assert "n" * 10000 in hops


def test_a_long_question_is_cut_to_the_page(refchain):
    done = refchain("why", "story.rch", "x" * 50000)
    assert done.returncode == 4
    assert len(done.stderr) < 5000


# ---- doctor -------------------------------------------------------------------------------------


def test_doctor_tells_what_works_and_what_is_in_a_snapshot(refchain):
    done = refchain("doctor", "story.rch")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"3.9" in done.stdout and b"3.13" in done.stdout and b"whole" in done.stdout
    answer = json.loads(refchain("doctor", "--json", "story.rch").stdout)
    assert answer["schema"] == "refchain.doctor/1"
    assert answer["snapshot"]["usable"] and answer["snapshot"]["objects"] > 20
    assert "snapshot" not in json.loads(refchain("doctor", "--json").stdout)


def test_doctor_finds_damage(refchain):
    done = refchain("doctor", "short.rch")
    assert done.returncode in (3, 4)
    assert done.stderr.startswith(b"refchain: short.rch: ")
    assert refchain("doctor", "missing.rch").returncode == 4


def test_nothing_is_left_behind(refchain, folder):
    before = sorted(path.name for path in pathlib.Path(folder).iterdir())
    refchain("why", "story.rch", "TCPTransport")
    refchain("dump", "1", "-o", "left.rch")
    assert sorted(path.name for path in pathlib.Path(folder).iterdir()) == before

# SPDX-License-Identifier: MIT
"""Leaks that are known: the file, what is marked and counted, exit codes, Markdown and SARIF."""

import json
import os
import pathlib
import re
import subprocess

import inside
import native
import pytest

FIRST, SECOND = "rc1:fc94b174421ffff7", "rc1:4f3f472e3c9776be"  # of tests/golden/story.graph
WHY = ("why", "story.rch", "TCPTransport")
OTHER = "rc1:00000000000000aa"


@pytest.fixture
def folder(tmp_path):
    native.make_all(tmp_path)
    return tmp_path


@pytest.fixture
def refchain(folder):
    return lambda *args, **more: native.run(*args, cwd=folder, **more)


def told(done):
    return done.stderr.decode()


# ---- the exit code ------------------------------------------------------------------------------


def test_exit_code_1_is_only_for_who_asks(refchain):
    assert refchain(*WHY).returncode == 0
    done = refchain(*WHY, "--fail-on-new")
    assert done.returncode == 1
    assert "2 new, 0 known" in told(done) and f"refchain known add {FIRST}" in told(done)


def test_known_leaks_do_not_count(refchain):
    for fingerprint in (FIRST, SECOND):
        assert refchain(*WHY, "--fail-on-new").returncode == 1
        assert refchain("known", "add", fingerprint, "--reason", "accepted").returncode == 0
    done = refchain(*WHY, "--fail-on-new")
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(re.findall(r"known: +accepted", done.stdout.decode())) == 2
    assert "2 of 2 known and not counted (.refchain-known); 0 new." in done.stdout.decode()


def test_an_entry_that_is_over_counts_as_new_and_says_so(refchain):
    refchain("known", "add", FIRST, "--reason", "a", "--until", "2001-01-01")
    refchain("known", "add", SECOND, "--reason", "b", "--until", "9999-12-31")
    done = refchain(*WHY, "--fail-on-new")
    assert done.returncode == 1
    assert "0 new, 1 known, 1 known until a day that is over: counted as new" in told(done)
    assert "known only until 2001-01-01, so it counts as new: a" in done.stdout.decode()
    assert "known until 9999-12-31: b" in done.stdout.decode()


def test_a_leak_that_was_found_goes_before_a_partial_answer(refchain, folder):
    whole = (folder / "story.rch").read_bytes()
    for num in range(len(whole) - 1, 0, -64):
        (folder / "cut.rch").write_bytes(whole[:num])
        done = refchain("why", "cut.rch", "TCPTransport")
        if done.returncode == 3 and b"HOLDER 1 of" in done.stdout:
            break
    assert refchain("why", "cut.rch", "TCPTransport", "--fail-on-new").returncode == 1
    prints = re.findall(r"rc1:[0-9a-f]{16}", done.stdout.decode())
    (folder / "all.known").write_text("".join(f"{p} x\n" for p in prints))
    done = refchain("why", "cut.rch", "TCPTransport", "--fail-on-new", "--known", "all.known")
    assert done.returncode == 3


def test_what_is_not_listed_counts_as_new(refchain, folder):
    """A hundred ways in: the answer lists some of them."""
    nodes = " ".join(f"t{i}:16:m.T" for i in range(100))
    ways = " ".join(f"@module.m{i}.x{i}>t{i}" for i in range(100))
    (folder / "ways.graph").write_text(f"{nodes}\n---\n{ways}\n")
    native.make_rch(folder / "ways.graph", folder / "ways.rch")
    done = refchain("why", "ways.rch", "T", "-k", "3", "--json")
    data = json.loads(done.stdout)
    assert data["diffuse"] and data["holders_omitted"]
    known = "".join(f"{h['fingerprint']} x\n" for h in data["holders"])
    (folder / ".refchain-known").write_text(known)
    done = refchain("why", "ways.rch", "T", "-k", "3", "--fail-on-new")
    assert done.returncode == 1
    assert f"{data['holders_omitted']} more were found but not listed" in told(done)


def test_garbage_is_no_leak(refchain, folder):
    nodes = " ".join(f"t{i}:16:m.T" for i in range(100))
    cycles = " ".join(f"@garbage.T{i}>t{i} t{i}.x{i}>t{i}" for i in range(100))
    (folder / "g.graph").write_text(f"{nodes}\n---\n{cycles} @module.m>b\n")
    native.make_rch(folder / "g.graph", folder / "g.rch")
    done = refchain("why", "g.rch", "T", "--fail-on-new", "--format", "markdown")
    assert done.returncode == 0
    assert "Nothing found." in done.stdout.decode()


# ---- which file ---------------------------------------------------------------------------------


def test_a_file_that_is_named_goes_before_the_default_one(refchain):
    refchain("known", "add", FIRST, "--reason", "default")
    refchain("known", "add", SECOND, "--reason", "named", "--file", "other")
    text = refchain(*WHY, "--known", "other").stdout.decode()
    assert re.search("known: +named", text) and "default" not in text
    text = refchain(*WHY, "--known", "/dev/null").stdout.decode()
    assert "known" not in text


def test_a_file_that_is_named_must_be_there(refchain):
    done = refchain(*WHY, "--known", "absent")
    assert (done.returncode, done.stdout) == (4, b"")
    assert "absent: " in told(done) and "No such file" in told(done)
    for action in ("list", "check"):
        assert refchain("known", action).returncode == 4


@pytest.mark.parametrize("command", [WHY, ("diff", "story.rch", "story.rch"), ("known", "list"),
                                     ("known", "add", OTHER, "--reason", "x")])  # fmt: skip
def test_a_file_that_makes_no_sense_stops_everything(refchain, folder, command):
    text = f"# fine\n{FIRST} fine\n{FIRST} again\n"
    (folder / ".refchain-known").write_text(text)
    done = refchain(*command)
    assert (done.returncode, done.stdout) == (4, b"")
    assert f".refchain-known: line 3: {FIRST} is in line 2 already" in told(done)
    assert (folder / ".refchain-known").read_text() == text


def test_a_folder_is_no_file(refchain, folder):
    (folder / "dir").mkdir()
    done = refchain(*WHY, "--known", "dir")
    assert done.returncode == 4 and "Is a directory" in told(done)


# ---- known add, remove, list, check ---------------------------------------------------------------


@pytest.mark.parametrize(
    "args, words",
    [
        (["add", FIRST], "why is it accepted"),
        (["add", "--reason", "x"], "which one"),
        (["add", "rc1:1", "--reason", "x"], "is no fingerprint"),
        (["add", FIRST, "--reason", ""], "there is no reason"),
        (["add", FIRST, "--reason", "two\nlines"], "control character"),
        (["add", FIRST, "--reason", "x", "--until", "soon"], "is no day"),
        (["add", FIRST, "--reason", "x", "--until", "2026-02-30"], "is no day"),
        (["add", FIRST, "--reason", "until=x"], "cannot begin with until="),
        (["forget", FIRST], "neither add, list, remove nor check"),
        (["add", FIRST, "rc1:2", "--reason", "x"], "is no fingerprint"),
    ],
)
def test_a_wrong_entry_is_a_wrong_command_line(refchain, folder, args, words):
    done = refchain("known", *args)
    assert (done.returncode, done.stdout) == (2, b"")
    assert words in told(done)
    assert not (folder / ".refchain-known").exists()


def test_a_change_keeps_comments_order_and_mode(refchain, folder):
    path = folder / ".refchain-known"
    path.write_text(f"# head\n\n# of the second\n{SECOND} b\n# end\n")
    path.chmod(0o640)
    refchain("known", "add", FIRST, "--reason", "a")
    refchain("known", "add", OTHER, "--reason", "c", "--until", "2030-01-01")
    refchain("known", "add", SECOND, "--reason", "changed")
    assert path.read_text() == (
        f"# head\n\n{OTHER} until=2030-01-01 c\n# of the second\n{SECOND} changed\n# end\n"
        f"{FIRST} a\n"
    )
    refchain("known", "remove", OTHER)
    assert path.read_text() == f"# head\n\n# of the second\n{SECOND} changed\n# end\n{FIRST} a\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in folder.glob(".r*")) == [".refchain-known"]


def test_several_are_added_and_removed_together(refchain, folder):
    path = folder / ".refchain-known"
    path.write_text("# head\n\n")
    done = refchain("known", "add", FIRST, OTHER, SECOND, FIRST, "--reason", "all", "-u", "2030-01-01")
    assert done.returncode == 0 and done.stderr.count(b"added") == 4
    lines = [f"{fp} until=2030-01-01 all\n" for fp in (OTHER, SECOND, FIRST)]
    assert path.read_text() == "# head\n\n" + "".join(lines)
    assert refchain("known", "remove", OTHER, "rc1:00000000000000ff").returncode == 4
    assert path.read_text() == "# head\n\n" + "".join(lines)
    assert refchain("known", "remove", OTHER, FIRST).returncode == 0
    assert path.read_text() == "# head\n\n" + lines[1]


def test_a_new_file_is_as_the_umask_says_and_explains_itself(refchain, folder):
    old = os.umask(0o027)
    try:
        refchain("known", "add", FIRST, "--reason", "a")
    finally:
        os.umask(old)
    path = folder / ".refchain-known"
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_text().startswith("# Leaks that are known")
    refchain("known", "add", OTHER, "--reason", "b")  # goes before the first, not before the heading
    *head, blank, other, first = path.read_text().splitlines()
    assert all(line.startswith("#") for line in head) and blank == ""
    assert (other, first) == (f"{OTHER} b", f"{FIRST} a")


def test_what_a_link_names_is_changed_not_the_link(refchain, folder):
    (folder / "real").write_text("# real\n")
    (folder / ".refchain-known").symlink_to("real")
    refchain("known", "add", FIRST, "--reason", "a")
    assert (folder / ".refchain-known").is_symlink()
    assert (folder / "real").read_text() == f"# real\n{FIRST} a\n"


def test_a_file_that_cannot_be_written_stays(refchain, folder):
    path = folder / ".refchain-known"
    path.write_text(f"{SECOND} b\n")
    done = native.run("known", "add", FIRST, "--reason", "a", "-f", "/proc/self/comm", cwd=folder)
    assert done.returncode == 4
    assert path.read_text() == f"{SECOND} b\n"


def test_removing_what_is_not_there_is_told(refchain):
    refchain("known", "add", FIRST, "--reason", "a")
    done = refchain("known", "remove", SECOND)
    assert done.returncode == 4 and "is not in it" in told(done)


def test_two_branches_merge_without_a_conflict(refchain, folder):
    """Entries far apart in the order are far apart in the file."""
    if subprocess.run(["git", "--version"], capture_output=True).returncode:
        pytest.skip("git is not installed")
    path = folder / ".refchain-known"
    path.write_text("".join(f"rc1:{i:x}000000000000000 r{i}\n" for i in range(10)))
    (folder / "base").write_text(path.read_text())
    refchain("known", "add", "rc1:1500000000000000", "--reason", "ours")
    (folder / "ours").write_text(path.read_text())
    path.write_text((folder / "base").read_text())
    refchain("known", "add", "rc1:7500000000000000", "--reason", "theirs")
    done = subprocess.run(
        ["git", "merge-file", "ours", "base", ".refchain-known"], cwd=folder, capture_output=True
    )
    assert done.returncode == 0
    path.write_text((folder / "ours").read_text())
    assert len(json.loads(refchain("known", "list", "--json").stdout)["entries"]) == 12


def test_check_finds_what_is_over_and_what_no_output_names(refchain, folder):
    refchain("known", "add", FIRST, "--reason", "a")
    refchain("known", "add", OTHER, "--reason", "c")
    assert refchain("known", "check").returncode == 0
    for form in ("text", "json", "markdown", "sarif"):
        (folder / "out").write_bytes(refchain(*WHY, "--format", form).stdout)
        done = refchain("known", "check", "out", "--json")
        assert done.returncode == 1
        (entry,) = json.loads(done.stdout)["entries"]
        assert (entry["fingerprint"], entry["used"], entry["expired"]) == (OTHER, False, False)
    refchain("known", "remove", OTHER)
    assert refchain("known", "check", "out").returncode == 0
    refchain("known", "add", FIRST, "--reason", "a", "--until", "2001-01-01")
    done = refchain("known", "check")
    assert done.returncode == 1 and "was until 2001-01-01" in done.stdout.decode()
    assert refchain("known", "check", "absent").returncode == 4


def test_json_follows_its_schemas(refchain):
    jsonschema = pytest.importorskip("jsonschema")
    for args, name in [
        (("known", "list", "-f", "story.known"), "known"),
        (("known", "check", "story.known", "-f", "story.known"), "known"),
        ((*WHY, "--known", "story.known"), "why"),
    ]:
        path = native.ROOT / "docs" / "schema" / f"refchain.{name}-1.schema.json"
        schema = jsonschema.Draft202012Validator(json.loads(path.read_text()))
        schema.validate(json.loads(refchain(*args, "--json").stdout))
    data = json.loads(refchain(*WHY, "--known", "story.known", "--format", "json").stdout)
    assert [h["known"]["expired"] for h in data["holders"]] == [False, True]


# ---- diff -----------------------------------------------------------------------------------------


def test_places_that_grew_are_judged(refchain, folder):
    head = "t:16:m.T c:64:dict k:20:str"
    (folder / "a.graph").write_text(f"{head}\n---\n@module.m.cache>c c{{k}}>t\n")
    more = " ".join(f"t{i}:16:m.T" for i in range(5))
    edges = " ".join(f"c{{k{i}}}>t{i}" for i in range(5))
    (folder / "b.graph").write_text(f"{head} {more}\n---\n@module.m.cache>c c{{k}}>t {edges}\n")
    for name in "ab":
        native.make_rch(folder / f"{name}.graph", folder / f"{name}.rch")
    done = refchain("diff", "a.rch", "b.rch", "--fail-on-new", "--json")
    assert done.returncode == 1
    (place,) = json.loads(done.stdout)["rows"]
    refchain("known", "add", place["fingerprint"], "--reason", "a cache")
    done = refchain("diff", "a.rch", "b.rch", "--fail-on-new")
    assert done.returncode == 0
    assert "known: a cache" in done.stdout.decode()
    done = refchain("diff", "a.rch", "b.rch", "--json", "--fail-on-new")
    assert json.loads(done.stdout)["rows"][0]["known"]["reason"] == "a cache"
    done = refchain("diff", "a.rch", "b.rch", "--by", "type", "--fail-on-new")
    assert done.returncode == 2 and "only places can be judged" in told(done)
    text = refchain("diff", "a.rch", "b.rch", "--format", "markdown").stdout.decode()
    assert "| known `a cache` | 5 |" in text


# ---- Markdown -------------------------------------------------------------------------------------


def outside_of_code(text):
    """What a Markdown reader would look for markup in."""
    text = re.sub(r"^```text\n.*?^```$", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "", text)


@pytest.mark.parametrize("pattern", ["Leak", "evil.*"])
def test_hostile_names_stay_in_code(refchain, folder, pattern):
    done = refchain("why", "hostile.rch", pattern, "--format", "markdown")
    text = done.stdout.decode()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) >= 3 and {row.count("|") for row in rows} == {7}
    rest = outside_of_code(text)
    assert re.fullmatch(r"[A-Za-z0-9 \n|*:,.;#<>/-]*", rest), rest
    tags = set(re.findall(r"<[^>]*>", rest))
    assert tags <= {"<details>", "</details>", "<summary>", "</summary>"}
    assert "evil" not in rest and "owned" not in rest


NAMES = """
    names = ["a`b|c", "```", "@everyone", "<img src=x>", "[a](http://x)", "\\\\|", "``` `" + "x" * 95, "  ```"]
    kept = [type(name, (), {"__module__": "evil", "__slots__": ()})() for name in names]
    refchain.dump(sys.argv[1] + "/names.rch")
"""


def test_a_name_cannot_end_its_code(refchain, folder):
    inside.run([inside.program(folder, NAMES), folder])
    known = folder / ".refchain-known"
    data = json.loads(refchain("why", "names.rch", "evil.*", "--json").stdout)
    known.write_text(data["holders"][0]["fingerprint"] + " <b>`|@everyone`</b>\n")
    for kind in ["evil.@everyone", "evil.<img*", "*(http*", "evil.```*", "evil.*`*"]:
        done = refchain("why", "names.rch", kind, "--format", "markdown", "--known", "/dev/null")
        text = done.stdout.decode()
        assert done.returncode == 0 and "**new**" in text
        check_markdown(text)
    check_markdown(refchain("why", "names.rch", "evil.*", "--format", "markdown").stdout.decode())


def check_markdown(text):
    assert {row.count("|") for row in text.splitlines() if row.startswith("|")} == {7}
    rest = outside_of_code(text)
    assert not re.search(r"everyone|img|http|[`@\[\]\\]", rest), rest
    fences = [line for line in text.splitlines() if re.match(r" {0,3}```", line)]
    assert fences == ["```text", "```"] * (len(fences) // 2)


def test_new_ones_come_first_and_known_ones_with_their_reason(refchain):
    text = refchain(*WHY, "--known", "story.known", "--format", "markdown").stdout.decode()
    lines = text.splitlines()
    assert lines[0].endswith(": 0 new, 1 known until a day that is over, 1 known")
    assert "known only until 2001-01-01" in lines[4] and SECOND in lines[4]
    assert "known until 2999-12-31" in lines[5] and FIRST in lines[5]
    assert text.count("<details>") == 1  # the known one needs no explanation


# ---- SARIF ----------------------------------------------------------------------------------------


def sarif_of(done):
    jsonschema = pytest.importorskip("jsonschema")
    path = pathlib.Path(__file__).with_name("sarif_subset.schema.json")
    data = json.loads(done.stdout)
    jsonschema.Draft202012Validator(json.loads(path.read_text())).validate(data)
    (run,) = data["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert len({"suppressions" in result for result in run["results"]}) <= 1  # 3.27.23
    return run


@pytest.mark.parametrize(
    "args",
    [
        WHY,
        (*WHY, "--known", "story.known"),
        ("why", "story.rch", "Connections"),
        ("why", "story.rch", "0x10000"),
        ("why", "hostile.rch", "Leak"),
        ("why", "hostile.rch", "evil.*"),
        ("why", "hang.rch", "*"),
        ("diff", "story.rch", "fds.rch"),
        ("diff", "story.rch", "story.rch"),
    ],
)
def test_sarif_is_what_the_standard_says(refchain, args):
    sarif_of(refchain(*args, "--format", "sarif"))


def test_known_leaks_are_suppressed_not_left_out(refchain):
    run = sarif_of(refchain(*WHY, "--known", "story.known", "--format", "sarif"))
    first, second = run["results"]
    assert first["partialFingerprints"] == {"refchainHolder/v1": FIRST}
    (suppression,) = first["suppressions"]
    assert suppression["justification"].startswith("fork handlers stay")
    assert suppression["location"]["physicalLocation"]["region"]["startLine"] == 2
    assert second["suppressions"] == []
    assert "known until a day that is over" in second["message"]["text"]
    run = sarif_of(refchain(*WHY, "--format", "sarif"))
    assert not any("suppressions" in result for result in run["results"])


def test_messages_have_no_placeholders_and_no_links(refchain, folder):
    (folder / "m.graph").write_text("t:16:evil/A{0}[x](y)\n---\n@module.m.x>t\n")
    native.make_rch(folder / "m.graph", folder / "m.rch")
    run = sarif_of(refchain("why", "m.rch", "evil.*", "--format", "sarif"))
    (result,) = run["results"]
    assert "evil.A{{0}}[x\\](y)" in result["message"]["text"]


def test_a_frame_is_a_place_in_a_file(refchain, folder):
    words = "!main,1 |work,/srv/my~app/a.py,41,@frame.work"
    (folder / "f.graph").write_text(f"t:16:m.T {words}\n---\n@frame.work-local.t>t\n")
    native.make_rch(folder / "f.graph", folder / "f.rch")
    run = sarif_of(refchain("why", "f.rch", "T", "--format", "sarif"))
    (location,) = run["results"][0]["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "file:///srv/my%20app/a.py"}, "region": {"startLine": 41},
    }  # fmt: skip
    assert location["logicalLocations"][0]["fullyQualifiedName"]


def test_a_format_that_does_not_exist_is_wrong_usage(refchain):
    done = refchain(*WHY, "--format", "xml")
    assert done.returncode == 2 and "'xml' is not one of" in told(done)


# ---- from Python ----------------------------------------------------------------------------------

FROM_PYTHON = """
    import os
    class Leak: pass
    class Other: pass
    cache, again = {i: Leak() for i in range(5)}, [Other()]
    first = refchain.why("__main__.Leak").holders[0].fingerprint
    open("list", "w").write(f"{first} until={sys.argv[1]} the cache\\n")
    answer = refchain.why("__main__.Leak", known="list")
    tell({
        "text": str(answer), "markdown": answer.markdown(), "sarif": answer.sarif(),
        "new": [h.fingerprint for h in answer.new_holders], "first": first,
        "known": answer.holders[0].known and answer.holders[0].known.reason,
        "entries": {k: [v.reason, v.until, v.expired] for k, v in refchain.known("list").items()},
        "others": len(refchain.why("__main__.Other", known="list").new_holders),
        "unjudged": len(refchain.why("__main__.Leak").new_holders),
    })
"""


@pytest.mark.parametrize("until, is_over", [("2999-12-31", False), ("2001-01-01", True)])
def test_python_judges_as_the_program_does(tmp_path, until, is_over):
    told = inside.ask(tmp_path, FROM_PYTHON, until, cwd=tmp_path)
    assert told["known"] == "the cache"
    assert told["new"] == ([told["first"]] if is_over else [])
    assert told["entries"] == {told["first"]: ["the cache", until, is_over]}
    assert (told["others"], told["unjudged"]) == (1, 1)
    assert ("known only until" if is_over else "known until") in told["text"]
    check_markdown(told["markdown"])
    assert f"{int(not is_over)} known" in told["markdown"] or is_over
    (result,) = json.loads(told["sarif"])["runs"][0]["results"]
    assert len(result["suppressions"]) == (0 if is_over else 1)


WRONG_LIST = """
    import pickle
    class Leak: pass
    leak = Leak()
    def error(ask):
        try:
            ask()
        except (OSError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
    open("list", "w").write("# fine\\nrc1:1 x\\n")
    answer = refchain.why(leak)
    tell([
        error(lambda: refchain.known("list")), error(lambda: refchain.why(leak, known="list")),
        error(lambda: refchain.known("absent")), error(lambda: refchain.why(leak, known="absent")),
        pickle.loads(pickle.dumps(answer)).markdown() == answer.markdown() != "",
    ])
"""


def test_python_says_what_is_wrong_with_a_list(tmp_path):
    *wrong, is_kept = inside.ask(tmp_path, WRONG_LIST, cwd=tmp_path)
    assert all(words.startswith("ValueError: line 2: 'rc1:1' is no fing") for words in wrong[:2])
    assert all(words.startswith("FileNotFoundError") for words in wrong[2:])
    assert is_kept


SEVERAL = """
    def make():
        class Leak: pass
        return Leak()
    class Leak: pass
    a, b = Leak(), make()
    answer = refchain.why("Leak")
    tell([len(answer.apart), answer.markdown(), answer.sarif()])
"""


def test_an_ambiguous_answer_has_a_run_for_each(tmp_path):
    num, markdown, sarif = inside.ask(tmp_path, SEVERAL, cwd=tmp_path)
    assert num == markdown.count("### refchain why") == 2
    assert len(json.loads(sarif)["runs"]) == 2

# SPDX-License-Identifier: MIT
"""A leak has the same fingerprint from inside, from outside, in a snapshot and in a core, on every CPython,
whatever the hash seed and wherever things lie in memory. fingerprints.json has them, and each interpreter's
run is compared with it: pytest tests/py/test_fingerprints.py --update-goldens writes it anew.

`corpus`: the scripts of tests/corpus. `shapes`: further ways to keep an object (programs/leak_shapes.py).
`growth`: places where the story grows. `celery`: the story on Celery itself (tests/live/test_celery.py)."""

import contextlib
import json
import pathlib
import shutil
import subprocess

import inside
import native
import pytest
import test_diff

FILE = pathlib.Path(__file__).with_name("fingerprints.json")
EXPECTED = json.loads(FILE.read_text())
CORPUS = sorted(EXPECTED["corpus"])  # "script question number"
SEEDS = ["0", "1", "random"]
ASK = inside.PROGRAMS / "corpus_ask.py"
SHAPES = inside.PROGRAMS / "shapes_ask.py"


def prints(data):
    return sorted(holder["fingerprint"] for holder in data["holders"])


def expect(request, kind, name, seen):
    """Compare with the file, or with --update-goldens write it."""
    if request.config.getoption("--update-goldens"):
        EXPECTED[kind][name] = seen
        FILE.write_text(json.dumps(EXPECTED, indent=1, sort_keys=True) + "\n")
    assert seen == EXPECTED[kind][name]


def why(where, question):
    done = native.run("why", where, question, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextlib.contextmanager
def waiting(*args, seed="0", prefix=()):
    """A program of this interpreter that said READY, its process number."""
    with subprocess.Popen(
        [*prefix, inside.sys.executable, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        env=inside.environment(PYTHONHASHSEED=seed),
    ) as process:
        try:
            assert process.stdout.readline().startswith("READY")
            yield process.pid
        finally:
            process.kill()


def question_of(case):
    script, question, number = case.split()
    return script, question, number, inside.corpus() / f"{script}.py"


# ---- the corpus -----------------------------------------------------------------------------------


def test_every_script_of_the_corpus_is_here():
    scripts = {path.stem for path in inside.corpus().glob("*.json")}
    assert scripts - {case.split()[0] for case in CORPUS} == {"story_celery526"}
    assert EXPECTED["celery"].keys() == {"amqp.transport.TCPTransport", "celery.app.base.Celery"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", CORPUS)
def test_from_inside_and_in_a_snapshot(case, seed, tmp_path, request):
    script, question, number, _ = question_of(case)
    args = [ASK, inside.corpus(), script, number, question, tmp_path / "s.rch"]
    told = inside.told(inside.run(args, timeout=180, env={"PYTHONHASHSEED": seed}))
    expect(request, "corpus", case, prints(told["json"]))
    expect(request, "corpus", case, prints(told["snapshot"]))
    expect(request, "corpus", case, prints(why(tmp_path / "s.rch", question)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("case", CORPUS)
def test_from_outside(case, seed, request):
    _, question, number, path = question_of(case)
    with waiting(path, "--leak", number, seed=seed) as pid:
        expect(request, "corpus", case, prints(why(pid, question)))


@pytest.mark.parametrize("case", CORPUS)
def test_without_random_addresses(case, request):
    _, question, number, path = question_of(case)
    prefix = ["setarch", "-R"]
    if subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("setarch -R is not permitted here")
    with waiting(path, "--leak", number, prefix=prefix) as pid:
        expect(request, "corpus", case, prints(why(pid, question)))


@pytest.mark.parametrize("case", CORPUS)
def test_in_a_core(case, tmp_path, request):
    if not shutil.which("gcore"):
        pytest.skip("gcore is not installed")
    _, question, number, path = question_of(case)
    with waiting(path, "--leak", number) as pid:
        done = subprocess.run(
            ["gcore", "-o", str(tmp_path / "core"), str(pid)], capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
    (core,) = tmp_path.glob("core.*")
    expect(request, "corpus", case, prints(why(core, question)))
    core.unlink()


@pytest.mark.parametrize("number", [7, 23])  # of two objects each has a holder of its own: no fewer cuts
@pytest.mark.parametrize("case", CORPUS)
def test_however_many_have_leaked(case, number):
    _, question, _, path = question_of(case)
    with waiting(path, "--leak", number) as pid:
        assert prints(why(pid, question)) == EXPECTED["corpus"][case]


# ---- other ways to keep an object -----------------------------------------------------------------


def check_shapes(request, told):
    assert len(told) > 75 and all(told.values())
    if request.config.getoption("--update-goldens"):
        EXPECTED["shapes"] = told
        FILE.write_text(json.dumps(EXPECTED, indent=1, sort_keys=True) + "\n")
    differing = {name for name in told if told[name] != EXPECTED["shapes"].get(name)}
    assert differing == set() and told.keys() == EXPECTED["shapes"].keys()


@pytest.mark.parametrize("seed", SEEDS)
def test_of_all_ways_to_keep_an_object(seed, tmp_path, request):
    told = inside.told(inside.run([SHAPES, tmp_path / "s.rch"], env={"PYTHONHASHSEED": seed}))
    check_shapes(request, told)
    check_shapes(request, ask_all(tmp_path / "s.rch", told))


@pytest.mark.parametrize("seed", SEEDS)
def test_of_all_ways_to_keep_an_object_from_outside(seed, tmp_path, request):
    with waiting(SHAPES, "wait", seed=seed) as pid:
        done = native.run("dump", pid, "-o", tmp_path / "s.rch")
        assert done.returncode == 0, done.stderr
    check_shapes(request, ask_all(tmp_path / "s.rch", EXPECTED["shapes"]))


def ask_all(snapshot, names):
    return {name: prints(why(snapshot, f"leak_shapes.{name}")) for name in names}


# ---- growth ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_of_the_places_where_the_story_grows(seed, tmp_path, request):
    path = inside.program(tmp_path, test_diff.GROWS)
    env = {"RCH_CORPUS": str(inside.corpus()), "PYTHONHASHSEED": seed, "STORY_LIMIT": "400"}
    inside.run([path, tmp_path], env=env)
    done = native.run("diff", tmp_path / "before.rch", tmp_path / "now.rch", "--json")
    rows = json.loads(done.stdout)["rows"]
    seen = [f"{row['type']} +{row['grown']} {row['fingerprint']}" for row in rows]
    assert len(seen) == 1
    expect(request, "growth", "story_standin 100 + 37", seen)

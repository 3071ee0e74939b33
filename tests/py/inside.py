# SPDX-License-Identifier: MIT
"""Programs that ask refchain about themselves: each runs in an interpreter of its own, so that
neither pytest nor another test is part of the heap that is looked at."""

import json
import os
import pathlib
import subprocess
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"  # modules for the programs under test
MARK = "@@"

PRELUDE = """\
import json, sys
import refchain

def tell(data):
    print("@@" + (data if isinstance(data, str) else json.dumps(data)), flush=True)
"""


def corpus():
    """The folder of the corpus scripts: REFCHAIN_CORPUS, ../shared/corpus, or our copies."""
    named = os.environ.get("REFCHAIN_CORPUS")
    places = [HERE.parents[2] / "shared" / "corpus", HERE.parent / "corpus"]
    for place in [pathlib.Path(named)] if named else places:
        if (place / "_harness.py").is_file():
            return place
    raise FileNotFoundError(f"no corpus in {named or places}")


def environment(**more):
    """The environment of a child: our programs importable, no bytecode written, fixed hash seed."""
    env = {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        **os.environ,
        **more,
    }
    paths = [str(PROGRAMS), *filter(None, [env.get("PYTHONPATH")])]
    env["PYTHONPATH"] = os.pathsep.join(paths)
    return env


def run(args, *, stdin="", timeout=120, cwd=None, env=None, check=True):
    """Run this interpreter; its stdout. Fails with all its output if it does not exit with 0."""
    done = subprocess.run(
        [sys.executable, *map(str, args)],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=timeout,
        cwd=cwd,
        env=environment(**(env or {})),
    )
    if check:
        assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def told(output):
    """What the program told: the last marked line, as data."""
    lines = [line for line in output.splitlines() if MARK in line]
    assert lines, f"nothing told in:\n{output}"
    return json.loads(lines[-1].split(MARK, 1)[1])


def told_all(output):
    return [json.loads(ln.split(MARK, 1)[1]) for ln in output.splitlines() if MARK in ln]


def program(folder, source, name="prog.py"):
    """Write a program that starts with the prelude; its path."""
    path = pathlib.Path(folder) / name
    path.write_text(PRELUDE + textwrap.dedent(source), encoding="utf-8")
    return path


def ask(folder, source, *args, **options):
    """Write and run a program; what it told last."""
    return told(run([program(folder, source), *args], **options))


def hops(holder):
    """The path of a holder in short: ["._afterfork_registry", "<key>", "[2]", ...]."""
    forms = {
        "attribute": ".%s",
        "field": ".%s",
        "slot": ".%s",
        "traceback": ".%s",
        "closure": "closure %s",
        "local": "local %s",
        "key": "<key>",
        "item": "[%s]",
        "value": "[%s]",
        "element": "{*}",
        "reference": "?",
        "stack": "(stack)",
    }
    out = []
    for hop in holder["path"]:
        form = forms[hop["edge"]]
        label = hop["name"]
        if label is None and hop["edge"] == "item":
            label = hop["index"]
        out.append(form % ("*" if label is None else label) if "%s" in form else form)
    return out


def root(holder):
    return holder["root"]["kind"], holder["root"]["name"]

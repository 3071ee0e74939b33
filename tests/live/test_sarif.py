# SPDX-License-Identifier: MIT
"""SARIF against the standard's own JSON schema and Microsoft's validator, both from npm's
@microsoft/sarif-multitool-linux, which `make test-sarif` puts into build/sarif."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "py"))
import native  # noqa: E402

TOOL = native.ROOT / "build/sarif/node_modules/@microsoft/sarif-multitool-linux"
pytestmark = [
    pytest.mark.sarif,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not TOOL.is_dir(), reason="no validator: use `make test-sarif`"),
]
WHY = ("why", "story.rch", "TCPTransport")
OUTPUTS = {
    "why": WHY,
    "known": (*WHY, "--known", "story.known"),
    "several": ("why", "story.rch", "Connections"),
    "hostile": ("why", "hostile.rch", "evil.*"),
    "hang": ("why", "hang.rch", "*"),
    "diff": ("diff", "story.rch", "fds.rch"),
    "nothing": ("diff", "story.rch", "story.rch"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sarif")
    native.make_all(folder)
    for name, args in OUTPUTS.items():
        done = native.run(*args, "--format", "sarif", cwd=folder)
        (folder / f"{name}.sarif").write_bytes(done.stdout)
    return folder


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_schema_of_the_standard_accepts_it(name, folder):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((TOOL / "sarif-2.1.0.json").read_text(encoding="utf-8-sig"))
    checker = jsonschema.validators.validator_for(schema)
    checker(schema, format_checker=checker.FORMAT_CHECKER).validate(
        json.loads((folder / f"{name}.sarif").read_text())
    )


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_validator_finds_no_error(name, folder):
    validator, found = TOOL / "Sarif.Multitool", folder / f"{name}.found"
    validator.chmod(0o755)
    done = subprocess.run(
        [validator, "validate", folder / f"{name}.sarif", "--output", found],
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
    )
    assert done.returncode == 0 and "completed successfully" in done.stdout, done.stdout
    (run,) = json.loads(found.read_text(encoding="utf-8-sig"))["runs"]
    errors = [r for r in run.get("results", []) if r.get("level", "warning") == "error"]
    assert errors == [], done.stdout

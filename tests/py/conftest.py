# SPDX-License-Identifier: MIT
"""What the Python tests share: where things are, the installed program, hypothesis profiles."""
import os
import subprocess
import sysconfig
from pathlib import Path

import pytest

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # the tests that need it say so themselves
    pass
else:
    slow_is_fine = [HealthCheck.too_slow, HealthCheck.data_too_large]
    settings.register_profile("default", deadline=None, suppress_health_check=slow_is_fine)
    settings.register_profile(
        "ci", deadline=None, derandomize=True, suppress_health_check=slow_is_fine
    )
    settings.load_profile("ci" if os.environ.get("CI") else "default")

ROOT = Path(__file__).resolve().parents[2]


def pytest_addoption(parser):
    parser.addoption(
        "--update-goldens", action="store_true", help="rewrite tests/golden/*.stdout and .exit"
    )


@pytest.fixture(scope="session")
def root():
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def refchain_program():
    """The native program that was installed with the package under test."""
    program = Path(sysconfig.get_path("scripts")) / "refchain"
    assert program.is_file(), f"{program} is missing: run `make build`"
    return program


@pytest.fixture
def run_refchain(refchain_program):
    """Run the program with these arguments; a CompletedProcess with text output."""

    def run(*args, **kwargs):
        kwargs.setdefault("timeout", 120)
        return subprocess.run(
            [str(refchain_program), *map(str, args)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            **kwargs,
        )

    return run

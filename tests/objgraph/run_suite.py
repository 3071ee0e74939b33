# SPDX-License-Identifier: MIT
"""Run objgraph's own tests and the examples of its documentation against refchain.objgraph.

    python tests/objgraph/run_suite.py [--version 3.6.2] [--folder build/objgraph]

The suite is downloaded from PyPI with pip, never stored here. The drop-in stands in sys.modules as
`objgraph`, with strict = True. Exit code 0: all passed; 1: something failed; 77: there is no network
(or no pip), nothing was run.
"""
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import types
import unittest

SKIPPED = 77


def fetch(version: str, folder: str) -> str:
    """The unpacked source distribution; downloaded unless it is there."""
    source = os.path.join(folder, "objgraph-" + version)
    if os.path.isdir(source):
        return source
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
         "--no-binary", ":all:", "--no-deps", "--dest", folder, "objgraph==" + version])
    archive = source + ".tar.gz"
    if done.returncode != 0 or not os.path.exists(archive):
        print("objgraph %s could not be downloaded (no network?): its suite was NOT run" % version)
        sys.exit(SKIPPED)
    with tarfile.open(archive) as tar:
        if sys.version_info >= (3, 12):
            tar.extractall(folder, filter="data")
        else:
            tar.extractall(folder)
    return source


def stand_in_setuptools() -> None:
    """One example imports objgraph's setup.py; it is about that file and not about objgraph."""
    try:
        import setuptools  # noqa: F401
    except ImportError:
        module = types.ModuleType("setuptools")
        module.setup = lambda **facts: print(facts["description"])
        sys.modules["setuptools"] = module


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--version", default="3.6.2")
    parser.add_argument("--folder", default=os.path.join("build", "objgraph"))
    args = parser.parse_args()
    source = fetch(args.version, os.path.abspath(args.folder))
    if shutil.which("dot") is None:
        print("Graphviz is not installed: the examples that draw pictures need `dot`, NOT run")
        return SKIPPED
    from refchain import objgraph
    objgraph.strict = True
    sys.modules["objgraph"] = objgraph
    stand_in_setuptools()
    os.chdir(source)
    sys.path.insert(0, source)
    sys.argv = ["tests.py"]
    import tests
    result = unittest.TextTestRunner(verbosity=1).run(tests.test_suite())
    return 0 if result.wasSuccessful() and result.testsRun >= 57 else 1


if __name__ == "__main__":
    sys.exit(main())

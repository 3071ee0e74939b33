# SPDX-License-Identifier: MIT
"""A test run of the story that hangs in recv(): started, watched, asked from inside, let go on."""

import contextlib
import os
import pathlib
import subprocess
import sys
import time

import inside
from processes import read, sleep_of, wait_for

RECVFROM = "45"  # x86-64


class Run:
    """pytest over a module of tests, with the plugin of tests/py/programs/hung_plugin.py."""

    def __init__(self, folder, module, env=None, python=sys.executable):
        self.folder = pathlib.Path(folder)
        self.output = open(self.folder / "output", "wb")
        self.process = subprocess.Popen(
            [python, "-m", "pytest", "-p", "no:cacheprovider", "-p", "hung_plugin", "-q", str(module)],
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            cwd=pathlib.Path(module).parent,
            env=inside.environment(HUNG_FOLDER=str(self.folder), **(env or {})),
        )
        self.pid = self.process.pid

    def now(self):
        return read(self.folder / "now")

    def wait_until_hung(self):
        """Until one test has been in recv() of the main thread for half a second; which."""

        def is_hung():
            assert self.process.poll() is None, read(self.folder / "output")
            before = self.now(), sleep_of(self.pid)
            if before[1][1][:1] != [RECVFROM]:
                return None
            time.sleep(0.5)
            return before[0] if (self.now(), sleep_of(self.pid)) == before else None

        return wait_for(is_hung)

    def _do(self, word, text, result):
        path = self.folder / "doing"
        path.write_text(text)
        path.rename(self.folder / f"do-{word}")
        wait_for((self.folder / result).exists)
        text = read(self.folder / result)
        (self.folder / result).unlink()
        return text

    def ask(self, question):
        """The answer from inside, as JSON text."""
        return self._do("ask", question, "answer")

    def free_one(self, type_name):
        self._do("free", type_name, "freed")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.output.close()


@contextlib.contextmanager
def run(folder, module, **options):
    os.makedirs(folder, exist_ok=True)
    it = Run(folder, module, **options)
    try:
        yield it
    finally:
        it.stop()

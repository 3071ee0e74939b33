# SPDX-License-Identifier: MIT
"""A pytest plugin for a run that is about to hang: tells which test it is in, and a thread of its
own does what it is asked by files in HUNG_FOLDER:

ask   holds a type's name: answer refchain.why() from inside the process, into `answer`
free  close one connection of the leaked ones, as the broker would: the hung test can go on
"""

import gc
import os
import pathlib
import threading
import time

FOLDER = pathlib.Path(os.environ["HUNG_FOLDER"])


def put(name, text):
    (FOLDER / (name + ".new")).write_text(text)
    (FOLDER / (name + ".new")).rename(FOLDER / name)


def answer(question):
    import refchain

    put("answer", refchain.why(question).json())


def free(type_name):
    for thing in gc.get_objects():
        if type(thing).__name__ == type_name and thing.sock is not None:
            thing.sock.shutdown(2)
            break
    put("freed", "")


def watch():
    while True:
        for path in FOLDER.glob("do-*"):
            word = path.read_text()
            path.unlink()
            {"ask": answer, "free": free}[path.name[3:]](word)
        time.sleep(0.02)


def pytest_runtest_logstart(nodeid, location):
    put("now", nodeid)


def pytest_configure(config):
    threading.Thread(target=watch, daemon=True, name="watch").start()

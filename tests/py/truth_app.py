# SPDX-License-Identifier: MIT
"""A program with live objects of nearly every built-in type, and threads and tasks that wait.

`build()` imports about a hundred modules of the standard library and returns a dict that keeps
everything alive. Nothing runs afterwards: threads are blocked, tasks are suspended, so a capture and
what the garbage collector says can be compared at leisure (truth_check.py).
"""

import contextlib
import gc
import importlib
import queue
import socket
import threading
import time

import truth_library
import truth_newer
import truth_objects
from truth_objects import Plain, managed, raises

MORE_MODULES = """
abc argparse base64 bdb binascii bisect bz2 calendar cmath cmd code codecs codeop colorsys compileall
concurrent.futures concurrent.futures.process configparser copy copyreg cProfile ctypes.util dbm
difflib dis doctest email.mime.text email.policy errno faulthandler fcntl filecmp fileinput fnmatch
ftplib getopt getpass gettext glob graphlib grp gzip heapq html html.parser http.client http.cookies
http.server imaplib inspect ipaddress keyword linecache locale lzma mailbox marshal mimetypes
modulefinder multiprocessing multiprocessing.pool netrc ntpath numbers opcode optparse pdb pickletools
pkgutil platform plistlib poplib pprint profile pstats pty pwd py_compile pyclbr pydoc quopri reprlib
resource rlcompleter runpy sched secrets select shelve shlex shutil signal smtplib socketserver sqlite3
ssl stat statistics string stringprep subprocess symtable syslog tabnanny tarfile termios textwrap
timeit token tokenize trace traceback tracemalloc unicodedata unittest unittest.mock urllib.parse
urllib.request urllib.robotparser uuid venv warnings wave webbrowser wsgiref.simple_server xml.dom
xml.dom.minidom xml.sax xmlrpc.client zipapp zipfile zipimport zoneinfo tomllib
_ctypes _decimal _elementtree _lsprof _queue _random _struct _uuid _zoneinfo _testcapi
"""


def import_more():
    found = []
    for name in MORE_MODULES.split():
        with contextlib.suppress(ImportError):
            found.append(importlib.import_module(name))
    return found


# ---- threads ---------------------------------------------------------------------------------------


class Local(threading.local):
    def __init__(self, *args, **kwargs):
        self.made = [args, kwargs]


LOCAL, LOCAL_CHILD = threading.local(), Local([1], option=[2])
STARTED = threading.Barrier(7)


def ready(name):
    LOCAL.value = [name]
    LOCAL_CHILD.value = {"name": name}
    STARTED.wait()


def blocks_on_lock(lock):
    held = ["lock"]
    ready("lock")
    lock.acquire()
    return held


def blocks_on_queue(jobs):
    held = {"queue": [1]}
    ready("queue")
    jobs.get()
    return held


def blocks_on_socket(sock):
    held = Plain()
    ready("socket")
    sock.recv(1)
    return held


def blocks_on_event(event):
    held = [[1], [2]]
    with contextlib.ExitStack() as stack:
        stack.enter_context(managed([1]))
        ready("event")
        event.wait()
    return held


def blocks_in_handler(lock):
    try:
        raises([1])
    except ValueError as err:
        kept = err
        ready("handler")
        lock.acquire()
        return kept


def blocks_in_generator(lock):
    def steps():
        held = [1]
        yield held
        ready("generator")
        lock.acquire()
        yield held

    return sorted(steps(), key=lambda item: [item])


def make_threads():
    lock = threading.Lock()
    lock.acquire()
    jobs, event, sockets = queue.Queue(), threading.Event(), socket.socketpair()
    work = [
        (blocks_on_lock, lock),
        (blocks_on_queue, jobs),
        (blocks_on_socket, sockets[0]),
        (blocks_on_event, event),
        (blocks_in_handler, lock),
        (blocks_in_generator, lock),
    ]
    threads = [
        threading.Thread(target=function, args=(arg,), daemon=True, name=function.__name__)
        for function, arg in work
    ]
    for thread in threads:
        thread.start()
    ready("main")
    time.sleep(0.3)  # from the barrier to where they block
    locks = [
        threading.RLock(),
        threading.Condition(),
        threading.Semaphore(2),
        threading.Barrier(2),
        threading.Timer(5, print),
        threading.local(),
    ]
    return locals()


def build():
    """Everything, kept alive by the dict that is returned."""
    kept = {"modules": import_more()}
    for module in (truth_objects, truth_library, truth_newer):
        for name, make in list(vars(module).items()):
            if name.startswith("make_"):
                kept[name] = make()
    kept["threads"] = make_threads()
    for _ in range(3):
        gc.collect()
    return kept

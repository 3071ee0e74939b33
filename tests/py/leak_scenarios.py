# SPDX-License-Identifier: MIT
"""Scenarios that leak one object a run, each in another way. LEAKS: (scenario, type, a word of the path
that must be named)."""

import asyncio
import atexit
import collections
import contextvars
import functools
import itertools
import logging
import signal
import threading
import types
import weakref

LEAKS = []


def leak(type_name, word):
    def add(function):
        LEAKS.append((function, type_name, word))
        return function

    return add


class Thing:
    pass


class Slotted:
    __slots__ = ("next", "__weakref__")


_numbers = itertools.count()
things = []


@leak("leak_scenarios.Thing", "things")
def a_list():
    things.append(Thing())


by_key = {}


@leak("leak_scenarios.Thing", "by_key")
def a_dict_under_new_keys():
    by_key["key %d" % next(_numbers)] = Thing()


as_keys = {}


@leak("leak_scenarios.Thing", "as_keys")
def the_keys_of_a_dict():
    as_keys[Thing()] = None


class Signal:
    def __init__(self):
        self.listeners = []

    def connect(self, listener):
        self.listeners.append(listener)


changed = Signal()


class View:
    def __init__(self):
        changed.connect(self.on_change)

    def on_change(self):
        pass


@leak("method", "listeners")
def a_listener():
    View()


callbacks = []


@leak("function", "callbacks")
def a_closure():
    mine = Thing()
    callbacks.append(lambda: mine)


def _enclosing():
    kept = []

    def add():
        kept.append(Thing())

    return add


add_to_closure = _enclosing()


@leak("leak_scenarios.Thing", "kept")
def what_a_closure_keeps():
    add_to_closure()


@functools.lru_cache(maxsize=None)
def remember(key):
    return Thing()


@leak("leak_scenarios.Thing", "remember")
def an_unbounded_cache():
    remember(next(_numbers))


class Service:
    @functools.lru_cache(maxsize=None)
    def answer(self):
        return 42


@leak("leak_scenarios.Service", "answer")
def a_cached_method():
    Service().answer()


head = None


@leak("leak_scenarios.Slotted", "head")
def a_linked_list():
    global head
    node = Slotted()
    node.next = head
    head = node


last = first = Slotted()


@leak("leak_scenarios.Slotted", "next")
def a_linked_list_that_grows_at_its_end():
    global last
    last.next = Slotted()
    last = last.next


pairs = ()


@leak("tuple", "pairs")
def nested_tuples():
    global pairs
    pairs = (pairs, next(_numbers))


class Registered:
    instances = set()

    def __init__(self):
        self.instances.add(self)


@leak("leak_scenarios.Registered", "instances")
def a_class_attribute():
    Registered()


history = collections.deque()


@leak("leak_scenarios.Thing", "history")
def a_deque():
    history.append(Thing())


grouped = collections.defaultdict(list)


@leak("leak_scenarios.Thing", "grouped")
def a_dict_of_lists():
    grouped["always"].append(Thing())


tasks = set()


@leak("_asyncio.Task", "tasks")
def finished_tasks():
    async def work():
        pass

    async def main():
        task = asyncio.ensure_future(work())
        tasks.add(task)
        await task

    asyncio.run(main())


local = threading.local()
local.things = []


@leak("leak_scenarios.Thing", "local")
def a_thread_local():
    local.things.append(Thing())


errors = []


@leak("ValueError", "errors")
def exceptions():
    big = Thing()
    try:
        raise ValueError(big)
    except ValueError as error:
        errors.append(error)


watched = Thing()
refs = []


@leak("weakref.ReferenceType", "refs")
def weak_references_with_callbacks():
    refs.append(weakref.ref(watched, lambda ref: None))


@leak("weakref.finalize._Info", "_registry")
def finalizers_of_what_lives_on():
    weakref.finalize(watched, print)


@leak("leak_scenarios.Thing", "watched")
def an_attribute_list():
    watched.__dict__.setdefault("more", []).append(Thing())


named = types.SimpleNamespace()


@leak("str", "named")
def attributes_under_new_names():
    setattr(named, "name%d" % next(_numbers), Thing())


@leak("builtin_function_or_method", "atexit callbacks")
def callbacks_at_exit():
    atexit.register(Thing().__reduce__)


@leak("logging.NullHandler", "handlers")
def log_handlers():
    logging.getLogger("leak").addHandler(logging.NullHandler())


@leak("logging.Logger", "loggerDict")
def loggers_under_new_names():
    logging.getLogger("leak%d" % next(_numbers))


variable = contextvars.ContextVar("variable", default=None)


@leak("leak_scenarios.Slotted", "MainThread")
def a_context_variable():
    node = Slotted()
    node.next = variable.get()
    variable.set(node)


@leak("leak_scenarios.Thing", "things")
def a_generator_that_waits():
    def wait():
        things = []
        while True:
            yield
            things.append(Thing())

    global waiting
    if waiting is None:
        waiting = wait()
    next(waiting)


waiting = None
pool = [threading.Event()]


@leak("leak_scenarios.Thing", "queue")
def a_queue_that_nobody_reads():
    import queue

    global unread
    unread = unread or queue.Queue()
    unread.put(Thing())


unread = None
classes = []


@leak("type", "classes")
def classes_made():
    classes.append(type("Made", (), {}))


modules = []


@leak("module", "modules")
def modules_made():
    modules.append(types.ModuleType("made"))


handlers = {}


@leak("leak_scenarios.Thing", "handlers")
def what_a_partial_has():
    handlers[next(_numbers)] = functools.partial(print, Thing())


ring = collections.OrderedDict()


@leak("leak_scenarios.Thing", "ring")
def an_ordered_dict_beside_churn():
    """The object that leaks takes the place of one that was freed."""
    global churn
    churn = None
    ring[next(_numbers)] = Thing()
    churn = [Thing() for _ in range(50)]


churn = None


@leak("bytes", "blobs")
def untracked_objects():
    blobs.append(b"x" * (1000 + next(_numbers)))


blobs = []


def on_signal(number, frame):
    things.append(Thing())


@leak("leak_scenarios.Thing", "things")
def a_signal_handler():
    before = signal.signal(signal.SIGUSR1, on_signal)
    signal.raise_signal(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)

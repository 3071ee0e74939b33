# SPDX-License-Identifier: MIT
"""What cuts free in this very process, against the process itself: cut, collect, count."""

import functools
import gc
import sys
import threading
import types

import pytest
import refchain


class Leaf:
    pass


class Box:
    pass


class Slots:
    __slots__ = ("leaf",)


@pytest.fixture
def module():
    """A module of our own, of which nothing else knows."""
    made = types.ModuleType("what_if_probe")
    sys.modules["what_if_probe"] = made
    yield made
    sys.modules.pop("what_if_probe", None)
    cached.cache_clear()


def leaves():
    gc.collect()
    return sum(type(x) is Leaf for x in gc.get_objects())


def freed(answer):
    return answer.types.get(__name__ + ".Leaf", (0, 0))[0]


def make_closure():
    kept = [Leaf() for _ in range(3)]

    def function():
        return kept
    return function


@functools.lru_cache(maxsize=None)
def cached(n):
    return Leaf()


def build(module):
    module.one = Leaf()
    module.many = [Leaf() for _ in range(5)]
    module.table = {"eu": Leaf(), "us": [Leaf(), Leaf()], (1, 2): Leaf()}
    module.box = Box()
    module.box.leaf = Leaf()
    module.box.table = {1: Leaf()}
    module.slots = Slots()
    module.slots.leaf = Leaf()
    module.function = make_closure()
    module.cached = cached
    module.names = {Leaf(): None}
    module.shared = module.many[0]
    for i in range(4):
        cached(i)


CUTS = {
    ".one": lambda m: delattr(m, "one"),
    ".many": lambda m: delattr(m, "many"),
    ".many.clear()": lambda m: m.many.clear(),
    ".many[1]": lambda m: m.many.pop(1),
    ".many[0]": lambda m: m.many.pop(0),
    ".many[*]": lambda m: m.many.clear(),
    '.table["eu"]': lambda m: m.table.pop("eu"),
    '.table["us"][0]': lambda m: m.table["us"].pop(0),
    '.table["us"].clear()': lambda m: m.table["us"].clear(),
    ".table[<tuple>]": lambda m: m.table.pop((1, 2)),
    ".table.clear()": lambda m: m.table.clear(),
    ".box": lambda m: delattr(m, "box"),
    ".box.leaf": lambda m: delattr(m.box, "leaf"),
    ".box.table[*]": lambda m: m.box.table.clear(),
    ".slots.leaf": lambda m: delattr(m.slots, "leaf"),
    ".function": lambda m: delattr(m, "function"),
    ".function closure kept.clear()": lambda m: m.function.__closure__[0].cell_contents.clear(),
    ".function closure kept[2]": lambda m: m.function.__closure__[0].cell_contents.pop(2),
    ".cached.cache_clear()": lambda m: m.cached.cache_clear(),
    ".names <key>": lambda m: m.names.clear(),
    ".shared": lambda m: delattr(m, "shared"),
}


@pytest.mark.parametrize("cut", list(CUTS))
def test_a_cut_frees_what_it_was_said_to_free(module, cut):
    build(module)
    before = leaves()
    answer = refchain.snapshot().what_if("what_if_probe" + cut)
    CUTS[cut](module)
    assert before - leaves() == freed(answer)
    assert freed(answer) > 0 or cut in (".shared", ".many[0]")


def test_cuts_together_free_what_none_of_them_does(module):
    module.a = module.b = Leaf()
    answer = refchain.snapshot().what_if(["what_if_probe.a", "what_if_probe.b"])
    assert [cut.objects for cut in answer.cuts] == [0, 0]
    assert [(cut.stays, cut.stay_type) for cut in answer.cuts] == [(1, __name__ + ".Leaf")] * 2
    assert [cut.kept_path[-1].name for cut in answer.cuts] == ["b", "a"]
    assert freed(answer) == 1


def test_an_object_is_cut_by_its_address(module):
    module.a = module.b = leaf = Leaf()
    leaf.more = Leaf()
    address = hex(id(leaf))
    del leaf
    answer = refchain.snapshot().what_if(address)
    assert freed(answer) == 2 and answer.cuts[0].references == 2
    assert freed(refchain.snapshot().what_if(address + ".more")) == 1


def test_the_module_itself_is_what_top_says_it_keeps(module):
    build(module)
    graph = refchain.snapshot()
    rows = [row for row in graph.top(by="module") if row.root and row.root.name == module.__name__]
    answer = graph.what_if("what_if_probe.many")
    assert rows[0].retained >= answer.bytes and rows[0].retained_objects >= answer.objects


def test_variables_of_the_same_function_in_two_threads_are_ambiguous(module):
    ready, done = threading.Barrier(3), threading.Event()

    def hold():
        only_here = Leaf()
        ready.wait()
        done.wait()
        return only_here

    threads = [threading.Thread(target=hold, name="holder-%d" % i) for i in range(2)]
    for thread in threads:
        thread.start()
    ready.wait()
    try:
        graph = refchain.snapshot()
        with pytest.raises(ValueError, match="names 2 references") as caught:
            graph.what_if("local only_here")
        choices = [line.strip() for line in str(caught.value).splitlines()[2:]]
        assert len(choices) == 2 and all("holder-" in choice for choice in choices)
        for choice in choices:
            assert freed(graph.what_if(choice)) == 1, choice
        assert freed(graph.what_if(choices)) == 2
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_a_name_that_is_not_there_lists_near_ones(module):
    build(module)
    graph = refchain.snapshot()
    with pytest.raises(LookupError, match=r"Did you mean:\n  what_if_probe\.table"):
        graph.what_if("what_if_probe.tabel")
    with pytest.raises(LookupError, match=r'what_if_probe\.table\["eu"\]'):
        graph.what_if('what_if_probe.table["ew"]')
    with pytest.raises(ValueError):
        graph.what_if([])
    with pytest.raises(ValueError):
        graph.what_if(["what_if_probe.one"] * 65)
    for text in ("", "what_if_probe.table[", "no.such.module", "what_if_probe.\udcff"):
        with pytest.raises((LookupError, ValueError)):
            graph.what_if(text)


def test_rows_by_module_add_up_to_the_heap():
    graph = refchain.snapshot()
    rows = graph.top(by="module")
    assert sum(row.retained for row in rows) == rows.data["bytes"]
    assert sum(row.retained_objects for row in rows) == rows.data["objects"] == graph.info["objects"]
    assert sum(row.bytes for row in graph.top()) == rows.data["bytes"]
    assert repr(rows).startswith("refchain top  by module")


def test_objects_and_places_that_keep_most(module):
    module.big = Box()
    module.big.leaves = [bytearray(1_000_000) for _ in range(40)]
    graph = refchain.snapshot()
    best = graph.top(1, by="dominator")[0]
    assert (best.type, best.address) == ("list", id(module.big.leaves))
    assert (best.root.name, [hop.name for hop in best.path]) == ("what_if_probe", ["big", "leaves"])
    assert [(b.type, b.count) for b in best.below] == [("bytearray", 40)]
    place = graph.top(1, by="holder")[0]
    assert (place.type, place.objects) == ("bytearray", 40)  # at which the list's bytes are
    assert place.retained == best.below[0].retained and place.path[-1].edge == "item"
    items = graph.top(1, by="holder", sort="bytes")[0]
    assert (items.type, items.objects, items.path[-1].edge) == ("bytearray", 40, "item")
    for wrong in ({"by": "colour"}, {"sort": "size"}):
        with pytest.raises(ValueError):
            graph.top(**wrong)


def test_dominators_of_a_type(module):
    module.boxes = [Box() for _ in range(3)]
    for box in module.boxes:
        box.leaf = Leaf()
    module.boxes[0].other = module.lone = Leaf()
    answer = refchain.snapshot().dominators(__name__ + ".Leaf")
    assert answer.objects == 4
    groups = {(row.type, row.count): row.objects for row in answer}
    assert groups[__name__ + ".Box", 3] == 3
    assert sum(groups.values()) == 4
    with pytest.raises(LookupError):
        refchain.snapshot().dominators("NoSuchTypeAnywhere")

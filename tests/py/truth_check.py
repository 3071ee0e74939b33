# SPDX-License-Identifier: MIT
"""Compare a capture of this process with what the interpreter says about its own objects.

`python truth_check.py` builds the objects of truth_app, captures, and prints what it finds as JSON
(`report`). Objects stand for themselves by address. The collector is off, all other threads are
blocked in C, so between the capture and the end only this file runs. What it makes meanwhile is
excluded by two rules: an object counts only if both sides know it was there at the capture, and the
frames of this file are not compared, because they run.
"""

import collections
import ctypes
import gc
import json
import os
import sys
import types

import refchain._core as core
import truth_app
import truth_objects
from truth_reasons import reason_for

GC_FLAG = 1 << 14
HEAP_FLAG = 1 << 9
MANAGED_DICT_FLAG = 1 << 4
TP_TRAVERSE = 184
NOT_OWNING_ROOTS = ("module", "static-type", "c-held", "garbage")


def word_at(address):
    return ctypes.c_size_t.from_address(address).value


def is_container(cls):
    return bool(cls.__flags__ & GC_FLAG)


def is_python_class(cls):
    return bool(cls.__flags__ & HEAP_FLAG) and (
        word_at(id(cls) + TP_TRAVERSE) == word_at(id(truth_objects.Plain) + TP_TRAVERSE)
    )


def full_name(cls):
    module = type.__dict__["__module__"].__get__(cls)
    name = type.__dict__["__qualname__"].__get__(cls)
    return name if module == "builtins" else f"{module}.{name}"


def base_name(cls):
    """The C type whose struct the instances have: the first base that no class statement made."""
    return next(full_name(base) for base in type.mro(cls) if not is_python_class(base))


class Truth:
    """One capture, the objects right after it, and what was found by comparing them."""

    def __init__(self):
        self.graph = self.addresses = self.heads = self.nodes = self.tracked = self.mine = None
        self.examples = collections.defaultdict(collections.Counter)
        self.warm_up()
        gc.collect()
        gc.disable()
        codes = [obj.__code__ for obj in gc.get_objects() if type(obj) is types.FunctionType]
        self.graph = core.capture()
        objects = gc.get_objects()
        self.code_sizes = list(zip(map(id, codes), map(sys.getsizeof, codes)))
        self.addresses = self.graph.addresses("*")
        self.heads = {at: (word_at(at), word_at(at + 8)) for at in self.addresses}
        self.nodes = {address: self.graph.node(address) for address in self.addresses}
        self.tracked = {id(obj): obj for obj in objects}
        self.mine = {
            id(self),
            id(vars(self)),
            id(self.examples),
            *(id(frame) for frame in self.frames()),
            *self.interned_strings(),
        }

    def interned_strings(self):
        """The table of interned strings: its references are not counted, so that strings vanish
        from it while we compare. Tracked from 3.14 on."""
        for _, name, _, references in self.graph.roots():
            if name == "interpreter":
                yield from (edge[3] for edge in references if edge[1] == "interned strings")

    @staticmethod
    def warm_up():
        """Fill the caches that this class would fill: those of abc and ctypes, and what CPython
        makes of a static type when it is first asked about."""
        counter = collections.Counter(map(id, []))
        counter.update(number for number in ())
        counter -= counter.copy()
        json.dumps(counter)
        Truth.object_at(id(counter))
        for obj in gc.get_objects():
            base_name(type(obj))
            for target in gc.get_referents(obj):
                base_name(type(target))

    @staticmethod
    def frames():
        frame = sys._getframe()
        while frame:
            yield frame
            frame = frame.f_back

    def note(self, what, *key):
        self.examples[what][" | ".join(map(str, key))] += 1

    # ---- which objects -------------------------------------------------------------------------

    def compare_tracked(self):
        """Objects of one side only, except what this capture and this class made."""
        born = {id(self.graph), id(self.addresses), id(self.nodes), id(self.heads)}
        for address, node in self.nodes.items():
            if node["tracked"] and address not in self.tracked:
                self.note("only captured", node["type"])
        for address, obj in self.tracked.items():
            if (
                not (address in self.nodes and self.nodes[address]["tracked"])
                and address not in born
            ):
                self.note("only listed", full_name(type(obj)))

    # ---- references ----------------------------------------------------------------------------

    def through_links(self, obj):
        """What an lru_cache visits through its links, which the collector does not know."""
        found = collections.Counter()
        for _, _, _, cache in self.nodes[id(obj)]["references"]:
            for _, _, _, link in self.nodes[cache]["references"]:
                if self.nodes[link]["type"] == "functools._lru_list_elem":
                    found.update(edge[3] for edge in self.nodes[link]["references"])
                    found[id(type(self.object_at(link)))] += 1
        return found

    def atexit_callbacks(self):
        """A root of its own in the graph. Up to 3.9 the module visits them; from 3.14 they lie in
        tuples in a list."""
        return collections.Counter(
            edge[3]
            for kind, name, _, references in self.graph.roots()
            for edge in references
            if (kind, name) == ("interpreter", "atexit callbacks")
        )

    def holds_atexit_callbacks(self, obj):
        if sys.version_info < (3, 10):
            return obj is sys.modules.get("atexit")
        if sys.version_info < (3, 14) or type(obj) not in (list, tuple):
            return False
        return self.atexit_callbacks()[id(obj)] > 0

    def through_dict(self, obj):
        """Attributes in the object itself, which its dict tells if there is one."""
        found = collections.Counter()
        for kind, _, _, target in self.nodes[id(obj)]["references"]:
            if kind == "dict" and target in self.nodes:
                found.update(edge[3] for edge in self.nodes[target]["references"])
        return found

    @staticmethod
    def object_at(address):
        return ctypes.cast(address, ctypes.py_object).value

    def compare_edges(self, obj):
        cls = type(obj)
        name, node = base_name(cls), self.nodes[id(obj)]
        visited = collections.Counter(map(id, gc.get_referents(obj)))
        visited.pop(id(visited), None)
        missing = visited.copy()
        extra = []
        for edge in sorted(node["references"], key=lambda edge: reason_for(name, edge) is not None):
            if missing[edge[3]] > 0:
                missing[edge[3]] -= 1
            else:
                extra.append(edge)
        if cls.__flags__ & HEAP_FLAG and missing[id(cls)]:
            missing[id(cls)] -= 1  # it follows from the node's type
        if name == "functools._lru_cache_wrapper":
            missing -= self.through_links(obj)
        elif self.holds_atexit_callbacks(obj):
            missing -= self.atexit_callbacks()
        elif cls.__flags__ & MANAGED_DICT_FLAG and sys.version_info >= (3, 13):
            missing -= self.through_dict(obj)
        for target, num in missing.items():
            if num > 0:
                self.note("missing", name, full_name(type(self.object_at(target))))
        for edge in extra:
            reason = reason_for(name, edge)
            if reason:
                self.note("extra", reason)
            else:
                self.note(
                    "unexplained", name, edge[0], edge[1], full_name(type(self.object_at(edge[3])))
                )
        self.count_names(name, node)

    def count_names(self, name, node):
        for kind, _, edge_class, target in node["references"]:
            if edge_class != "weak" and is_container(type(self.object_at(target))):
                self.note("edges", "named" if kind != "reference" else "unnamed")
                if kind == "reference":
                    self.note("unnamed", name, full_name(type(self.object_at(target))))

    # ---- types and sizes -----------------------------------------------------------------------

    def atoms(self):
        """The untracked objects that tracked ones lead to: these are sure to be alive."""
        found = dict(self.tracked)
        todo = list(self.tracked.values())
        for obj in todo:
            more = gc.get_referents(obj) if is_container(type(obj)) else []
            if isinstance(obj, dict):
                more = [*more, *dict.keys(obj)]
            for target in more:
                if id(target) in self.nodes and id(target) not in found:
                    found[id(target)] = target
                    todo.append(target)
        return {address: obj for address, obj in found.items() if address not in self.tracked}

    def compare_sizes(self, objects):
        for address, obj in objects.items():
            cls = type(obj)
            if address not in self.nodes or address in self.mine or cls is types.CodeType:
                continue
            if full_name(cls) != self.nodes[address]["type"]:
                self.note("names", full_name(cls), self.nodes[address]["type"])
            if any(is_python_class(base) and "__sizeof__" in vars(base) for base in type.mro(cls)):
                continue
            size = self.nodes[address]["size"]
            self.note("sizes", "equal" if size == sys.getsizeof(obj) else "wrong")
            if size != sys.getsizeof(obj):
                self.note(
                    "wrong sizes",
                    base_name(cls),
                    "subclass" if is_python_class(cls) else "",
                    size - sys.getsizeof(obj),
                )

    def compare_code_sizes(self):
        """As they were at the capture: up to 3.10 code grows a cache when it has run often."""
        for address, size in self.code_sizes:
            equal = self.nodes[address]["size"] == size
            self.note("sizes", "equal" if equal else "wrong")
            if not equal:
                self.note("wrong sizes", "code", self.nodes[address]["size"] - size)

    # ---- reference counts ----------------------------------------------------------------------

    def compare_counts(self, alive):
        found = collections.Counter()
        for node in self.nodes.values():
            found.update(edge[3] for edge in node["references"] if edge[2] != "weak")
        found.update(
            cls
            for _, cls in self.heads.values()
            if cls in self.tracked and self.tracked[cls].__flags__ & HEAP_FLAG
        )
        for kind, name, _, references in self.graph.roots():
            if kind == "c-held":
                self.note("c-held", name, len(references))
            elif kind == "garbage":
                self.note("garbage", name, *(self.nodes[edge[3]]["type"] for edge in references))
            if kind not in NOT_OWNING_ROOTS:
                found.update(edge[3] for edge in references)
        for address, num in found.items():
            count = self.heads[address][0] & 0xFFFFFFFF  # from 3.14 there are flags above
            immortal = ctypes.c_int32(count).value < 0 or count > 900_000_000
            if not immortal and num > count and address in alive:
                self.note_overcounted(alive[address], num - count)

    def note_overcounted(self, obj, num):
        """More references than counted: only what CPython itself does not count may be."""
        if isinstance(obj, type) and not obj.__flags__ & HEAP_FLAG:
            what = "static type"  # its subclasses in C hold their base without counting
        elif type(obj) is str and num <= 2:
            what = "interned str"  # the two references from the table of interned strings
        elif type(obj) is bool:
            what = "bool"  # 3.11: in the constants of code that is frozen into the interpreter
        else:
            what = full_name(type(obj))
        self.note("counted too often", what)

    def report(self):
        self.compare_tracked()
        self.compare_sizes(self.tracked)  # first: what follows refers to what they hold
        for address, obj in self.tracked.items():
            if address in self.nodes and address not in self.mine:
                self.compare_edges(obj)
        atoms = self.atoms()
        self.compare_sizes(atoms)
        self.compare_code_sizes()
        self.compare_counts({**self.tracked, **atoms})
        words = (
            "only captured",
            "only listed",
            "missing",
            "extra",
            "unexplained",
            "edges",
            "unnamed",
            "sizes",
            "wrong sizes",
            "names",
            "c-held",
            "counted too often",
            "garbage",
        )
        return {
            **{word: self.examples[word] for word in words},
            "warnings": self.graph.info()["warnings"],
            "frozen": gc.get_freeze_count(),
        }


def main():
    kept = truth_app.build()
    report = Truth().report()
    print(json.dumps(report))
    sys.stdout.flush()
    os._exit(0 if kept else 1)  # its threads are blocked for good


if __name__ == "__main__":
    main()

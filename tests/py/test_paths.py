# SPDX-License-Identifier: MIT
"""`paths` and `cycles` of this process and of snapshots from it: Python objects, not made-up graphs."""
import gc
import json
import subprocess
import sys

import native
import pytest
import refchain
from refchain import Hop

jsonschema = pytest.importorskip("jsonschema")
SCHEMAS = native.ROOT / "docs" / "schema"


class Leak:
    pass


class Owner:
    def __init__(self):
        self.idle = []


class Node:
    def __init__(self, parent=None):
        self.parent, self.children = parent, []
        if parent:
            parent.children.append(self)


class Closing(Node):
    def __del__(self):
        pass


class Below(Closing):
    pass


def words(path):
    return [path.root.kind, path.root.name] + [hop.name for hop in path.path]


@pytest.fixture
def module():
    """Module-level names of this file, gone afterwards."""
    yield sys.modules[__name__]
    for name in ("owner_", "cache_", "two_", "tree_", "node_"):
        globals().pop(name, None)


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.collect()


def held_three_ways(module):
    leak = Leak()
    module.owner_ = Owner()
    module.owner_.idle.append(leak)
    module.cache_ = {"a": leak, "b": leak, 7: leak}
    module.two_ = leak
    return id(leak)


def test_each_way_is_told_once_best_first(module):
    address = held_three_ways(module)
    paths = refchain.snapshot().paths(address)
    here = ["module", __name__]
    assert [words(path) for path in paths] == [
        here + ["two_"], here + ["cache_", "a"], here + ["owner_", "idle", "0"]]
    assert paths.data["all"] and [path.penalty for path in paths] == [0, 0, 0]
    assert paths.paths[0].path == (Hop("attribute", "two_", __name__ + ".Leak", 1),)
    assert len({path.fingerprint for path in paths}) == 3
    assert "3 paths from a root, best first; no other reads differently" in str(paths)


def test_all_tells_keys_apart(module):
    address = held_three_ways(module)
    paths = refchain.snapshot().paths(address, 5, all=True)
    assert sum(words(path)[:3] == ["module", __name__, "cache_"] for path in paths) == 3


@pytest.mark.parametrize("pattern, left", [
    ("two_", 2), ("*_", 0), ("Owner.idle", 2), ("item", 2), ("value", 2), ("attribute", 0),
    ("no_such_name", 3), (["two_", "idle"], 1), (__name__ + ".cache_", 2)])
def test_excluded_references_are_on_no_path(module, pattern, left):
    address = held_three_ways(module)
    paths = refchain.snapshot().paths(address, exclude=pattern)
    assert len(paths) == left and paths.data["all"]
    assert paths.data["dropped"] == 3 - left
    assert (paths.excluded[0].dropped > 0) == (pattern != "no_such_name")


def test_an_excluded_root_leaves_no_path(module):
    address = held_three_ways(module)
    graph = refchain.snapshot()
    assert len(graph.paths(address, exclude_roots="no_such*")) == 3
    paths = graph.paths(address, exclude_roots=[__name__, "frame"])
    assert not paths and paths.data["unheld"] == 1
    assert paths.excluded[0].of == "roots" and paths.excluded[0].dropped == 3


def test_a_type_gives_the_merged_tree(module):
    module.owner_ = Owner()
    module.owner_.idle += [Leak() for _ in range(30)]
    module.cache_ = {n: Leak() for n in range(12)}
    paths = refchain.snapshot().paths(__name__ + ".Leak")
    roots = [branch for branch in paths.tree if branch.root]
    assert [branch.root.name for branch in roots] == [__name__] and roots[0].members == 42
    leaves = {(branch.hop.objects, branch.ends) for branch in paths.tree if branch.ends}
    assert leaves == {(30, 30), (12, 12)}
    assert sum(branch.ends for branch in paths.tree) == 42
    assert all(branch.parent is None or branch.parent < n for n, branch in enumerate(paths.tree))


def test_cycles_of_garbage_look_alike(no_collector):
    for _ in range(40):
        root = Node()
        Node(root)
        Node(root).tail = [0] * 100
    del root
    group = next(g for g in refchain.snapshot().cycles().groups if g.start.endswith(".Node"))
    assert (group.garbage, group.components) == (True, 40)
    assert [(cut.owner, cut.path[-1].name, cut.references) for cut in group.cuts] == [
        (__name__ + ".Node", "parent", 80)]
    assert group.minimum and group.cuttable and not group.has_del
    assert group.frees_objects >= group.objects + 40 and group.frees_bytes > group.bytes + 40 * 800
    assert [hop.name for hop in group.path] in (["children", "0", "parent"],
                                                ["children", None, "parent"])


@pytest.mark.parametrize("cls, has_del", [(Node, False), (Closing, True), (Below, True)])
def test_a_finalizer_is_told_of_the_type_that_has_it(no_collector, cls, has_del):
    parent = cls()
    Node(parent)
    del parent
    cycles = refchain.snapshot().cycles("%s.%s" % (__name__, cls.__name__), garbage=True)
    told = {kind.type: kind.has_del for group in cycles for kind in group.types}
    assert told[__name__ + "." + cls.__name__] == has_del
    assert ("__del__" in str(cycles)) == has_del


def test_living_cycles_are_told_when_asked_for_and_break_as_told(module):
    module.tree_ = Node()
    for _ in range(3):
        Node(module.tree_)
    graph = refchain.snapshot()
    assert not graph.cycles(__name__ + ".Node", garbage=True)
    group, = graph.cycles(__name__ + ".Node").groups
    assert not group.garbage
    assert {kind.type: kind.objects for kind in group.types} == {__name__ + ".Node": 4, "list": 1}
    for child in module.tree_.children:
        setattr(child, group.cuts[0].path[-1].name, None)
    assert not refchain.snapshot().cycles(__name__ + ".Node").groups


def test_what_makes_no_sense_is_refused():
    graph = refchain.snapshot()
    with pytest.raises(ValueError):
        graph.paths("Leak", 0)
    with pytest.raises(ValueError):
        graph.paths("dict", exclude=["x"] * 33)
    with pytest.raises((ValueError, refchain.Error)):
        graph.paths("dict", exclude="")
    with pytest.raises(LookupError):
        graph.paths("no_such_type_anywhere")
    with pytest.raises(LookupError):
        graph.cycles("no_such_type_anywhere")


def run(*args):
    done = native.run(*map(str, args))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def validate(name, answer):
    schema = json.loads((SCHEMAS / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(answer)


def test_the_program_says_the_same_of_a_snapshot(module, tmp_path):
    address = held_three_ways(module)
    module.tree_ = Node()
    Node(module.tree_)
    path = tmp_path / "a.rch"
    refchain.dump(path)
    one = run("paths", path, hex(address), "--json")
    validate("refchain.paths-1.schema.json", one)
    assert [row["path"][-1]["type"] for row in one["paths"]] == [__name__ + ".Leak"] * 3
    many = run("paths", path, "dict", "--json", "-x", "Owner.*", "-X", "frame")
    validate("refchain.paths-1.schema.json", many)
    assert many["tree"] and sum(row["ends"] for row in many["tree"]) == many["reached"]
    for args in ([], [__name__ + ".Node"], ["dict", "--garbage"]):
        validate("refchain.cycles-1.schema.json", run("cycles", path, *args, "--json"))


def test_lines_are_not_wider_than_the_page(tmp_path):
    path = tmp_path / "a.rch"
    refchain.dump(path)
    for args in (["paths", path, "dict"], ["paths", path, "module", "-k", "3"], ["cycles", path],
                 ["cycles", path, "function"]):
        done = native.run(*map(str, args))
        assert done.returncode == 0
        assert max(map(len, done.stdout.decode().splitlines())) <= 100


def test_readings_of_a_short_name_are_answered_each(tmp_path):
    code = ("import refchain, sys\n"
            "class A: pass\n"
            "class B:\n    class A: pass\n"
            "keep = [A(), B.A()]\nrefchain.dump(sys.argv[1])\n")
    path = tmp_path / "a.rch"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    answer = run("paths", path, "A", "--json")
    assert len(answer["answers"]) == 2
    for one in answer["answers"]:
        validate("refchain.paths-1.schema.json", one)
    assert len(refchain.load(path).paths("A").readings) == 2

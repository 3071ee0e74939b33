# SPDX-License-Identifier: MIT
"""What came since the last call, by the place it hangs at: in a process that asks about itself. The
comparison itself has its tests in test_oracles.py and tests/c/test_growth.c."""

import json

import inside
import native
import pytest

HASS = """
        import gc, types
        hass = sys.modules["hass"] = types.ModuleType("hass")
        class Data: pass
        hass.data = Data()
        hass.data.cache = {}
        class T:
            def __init__(self): self.x = [1]
        refchain.growth()
"""


def places(data):
    return [(p["objects"], p["type"], inside.root(p)[1], *inside.hops(p)) for p in data["places"]]


def test_entries_of_a_cache_are_one_place(tmp_path):
    source = """
        gc.disable()
        for i in range(8000):
            hass.data.cache["key %d" % i] = {"a": i, "b": [i]}
        grown = refchain.growth()
        print(grown)
        tell(grown.json())
    """
    out = inside.run([inside.program(tmp_path, HASS + source)])
    data = inside.told(out)
    assert places(data)[0][1:] == ("dict", "hass", ".data", ".cache", "[*]")
    # a dict that was not tracked may have been freed where a new one is
    assert 8000 - 20 <= data["places"][0]["objects"] <= 8000
    assert data["places"][0]["below"] >= 8000 * 2  # keys, lists, most numbers
    assert "dict \u2190 hass.data.cache[*]" in out
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((native.ROOT / "docs/schema/refchain.growth-1.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(data)


def test_the_callers_variables_are_places(tmp_path):
    source = """
        def work():
            mine = [T() for _ in range(50)]
            return refchain.growth().json()
        tell(work())
    """
    data = inside.ask(tmp_path, HASS + source)
    assert (50, "__main__.T", "work", "local mine", "[*]") in places(data)


def test_no_collection_is_forced_and_garbage_is_told_apart(tmp_path):
    source = """
        gc.disable()
        before = gc.get_stats()
        for _ in range(30):
            t = T(); t.me = t
        del t
        grown = refchain.growth()
        tell({"garbage": grown.data["garbage"], "places": grown.data["places"],
              "same": gc.get_stats() == before})
    """
    data = inside.ask(tmp_path, HASS + source)
    assert data["same"] and data["garbage"] >= 60  # each has a list too
    assert not [p for p in data["places"] if p["type"] == "__main__.T"]


def test_calls_in_a_row_find_nothing_of_their_own(tmp_path):
    source = """
        gc.disable()
        for _ in range(3):
            refchain.growth()
        tell(refchain.growth().json())
    """
    data = inside.ask(tmp_path, HASS + source)
    assert [p for p in data["places"] if "refchain" in p["type"]] == []
    assert data["new"] < 30, data


def test_an_object_in_the_place_of_a_freed_one_is_new(tmp_path):
    """Without a collection in between, the order of the collector's lists proves it."""
    source = """
        gc.disable()
        hass.items = [T() for _ in range(100)]
        refchain.growth()
        old = {id(t) for t in hass.items}
        hass.items = [T() for _ in range(3)]  # their addresses stay free for a moment
        hass.items = None
        hass.other = [T() for _ in range(100)]
        same = sum(id(t) in old for t in hass.other)
        grown = refchain.growth().data
        tell({"same": same, "reused": grown["reused"], "new": [
            p["objects"] for p in grown["places"] if p["type"] == "__main__.T"]})
    """
    data = inside.ask(tmp_path, HASS + source)
    if data["same"] <= 10:
        pytest.skip("the allocator used no freed address again")
    assert data["reused"] >= data["same"]
    assert data["new"] == [100]


def test_survivors_of_collections_are_the_same(tmp_path):
    source = """
        hass.items = [T() for _ in range(3000)]
        refchain.growth()
        for _ in range(4):
            gc.collect()
        keep = [T() for _ in range(30)]
        grown = refchain.growth().data
        tell([p["objects"] for p in grown["places"] if p["type"] == "__main__.T"])
    """
    assert inside.ask(tmp_path, HASS + source) == [30]


def test_by_type(tmp_path):
    source = """
        hass.items = [T() for _ in range(40)]
        grown = refchain.growth(by="type")
        hass.items = None
        gone = refchain.growth(by="type")
        print(grown)
        try:
            refchain.growth(by="size")
        except ValueError as error:
            print(error)
        tell({"grown": [vars(t) for t in grown.types if t.type == "__main__.T"],
              "gone": [vars(t) for t in gone.types if t.type == "__main__.T"]})
    """
    out = inside.run([inside.program(tmp_path, HASS + source)])
    data = inside.told(out)
    (grown,), (gone,) = data["grown"], data["gone"]
    assert (grown["before"], grown["now"], grown["new"], grown["gone"]) == (0, 40, 40, 0)
    assert (gone["before"], gone["now"], gone["new"], gone["gone"]) == (40, 0, 0, 40)
    assert grown["now_bytes"] == gone["before_bytes"] > 0
    assert "         +40           0          40          40           0  __main__.T" in out
    assert 'by must be "holder" or "type"' in out


def test_snapshots_are_compared_by_address_and_type(tmp_path):
    source = """
        a = sys.argv[1] + "/a.rch"
        b = sys.argv[1] + "/b.rch"
        refchain.dump(a, fds=False)
        hass.items = [T() for _ in range(60)]
        refchain.dump(b, fds=False)
        before, now = refchain.load(a), refchain.load(b)
        print(now.growth(before))
        tell(now.growth(before).json())
    """
    out = inside.run([inside.program(tmp_path, HASS + source), tmp_path])
    assert (60, "__main__.T", "hass", ".items", "[*]") in places(inside.told(out))
    assert "snapshot b.rch" in out


def test_a_baseline_is_small_and_has_none_of_the_programs_objects(tmp_path):
    source = """
        import weakref
        hass.items = [T() for _ in range(100_000)]
        refchain.growth()
        watch = weakref.ref(hass.items[5])
        facts = refchain._growth._watcher._turns[0].facts()
        hass.items.clear()
        tell([facts["bytes"] / facts["objects"], watch() is None])
    """
    each, is_gone = inside.ask(tmp_path, HASS + source)
    assert is_gone and each < 9


def test_threads_may_ask_at_the_same_time(tmp_path):
    source = """
        import threading
        errors = []
        def ask():
            try:
                for _ in range(5):
                    refchain.growth(by="type")
            except BaseException as error:
                errors.append(repr(error))
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for t in threads: t.start()
        for t in threads: t.join()
        tell(errors)
    """
    assert inside.ask(tmp_path, HASS + source) == []

# SPDX-License-Identifier: MIT
"""refchain diff: two moments of one process, from snapshots and from the process itself."""

import json

import inside
import native
import pytest

GROWS = """
    import gc, os
    sys.path.insert(0, os.environ["RCH_CORPUS"])
    import story_standin
    story_standin.leak(100)
    gc.collect()
    refchain.dump(sys.argv[1] + "/before.rch")
    story_standin.leak(37)
    gc.collect()
    refchain.dump(sys.argv[1] + "/now.rch")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("diff")
    path = inside.program(folder, GROWS)
    inside.run([path, folder], env=inside.environment(RCH_CORPUS=str(inside.corpus())))
    return folder


def diff(folder, *words):
    return native.run("diff", "before.rch", "now.rch", *words, cwd=folder)


def test_what_the_story_leaks_is_told_by_both_holders(folder):
    done = diff(folder, "--json")
    data = json.loads(done.stdout)
    found = {}
    for place in data["places"]:
        names = [hop["name"] for hop in place["path"]]
        found[place["root"]["name"], names[0]] = place["objects"], place["below"]
    assert done.returncode == 0
    assert found["multiprocessing.util", "_afterfork_registry"][0] == 37
    assert found["minimq.backends", "get_backend_cls"][0] == 37
    grown = {row["type"]: row["now"] - row["before"] for row in data["types"]}
    assert grown["minimq.transport.TCPTransport"] == grown["minimq.app.MQApp"] == 37


def test_noise_is_not_told_as_growth(folder):
    places = json.loads(diff(folder, "--json").stdout)["places"]
    assert sum(place["objects"] for place in places if place["objects"] < 37) <= 3


def test_the_text_says_the_same(folder):
    assert "_afterfork_registry.data[*]" in diff(folder).stdout.decode()
    assert "minimq.transport.TCPTransport" in diff(folder, "--types", "-n", "100").stdout.decode()


def test_nothing_grows_between_a_snapshot_and_itself(folder):
    done = native.run("diff", "now.rch", "now.rch", "--json", cwd=folder)
    data = json.loads(done.stdout)
    assert (data["new"], data["gone"], data["places"]) == (0, 0, [])


def test_two_processes_are_compared_with_a_warning(folder):
    native.make_all(folder)
    done = native.run("diff", "before.rch", "story.rch", cwd=folder)
    assert "of one process" in done.stderr.decode()


def test_a_file_that_is_not_there_is_named(folder):
    done = native.run("diff", "before.rch", "absent.rch", cwd=folder)
    assert done.returncode == 4
    assert "absent.rch" in done.stderr.decode()

# SPDX-License-Identifier: MIT
"""%why and %%leaks in a real IPython."""
import importlib.util
import json

import inside
import pytest
from test_observer import check, check_only_asker

pytestmark = pytest.mark.skipif(
    not importlib.util.find_spec("IPython"), reason="IPython is not installed"
)


def ipython(tmp_path, typed):
    args = ["-m", "IPython", "--simple-prompt", "--no-banner", "--no-confirm-exit", "--quick"]
    typed = "import leaky, refchain\n%load_ext refchain\nleaky.leak()\n" + typed + "exit()\n"
    return inside.run(args, stdin=typed, env={"IPYTHONDIR": str(tmp_path)}, timeout=180)


def test_why_of_a_type_a_class_and_an_object(tmp_path):
    out = ipython(
        tmp_path,
        """\
x = refchain.by_type("TCPTransport")[5]
xs = refchain.by_type("TCPTransport")[:3]
%why TCPTransport
print("@@" + _.json())
%why leaky.TCPTransport
print("@@" + _.json())
%why leaky.TCP*
print("@@" + _.json())
%why x
print("@@" + _.json())
%why xs[1]
print("@@" + _.json())
leaky.plug()
%why x
print("@@" + _.json())
""",
    )
    told = inside.told_all(out)
    assert len(told) == 6, out
    for data in told[:3]:
        check(data)
    check(told[3], 1)
    check(told[4], 1)
    check_only_asker(told[5], 1)
    assert "Kept alive by 1 holder" in out


def test_a_mistake_is_the_users(tmp_path):
    out = ipython(tmp_path, "%why 1 +\n%why NoSuchThing\n%why\n")
    assert "SyntaxError" in out and "no type" in out.lower() and "%why EXPR" in out


LEAKS = r"""
def leaks(cell, line=""):
    return get_ipython().run_cell_magic("leaks", line, cell)

r = leaks("class T: pass\nkept = [T() for _ in range(50)]\nt = [T() for _ in range(9)]; del t\n")
print("@@" + r.json())
r = leaks("n = 5\n")
print("@@" + r.json())
r = leaks("for i in range(40):\n    leaky.pool.connections['new%d' % i] = leaky.Connection()\n")
print("@@" + r.json())
r
r = leaks("leaky.pool.connections.clear()", "type")
print("@@" + r.json())
r = leaks("raise ValueError('no')")
print("@@" + repr(r is None).lower())
"""


def test_leaks_tells_what_a_cell_left_behind(tmp_path):
    out = ipython(tmp_path, LEAKS.lstrip())
    told = inside.told_all(out)
    assert len(told) == 5, out
    first, nothing, pool, gone, failed = told
    places = [(p["objects"], p["type"], inside.root(p)[1], *inside.hops(p))
              for p in first["places"]]
    assert (50, "__main__.T", "__main__", ".kept", "[*]") in places
    assert max([p["objects"] for p in nothing["places"]] or [0]) < 10, json.dumps(nothing)
    best = pool["places"][0]
    assert (best["objects"], best["type"]) == (40, "leaky.Connection")
    assert (inside.root(best)[1], inside.hops(best)) == (
        "leaky", [".pool", ".connections", "[*]"])
    assert "leaky.Connection \u2190 leaky.pool.connections[*]" in out
    assert [t["gone"] for t in gone["types"] if t["type"] == "leaky.Connection"] == [60]
    assert failed is True
    for data in (first, pool):  # neither the shell nor refchain is in the way
        assert not [p for p in data["places"] if "refchain" in json.dumps(p["root"])]

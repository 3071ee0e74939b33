# SPDX-License-Identifier: MIT
"""Compare a capture from outside with what the interpreter said of its own objects before it hung.

`python outside_check.py [APP ...]` starts programs/hangs.py for each app, captures it, and prints a row of
figures as in docs/accuracy.md; with -v also what is missing or wrong, by type; with --python PATH it
looks at a program of another interpreter.

Compared are pairs (object, container it refers to), each once. TP: both sides know it. FN: only tp_traverse
does. FP: only the capture does, and no reason is known (truth_reasons.py). Owned: only the capture,
because tp_traverse leaves it out for a known reason. The reference to an object's own type is left out
on both sides: it follows from the node's type, which is compared.
"""

import argparse
import collections
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import native
import truth_reasons

HERE = pathlib.Path(__file__).resolve().parent
APPS = ["truth_app", "heldout_app"]
LRU, LINKS = "functools._lru_cache_wrapper", "functools._lru_list_elem"
COLUMNS = "tracked lost extra TP FN FP owned recall precision".split()


def build_hung(folder, python=sys.executable):
    """Compile programs/hung.c for an interpreter, to be imported from the folder."""
    asked = "import sysconfig as s; print(s.get_config_var('EXT_SUFFIX'), s.get_path('include'))"
    words = subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True).stdout
    suffix, include = words.split()
    target = pathlib.Path(folder) / f"hung{suffix}"
    source = HERE / "programs" / "hung.c"
    subprocess.run(
        ["cc", "-O1", "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(target)],
        check=True,
    )


class Hung:
    """A program that hangs after writing the truth about itself."""

    def __init__(self, app, folder, python=sys.executable):
        self.path = pathlib.Path(folder) / f"{app}.truth"
        self.path.unlink(missing_ok=True)
        paths = [folder, HERE, HERE / "programs", *filter(None, [os.environ.get("PYTHONPATH")])]
        self.process = subprocess.Popen(
            [python, "-W", "ignore", str(HERE / "programs" / "hangs.py"), app, str(self.path)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def __enter__(self):
        deadline = time.monotonic() + 300
        while not self.path.exists():
            if self.process.poll() is not None:
                raise RuntimeError(self.process.stderr.read().decode())
            if time.monotonic() > deadline:
                self.process.kill()
                raise TimeoutError(self.path)
            time.sleep(0.05)
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def read_truth(path):
    """({object: (type, is tracked, referents)}, {type: name of the C type it extends}, num frozen)"""
    objects, names, frozen = {}, {}, 0
    with open(path, encoding="utf-8", errors="backslashreplace") as file:
        for line in file:
            words = line.split()
            if words[0] == "T":
                names[int(words[1], 16)] = words[2]
            elif words[0] == "F":
                frozen = int(words[1], 16)
            else:
                address, cls, tracked, *referents = (int(word, 16) for word in words[1:])
                objects[address] = cls, bool(tracked), referents
    return objects, names, frozen


class Comparison:
    def __init__(self, graph, objects, names, frozen=0):
        self.graph, self.objects, self.names, self.frozen = graph, objects, names, frozen
        self.nodes = {address: graph.node(address) for address in graph.addresses("*")}
        self.counts = collections.Counter()
        self.rows = collections.defaultdict(collections.Counter)
        self.container_types = {self.nodes[a]["type"] for a in objects if a in self.nodes}
        self.compare_tracked()
        for address, (cls, _, referents) in objects.items():
            if address in self.nodes:
                self.compare(address, cls, referents)

    def compare_tracked(self):
        ours = {address for address, node in self.nodes.items() if node["tracked"]}
        theirs = {address for address, (_, tracked, _) in self.objects.items() if tracked}
        self.counts.update(tracked=len(theirs), lost=len(theirs - ours), extra=len(ours - theirs))
        for address in ours - theirs:
            self.rows["extra"][self.nodes[address]["type"]] += 1
        for address in theirs - ours:
            self.rows["lost"][self.names[self.objects[address][0]]] += 1

    def is_container(self, address):
        """Can the collector track it? A static type is a container for nobody."""
        node = self.nodes.get(address)
        if address in self.objects or node is None:
            return address in self.objects
        if node["type"] == "type" or any(edge[1] == "__bases__" for edge in node["references"]):
            return node["tracked"]
        return node["type"] in self.container_types

    def edges(self, address):
        """Those of the node, and what an lru_cache visits through links the collector may not know."""
        edges = list(self.nodes[address]["references"])
        if self.nodes[address]["type"] == LRU:
            for edge in list(edges):
                for link in self.nodes[edge[3]]["references"]:
                    if self.nodes[link[3]]["type"] == LINKS:
                        edges += self.nodes[link[3]]["references"]
        return edges

    def atexit_callbacks(self):
        """What the module visits up to 3.9: a root of its own in the graph."""
        return {
            edge[3]
            for kind, name, _, references in self.graph.roots()
            for edge in references
            if (kind, name) == ("interpreter", "atexit callbacks")
        }

    def compare(self, address, cls, referents):
        name, types = self.names[cls], {cls}
        if name == LRU:
            types |= {t for t in self.names if self.names[t] == LINKS}
        theirs = {to for to in referents if to in self.objects and to not in types}
        ours = {}
        for edge in self.edges(address):
            if edge[2] != "weak" and self.is_container(edge[3]) and edge[3] not in types:
                ours.setdefault(edge[3], edge)
        if name == "module" and theirs - set(ours):
            theirs -= (theirs - set(ours)) & self.atexit_callbacks()
        self.counts["TP"] += len(theirs & set(ours))
        for to in theirs - set(ours):
            self.counts["FN"] += 1
            target = self.nodes[to]["type"] if to in self.nodes else "(no node)"
            self.rows["FN"][f"{name} -> {target}"] += 1
        for to in set(ours) - theirs:
            self.note_extra(name, ours[to])

    def note_extra(self, name, edge):
        reason = "the wrapper visits it" if name == LINKS else truth_reasons.reason_for(name, edge)
        self.counts["owned" if reason else "FP"] += 1
        kind, label, edge_class, to = edge
        row = f"{name} {kind} {label} {edge_class} -> {self.nodes[to]['type']}"
        self.rows["owned" if reason else "FP"][reason or row] += 1

    def told_rows(self):
        """What to look at when a figure is not what it should be."""
        return {what: rows.most_common(20) for what, rows in self.rows.items() if what != "owned"}

    def figures(self):
        c = self.counts
        return {
            **{key: c[key] for key in COLUMNS[:-2]},
            "recall": c["TP"] / (c["TP"] + c["FN"]),
            "precision": c["TP"] / (c["TP"] + c["FP"]),
        }


def check(app, folder, python=sys.executable, how="dump"):
    """The Comparison for an app, built and captured now."""
    import refchain._core as core

    snapshot = pathlib.Path(folder) / f"{app}.rch"
    with Hung(app, folder, python) as hung:
        native.image_lab(how, hung.process.pid, snapshot)
    return Comparison(core.load(str(snapshot)), *read_truth(hung.path))


def version_of(python):
    asked = "import sys; print(sys.version.split()[0] + 't' * ('t' in sys.abiflags))"
    return subprocess.run([python, "-c", asked], capture_output=True, text=True).stdout.strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-v", action="store_true", help="also what is missing or wrong")
    parser.add_argument("--python", default=sys.executable, help="the interpreter to look at")
    parser.add_argument("apps", nargs="*", default=APPS)
    args = parser.parse_args()
    for app in args.apps:
        with tempfile.TemporaryDirectory() as folder:
            build_hung(folder, args.python)
            found = check(app, folder, args.python)
        figures = [
            f"{v:.5f}" if v.__class__ is float else f"{v:,}" for v in found.figures().values()
        ]
        print("|", " | ".join([version_of(args.python), app, *figures]), "|", flush=True)
        for what, rows in sorted(found.rows.items()) if args.v else ():
            for row, num in sorted(rows.items(), key=lambda item: -item[1])[:60]:
                print(f"  {what:8} {num:6} {row}")


if __name__ == "__main__":
    main()

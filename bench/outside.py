# SPDX-License-Identifier: MIT
"""Reading a process from outside, beside gc.collect() in it and gcore of it, in turn.

    python bench/outside.py [--sizes 1e5 1e6 5e6 2e7] [--rounds 3] [--python PYTHON ...] [--json FILE]

Prints for each interpreter and size: resident memory, gc.collect() in the process, how long it stood
still (also per GB copied), the whole `refchain why PID` and its peak memory beyond the copy per
object, gcore's time. Goals: pause 0.5 s/GB, whole why 3 x gc.collect() from 5 million containers,
copy + 60 bytes an object.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TARGET = """
import gc, sys, threading, time
def restless():  # or the process sleeps, and need not be stopped at all
    while True: time.sleep(0.0005)
threading.Thread(target=restless, daemon=True).start()
class Item:
    def __init__(self, i): self.i = i
class Leaked: pass
n = int(sys.argv[1]) // 4
keep = []
for i in range(n):
    keep += [Item(i), {"k": i}, [i, i], (i, keep)]
registry = {str(i): Leaked() for i in range(137)}
gc.collect()
print("READY", flush=True)
for line in sys.stdin:
    start = time.perf_counter(); gc.collect()
    print(time.perf_counter() - start, flush=True)
"""


def refchain():
    return os.environ.get("REFCHAIN_BIN") or shutil.which("refchain") or ".venv/bin/refchain"


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def run_why(pid):
    """Wall seconds, CPU seconds, pause, bytes copied, peak bytes, objects."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [refchain(), "why", str(pid), "__main__.Leaked", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, talk = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        sys.exit(f"refchain why: {talk.decode()}")
    answer = json.loads(out)
    assert answer["objects"] == 137 and answer["holders"], answer
    pause, mib = re.search(r"still for ([\d.]+) s, ([\d.]+) MiB", talk.decode()).groups()
    return {
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "pause_s": float(pause),
        "copied": float(mib) * 2**20,
        "peak": usage.ru_maxrss * 1024,
        "objects": answer["heap"]["objects"] if "heap" in answer else None,
    }


def run_gcore(pid):
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        done = subprocess.run(["gcore", "-o", folder + "/c", str(pid)], capture_output=True)
        return time.perf_counter() - start if done.returncode == 0 else None


def count_objects(pid):
    out = subprocess.run([refchain(), "top", str(pid), "--json"], capture_output=True).stdout
    return json.loads(out)["objects"]


def measure(python, size, rounds):
    process = subprocess.Popen(
        [python, "-c", TARGET, str(int(size))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == b"READY\n"
        num_objects = count_objects(process.pid)
        rows = []
        for _ in range(rounds):
            process.stdin.write(b"gc\n")
            process.stdin.flush()
            row = {"gc_s": float(process.stdout.readline())}
            row.update(run_why(process.pid))
            row["gcore_s"] = run_gcore(process.pid) if shutil.which("gcore") else None
            rows.append(row)
        middle = {
            key: statistics.median(row[key] for row in rows) if rows[0][key] is not None else None
            for key in rows[0]
        }
        return {
            "python": python,
            "size": int(size),
            "rss": resident(process.pid),
            **middle,
            "objects": num_objects,
            "pause_s_per_gb": middle["pause_s"] / (middle["copied"] / 1e9),
            "why_by_gc": statistics.median(r["wall_s"] / r["gc_s"] for r in rows),
            "bytes_an_object": (middle["peak"] - middle["copied"]) / num_objects,
            "rounds": rows,
        }
    finally:
        process.kill()
        process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=float, nargs="+", default=[1e5, 1e6, 5e6])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", nargs="+", default=[sys.executable])
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    head = "python    size     objects   MB RSS   gc s   pause s   s/GB   why s   why/gc   B/obj   gcore s"
    print(head)
    for python in options.python:
        name = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True,
            text=True,
        ).stdout.strip()
        for size in options.sizes:
            row = measure(python, size, options.rounds)
            gcore = f"{row['gcore_s']:.2f}" if row["gcore_s"] else "-"
            print(
                f"{name:6} {size:8.0e} {row['objects']:11,} {row['rss'] / 1e6:8.0f} {row['gc_s']:6.2f} "
                f"{row['pause_s']:9.3f} {row['pause_s_per_gb']:6.2f} {row['wall_s']:7.2f} "
                f"{row['why_by_gc']:8.1f} {row['bytes_an_object']:7.0f} {gcore:>9}",
                flush=True,
            )
            if options.json:
                with open(options.json, "a") as out:
                    out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""refchain watch PID TYPE, and refchain.watch() within a process."""

import json
import os
import pty
import re
import signal
import subprocess
import sys

import inside
import native
import pytest

GROWS = """
import sys, time
class Transport: pass
kept = []
print("ready", flush=True)
for line in sys.stdin:
    kept.extend(Transport() for _ in range(int(line)))
    print("made", flush=True)
"""


class Grower:
    def __init__(self):
        self.popen = subprocess.Popen(
            [sys.executable, "-c", GROWS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.popen.stdout.readline() == b"ready\n"

    def make(self, number):
        self.popen.stdin.write(b"%d\n" % number)
        self.popen.stdin.flush()
        assert self.popen.stdout.readline() == b"made\n"

    def end(self):
        self.popen.stdin.close()
        self.popen.wait()
        self.popen.stdout.close()


@pytest.fixture
def grower():
    grower = Grower()
    yield grower
    if not grower.popen.stdin.closed:
        grower.end()


def start(*words, **more):
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.Popen(
        [native.refchain(), "watch", *map(str, words)], env=environment, **streams
    )


def test_a_sample_is_a_line_and_ctrl_c_ends_with_a_summary(grower):
    grower.make(5)
    watch = start(grower.popen.pid, "Transport", "-i", "0.05")
    first = watch.stdout.readline().decode()
    assert re.fullmatch(r"\d\d:\d\d:\d\d  5 \(\+0\) Transport\n", first)
    grower.make(7)
    while True:
        line = watch.stdout.readline().decode()
        if "12 (+7) Transport" in line:
            break
        assert "5 (+0) Transport" in line
    watch.send_signal(signal.SIGINT)
    _, talk = watch.communicate()
    assert watch.returncode == 0
    assert "Transport  5 to 12 (+7), grew in 1 of" in talk.decode()
    assert re.search(r"stood still \d\.\d{3} s in all", talk.decode())


def test_json_lines(grower):
    grower.make(3)
    words = (grower.popen.pid, "Transport", "Absent", "-i", "0.01", "-c", "3", "--json")
    out, talk = start(*words).communicate()
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["sample"] for row in rows] == [1, 2, 3]
    assert all(row["types"][0] == {"type": "Transport", "objects": 3} for row in rows)
    assert rows[0]["types"][1]["objects"] == 0
    assert "no type is called Absent yet" in talk.decode()
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((native.ROOT / "docs/schema/refchain.watch-1.schema.json").read_text())
    for row in rows:
        jsonschema.Draft202012Validator(schema).validate(row)


def test_a_process_that_ends_is_told(grower):
    watch = start(grower.popen.pid, "Transport", "-i", "0.05", "-c", "100000")
    assert watch.stdout.readline()
    grower.end()
    _, talk = watch.communicate()
    assert watch.returncode == 3  # fewer samples than asked for
    assert "process %d has ended" % grower.popen.pid in talk.decode()
    assert "Transport  0 to 0" in talk.decode()
    gone = native.run("watch", grower.popen.pid, "Transport")
    assert gone.returncode == 4 and b"there is no process" in gone.stderr


def test_the_process_is_not_changed_by_being_watched(grower):
    watch = start(grower.popen.pid, "Transport", "-i", "0.01", "-c", "20")
    for _ in range(50):
        grower.make(1)
    watch.communicate()
    assert watch.returncode == 0
    grower.make(1)


def test_a_busy_process_stands_still_a_tenth_of_the_time_at_most():
    source = "print('ready', flush=True)\nwhile True: pass"
    busy = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE)
    busy.stdout.readline()
    try:
        words = (busy.pid, "dict", "-i", "0.001", "-c", "5", "--json")
        out, talk = start(*words).communicate()
    finally:
        busy.kill()
        busy.wait()
        busy.stdout.close()
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == 5 and all(row["pause_ns"] for row in rows)
    assert talk.decode().count("a tenth of the time") == 1
    for row, later in zip(rows, rows[1:]):
        assert later["time_ns"] - row["time_ns"] >= 9 * row["pause_ns"]


def test_on_a_terminal_it_is_drawn_over_again(grower):
    main, other = pty.openpty()
    watch = start(grower.popen.pid, "Transport", "-i", "0.01", "-c", "3", stdout=other)
    os.close(other)
    seen = b""
    while True:
        try:
            more = os.read(main, 4096)
        except OSError:  # its other side is closed
            break
        if not more:
            break
        seen += more
    os.close(main)
    watch.communicate()
    assert seen.count(b"refchain watch") == 3
    assert seen.count(b"\033[3A\033[J") == 2
    assert "\u2581\u2581\u2581" in seen.decode()


def test_wrong_words_are_a_usage_error():
    for words in (["1"], ["app.rch", "A"], ["1", "A", "-i", "0"], ["1", "A", "-i", "x"]):
        assert native.run("watch", *words).returncode == 2, words


# --- within a process ---


def test_within_a_process(tmp_path):
    source = """
        import io, time
        class Transport: pass
        kept = [Transport() for _ in range(4)]
        out = io.StringIO()
        called = []
        with refchain.watch("Transport", "*.Absent", interval=0.005, file=out,
                            on_sample=called.append) as seen:
            before = len(seen.samples)
            kept.extend(Transport() for _ in range(6))
            while seen.samples[-1].counts["Transport"] < 10:
                time.sleep(0.001)
        samples = seen.samples
        tell({"first": samples[0].counts, "last": samples[-1].counts, "text": out.getvalue(),
              "calls": called == samples, "repr": repr(seen)})
    """
    data = inside.ask(tmp_path, source)
    assert data["first"] == {"Transport": 4, "*.Absent": 0}
    assert data["last"] == {"Transport": 10, "*.Absent": 0}
    assert "10 (+6)" in data["text"] and "\u2581" in data["text"] and "\u2588" in data["text"]
    assert "Transport  4 to 10 (+6)" in data["text"] and data["calls"]
    assert "Transport  4 to 10 (+6); *.Absent  0 to 0 (+0)" in data["repr"]


def test_count_ends_it_and_wrong_arguments_are_refused(tmp_path):
    source = """
        seen = refchain.watch("list", interval=0.001, count=3, file=None)
        seen.wait()
        wrong = []
        for args, more in (((), {}), (("A",), {"interval": 0}), (("A",), {"count": 0})):
            try:
                refchain.watch(*args, **more)
            except (TypeError, ValueError) as error:
                wrong.append(str(error))
        tell({"samples": len(seen.samples), "wrong": wrong})
    """
    data = inside.ask(tmp_path, source)
    assert data["samples"] == 3 and len(data["wrong"]) == 3


def test_a_closed_file_ends_nothing(tmp_path):
    source = """
        import io
        out = io.StringIO()
        out.close()
        seen = refchain.watch("list", interval=0.001, count=3, file=out)
        seen.wait()
        tell(len(seen.samples))
    """
    assert inside.ask(tmp_path, source) == 3

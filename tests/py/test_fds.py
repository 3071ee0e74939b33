# SPDX-License-Identifier: MIT
"""Open descriptors: what the system lists, joined to the objects that say they have them. The truth is
what the program itself knows: fileno(), getsockname(), getpeername()."""

import json

import inside
import native
import pytest

# A program with descriptors of all kinds. `expect(fd, owner, **facts)` notes what must be found.
MANY = """
import ctypes, gc, mmap, os, pathlib, select, selectors, socket, ssl, subprocess, tempfile
import multiprocessing.connection as mpc

expected = {}

def expect(fd, owner, of=None, **facts):
    kind = None if owner is None else {"address": hex(id(owner)), "of": of}
    assert fd not in expected
    expected[fd] = {"owner": kind, **facts}

def address(pair):
    return "%s:%d" % (("[%s]" if ":" in pair[0] else "%s") % pair[0], pair[1])

folder = pathlib.Path(sys.argv[1])
keep = []

class Client:
    def __init__(self, where):
        self.sock = socket.create_connection(where)

class Sub(socket.socket):
    def fileno(self):
        if asked_by_us:
            return super().fileno()
        raise SystemExit("code of the program was run")
    def __getattribute__(self, name):
        if not asked_by_us:
            os._exit(7)
        return super().__getattribute__(name)

asked_by_us = True
server = socket.create_server(("127.0.0.1", 0))
here = server.getsockname()
expect(server.fileno(), server, kind="socket", protocol="TCP", state="LISTEN", local=address(here),
       peer=None)
client = Client(here)
accepted = server.accept()[0]
expect(client.sock.fileno(), client.sock, "__main__.Client", protocol="TCP", state="ESTABLISHED",
       local=address(client.sock.getsockname()), peer=address(here))
expect(accepted.fileno(), accepted, local=address(here), peer=address(accepted.getpeername()))
half = Client(here)
server.accept()[0].close()
expect(half.sock.fileno(), half.sock, "__main__.Client", state="CLOSE_WAIT", peer=address(here))
sub = Sub(socket.AF_INET, socket.SOCK_DGRAM)
sub.bind(("127.0.0.1", 0))
expect(sub.fileno(), sub, protocol="UDP", state="UNCONNECTED", local=address(sub.getsockname()))
fresh = socket.socket()
expect(fresh.fileno(), fresh, protocol="TCP", state="CLOSE", local=None, peer=None)
if socket.has_ipv6:
    try:
        six = socket.create_server(("::1", 0), family=socket.AF_INET6)
        expect(six.fileno(), six, protocol="TCP", local=address(six.getsockname()))
    except OSError:
        pass

left, right = socket.socketpair()
expect(left.fileno(), left, protocol="UNIX stream", state="CONNECTED", peer="fd %d" % right.fileno())
expect(right.fileno(), right, peer="fd %d" % left.fileno())
named = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
named.bind(str(folder / "a socket"))
named.listen()
expect(named.fileno(), named, protocol="UNIX seqpacket", state="LISTEN",
       local=str(folder / "a socket"))

plain, encrypted = socket.create_connection(here), None
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(
    plain, server_hostname="x", do_handshake_on_connect=False)
assert plain.fileno() == -1 and tls.fileno() >= 0
expect(tls.fileno(), tls, protocol="TCP", state="ESTABLISHED")

text = open(folder / "text", "w+")
expect(text.fileno(), text.buffer.raw, "_io.TextIOWrapper", kind="file", state=None,
       local=str(folder / "text"))
raw = open(folder / "raw", "wb", buffering=0)
expect(raw.fileno(), raw, kind="file", local=str(folder / "raw"))
gone = open(folder / "gone", "wb")
os.unlink(folder / "gone")
expect(gone.fileno(), gone.raw, "_io.BufferedWriter", state="deleted", local=str(folder / "gone"))
temporary = tempfile.NamedTemporaryFile(dir=folder)
expect(temporary.fileno(), temporary.file.raw, local=temporary.name)
text.write("x" * 5000)
text.flush()
mapped = mmap.mmap(text.fileno(), 0)  # dup()s it
links = {int(n): "/proc/self/fd/" + n for n in os.listdir("/proc/self/fd")}
[dup] = [n for n, link in links.items() if n != text.fileno() and os.path.exists(link)
         and os.path.samefile(link, text.name)]
expect(dup, mapped, kind="file", local=text.name)

child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
expect(child.stdin.fileno(), child.stdin.raw, "subprocess.Popen", kind="pipe", state="write end",
       peer="pid %d fd 0" % child.pid)
expect(child.stdout.fileno(), child.stdout.raw, "subprocess.Popen", kind="pipe", state="read end",
       peer="pid %d fd 1" % child.pid)
one, other = mpc.Pipe()
expect(one.fileno(), one, kind="socket", peer="fd %d" % other.fileno())
reader, writer = mpc.Pipe(False)
expect(reader.fileno(), reader, kind="pipe", state="read end", peer="fd %d" % writer.fileno())

class MyConnection(mpc.Connection):
    pass
mine = MyConnection(other._handle)  # the same descriptor twice
other._handle = None
expect(mine.fileno(), mine, kind="socket")

poll = select.epoll()
poll.register(server)
expect(poll.fileno(), poll, kind="epoll", state="1 watched", peer="fd %d" % server.fileno())
selector = selectors.DefaultSelector()
selector.register(left, selectors.EVENT_READ)
expect(selector.fileno(), selector._selector, "selectors.EpollSelector", kind="epoll")

bare, bare_write = os.pipe()
expect(bare, None, kind="pipe", state="read end", peer="fd %d" % bare_write)
memory = os.memfd_create("some memory") if hasattr(os, "memfd_create") else None
if memory is not None:
    expect(memory, None, kind="memfd", local="some memory")
directory = os.open(folder, os.O_RDONLY)
expect(directory, None, kind="directory", local=str(folder))
looked_at = open(bare_write, "wb", buffering=0, closefd=False)
expect(bare_write, looked_at, kind="pipe", state="write end")  # nobody else has it
borrowed = open(raw.fileno(), "wb", buffering=0, closefd=False)  # raw has it

closed = socket.socket()
closed.close()
stale = socket.socket()
stale_fd = stale.fileno()
expect(stale_fd, stale, kind=None, state="not open")
os.close(stale_fd)
"""

FINISH = """
os.dup2(0, stale_fd)  # for the destructor
child.kill()
child.wait()
"""


def assert_expected(answer, expected):
    rows = {row["fd"]: row for row in answer["descriptors"]}
    for fd, facts in expected.items():
        row, owner = rows[int(fd)], facts.pop("owner")
        for key, value in facts.items():
            assert row[key] == value, (fd, key, row)
        if owner is None:
            assert row["owner"] is None, row
        else:
            assert row["owner"]["address"] == owner["address"], (fd, row)
            if owner["of"]:
                assert row["owner"]["of"] == owner["of"], (fd, row)
            assert row["also"] == [], row


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """The answer of a process with many descriptors about itself, and what must be in it."""
    folder = tmp_path_factory.mktemp("fds")
    source = (
        MANY
        + """
asked_by_us = False
fds = refchain.snapshot(fds=True).fds()
refchain.dump(folder / "fds.rch")
refchain.dump(folder / "secret.rch", fds=False)
asked_by_us = True
listed = sorted(int(n) for n in os.listdir("/proc/self/fd"))
tell({"data": fds.data, "text": repr(fds), "expected": expected, "listed": listed})
"""
        + FINISH
    )
    return folder, inside.ask(folder, source, folder)


def test_every_descriptor_has_the_owner_and_the_facts_that_the_program_knows(many):
    _, told = many
    assert_expected(told["data"], told["expected"])


def test_exactly_the_open_descriptors_are_listed(many):
    _, told = many
    listed = {row["fd"] for row in told["data"]["descriptors"] if row["kind"] is not None}
    # the program's own listing has a descriptor of its own, which is closed by now
    assert listed <= set(told["listed"]) and len(set(told["listed"]) - listed) == 1
    gone = [row["fd"] for row in told["data"]["descriptors"] if row["kind"] is None]
    assert gone == [fd for fd in map(int, told["expected"]) if fd in gone] and len(gone) == 1
    assert told["data"]["listed"] is True


def test_a_closed_socket_owns_nothing_and_a_borrowed_file_only_where_nobody_else_does(many):
    _, told = many
    for row in told["data"]["descriptors"]:
        assert row["fd"] >= 0 and row["also"] == []
    standard = {row["fd"]: row["owner"] for row in told["data"]["descriptors"] if row["fd"] <= 2}
    assert [owner["type"] for owner in standard.values()] == ["_io.FileIO"] * 3
    assert [owner["of"] for owner in standard.values()] == ["_io.TextIOWrapper"] * 3


def test_the_snapshot_of_dump_answers_the_same_from_the_shell(many):
    folder, told = many
    done = native.run("fds", folder / "fds.rch", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    assert answer["source"] == "snapshot %s" % (folder / "fds.rch")
    places = [(d["fd"], d["kind"], d["local"], d["peer"]) for d in answer["descriptors"]]
    own = [(d["fd"], d["kind"], d["local"], d["peer"]) for d in told["data"]["descriptors"]]
    assert places == own
    owners = [d["owner"] and d["owner"]["address"] for d in answer["descriptors"]]
    assert owners == [d["owner"] and d["owner"]["address"] for d in told["data"]["descriptors"]]


def test_a_snapshot_without_the_list_knows_owners_and_no_addresses(many):
    folder, told = many
    done = native.run("fds", folder / "secret.rch", "--json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert answer["listed"] is False and answer["unowned"] == 0
    owned = [d["fd"] for d in told["data"]["descriptors"] if d["owner"]]
    assert [d["fd"] for d in answer["descriptors"]] == owned
    assert all(d["local"] is None and d["kind"] is None for d in answer["descriptors"])
    assert str(folder / "raw").encode() not in (folder / "secret.rch").read_bytes()
    assert str(folder / "raw").encode() in (folder / "fds.rch").read_bytes()
    assert b"list of descriptors is not in here" in native.run("fds", folder / "secret.rch").stdout


def test_text_of_python_and_of_the_program_are_one(many):
    _, told = many
    head = told["text"].splitlines()[0]
    assert head.startswith("refchain fds  %d descriptors, " % len(told["data"]["descriptors"]))
    assert max(map(len, told["text"].splitlines())) <= 100


# ---- groups and holders -------------------------------------------------------------------------

POOL = """
import socket

class Transport:
    def __init__(self, where):
        self.sock = socket.create_connection(where)

class Pool:
    def __init__(self):
        self.idle = []

server = socket.create_server(("127.0.0.1", 0), backlog=200)
pool, registry, accepted = Pool(), {}, []
for i in range(141):
    transport = Transport(server.getsockname())
    pool.idle.append(transport)
    if i % 3 == 0:
        registry[i] = transport
    accepted.append(server.accept()[0])
del transport
"""


def test_141_sockets_are_one_group_with_both_holders(tmp_path):
    told = inside.ask(
        tmp_path,
        POOL
        + """
fds = refchain.snapshot(fds=True).fds(why=True)
[group] = [g for g in fds.groups if g.of == "__main__.Transport"]
tell({"group": group.data, "fds": sorted(t.sock.fileno() for t in pool.idle),
      "peer": "%s:%d" % server.getsockname(), "text": repr(fds),
      "others": [g.data for g in fds.groups if g.of != "__main__.Transport"][0]})
""",
    )
    group = told["group"]
    assert (group["descriptors"], group["alike_in"], group["place"]) == (141, "peer", told["peer"])
    assert (group["owner"], group["state"]) == ("socket.socket", "ESTABLISHED")
    assert group["fds"] == told["fds"]
    why = group["why"]
    assert why["objects"] == 141 == why["all_cut"]["question"]
    assert [(h["root"]["name"], h["holds"], h["holds_only"]) for h in why["holders"]] == [
        ("__main__", 141, 94),
        ("__main__", 47, 0),
    ]
    assert inside.hops(why["holders"][0]) == [".pool", ".idle", "[*]", ".sock"]
    assert (
        "141 TCP sockets to %s, ESTABLISHED ─ __main__.Transport ─ 2 holders" % told["peer"]
        in (told["text"])
    )
    # the other ends, in the server: alike in its own address
    assert (told["others"]["descriptors"], told["others"]["alike_in"]) == (141, "local")
    assert told["others"]["place"] == told["peer"]


def test_groups_that_are_not_shown_are_counted(tmp_path):
    told = inside.ask(
        tmp_path,
        POOL
        + """
fds = refchain.snapshot(fds=True).fds(why=True, limit=1)
tell({"why": ["why" in g.data for g in fds.groups], "owned": sum(g.owner is not None
      for g in fds.groups), "text": repr(fds)})
""",
    )
    assert told["why"] == [True] + [False] * (len(told["why"]) - 1)
    assert "%d more groups not shown (--limit)" % (told["owned"] - 1) in told["text"]


# ---- what cannot be trusted ----------------------------------------------------------------------


def test_names_of_files_cannot_write_to_the_terminal(tmp_path):
    source = r"""
import os, socket
names = ["evil \x1b[31m\x07", "two\nlines", "back\u202eward", os.fsdecode(b"broken \xff utf-8"),
         "quote\"'", "%s%n"]
files = [open(os.path.join(sys.argv[1], name), "wb") for name in names]
abstract = socket.socket(socket.AF_UNIX)
abstract.bind(b"\0evil\x1b[2J %d" % os.getpid())
refchain.dump(os.path.join(sys.argv[1], "evil.rch"))
tell([f.fileno() for f in files])
"""
    told = inside.ask(tmp_path, source, tmp_path)
    for args in [(), ("--all",), ("--why",)]:
        done = native.run("fds", tmp_path / "evil.rch", *args)
        assert done.returncode == 0
        assert not set(done.stdout) & (set(range(32)) - {10}) and b"\xe2\x80\xae" not in done.stdout
        assert all(len(line) <= 100 for line in done.stdout.decode().splitlines())
    answer = json.loads(native.run("fds", tmp_path / "evil.rch", "--json").stdout)
    rows = {d["fd"]: d for d in answer["descriptors"]}
    assert rows[told[1]]["local"] == str(tmp_path / "two\nlines")
    assert rows[told[5]]["local"] == str(tmp_path / "%s%n")


def test_inherited_descriptors_belong_to_nobody(tmp_path):
    source = """
import os, subprocess
r, w = os.pipe()
code = ("import json, refchain; g = refchain.snapshot(fds=True).fds();"
        "print('@@' + json.dumps([d for d in g.data['descriptors'] if d['fd'] > 2]))")
out = subprocess.run([sys.executable, "-c", code], pass_fds=[r], stdout=subprocess.PIPE, check=True)
rows = json.loads(out.stdout.decode().split("@@")[1])
tell([[d for d in rows if d["fd"] == r], os.getpid(), w])
"""
    [row], pid, w = inside.ask(tmp_path, source)
    assert row["owner"] is None and row["state"] == "read end"
    assert row["peer"] == "pid %d fd %d" % (pid, w)


def test_a_file_of_sqlite_is_owned_by_nobody_and_says_who_may(tmp_path):
    source = """
import os, sqlite3
db = sqlite3.connect(os.path.join(sys.argv[1], "app.db"))
db.execute("pragma journal_mode=wal")
db.execute("create table t (a)")
tell(refchain.snapshot(fds=True).fds().data)
"""
    data = inside.ask(tmp_path, source, tmp_path)
    groups = [g for g in data["groups"] if g["place"] == str(tmp_path / "app.db")]
    assert [g["owner"] for g in groups] == [None]
    assert "1 sqlite3.Connection is alive" in groups[0]["note"]


def test_looking_opens_nothing_that_stays(tmp_path):
    source = """
import os
def num():
    return len(os.listdir("/proc/self/fd"))
refchain.snapshot(fds=True).fds(why=True)
before = num()
for _ in range(3):
    refchain.snapshot(fds=True).fds(why=True)
tell([before, num()])
"""
    before, after = inside.ask(tmp_path, source)
    assert before == after


def test_an_event_loop_has_its_epoll_and_the_transport_its_socket(tmp_path):
    source = """
import asyncio

class Echo(asyncio.Protocol):
    pass

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    where = server.sockets[0].getsockname()
    transport, _ = await loop.create_connection(Echo, *where)
    await asyncio.sleep(0)
    fds = refchain.snapshot(fds=True).fds()
    peer = "%s:%d" % where
    tell({"epoll": [d.owner.of for d in fds if d.kind == "epoll"],
          "client": [d.owner.of for d in fds if d.peer == peer]})
    transport.close()
    server.close()

asyncio.run(main())
"""
    told = inside.ask(tmp_path, source)
    assert told["epoll"] == ["asyncio.unix_events._UnixSelectorEventLoop"]
    assert told["client"] == ["asyncio.selector_events._SelectorSocketTransport"]

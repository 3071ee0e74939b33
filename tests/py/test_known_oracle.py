# SPDX-License-Identifier: MIT
"""The list of known leaks, read by us and by a naive reader in Python: the same entries, or both refuse."""

import datetime
import os
import re

import pytest

pytest.importorskip("hypothesis")
from hypothesis import example, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from refchain import _core  # noqa: E402

EXAMPLES = int(os.environ.get("RCH_EXAMPLES", "600"))
PRINTS = st.one_of(
    st.sampled_from(["rc1:%016x" % i for i in range(4)]),
    st.from_regex(r"rc[12]:[0-9a-fA-F]{15,17}", fullmatch=True),
)
DAYS = st.one_of(
    st.dates().map(str),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True),
    st.text("0123456789-", max_size=11),
)
WORDS = st.one_of(
    PRINTS, DAYS.map("until={}".format), st.sampled_from(["#", "# x", "until=", "why", "<<<<<<<"]),
    st.text(max_size=5),
)  # fmt: skip
SPACES = st.sampled_from([" ", "  ", "\t", " \t", "\r", ""])
ENDS = st.sampled_from(["\n", "\r\n", "\n\n", "\n \n"])


@st.composite
def lists(draw):
    """Mostly entries, some of them wrong."""
    text = ""
    for _ in range(draw(st.integers(0, 5))):
        if draw(st.booleans()):
            until = draw(st.one_of(st.none(), st.dates()))
            text += draw(PRINTS) + " " + (f"until={until} " if until else "") + draw(st.text("ab# "))
        else:
            for word in draw(st.lists(WORDS, max_size=4)):
                text += draw(SPACES) + word
        text += draw(ENDS)
    return (text[: -1 or None] if draw(st.booleans()) else text).encode()


class Wrong(Exception):
    pass


def entry_of(line):
    parts = re.split(rb"[ \t\r]+", line, maxsplit=1)
    if not re.fullmatch(rb"rc1:[0-9a-f]{16}", parts[0]):
        raise Wrong
    reason, until = (parts[1] if len(parts) > 1 else b""), None
    if reason.startswith(b"until="):
        day, _, reason = re.sub(rb"[ \t\r]+", b" ", reason, count=1).partition(b" ")
        if not re.fullmatch(rb"until=[0-9]{4}-[0-9]{2}-[0-9]{2}", day):
            raise Wrong
        try:
            until = str(datetime.date(*map(int, day[6:].split(b"-"))))
        except ValueError:
            raise Wrong from None
    if not reason or len(reason) > 1000 or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", reason):
        raise Wrong
    return parts[0].decode(), reason.decode("utf-8", "backslashreplace"), until


def naive(text):
    found = {}
    for number, line in enumerate(text.split(b"\n"), 1):
        line = line.strip(b" \t\r")
        if not line or line.startswith(b"#"):
            continue
        fingerprint, reason, until = entry_of(line)
        if fingerprint in found:
            raise Wrong
        found[fingerprint] = (fingerprint, reason, until, number)
    return [found[fingerprint] for fingerprint in sorted(found)]


def or_wrong(read, text, error):
    try:
        return read(text)
    except error:
        return Wrong


@settings(max_examples=EXAMPLES)
@given(lists())
@example(b"rc1:0000000000000000 a\rb")
@example(b"rc1:0000000000000000 until=2026-12-31")
@example(b"rc1:0000000000000000 until=0000-12-31 x")
@example(b"\xef\xbb\xbfrc1:0000000000000000 x")
@example(b"rc1:0000000000000000 \xff\xfe")
def test_both_read_the_same(text):
    assert or_wrong(_core.known, text, ValueError) == or_wrong(naive, text, Wrong)


@settings(max_examples=EXAMPLES)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(text):
    assert or_wrong(_core.known, text, ValueError) == or_wrong(naive, text, Wrong)


def test_the_strategy_makes_lists_that_are_read_and_lists_that_are_not():
    seen = set()

    @settings(max_examples=300, database=None)
    @given(lists())
    def look(text):
        entries = or_wrong(naive, text, Wrong)
        seen.add("refused" if entries is Wrong else len(entries))

    look()
    assert {"refused", 1, 2} <= seen

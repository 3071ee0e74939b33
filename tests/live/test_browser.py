# SPDX-License-Identifier: MIT
"""Pictures in a real browser, light and dark: drawn without errors, every text within its room, no
network, no script of a hostile name."""

import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zlib

import pytest
import refchain
from refchain import Arrow, Box, Picture

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "py"))
import native  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed (Debian: apt install chromium)"),
]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--hide-scrollbars", "--force-device-scale-factor=1", "--enable-logging=stderr",
         "--window-size=1400,1000"]  # fmt: skip
DARK = ["--blink-settings=preferredColorScheme=0"]
EVIL = ["</script><script>document.title='evil'</script>", "<img src=x onerror=alert(1)>", "\u202egnp",
        '" onload="document.title=1', "n" * 10000, "&lt;b&gt;", "\x1b[2J", "漢字" * 20]  # fmt: skip


def browse(folder, page, *flags):
    """Run Chromium on a file; its standard output. Fails if the page has errors."""
    done = subprocess.run([CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags,
                           page.as_uri()], capture_output=True, timeout=120)  # fmt: skip
    errors = [line for line in done.stderr.decode("utf-8", "replace").splitlines()
              if "CONSOLE" in line]  # fmt: skip
    assert done.returncode == 0 and errors == [], errors
    return done.stdout.decode("utf-8", "replace")


def pixels(path):
    """Width, height and rows of RGB(A) bytes of a PNG: 8 bits, not interlaced."""
    data, at, parts = path.read_bytes(), 8, []
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, color, _, _, lace = struct.unpack(">IIBBBBB", data[at + 8:at + 21])
        elif kind == b"IDAT":
            parts.append(data[at + 8:at + 8 + length])
        at += 12 + length
    assert (depth, lace) == (8, 0)
    size = {2: 3, 6: 4}[color]
    raw, rows, last = zlib.decompress(b"".join(parts)), [], bytearray(width * size)
    for y in range(height):
        kind, row = raw[y * (width * size + 1)], bytearray(raw[y * (width * size + 1) + 1:][:width * size])
        for i in range(len(row)):
            a = row[i - size] if i >= size else 0
            b, c = last[i], last[i - size] if i >= size else 0
            near = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            row[i] = (row[i] + (0, a, b, (a + b) // 2, near)[kind]) & 255
        rows.append(row)
        last = row
    return width, height, size, rows


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Pictures by name: an answer, fifty objects one by one, grouped ones, hostile names."""
    folder = tmp_path_factory.mktemp("browser")
    native.make_all(folder)
    fifty = refchain.load(folder / "fifty.rch")
    thousand = [Box("hub", asked=True)] + [Box(f"pkg.mod.Kind{i % 90}") for i in range(1000)]
    return {
        "answer": refchain.load(folder / "story.rch").why("TCPTransport").picture(),
        "hostile answer": refchain.load(folder / "hostile.rch").why("Leak").picture(),
        "fifty": fifty.picture("app.Conn"),
        "few": fifty.picture("app.Conn", limit=10),
        "thousand": Picture.of(thousand, [Arrow(i, i // 11, f"a{i % 5}") for i in range(1, 1001)]),
        "evil": Picture.of([Box(f"{n}\n{n}", title=n, asked=n is EVIL[0]) for n in EVIL],
                           [Arrow(i, i // 2, n, cut=i % 2 == 0) for i, n in enumerate(EVIL)],
                           heading=EVIL[0], sentence=EVIL[1]),
    }  # fmt: skip


NAMES = ["answer", "hostile answer", "fifty", "few", "thousand", "evil"]
MEASURE = """<script>
const out = [];
for (const text of document.querySelectorAll("svg text")) {
    const at = text.getBBox(), group = text.closest("g");
    const box = group && group.querySelector("rect");
    const svg = document.querySelector("svg").viewBox.baseVal;
    const room = box ? box.getBBox() : {x: 0, y: 0, width: svg.width, height: svg.height};
    if (at.width && (at.x < room.x || at.y < room.y - 1 || at.x + at.width > room.x + room.width
        || at.y + at.height > room.y + room.height + 1)) out.push(text.textContent);
}
document.body.textContent = "MEASURED" + JSON.stringify(
    {out, texts: document.querySelectorAll("svg text").length, title: document.title}) + "END";
</script>"""


@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_within_its_room(drawn, name, tmp_path):
    page = tmp_path / "page.html"
    script = MEASURE.replace('document.querySelectorAll("svg text").length', "num").replace(
        "const out = [];", 'const out = [], num = document.querySelectorAll("svg text").length;')
    page.write_text("<!DOCTYPE html><meta charset=utf-8><title>ours</title><body>"
                    + drawn[name].svg() + script, encoding="utf-8")
    text = browse(tmp_path, page, "--dump-dom")
    told = json.loads(re.search("MEASURED(.*)END", text, re.S)[1].replace("&lt;", "<")
                      .replace("&gt;", ">").replace("&amp;", "&"))
    assert told["out"] == [] and told["title"] == "ours" and told["texts"] > 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_is_drawn(drawn, name, scheme, tmp_path):
    page, shot = tmp_path / "x.svg", tmp_path / "x.png"
    drawn[name].save(page)
    browse(tmp_path, page, f"--screenshot={shot}", *(DARK if scheme == "dark" else []))
    width, height, size, rows = pixels(shot)
    corner = tuple(rows[3][3 * size:3 * size + 3])
    assert corner == ((255, 255, 255) if scheme == "light" else (0x0D, 0x11, 0x17))
    colors = {bytes(row[i:i + 3]) for row in rows[::3] for i in range(0, len(row), size)}
    assert len(colors) > 20  # boxes, lines, letters
    red = (0xCF, 0x22, 0x2E) if scheme == "light" else (0xFF, 0x7B, 0x72)
    if "answer" in name:
        assert bytes(red) in colors


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_shown_and_fetches_nothing(drawn, name, tmp_path):
    page = tmp_path / "x.html"
    drawn[name].save(page)
    text = browse(tmp_path, page, "--dump-dom")
    title = re.search("<title>(.*?)</title>", text, re.S)[1]
    assert title not in ("evil", "1") and "<svg" in text and "<img" not in text
    assert not re.search(r"(src|href)\s*=", re.sub(r">[^<]*<", "><", text))

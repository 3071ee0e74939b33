# SPDX-License-Identifier: MIT
"""The mechanical rules hold in this tree; the checker that says so can tell when they do not."""
import re
import subprocess
import sys

import pytest


def check(root, tree):
    """Run the checker of checkout `root` over `tree`; (exit code, output)."""
    done = subprocess.run(
        [sys.executable, str(root / "tools/check_layers.py"), str(tree)],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


def write(tree, name, text):
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_no_module_includes_what_it_may_not(root):
    code, output = check(root, root)
    assert code == 0, output


@pytest.mark.parametrize(
    ("file", "include"),
    [
        ("src/base/vec.c", '"model/graph.h"'),
        ("src/model/graph.c", '"pylayout/layout.h"'),
        ("src/analyze/why/why.c", '"format/rch_file.h"'),
        ("src/analyze/why/why.c", '"capture/capture.h"'),
        ("src/render/text.c", '"target/target.h"'),
        ("src/format/reader.c", '"analyze/why/why.h"'),
        ("src/capture/walk.c", "<Python.h>"),
        ("src/pylayout/detect.c", '  "Python.h"'),
        ("src/cli/main.c", "<Python.h>"),
        ("src/model/graph.c", '"graph.h"'),
        ("src/new_module/x.c", '"model/graph.h"'),
        ("python/ext/module.c", '"cli/main.h"'),
    ],
)
def test_a_wrong_include_is_reported_with_its_line(root, tmp_path, file, include):
    write(tmp_path, file, f"// SPDX\n#include <stdint.h>\n#include {include}\n")
    code, output = check(root, tmp_path)
    assert code == 1
    assert f"{file}:3: error: " in output


@pytest.mark.parametrize(
    ("file", "include"),
    [
        ("src/format/reader.c", '"base/vec.h"'),
        ("src/capture/walk.c", '"base/error.h"'),
        ("src/render/text.c", '"model/graph.h"'),
        ("src/cli/main.c", '"pylayout/layout.h"'),
        ("python/ext/module.c", "<Python.h>"),
        ("python/ext/module.c", '"py.h"'),
    ],
)
def test_an_allowed_include_is_not_reported(root, tmp_path, file, include):
    write(tmp_path, file, f"#include {include}\n")
    assert check(root, tmp_path) == (0, "layers: 1 files, 0 errors\n")


@pytest.mark.parametrize(
    "statement",
    ["strcpy(a, b);", "goto out;", "sprintf (a, b);", "char *p = alloca(n);", "x = strtok(a, b);"],
)
def test_a_banned_function_is_reported(root, tmp_path, statement):
    write(tmp_path, "src/base/x.c", f"void f(void)\n{{\n    {statement}\n}}\n")
    code, output = check(root, tmp_path)
    assert code == 1
    assert re.search(r"src/base/x\.c:3: error: \w+ is banned", output)


def test_words_in_comments_and_strings_are_not_code(root, tmp_path):
    text = """// goto x; strcpy(a, b)
        /* sprintf(a) */ const char *s = "goto \\" gets(x)";
        int forgets(int);
        """
    write(tmp_path, "src/base/x.c", text)
    assert check(root, tmp_path)[0] == 0


@pytest.mark.parametrize(("lines", "word"), [(60, None), (61, "warning"), (121, "error")])
def test_long_functions_are_warned_of_and_very_long_ones_refused(root, tmp_path, lines, word):
    write(tmp_path, "src/base/x.c", "void f(void)\n{\n" + "    g();\n" * lines + "}\n")
    code, output = check(root, tmp_path)
    assert code == (1 if word == "error" else 0)
    assert (f"{word}: a function of {lines} lines" in output) == bool(word)


def test_a_file_of_more_than_a_thousand_lines_is_refused(root, tmp_path):
    write(tmp_path, "src/base/x.c", "int x;\n" * 1001)
    assert check(root, tmp_path)[0] == 1


def test_every_source_file_is_in_the_build(root):
    build = (root / "meson.build").read_text()
    listed = set(re.findall(r"'((?:src|python)/[^']+\.(?:c|h|pyi?|typed))'", build))
    present = {str(f.relative_to(root)) for f in root.glob("src/*/*.c")}
    present |= {str(f.relative_to(root)) for f in root.glob("python/ext/*.c")}
    present |= {str(f.relative_to(root)) for f in root.glob("python/refchain/**/*.py*")
                if "__pycache__" not in f.parts}
    assert present - listed == set(), "not in meson.build"
    assert {f for f in listed if not (root / f).exists()} == set(), "in meson.build only"


def test_every_c_test_is_in_the_build(root):
    text = (root / "meson.build").read_text()
    names = [f.stem[len("test_"):] for f in (root / "tests/c").glob("test_*.c")]
    assert [name for name in names if f"'{name}'," not in text] == []


def test_the_build_lets_modules_use_what_the_checker_lets_them_include(root):
    sys.path.insert(0, str(root / "tools"))
    try:
        from check_layers import USES
    finally:
        sys.path.pop(0)
    table = re.findall(r"'(\w+)': \{\s*'uses': \[([^\]]*)\]", (root / "meson.build").read_text())
    assert {name: re.findall(r"\w+", uses) for name, uses in table} == {
        name: uses for name, uses in USES.items() if name not in ("cli", "ext")
    }

# SPDX-License-Identifier: MIT
"""The demo program leaks what it says it leaks, and both of its mistakes are found."""
import subprocess
import sys


def test_the_demo_names_both_holders_inside_and_from_its_snapshot(root, tmp_path, run_refchain):
    snapshot = tmp_path / "demo.rch"
    done = subprocess.run(
        [sys.executable, str(root / "demo/leaky_app.py"), str(snapshot)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "Sockets still open: 137." in done.stdout
    from_file = run_refchain("why", snapshot, "Transport")
    assert from_file.returncode == 0, from_file.stderr
    for text in (done.stdout, from_file.stdout):
        assert "_on_fork" in text
        assert "encoder_for" in text

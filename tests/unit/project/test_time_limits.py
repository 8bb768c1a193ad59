"""Promise: a test that hangs fails, and its output shows where."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

HANGING = """
import threading

def wait_forever():
    threading.Event().wait()

def test_that_hangs():
    wait_forever()
"""


def test_a_test_that_hangs_fails_and_shows_its_stack(tmp_path: Path) -> None:
    """Without a limit it stops all tests after it, and nobody learns why."""
    (tmp_path / "test_hanging.py").write_text(HANGING)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-o", "timeout=1", "-c", "pyproject.toml"]

    run = subprocess.run(  # noqa: S603
        [*command, "--rootdir", str(tmp_path), str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.returncode == 1
    assert "wait_forever" in run.stdout
    assert "Timeout" in run.stdout


def test_every_test_has_a_limit(pytestconfig: object) -> None:
    """pyproject.toml has the limit for all tests without their own."""
    assert 0 < float(pytestconfig.getini("timeout")) <= 300  # type: ignore[attr-defined]

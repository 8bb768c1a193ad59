"""Promise: a test that hangs fails, and shows where."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

HANGING = """
import threading

def wait_for_nobody():
    threading.Event().wait()

def test_that_hangs():
    wait_for_nobody()
"""


def test_a_test_that_hangs_fails_with_the_stack_of_where_it_hangs(tmp_path: Path) -> None:
    """Without a limit it holds up everything after it, and nobody learns why."""
    (tmp_path / "test_hanging.py").write_text(HANGING)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-o", "timeout=1", "-c", "pyproject.toml"]

    run = subprocess.run(  # noqa: S603
        [*command, "--rootdir", str(tmp_path), str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert run.returncode == 1
    assert "wait_for_nobody" in run.stdout
    assert "Timeout" in run.stdout


def test_every_test_has_a_limit(pytestconfig: object) -> None:
    """The limit stands in pyproject.toml, for all tests that set none of their own."""
    assert 0 < float(pytestconfig.getini("timeout")) <= 300  # type: ignore[attr-defined]

"""What `make` does to set up `.venv`, with a Python that only notes what it is asked to do."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.infrastructure.house import ROOT

PYTHON = """#!/bin/sh
echo "$*" >> "$NOTES"
case "$*" in
    *"config list"*) echo "$PIP_CONFIG" ;;
    "-m uv "*) exit "$UV_CODE" ;;
    "-m local.synthesis") exit 1 ;;
esac
"""
REQUIRED = "--no-deps -r requirements.txt --editable ."
UV, PIP = f"-m uv pip install --system-certs --quiet {REQUIRED}", f"install --quiet --no-compile {REQUIRED}"


@pytest.mark.parametrize(
    ("config", "uv_code", "installed"),
    [
        ("global.timeout='60'", "0", ["-m pip --disable-pip-version-check install --quiet uv==", UV]),
        ("global.extra-index-url='https://pypi.example'", "0", ["install --quiet uv==", UV]),
        ("global.index-url='https://pypi.example'", "0", [PIP]),
        (":env:.index-url='https://pypi.example'", "0", [PIP]),
        ("", "1", ["install --quiet uv==", UV, PIP]),
    ],
)
def test_pip_installs_where_uv_would_not(tmp_path: Path, config: str, uv_code: str, installed: list[str]) -> None:
    """An index of one's own is often the only one that a machine reaches, and uv does not read pip's configuration."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "pyproject.toml").touch()
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o700)
    noted = {"NOTES": str(tmp_path / "notes"), "PIP_CONFIG": config, "UV_CODE": uv_code}

    made = subprocess.run(
        ["/usr/bin/env", "make", "PYTHON=.venv/bin/python", "setup"],
        cwd=tmp_path,
        env={**os.environ, **noted},
        check=False,
        capture_output=True,
        text=True,
    )

    assert made.returncode == 0, made.stderr
    notes = (tmp_path / "notes").read_text().splitlines()
    lines = [line for line in notes if " install " in line]
    assert len(lines) == len(installed)
    assert all(wanted in line for wanted, line in zip(installed, lines, strict=True)), lines
    assert "-m local.synthesis" in notes, "the first run need not synthesize; a failure is left to it"
    assert (tmp_path / ".venv" / "run").exists()

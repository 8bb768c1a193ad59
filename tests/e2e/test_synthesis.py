"""The synthesis depends on the sources only, not on time, chance or the machine."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from local.engine import ROOT
from local.synthesis import synthesize
from tests.e2e.deployers import npx


@pytest.mark.slow
def test_two_syntheses_are_identical(tmp_path: Path) -> None:
    """`cdk diff` must show only real changes, and equal assets are not uploaded twice."""
    first, second = (fingerprints(synthesize(tmp_path / name / "assembly")) for name in ("first", "second"))

    assert first == second
    assert any(name.endswith(".template.json") for name in first)


@pytest.mark.slow
def test_the_command_line_does_not_complain_about_feature_flags(tmp_path: Path) -> None:
    """A warning that every `cdk synth` prints hides the next one."""
    ran = subprocess.run(  # noqa: S603 - as a person types it
        [*npx(), "synth", "--quiet", "--output", str(tmp_path / "assembly")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "feature flags" not in ran.stdout + ran.stderr


def fingerprints(folder: Path) -> dict[str, str]:
    """Return the hash of every deployed file: the template and its assets, without records of pip."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("RECORD", "tree.json") and not path.name.endswith(".metadata.json")
    }

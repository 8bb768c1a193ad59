"""The synthesis depends on the sources only, not on time, chance or the machine."""

import hashlib
from pathlib import Path

import pytest

from local.synthesis import synthesize


@pytest.mark.slow
def test_two_syntheses_are_identical(tmp_path: Path) -> None:
    """`cdk diff` must show only real changes, and equal assets are not uploaded twice."""
    first, second = (fingerprints(synthesize(tmp_path / name / "assembly")) for name in ("first", "second"))

    assert first == second
    assert any(name.endswith(".template.json") for name in first)


def fingerprints(folder: Path) -> dict[str, str]:
    """Return the hash of every deployed file: the template and its assets, without records of pip."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("RECORD", "tree.json") and not path.name.endswith(".metadata.json")
    }

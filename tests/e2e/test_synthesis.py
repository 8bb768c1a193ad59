"""The stack is synthesized from its sources alone: no clock, no chance, no machine in it."""

import hashlib
from pathlib import Path

import pytest

from local.synthesis import synthesize


@pytest.mark.slow
def test_two_syntheses_are_identical(tmp_path: Path) -> None:
    """`cdk diff` must show what somebody changed, and nothing else; equal assets are not uploaded twice."""
    first, second = (fingerprints(synthesize(tmp_path / name / "assembly")) for name in ("first", "second"))

    assert first == second
    assert any(name.endswith(".template.json") for name in first)


def fingerprints(folder: Path) -> dict[str, str]:
    """Hash every file that is deployed: the template and its assets, without what pip notes of its own doings there."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("RECORD", "tree.json") and not path.name.endswith(".metadata.json")
    }

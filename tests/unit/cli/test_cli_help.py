"""The help of commands, compared with texts that a person has read.

To approve a changed text, or to add a command:
`COLUMNS=80 .venv/bin/traffic chart --help > tests/unit/cli/help/chart.txt`
"""

from pathlib import Path

import pytest

from cli.main import main

APPROVED = sorted(Path(__file__).with_name("help").glob("*.txt"))


@pytest.mark.parametrize("approved", APPROVED, ids=lambda path: path.stem)
def test_help_equals_the_approved_text(
    approved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It shows every argument and option, and the examples line by line."""
    monkeypatch.setenv("COLUMNS", "80")

    assert main([approved.stem, "--help"]) == 0

    assert capsys.readouterr().out == approved.read_text(encoding="utf-8")


def test_there_are_approved_texts() -> None:
    """Without the folder, the test above would check nothing."""
    assert len(APPROVED) >= 3

"""The history of an earlier release works after an upgrade: complete, and `traffic verify` finds no difference.

The code of commit e857958 created `landed/history-e857958.tar.xz` from a simulated GitHub: six runs of three
repositories, with a rename, a refused repository, an import, a note and, at the end, a rolling window; and the output
of its `traffic export`. It does not contain the zip of its functions, because an upgrade replaces it.
"""

import csv
import tarfile
from pathlib import Path

import pytest

from simulated_github import SimulatedGitHub
from tests.e2e.commands import Row, Terminal

HISTORY = Path(__file__).parent / "landed" / "history-e857958.tar.xz"

REPOSITORIES = ["acme/tool", "octo/cli", "octo/site"]  # in the order of their ids

CLEAN = "The tables hold exactly what the archive says.\n"


@pytest.fixture
def kept(terminal: Terminal) -> set[Row]:
    """Copy the history to the terminal, and return the rows that its own release exported."""
    with tarfile.open(HISTORY) as packed:
        packed.extractall(terminal.home, filter="data")
    (terminal.home / "history").rename(terminal.home / "loopback")
    with (terminal.home / "days.csv").open(newline="") as file:
        return set(map(tuple, list(csv.reader(file))[1:]))


@pytest.mark.slow
def test_a_history_of_the_landed_version_is_verified_upgraded_and_verified_again(
    terminal: Terminal, kept: set[Row]
) -> None:
    """A new reading rule, archive folder or attribute must never make an old record wrong."""
    with SimulatedGitHub(repositories=REPOSITORIES, seed=7, at="2026-12-20T09:00:00Z") as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN="x")
        before = terminal.traffic("verify")
        ran = terminal.traffic("run")
        after = terminal.traffic("verify")
        exported = terminal.exported()
        rebuilt = terminal.traffic("rebuild")

    assert (before.returncode, before.stdout) == (0, CLEAN), before.stderr
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 of 3 repositories captured" in ran.stdout
    assert (after.returncode, after.stdout) == (0, CLEAN), after.stderr
    assert exported > kept
    assert {row[1] for row in exported - kept} == {f"2026-12-{day:02}T00:00:00Z" for day in range(6, 20)}
    assert list((terminal.home / "loopback" / "s3").glob("*/github-traffic-archive-*/listings/*/*"))
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr

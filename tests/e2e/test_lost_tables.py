"""Promise: the archive alone brings the tables of this machine back."""

import pytest

from local.history_folder import HistoryFolder
from simulated_github import SimulatedGitHub
from tests.e2e.commands import Terminal


@pytest.mark.slow
def test_a_rebuild_restores_the_tables_after_their_file_was_deleted(terminal: Terminal) -> None:
    """Every row comes back, and the next run goes on."""
    with SimulatedGitHub(repositories=["octo/docs", "octo/site"], at="2026-11-20T09:00:00Z") as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN="x")
        assert terminal.traffic("run").returncode == 0
        kept = terminal.exported()
        for file in HistoryFolder(terminal.home / "loopback").engine.glob("tables.sqlite*"):
            file.unlink()

        rebuilt = terminal.traffic("rebuild")
        clean = terminal.traffic("verify")
        exported = terminal.exported()
        github.at("2026-11-21T09:00:00Z")
        ran = terminal.traffic("run")

    assert (rebuilt.returncode, rebuilt.stdout) == (
        0,
        f"Wrote {len(kept) + 6} items. `traffic verify` compares tables and archive.\n",
    )
    assert clean.returncode == 0
    assert exported == kept
    assert ran.returncode == 0
    assert "2 of 2 repositories captured" in ran.stdout

"""The history of an earlier release works after an upgrade: complete, and `traffic verify` finds no difference.

The code of commit e857958 created `landed/history-e857958.tar.xz` from a simulated GitHub: six runs of three
repositories, with a rename, a refused repository, an import, a note and, at the end, a rolling window; and the output
of its `traffic export`. It does not contain the zip of its functions, because an upgrade replaces it.

`landed/killed-e857958.tar.xz` has the files that its next run added before its engine was killed: answers for one of
three repositories were archived, and the tables not saved again.
"""

import csv
import json
import sqlite3
import tarfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from local.history_folder import HistoryFolder
from simulated_github import SimulatedGitHub
from tests.e2e.commands import Row, Terminal

LANDED = Path(__file__).parent / "landed"
HISTORY, KILLED = LANDED / "history-e857958.tar.xz", LANDED / "killed-e857958.tar.xz"

REPOSITORIES = ["acme/tool", "octo/cli", "octo/site"]  # in the order of their ids

CLEAN = "The tables hold exactly what the archive says.\n"


@pytest.fixture
def kept(terminal: Terminal) -> set[Row]:
    """Copy the history to the terminal, and return the rows that its own release exported."""
    unpack(HISTORY, terminal)
    (terminal.home / "history").rename(terminal.home / "loopback")
    terminal.settings.update(GITHUB_API_URL="http://127.0.0.1:1", GITHUB_TOKEN="x")
    with (terminal.home / "days.csv").open(newline="") as file:
        return set(map(tuple, list(csv.reader(file))[1:]))


def unpack(packed: Path, terminal: Terminal) -> None:
    """Unpack files into the terminal's folder of histories."""
    with tarfile.open(packed) as files:
        files.extractall(terminal.home, filter="data")


def items_before(path: Path) -> dict[tuple[str, str, str], Any]:
    """Read the items in the form of that release, by table, partition and sort key."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {
        (table, partition, "" if sort == "__no_sort__" else sort): item
        for (_, _, table), partition, rows in lines
        for sort, item in rows.items()
    }


def items_now(history: HistoryFolder) -> Mapping[tuple[str, str, str], Any]:
    """Read the items of the file of tables."""
    with closing(sqlite3.connect(history.tables)) as database:
        rows = database.execute('SELECT table_name, "partition", sort, item FROM items').fetchall()
    return {(table, partition, sort): json.loads(item) for table, partition, sort, item in rows}


@pytest.mark.usefixtures("kept")
def test_the_tables_of_a_landed_history_are_taken_over_row_for_row(terminal: Terminal) -> None:
    """Their old form stays until a comparison with the archive found no difference."""
    history = HistoryFolder(terminal.home / "loopback")
    (saved,) = history.engine.glob("state-*/dynamodb-items.jsonl")
    before = items_before(saved)

    shown = terminal.traffic("show", "octo/cli")
    taken, still_there = items_now(history), items_before(history.tables_before)
    verified = terminal.traffic("verify")

    assert shown.returncode == 0, shown.stderr
    assert len(before) > 100
    assert taken == still_there == before
    assert (verified.returncode, verified.stdout) == (0, CLEAN), verified.stderr
    assert not history.tables_before.exists()


def test_what_a_killed_engine_of_a_landed_history_had_archived_is_taken_over_too(
    terminal: Terminal, kept: set[Row]
) -> None:
    """The first command merges it; here one that deploys, as the history lacks its functions, and captures nothing."""
    (terminal.home / "loopback").rename(terminal.home / "history")
    unpack(KILLED, terminal)
    (terminal.home / "history").rename(terminal.home / "loopback")
    history = HistoryFolder(terminal.home / "loopback")
    (saved,) = history.engine.glob("state-*/dynamodb-items.jsonl")
    before = items_before(saved)

    with SimulatedGitHub(repositories=[]) as github:
        terminal.settings.update(GITHUB_API_URL=github.url)
        ran = terminal.traffic("run")
    taken, exported = items_now(history), terminal.exported()
    verified = terminal.traffic("verify")

    assert "Restored the table from 1 archive objects" in ran.stderr
    assert exported > kept
    assert {row[:2] for row in exported - kept} == {("octo/cli", f"2026-12-{day:02}T00:00:00Z") for day in range(6, 20)}
    changed = [item for key, item in before.items() if taken[key] != item]
    assert [item["repo-name"]["S"] for item in changed] == ["octo/cli"]
    assert (verified.returncode, verified.stdout) == (0, CLEAN), verified.stderr


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

"""Tables of earlier versions, and a file of tables that is missing."""

import json
from pathlib import Path

import pytest

from local.history_folder import HistoryFolder, Saved, read_marker, write_marker
from local.stored_history import StoredTable
from local.stored_items import EngineTables
from local.takeover import SAVED_ITEMS, DamagedTablesError, begin_tables

STORED_UNTIL = "2026-11-20T09:00:00.000Z"


@pytest.fixture
def history(tmp_path: Path) -> HistoryFolder:
    """A history that an engine saved and left complete."""
    made = HistoryFolder(tmp_path / "history")
    made.prepare()
    (made.engine / "state-000001").mkdir()
    write_marker(made, Saved("state-000001", STORED_UNTIL, complete=True))
    return made


def save_before(history: HistoryFolder) -> Path:
    """Save items in the form of an earlier version; its marker does not say whether the tables are complete."""
    home = ["000000000000", "us-east-1"]
    lines = [
        [[*home, "Days"], "octo/a", {day: {"repo-name": {"S": "octo/a"}, "day": {"S": day}} for day in ("d2", "d1")}],
        [[*home, "Names"], "1", {"__no_sort__": {"id": {"S": "1"}}}],
        [["000000000000", "eu-west-1", "Names"], "2", {"__no_sort__": {"id": {"S": "2"}}}],
    ]
    path = history.engine / "state-000001" / SAVED_ITEMS
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    history.marker.write_text(json.dumps({"generation": "state-000001", "stored_until": STORED_UNTIL}))
    return path


def test_tables_of_an_earlier_version_are_taken_over_and_kept(history: HistoryFolder) -> None:
    """What it saved stays valid: only later archive objects are stored again."""
    before = save_before(history)
    text = before.read_text()

    begin_tables(history).close()

    days, names = StoredTable(history.tables, "Days"), StoredTable(history.tables, "Names")
    assert [item["day"] for item in days.every_item()] == ["d1", "d2"]
    assert list(names.every_item()) == [{"id": "1"}]
    assert not before.exists()
    assert history.tables_before.read_text() == text
    assert read_marker(history) == Saved("state-000001", STORED_UNTIL)


def test_an_interrupted_takeover_is_repeated(history: HistoryFolder) -> None:
    """A kill leaves the old form where it was, and none or all of the rows."""
    before = save_before(history)
    whole = before.read_text()
    before.write_text(whole + '["cut off')
    with pytest.raises(json.JSONDecodeError):
        begin_tables(history)
    assert before.exists()
    assert list(StoredTable(history.tables, "Days").scan()) == []

    before.write_text(whole)
    begin_tables(history).close()
    before.write_text(whole)  # as if the kill came before it was renamed
    begin_tables(history).close()

    assert len(list(StoredTable(history.tables, "Days").scan())) == 2


def test_once_an_engine_starts_the_tables_no_longer_count_as_complete(history: HistoryFolder) -> None:
    """It may archive something and be killed."""
    EngineTables(history.tables).close()

    begin_tables(history).close()

    assert read_marker(history) == Saved("state-000001", STORED_UNTIL)


def test_without_the_file_nothing_of_the_archive_counts_as_stored(history: HistoryFolder) -> None:
    """A file that was deleted or moved away is written again from the archive."""
    begin_tables(history).close()

    assert read_marker(history) == Saved("state-000001")


def test_a_damaged_file_is_reported_with_what_to_do(history: HistoryFolder) -> None:
    """Nothing is lost: the archive has everything."""
    history.tables.write_text("not a database" * 100)

    with pytest.raises(DamagedTablesError) as raised:
        begin_tables(history)

    assert str(raised.value) == (
        f"{history.tables} cannot be read (file is not a database): move it elsewhere, and the next command writes it"
        " again from the archive"
    )

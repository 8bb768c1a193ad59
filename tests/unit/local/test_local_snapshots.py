from pathlib import Path

import pytest

from local import history_folder
from local.history_folder import HistoryFolder, Saved, current_generation, read_marker, write_generation


@pytest.fixture
def history(tmp_path: Path) -> HistoryFolder:
    """A history without a save."""
    made = HistoryFolder(tmp_path / "history")
    made.prepare()
    return made


def save(history: HistoryFolder, text: str, stored_until: str | None = None) -> None:
    """Save one file."""

    def write(folder: Path) -> None:
        (folder / "dynamodb.json").write_text(text)

    write_generation(history, stored_until, write)


def test_the_newest_generation_is_valid_and_older_ones_are_deleted(history: HistoryFolder) -> None:
    """At most two generations need space on disk."""
    save(history, "one")
    save(history, "two", "2026-11-20T09:00:00Z")

    assert (current_generation(history) / "dynamodb.json").read_text() == "two"
    assert read_marker(history) == Saved("state-000002", "2026-11-20T09:00:00Z")
    assert [folder.name for folder in history.engine.glob("state-*")] == ["state-000002"]


def test_after_a_failed_save_the_last_one_is_still_valid(history: HistoryFolder) -> None:
    """A full disk must not destroy the tables."""
    save(history, "one", "2026-11-20T09:00:00Z")

    def fail_half_way(folder: Path) -> None:
        (folder / "dynamodb.json").write_text("tw")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        write_generation(history, "2026-11-21T09:00:00Z", fail_half_way)
    assert (current_generation(history) / "dynamodb.json").read_text() == "one"
    assert read_marker(history).stored_until == "2026-11-20T09:00:00Z"


def test_an_incomplete_save_of_a_killed_engine_is_deleted(history: HistoryFolder) -> None:
    """The services in it were saved at different times and may contradict each other."""
    save(history, "one")
    (history.engine / "state-000002").mkdir()

    assert current_generation(history).name == "state-000001"
    assert not (history.engine / "state-000002").exists()


def test_nobody_else_can_read_the_saved_secret(history: HistoryFolder) -> None:
    """A file there contains the token."""
    assert history.engine.stat().st_mode & 0o077 == 0
    assert history.objects.stat().st_mode & 0o077 == 0


def test_every_file_of_a_history_has_its_place(tmp_path: Path) -> None:
    """A later version must find the files of this one."""
    history = HistoryFolder(tmp_path)
    paths = {name: getattr(history, name).relative_to(tmp_path) for name in PLACES}

    assert {name: str(path) for name, path in paths.items()} == PLACES


PLACES = {
    "log": "engine.log",
    "objects": "s3",
    "engine": "engine",
    "lock": "engine/lock",
    "users": "engine/users",
    "running": "engine/running.json",
    "scratch": "engine/tmp",
    "functions": "engine/functions",
    "marker": "engine/saved.json",
}


def test_a_save_is_on_disk_before_it_replaces_the_last_one(
    history: HistoryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut, the marker must not lead to empty files."""
    flushed: list[str] = []

    def flush(path: Path) -> None:
        flushed.append(f"{path.relative_to(history.root)} {read_marker(history).generation}")

    monkeypatch.setattr(history_folder, "flush_to_disk", flush)
    save(history, "one")

    assert flushed == [
        "engine/state-000001/dynamodb.json None",
        "engine/state-000001 None",
        "engine/saved.json.new None",
        "engine state-000001",
    ]
    assert history.marker.stat().st_mode & 0o777 == 0o600
    assert (history.engine / "state-000001").stat().st_mode & 0o777 == 0o700

from pathlib import Path

import pytest

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

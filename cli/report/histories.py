"""Reads what is stored about each repository, for the report."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from cli.terminal import counted
from traffic.record.archive import Archive
from traffic.record.notes import read_notes
from traffic.record.reading import Capture, DayRow, ListedRow, Record

EPOCH = date(1970, 1, 1).toordinal()


@dataclass
class RepositoryHistory:
    """Everything that is stored about one repository. Days are counted from 1970-01-01.

    Attributes:
        name: Its current name; the key of its rows if no name is known, or if another repository has the same name.
        former: Its earlier names.
        days: Its rows by day.
        captures: By the day of a capture, the last of each week: the rows of `referrers` and `paths`. A list that
            GitHub did not return is absent.
        notes: The days and texts of its notes, in order.
    """

    name: str
    former: tuple[str, ...] = ()
    days: dict[int, DayRow] = field(default_factory=dict)
    captures: dict[int, dict[str, list[ListedRow]]] = field(default_factory=dict)
    notes: list[tuple[int, str]] = field(default_factory=list)


def read_histories(record: Record, archive: Archive) -> list[RepositoryHistory]:
    """Read the histories of all repositories, sorted by name."""
    by_key: dict[str, RepositoryHistory] = {}
    by_id: dict[int, RepositoryHistory] = {}
    for repository in record.every_repository():
        former = tuple(name for name in repository.entry.names if name != repository.name)
        by_id[repository.id] = by_key[repository.repo_name] = RepositoryHistory(repository.name, former)
    for row in counted(record.every_day(), "days"):
        by_key.setdefault(row.repo_name, RepositoryHistory(row.repo_name)).days[_epoch_day(row.day)] = row
    for id_, captures in _last_captures(record).items():
        if id_ in by_id:
            by_id[id_].captures = {_epoch_day(capture.day): _lists(capture) for capture in captures.values()}
    for note in read_notes(archive):
        history = by_key.setdefault(note.repo_name, RepositoryHistory(note.repo_name))
        history.notes.append((_epoch_day(note.day), note.text))
    _make_names_unique(by_key)
    return sorted(by_key.values(), key=lambda history: history.name.lower())


def _make_names_unique(by_key: Mapping[str, RepositoryHistory]) -> None:
    """Name repositories by their keys if they share a name, as a deleted repository and its successor do."""
    times = Counter(history.name for history in by_key.values())
    for key, history in by_key.items():
        if times[history.name] > 1:
            history.name = key


def _last_captures(record: Record) -> dict[int, dict[int, Capture]]:
    """Read the last capture of each week, by id and week: each covers 14 days, so one a week is enough."""
    last: dict[int, dict[int, Capture]] = {}
    for capture in counted(record.every_capture(), "captures"):
        weeks = last.setdefault(capture.repo_id, {})
        week = (_epoch_day(capture.day) + 3) // 7  # 1970-01-01 was a Thursday: weeks begin on Monday
        if week not in weeks or capture.day > weeks[week].day:
            weeks[week] = capture
    return last


def _lists(capture: Capture) -> dict[str, list[ListedRow]]:
    return {name: rows for name in ("referrers", "paths") if (rows := capture.listed(name)) is not None}


def _epoch_day(day: str) -> int:
    return date.fromisoformat(day).toordinal() - EPOCH

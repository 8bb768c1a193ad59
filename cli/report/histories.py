"""Reads what is kept of each repository, for the report.

A cell is a number that GitHub reported, or None: not reported is not zero.
"""

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
class History:
    """All that is kept of one repository.

    Attributes:
        name: The name it bears now; for rows of the first version their key.
        former: Names it bore before.
        days: By day, as days since 1970-01-01.
        captures: By day of capture, the last of each week, what GitHub listed for 14 days: `referrers`, `paths`.
        notes: What people noted: day and text, in order.
    """

    name: str
    former: tuple[str, ...] = ()
    days: dict[int, DayRow] = field(default_factory=dict)
    captures: dict[int, dict[str, list[ListedRow]]] = field(default_factory=dict)
    notes: list[tuple[int, str]] = field(default_factory=list)


def read_histories(record: Record, archive: Archive) -> list[History]:
    """Read every repository of which anything is kept, sorted by name."""
    by_key: dict[str, History] = {}
    by_id: dict[int, History] = {}
    for repository in record.every_repository():
        former = tuple(name for name in repository.entry.names if name != repository.name)
        by_id[repository.id] = by_key[repository.repo_name] = History(repository.name, former)
    for row in counted(record.every_day(), "days"):
        by_key.setdefault(row.repo_name, History(row.repo_name)).days[_epoch_day(row.day)] = row
    for id_, captures in _captures(record).items():
        if id_ in by_id:
            by_id[id_].captures = {_epoch_day(capture.day): _lists(capture) for capture in captures.values()}
    for note in read_notes(archive):
        by_key.setdefault(note.repo_name, History(note.repo_name)).notes.append((_epoch_day(note.day), note.text))
    _tell_apart(by_key)
    return sorted(by_key.values(), key=lambda history: history.name.lower())


def _tell_apart(by_key: Mapping[str, History]) -> None:
    """Give repositories of one name, such as one deleted and made again, the keys of their rows as names."""
    times = Counter(history.name for history in by_key.values())
    for key, history in by_key.items():
        if times[history.name] > 1:
            history.name = key


def _captures(record: Record) -> dict[int, dict[int, Capture]]:
    """Read the last capture of each week, by id and week: each covers 14 days, so one a week is enough."""
    last: dict[int, dict[int, Capture]] = {}
    for capture in counted(record.every_capture(), "captures"):
        weeks = last.setdefault(capture.repo_id, {})
        week = (_epoch_day(capture.day) + 3) // 7  # 1970-01-01 was a Thursday: weeks begin on Monday
        if week not in weeks or capture.day > weeks[week].day:
            weeks[week] = capture
    return last


def _lists(capture: Capture) -> dict[str, list[ListedRow]]:
    """Return the lists of a capture; one that GitHub did not answer is absent."""
    return {name: rows for name in ("referrers", "paths") if (rows := capture.listed(name)) is not None}


def _epoch_day(text: str) -> int:
    """Turn a day, or a time's, into days since 1970-01-01."""
    return date.fromisoformat(text[:10]).toordinal() - EPOCH

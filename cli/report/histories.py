"""Reads what is kept of each repository, for the report.

A cell is a number that GitHub reported, or None: not reported is not zero.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from cli.commands.note import read_notes
from cli.commands.verify import items
from cli.stack.deployment import Deployment
from cli.stack.repositories import POINTER, current_name
from cli.terminal import warn
from traffic.contract import METRICS
from traffic.record.items import Item

MANY = 50_000  # items between two lines of progress: about two seconds

RawItem = Mapping[str, Any]

EPOCH = date(1970, 1, 1).toordinal()


class DayCells(NamedTuple):
    """What is known of one day, the metrics in the order of `METRICS`."""

    metrics: tuple[int | None, ...]
    complete: tuple[bool, bool]  # whether GitHub told the whole day: views, clones


class Listed(NamedTuple):
    """A row of referrers or paths."""

    name: str
    views: int
    uniques: int


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
    days: dict[int, DayCells] = field(default_factory=dict)
    captures: dict[int, dict[str, list[Listed]]] = field(default_factory=dict)
    notes: list[tuple[int, str]] = field(default_factory=list)


def read_histories(deployment: Deployment) -> list[History]:
    """Read every repository of which anything is kept, sorted by name."""
    by_key: dict[str, History] = {}
    by_id: dict[str, History] = {}
    for item in items(deployment, "RepositoriesTable"):
        if item["repo-id"].startswith(POINTER):
            continue
        history = _named(item)
        by_id[item["repo-id"]] = by_key[item["repo-name"]] = history
    for row in _rows(deployment, "TrafficTable", "days"):
        key = row["repo-name"]["S"]
        by_key.setdefault(key, History(key)).days[_epoch_day(row["timestamp"]["S"])] = _cells(row)
    for id_, captures in _captures(deployment).items():
        if id_ in by_id:
            by_id[id_].captures = {day: _lists(item) for day, item in captures.values()}
    for note in read_notes(deployment):
        by_key.setdefault(note.repo_name, History(note.repo_name)).notes.append((_epoch_day(note.day), note.text))
    _tell_apart(by_key)
    return sorted(by_key.values(), key=lambda history: history.name.lower())


def _named(item: Item) -> History:
    names = item.get("names", {})
    now = current_name(names) or item["repo-name"]
    return History(now, tuple(name for name in names if name != now))


def _tell_apart(by_key: Mapping[str, History]) -> None:
    """Give repositories of one name, such as one deleted and made again, the keys of their rows as names."""
    times = Counter(history.name for history in by_key.values())
    for key, history in by_key.items():
        if times[history.name] > 1:
            history.name = key


def _captures(deployment: Deployment) -> dict[str, dict[int, tuple[int, RawItem]]]:
    """Read the last capture of each week, by id and week: each tells 14 days, so none is lost, and few are kept."""
    last: dict[str, dict[int, tuple[int, RawItem]]] = {}
    for row in _rows(deployment, "SnapshotsTable", "captures"):
        day = _epoch_day(row["captured-on"]["S"])
        weeks = last.setdefault(row["repo-id"]["S"], {})
        week = (day + 3) // 7  # 1970-01-01 was a Thursday: weeks begin on Monday
        weeks[week] = max(weeks.get(week, (day, row)), (day, row), key=lambda capture: capture[0])
    return last


def _lists(row: RawItem) -> dict[str, list[Listed]]:
    """Read the lists of a capture; one that GitHub did not answer is absent."""
    naming = {"referrers": "referrer", "paths": "path"}
    return {name: [_listed(each["M"], naming[name]) for each in row[name]["L"]] for name in naming if name in row}


def _listed(row: RawItem, naming: str) -> Listed:
    return Listed(row[naming]["S"], int(row["count"]["N"]), int(row["uniques"]["N"]))


def _rows(deployment: Deployment, output: str, what: str) -> Iterator[RawItem]:
    """Scan a table, items as DynamoDB writes them: a million are too many to convert whole."""
    pages = deployment.client("dynamodb").get_paginator("scan")
    scanned = pages.paginate(TableName=deployment.output(output))
    for number, row in enumerate((row for page in scanned for row in page["Items"]), 1):
        _tell(number, what)
        yield row


def _tell(number: int, what: str) -> None:
    if number % MANY == 0:
        warn(f"Read {number:,} {what}.")


def _cells(row: RawItem) -> DayCells:
    return DayCells(
        tuple(int(row[metric]["N"]) if metric in row else None for metric in METRICS),
        ("views-complete" in row, "clones-complete" in row),
    )


def _epoch_day(text: str) -> int:
    """Turn a day, or a time's, into days since 1970-01-01."""
    return date.fromisoformat(text[:10]).toordinal() - EPOCH

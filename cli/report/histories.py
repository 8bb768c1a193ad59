"""Reads what is stored about each repository, for the report."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cli.relations.database import Relations, open_relations
from traffic.record.archive import Archive
from traffic.record.notes import read_notes
from traffic.record.reading import ListedRow, Record

EPOCH = date(1970, 1, 1).toordinal()

UNKNOWN = "0"  # the digit of a day that no capture has

# The days of each repository as columns, in order; the key is not sorted.
COLUMNS = """SELECT
    "repo-name",
    list(day ORDER BY day),
    list("views-count" ORDER BY day),
    list("views-uniques" ORDER BY day),
    list("clones-count" ORDER BY day),
    list("clones-uniques" ORDER BY day),
    string_agg(complete, '' ORDER BY day),
    string_agg(imported, '' ORDER BY day)
FROM (
    SELECT
        *,
        CAST(left("timestamp", 10) AS DATE) - DATE '1970-01-01' AS day,
        CAST(CAST("views-complete" AS INTEGER) + 2 * CAST("clones-complete" AS INTEGER) AS VARCHAR) AS complete,
        CAST(
            CAST(coalesce("views-count-source", "views-uniques-source") IS NOT NULL AS INTEGER)
            + 2 * CAST(coalesce("clones-count-source", "clones-uniques-source") IS NOT NULL AS INTEGER) AS VARCHAR
        ) AS imported
    FROM ({days})
)
GROUP BY "repo-name"
"""

Cells = list[int | None]


@dataclass
class RepositoryHistory:
    """Everything that is stored about one repository. Days are counted from 1970-01-01.

    Attributes:
        name: Its current name; the key of its rows if no name is known, or if another repository has the same name.
        former: Its earlier names.
        start: Its first day.
        metrics: From then on, for each day its views, visitors, clones and cloners, as columns; None if unknown.
        complete: A digit for each of these days: 1 if the views are complete, plus 2 if the clones are.
        imported: A digit for each of these days: 1 if only an import has its views, plus 2 if only one has its clones.
        captures: By the day of a capture, the last of each week: the rows of `referrers` and `paths`. A list that
            GitHub did not return is absent.
        notes: The days and texts of its notes, in order.
    """

    name: str
    former: tuple[str, ...] = ()
    start: int = 0
    metrics: tuple[Cells, ...] = ([], [], [], [])
    complete: str = ""
    imported: str = ""
    captures: dict[int, dict[str, list[ListedRow]]] = field(default_factory=dict)
    notes: list[tuple[int, str]] = field(default_factory=list)

    @property
    def last(self) -> int | None:
        """Its last day; None if it has no days."""
        return self.start + len(self.complete) - 1 if self.complete else None

    def forget_all_but_the_last(self, days: int) -> None:
        """Keep only the last days, and no captures and notes: those of 10,000 repositories need too much memory."""
        kept = max(len(self.complete) - days, 0)
        self.start += kept
        self.metrics = tuple(cells[kept:] for cells in self.metrics)
        self.complete, self.imported = self.complete[kept:], self.imported[kept:]
        self.captures, self.notes = {}, []

    def cells(self, metric: int, days: range) -> Cells:
        """Return a metric of some days, with None for those that no capture has."""
        before, after = max(self.start - days.start, 0), days.stop - self.start
        cells = self.metrics[metric][max(days.start - self.start, 0) : max(after, 0)]
        return ([None] * min(before, len(days)) + cells + [None] * len(days))[: len(days)]


def read_histories(record: Record, archive: Archive) -> Iterator[RepositoryHistory]:
    """Read the histories of all repositories, one after another, in no order.

    When the last one was read, repositories that share a name are named by their keys.
    """
    by_key: dict[str, RepositoryHistory] = {}
    by_id: dict[int, RepositoryHistory] = {}
    for repository in record.every_repository():
        former = tuple(name for name in repository.entry.names if name != repository.name)
        by_id[repository.id] = by_key[repository.repo_name] = RepositoryHistory(repository.name, former)
    for note in read_notes(archive):
        history = by_key.setdefault(note.repo_name, RepositoryHistory(note.repo_name))
        history.notes.append((_epoch_day(note.day), note.text))
    with_days = set()
    with open_relations(record, archive, sources=True) as relations:
        for id_, day, *lists in _rows(relations, "captures", "{captures}"):
            if id_ in by_id:
                by_id[id_].captures[_epoch_day(day)] = _listed(lists)
        for key, *columns in _rows(relations, "days", COLUMNS):
            with_days.add(key)
            history = by_key.setdefault(key, RepositoryHistory(key))
            history.start, history.metrics, history.complete, history.imported = _without_gaps(*columns)
            yield history
    yield from (history for key, history in by_key.items() if key not in with_days)
    _make_names_unique(by_key)


def _rows(relations: Relations, name: str, question: str) -> Iterator[tuple[Any, ...]]:
    with relations.select(name) as select:
        found = relations.database.execute(question.format(**{name: select}))
        while page := found.fetchmany(100):
            yield from page


def _without_gaps(days: Sequence[int], *columns: Any) -> tuple[int, tuple[Cells, ...], str, str]:
    """Return the first day, and for each day from then on the metrics and the digits."""
    *metrics, complete, imported = columns
    if days[-1] - days[0] + 1 == len(days):
        return days[0], tuple(metrics), complete, imported
    places = [day - days[0] for day in days]
    size = places[-1] + 1
    filled = [_placed(places, cells, [None] * size) for cells in metrics]
    digits = ["".join(_placed(places, each, [UNKNOWN] * size)) for each in (complete, imported)]
    return days[0], tuple(filled), digits[0], digits[1]


def _placed(places: Sequence[int], cells: Sequence[Any], column: list[Any]) -> list[Any]:
    for place, cell in zip(places, cells, strict=True):
        column[place] = cell
    return column


def _make_names_unique(by_key: Mapping[str, RepositoryHistory]) -> None:
    """Name repositories by their keys if they share a name, as a deleted repository and its successor do."""
    times = Counter(history.name for history in by_key.values())
    for key, history in by_key.items():
        if times[history.name] > 1:
            history.name = key


def _listed(lists: Sequence[Any]) -> dict[str, list[ListedRow]]:
    named = zip(("referrers", "paths"), lists, strict=True)
    return {
        name: [ListedRow(row["name"], row["views"], row["uniques"]) for row in rows]
        for name, rows in named
        if rows is not None
    }


def _epoch_day(day: str) -> int:
    return date.fromisoformat(day).toordinal() - EPOCH

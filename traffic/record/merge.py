"""The rules of the record: how a new report is merged into what is kept. Pure.

The merges of days and entries are idempotent, commutative and associative: answers that are stored late, twice or in
any order end in the same table. An absent cell changes nothing, and nothing is filled in.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from traffic.contract import Endpoint
from traffic.record.spans import Spans, join


@dataclass(frozen=True)
class Day:
    """What is known of one day of one repository.

    Attributes:
        metrics: The metrics (`views-count` ...) that GitHub reported; a missing one is unknown, not zero.
        complete: Which of `views` and `clones` GitHub reported for the complete day at least once.
    """

    metrics: Mapping[str, int] = field(default_factory=dict)
    complete: frozenset[str] = frozenset()


def merge_days(one: Day, other: Day) -> Day:
    """Merge two reports of the same day: the highest value of each metric is kept."""
    metrics = dict(one.metrics)
    for metric, value in other.metrics.items():
        metrics[metric] = max(value, metrics.get(metric, value))
    return Day(metrics, one.complete | other.complete)


def lowered(kept: Day, seen: Day) -> int:
    """Count the metrics for which GitHub now reports less than it did before."""
    return sum(value < kept.metrics.get(metric, value) for metric, value in seen.metrics.items())


@dataclass(frozen=True)
class Name:
    """A name that a repository has or had.

    Attributes:
        first: The time of the first capture under this name.
        last: The last day on which the repository was captured under this name.
    """

    first: str
    last: str


@dataclass(frozen=True)
class Entry:
    """What is known of one repository, apart from its days.

    Attributes:
        names: Every `owner/name` that it has or had.
        newest_day: The newest day that GitHub reported; None before the first.
        captured_on: The last day on which GitHub answered everything it was asked; None before the first.
        refusals: For each outcome except "captured", the last day on which it occurred.
        covered: For views and for clones, the days that GitHub reported completely.
        active: For views and for clones, the newest day on which there were any.
        refused_before: For each outcome in `refusals`, the last day on which it occurred before that one.
    """

    names: Mapping[str, Name] = field(default_factory=dict)
    newest_day: str | None = None
    captured_on: str | None = None
    refusals: Mapping[str, str] = field(default_factory=dict)
    covered: Mapping[str, Spans] = field(default_factory=dict)
    active: Mapping[str, str] = field(default_factory=dict)
    refused_before: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The current name: the one seen last; of two names seen on the same day, the newer one."""
        return max(self.names, key=lambda name: (self.names[name].last, self.names[name].first, name))


def merge_entries(one: Entry, other: Entry) -> Entry:
    """Merge two reports of the same repository: the latest value of each fact is kept, and the earliest first name."""
    names = dict(one.names)
    for name, seen in other.names.items():
        kept = names.get(name, seen)
        names[name] = Name(min(kept.first, seen.first), max(kept.last, seen.last))
    return Entry(
        names,
        _latest(one.newest_day, other.newest_day),
        _latest(one.captured_on, other.captured_on),
        _newest(one.refusals, other.refusals),
        {kind: join(one.covered.get(kind, ()), other.covered.get(kind, ())) for kind in (*one.covered, *other.covered)},
        _newest(one.active, other.active),
        _refused_before(one, other),
    )


def _refused_before(one: Entry, other: Entry) -> dict[str, str]:
    """Return the second newest day of each outcome: when Summarize run reads an entry, the newest is already in it."""
    before: dict[str, str] = {}
    for outcome in (*one.refusals, *other.refusals):
        kept = (one.refusals, one.refused_before, other.refusals, other.refused_before)
        days = sorted({days[outcome] for days in kept if outcome in days})
        if len(days) > 1:
            before[outcome] = days[-2]
    return before


def _newest(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    return {name: max(one.get(name, ""), other.get(name, "")) for name in (*one, *other)}


def _latest(one: str | None, other: str | None) -> str | None:
    return max(one or "", other or "") or None


@dataclass(frozen=True)
class Statement:
    """What one endpoint reported about its window of 14 days, apart from the days.

    Attributes:
        said: Numbers and lists by the names of their attributes in the table: `views-count`, `referrers` ...
        since: The time of the first capture of the day that reported this.
        until: The last day of the window that the numbers cover, which can be old; None if GitHub does not report it.
    """

    said: Mapping[str, Any]
    since: str
    until: str | None = None


# What a capture reported about the window, by endpoint. A later capture of the same day replaces the rows of an
# endpoint. Rows of two captures are never mixed: they have no dates, so a mixture is an answer that GitHub never gave.
Snapshot = Mapping[Endpoint, Statement]


def merge_statements(one: Statement, other: Statement) -> Statement:
    """Merge two statements of one endpoint on the same day: the later one is kept.

    Two equal statements become one, with the earlier time. So their order does not matter, with one exception: GitHub
    reports rows, then others, then the first ones again within a day, and the others are stored last. To notice that
    would take a write for every capture. Storing the day's objects again in their order repairs it.
    """
    if one.said == other.said:  # even if the windows differ: records from before `until` was kept must not change
        return Statement(one.said, min(one.since, other.since), max(one.until or "", other.until or "") or None)
    return max(one, other, key=lambda each: (each.since, json.dumps(each.said, sort_keys=True)))


def merge_snapshots(one: Snapshot, other: Snapshot) -> Snapshot:
    """Merge two snapshots of one repository and day; an absent endpoint changes nothing."""
    merged = dict(one)
    for endpoint, seen in other.items():
        merged[endpoint] = merge_statements(merged[endpoint], seen) if endpoint in merged else seen
    return merged


def without_prefix(snapshot: Snapshot, names: Iterable[str]) -> Snapshot:
    """Remove `/owner/name` from the paths, for each name of the repository: a rename must not break their series.

    Returns:
        The snapshot with paths that begin with `/`; `/` alone is the repository's front page. A path under none of the
        names is unchanged.
    """
    if "paths" not in snapshot:
        return snapshot
    prefixes = {f"/{name.lower()}" for name in names}
    rows = [{**row, "path": _relative(row["path"], prefixes)} for row in snapshot["paths"].said["paths"]]
    return {**snapshot, "paths": replace(snapshot["paths"], said={"paths": rows})}


def _relative(path: str, prefixes: set[str]) -> str:
    parts = path.split("/", 3)  # "", owner, name, rest
    if "/".join(parts[:3]).lower() not in prefixes:
        return path
    return "/" + "".join(parts[3:])

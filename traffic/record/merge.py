"""The rules of the record: how a new report is merged into what is kept, and how that is written as items. Pure.

The merges of days and entries are idempotent, commutative and associative: answers that are stored late, twice or in
any order end in the same table. An absent cell changes nothing, and nothing is filled in. An attribute that is absent
from an item is unknown, never zero or empty.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from traffic.contract import METRICS, RUNNING_NUMBERS, Endpoint, RunningNumber
from traffic.record.spans import Spans, join

Item = dict[str, Any]

Part = Endpoint | RunningNumber  # of a snapshot

# The attributes of a snapshot that each part fills.
SAID: Mapping[Part, tuple[str, ...]] = {
    "views": ("views-count", "views-uniques"),
    "clones": ("clones-count", "clones-uniques"),
    "referrers": ("referrers",),
    "paths": ("paths",),
    "stars": ("stars",),
    "forks": ("forks",),
}

SOURCES = "sources"  # the attribute of a day or snapshot that names the tools of numbers that only imports have

# The times of a snapshot are written, and so checked, with every change: an older capture must not replace a newer one.
# So are its sources: of two numbers with the same time, the source decides.
CHECKED = ("captured-at", SOURCES)

# The numbers of a day and their sources are written and checked together: a source is right for one value only.
CHECKED_OF_DAY = (*METRICS, SOURCES)


class Day(NamedTuple):
    """What is known of one day of one repository.

    Attributes:
        metrics: The metrics (`views-count` ...) that GitHub reported; a missing one is unknown, not zero.
        complete: Which of `views` and `clones` GitHub reported for the complete day at least once.
        sources: For each metric whose value only imports have: the tool that it comes from. All others are GitHub's.
    """

    metrics: Mapping[str, int] = {}
    complete: frozenset[str] = frozenset()
    sources: Mapping[str, str] = {}


def merge_days(one: Day, other: Day) -> Day:
    """Merge two reports of the same day: the highest value of each metric is kept, with its source.

    If both have the value, its source is GitHub if GitHub reported it, otherwise the tool whose name sorts first.
    """
    metrics = dict(one.metrics)
    for metric, value in other.metrics.items():
        metrics[metric] = max(value, metrics.get(metric, value))
    sources: dict[str, str] = {}
    for metric in {*one.sources, *other.sources}:
        tools = [day.sources.get(metric, "") for day in (one, other) if day.metrics.get(metric) == metrics[metric]]
        if tool := min(tools):
            sources[metric] = tool
    return Day(metrics, one.complete | other.complete, sources)


def lowered(kept: Day, seen: Day) -> int:
    """Count the metrics for which GitHub now reports less than it did before."""
    return sum(value < kept.metrics.get(metric, value) for metric, value in seen.metrics.items())


class Name(NamedTuple):
    """A name that a repository has or had.

    Attributes:
        first: The time of the first capture under this name.
        last: The last day on which the repository was captured under this name.
    """

    first: str
    last: str


class Entry(NamedTuple):
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

    names: Mapping[str, Name] = {}
    newest_day: str | None = None
    captured_on: str | None = None
    refusals: Mapping[str, str] = {}
    covered: Mapping[str, Spans] = {}
    active: Mapping[str, str] = {}
    refused_before: Mapping[str, str] = {}

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


class Statement(NamedTuple):
    """What one endpoint reported about its window of 14 days, apart from the days; or a running number.

    Attributes:
        said: Numbers and lists by the names of their attributes in the table: `views-count`, `referrers`, `stars` ...
        since: The time of the first capture of the day that reported this; of a running number, of the last one.
        until: The last day of the window that the numbers cover, which can be old; None if GitHub does not report it.
        source: The tool that a running number was imported from; empty if GitHub reported it.
    """

    said: Mapping[str, Any]
    since: str
    until: str | None = None
    source: str = ""


# What a capture reported about the window, by endpoint, and running numbers. A later capture of the same day replaces
# the rows of an endpoint. Rows of two captures are never mixed: they have no dates, so a mixture is an answer that
# GitHub never gave.
Snapshot = Mapping[Part, Statement]


def merge_statements(one: Statement, other: Statement) -> Statement:
    """Merge two statements of one endpoint on the same day: the later one is kept.

    Two equal statements become one, with the earlier time. So their order does not matter, with one exception: GitHub
    reports rows, then others, then the first ones again within a day, and the others are stored last. To notice that
    would take a write for every capture. Storing the day's objects again in their order repairs it.
    """
    if one.said == other.said:  # even if the windows differ: records from before `until` was kept must not change
        return Statement(one.said, min(one.since, other.since), max(one.until or "", other.until or "") or None)
    return max(one, other, key=lambda each: (each.since, json.dumps(each.said, sort_keys=True)))


def merge_numbers(one: Statement, other: Statement) -> Statement:
    """Merge two statements of one running number on the same day: the later one is kept, in any order of merging.

    Of two with the same time, GitHub's own is kept, then the one whose source sorts first, then the highest: all
    reconstructed numbers of a day have its beginning as their time, and they can only be too low.
    """
    since = max(one.since, other.since)
    source = min(each.source for each in (one, other) if each.since == since)
    found = [each for each in (one, other) if (each.since, each.source) == (since, source)]
    return max(found, key=lambda each: tuple(each.said.values()))


def merge_snapshots(one: Snapshot, other: Snapshot) -> Snapshot:
    """Merge two snapshots of one repository and day; an absent part changes nothing."""
    merged = dict(one)
    for part, seen in other.items():
        merge = merge_numbers if part in RUNNING_NUMBERS else merge_statements
        merged[part] = merge(merged[part], seen) if part in merged else seen
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
    return {**snapshot, "paths": snapshot["paths"]._replace(said={"paths": rows})}


def _relative(path: str, prefixes: set[str]) -> str:
    parts = path.split("/", 3)  # "", owner, name, rest
    if "/".join(parts[:3]).lower() not in prefixes:
        return path
    return "/" + "".join(parts[3:])


def pointer_key(name: str) -> str:
    """Return the key of the item of `RepoTrafficRepositories` that leads from a name, in any case, to ids."""
    return f"name {name.lower()}"


def own_key(name: str, repo_id: int, owner_id: str | None) -> str:
    """Return the key of a repository's rows: its name, or `owner/name~ID` if another id already owns that name."""
    return name if owner_id in (None, str(repo_id)) else f"{name}~{repo_id}"


def day_of_item(item: Mapping[str, Any]) -> Day:
    """Read an item of `RepoTraffic`."""
    return Day(
        {metric: item[metric] for metric in METRICS if metric in item},
        frozenset(kind for kind in ("views", "clones") if item.get(f"{kind}-complete")),
        {metric: tool for metric, tool in item.get(SOURCES, {}).items() if metric in item},
    )


def item_of_day(day: Day) -> Item:
    """Write a day as attributes of an item of `RepoTraffic`."""
    item = {**day.metrics, **{f"{kind}-complete": True for kind in day.complete}}
    return {**item, SOURCES: dict(day.sources)} if day.sources else item


def written_day(repo_id: int, day: Day) -> Item:
    """Write a day as all attributes of its item; None removes the sources that it does not have."""
    return {"repo-id": repo_id, SOURCES: None, **item_of_day(day)}


def entry_of_item(item: Mapping[str, Any]) -> Entry:
    """Read a repository's item of `RepoTrafficRepositories`."""
    return Entry(
        {name: Name(seen["first"], seen["last"]) for name, seen in item.get("names", {}).items()},
        item.get("newest-day"),
        item.get("captured-on"),
        item.get("refusals", {}),
        {kind: _spans(written) for kind, written in item.get("covered", {}).items()},
        item.get("active", {}),
        item.get("refused-before", {}),
    )


def item_of_entry(entry: Entry) -> Item:
    """Write what is known of a repository as attributes of its item."""
    item = {
        "names": {name: {"first": seen.first, "last": seen.last} for name, seen in entry.names.items()},
        "newest-day": entry.newest_day,
        "captured-on": entry.captured_on,
        "refusals": dict(entry.refusals),
        "covered": {kind: [f"{first}/{last}" for first, last in spans] for kind, spans in entry.covered.items()},
        "active": dict(entry.active),
        "refused-before": dict(entry.refused_before),
    }
    return {name: value for name, value in item.items() if value}


def snapshot_of_item(item: Mapping[str, Any]) -> Snapshot:
    """Read an item of `RepoTrafficSnapshots`."""
    since, sources = item.get("captured-at", {}), item.get(SOURCES, {})
    return {
        part: Statement(
            {name: item[name] for name in names}, since[part], item.get(f"{part}-until"), sources.get(part, "")
        )
        for part, names in SAID.items()
        if part in since and item.keys() >= set(names)  # a part of an answer proves nothing
    }


def item_of_snapshot(snapshot: Snapshot) -> Item:
    """Write what GitHub reported of the window as attributes of an item of `RepoTrafficSnapshots`."""
    item: Item = {"captured-at": {part: kept.since for part, kept in snapshot.items()}}
    for part, kept in snapshot.items():
        item |= kept.said
        if kept.until is not None:
            item[f"{part}-until"] = kept.until
    sources = {part: kept.source for part, kept in snapshot.items() if kept.source}
    return {**item, SOURCES: sources} if sources else item


def written_snapshot(snapshot: Snapshot) -> Item:
    """Write a snapshot as all attributes of its item; None removes the sources and last days that it does not have."""
    return {SOURCES: None, "views-until": None, "clones-until": None, **item_of_snapshot(snapshot)}


def _spans(written: Iterable[str]) -> Spans:
    """Read spans as ISO 8601 writes intervals, `2026-11-06/2026-11-19`."""
    return tuple((first, last) for first, _, last in (span.partition("/") for span in written))

"""The items of the three tables: their keys, and the attributes that hold what is known. Pure.

An attribute that is absent is unknown, never zero or empty.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from traffic.contract import ENDPOINTS, METRICS
from traffic.record.merge import Day, Entry, Name, Snapshot, Statement
from traffic.record.spans import Spans

Item = dict[str, Any]

# The attributes of a snapshot that each endpoint fills.
SAID = {
    "views": ("views-count", "views-uniques"),
    "clones": ("clones-count", "clones-uniques"),
    "referrers": ("referrers",),
    "paths": ("paths",),
}


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
    )


def item_of_day(day: Day) -> Item:
    """Write a day as attributes of an item of `RepoTraffic`."""
    return {**day.metrics, **{f"{kind}-complete": True for kind in day.complete}}


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
    since = item.get("captured-at", {})
    return {
        endpoint: Statement(
            {name: item[name] for name in SAID[endpoint]}, since[endpoint], item.get(f"{endpoint}-until")
        )
        for endpoint in ENDPOINTS
        if endpoint in since and item.keys() >= set(SAID[endpoint])  # a part of an answer proves nothing
    }


def item_of_snapshot(snapshot: Snapshot) -> Item:
    """Write what GitHub reported of the window as attributes of an item of `RepoTrafficSnapshots`."""
    item: Item = {"captured-at": {endpoint: kept.since for endpoint, kept in snapshot.items()}}
    for endpoint, kept in snapshot.items():
        item |= kept.said
        if kept.until is not None:
            item[f"{endpoint}-until"] = kept.until
    return item


def _spans(written: Iterable[str]) -> Spans:
    """Read spans as ISO 8601 writes intervals, `2026-11-06/2026-11-19`."""
    return tuple((first, last) for first, _, last in (span.partition("/") for span in written))

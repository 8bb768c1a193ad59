"""What the tables should hold: the archive, merged by the rules of Store traffic.

Names and entries of all repositories fit into memory. Days and snapshots of years do not: what was merged of them goes
to a temporary file, and is read again for one repository at a time.
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from traffic.clock import start_of, to_text
from traffic.record.merge import (
    Day,
    Entry,
    Item,
    Snapshot,
    Statement,
    item_of_entry,
    merge_days,
    merge_entries,
    own_key,
    pointer_key,
    without_prefix,
)
from traffic.record.reports import Report

Key = tuple[str, ...]  # the key of an item, in the order of its table's key attributes
DayOf = tuple[int, Day]  # a repository's id and one of its days

MOST = 400_000  # merged days to keep in memory, about 1 KB each
SNAPSHOT = 8  # a snapshot with its lists takes as much memory as so many days


@dataclass
class KnownTraffic:
    """What the archive has of one repository's traffic.

    Attributes:
        days: What is known of each day.
        snapshots: What GitHub reported of the window, by day of capture; of each capture, in their order.
    """

    days: dict[str, Day] = field(default_factory=dict)
    snapshots: dict[str, list[Snapshot]] = field(default_factory=dict)

    def add(self, days: Mapping[str, Day], snapshots: Mapping[str, Iterable[Snapshot]]) -> int:
        """Merge days and append snapshots; return by how much this grows, in days."""
        before = len(self.days)
        for day, seen in days.items():
            self.days[day] = merge_days(self.days[day], seen) if day in self.days else seen
        added = 0
        for day, captured in snapshots.items():
            kept = self.snapshots.setdefault(day, [])
            added -= len(kept)
            kept += captured
            added += len(kept)
        return len(self.days) - before + added * SNAPSHOT


class Replay:
    """The archive's reports, merged one after another in the order of the captures.

    Attributes:
        entries: What is known of each repository, by id.
        first_names: The name under which each id was first captured.
        owners: The id that was first captured under a name, by the name in lower case.
    """

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.first_names: dict[int, str] = {}
        self.owners: dict[str, int] = {}
        self._recent: dict[int, KnownTraffic] = {}
        self._size = 0  # of `_recent`, in days
        self._earlier: _Earlier | None = None

    def add(self, report: Report) -> None:
        """Merge one report."""
        id_ = report.repo_id
        if id_ not in self.entries:
            report = report._replace(new=True)  # as Store traffic does
            self.first_names[id_] = report.name
            self.owners.setdefault(report.name.lower(), id_)
        entry = self.entries[id_] = merge_entries(self.entries.get(id_, Entry()), report.entry)
        snapshots = {day: [without_prefix(snapshot, entry.names)] for day, snapshot in report.snapshots.items()}
        self._size += self._recent.setdefault(id_, KnownTraffic()).add(report.days, snapshots)
        if self._size >= MOST:
            self._put_away()

    def known(self, id_: int) -> KnownTraffic:
        """Return the days and snapshots of one repository. Threads may call this at once."""
        recent = self._recent.get(id_, KnownTraffic())
        if self._earlier is None:
            return recent
        known = KnownTraffic()
        for part in (*self._earlier.parts(id_), recent):
            known.add(part.days, part.snapshots)
        return known

    def row_keys(self, held: Mapping[str, Item]) -> dict[int, str]:
        """Return each id's key in `RepoTraffic`.

        Args:
            held: The items in the table of repositories, by key. A repository gets its key when it is first stored, and
                the key never changes. So each key that the repository can have is right, even if an object was stored
                late. A repository without a key there gets the one that Store traffic would choose.
        """
        kept = {int(id_): item["repo-name"] for id_, item in held.items() if id_.isdecimal() and "repo-name" in item}
        times = Counter(kept.values())
        return {
            id_: kept[id_]
            if times[kept.get(id_, "")] == 1 and kept[id_] in self._possible_keys(id_)
            else own_key(name, id_, owner_of(held, name) or str(self.owners[name.lower()]))
            for id_, name in self.first_names.items()
        }

    def _possible_keys(self, id_: int) -> set[str]:
        return {key for name in self.entries[id_].names for key in (name, f"{name}~{id_}")}

    def _put_away(self) -> None:
        self._earlier = self._earlier or _Earlier()
        self._earlier.append(self._recent)
        self._recent, self._size = {}, 0


class _Earlier:
    """Merged parts of repositories' traffic, in a temporary file that nobody else can open."""

    def __init__(self) -> None:
        # SQLite deletes the file of a database without a name, and writes it only when its cache is full.
        # It is in SQLITE_TMPDIR, TMPDIR or /var/tmp. Source: https://www.sqlite.org/tempfiles.html
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE parts(repo_id INTEGER, part TEXT)")
        self._database.execute("CREATE INDEX by_repository ON parts(repo_id)")

    def append(self, parts: Mapping[int, KnownTraffic]) -> None:
        """Append a part for each of these repositories."""
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO parts VALUES (?, ?)", ((id_, _text(known)) for id_, known in sorted(parts.items()))
        )
        self._database.execute("COMMIT")

    def parts(self, id_: int) -> Iterator[KnownTraffic]:
        """Yield the parts of a repository, in the order in which they were appended."""
        select = "SELECT part FROM parts WHERE repo_id = ? ORDER BY rowid"
        for (part,) in self._database.execute(select, (id_,)):
            yield _known(part)


def _text(known: KnownTraffic) -> str:
    days = {day: (seen.metrics, list(seen.complete), seen.sources) for day, seen in known.days.items()}
    snapshots = {
        day: [
            {part: (kept.said, kept.since, kept.until, kept.source) for part, kept in each.items()} for each in captured
        ]
        for day, captured in known.snapshots.items()
    }
    return json.dumps((days, snapshots), separators=(",", ":"))


def _known(part: str) -> KnownTraffic:
    days, snapshots = json.loads(part)
    return KnownTraffic(
        {day: Day(metrics, frozenset(complete), sources) for day, (metrics, complete, sources) in days.items()},
        {
            day: [{part: Statement(*kept) for part, kept in each.items()} for each in captured]
            for day, captured in snapshots.items()
        },
    )


def day_items(row_key: str, id_: int, known: KnownTraffic) -> dict[Key, DayOf]:
    """Return the content of a repository's items of `RepoTraffic`, by key."""
    return {(row_key, to_text(start_of(day))): (id_, seen) for day, seen in known.days.items()}


def snapshot_items(id_: int, known: KnownTraffic) -> dict[Key, list[Snapshot]]:
    """Return the content of a repository's items of `RepoTrafficSnapshots`, by key."""
    return {(str(id_), day): captured for day, captured in known.snapshots.items()}


def entry_items(replay: Replay, row_keys: Mapping[int, str]) -> dict[Key, Item]:
    """Return the items of `RepoTrafficRepositories` that hold what is known of a repository, by key."""
    return {(str(id_),): {"repo-name": row_keys[id_], **item_of_entry(entry)} for id_, entry in replay.entries.items()}


def name_items(replay: Replay, row_keys: Mapping[int, str], held: Mapping[str, Item]) -> dict[Key, Item]:
    """Return the items of `RepoTrafficRepositories` that lead from a name to ids, by key.

    Args:
        replay: The merged archive.
        row_keys: Each id's key in `RepoTraffic`.
        held: The items in the table, by key. Of several ids that had a name, the one that was stored first owns it.
    """
    ids_by_name: dict[str, set[str]] = {}
    for id_, entry in replay.entries.items():
        for name in entry.names:
            ids_by_name.setdefault(name.lower(), set()).add(str(id_))
    items: dict[Key, Item] = {}
    owners = {key.lower(): str(id_) for id_, key in row_keys.items()}
    for name, ids in ids_by_name.items():
        stored_first = owner_of(held, name)
        owner = owners.get(name) or (stored_first if stored_first in ids else None)
        items[pointer_key(name),] = {"repo-ids": ids, **({"owner-id": owner} if owner else {})}
    return items


def owner_of(held: Mapping[str, Item], name: str) -> Any:
    """Return the id that owns a name in the table of repositories; None if no id does."""
    return held.get(pointer_key(name), {}).get("owner-id")

"""What the tables should hold: the archive, merged in memory by the rules that Store traffic merges by."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from traffic.clock import start_of, to_text
from traffic.record.items import Item, item_of_entry, own_key, pointer_key
from traffic.record.merge import Day, Entry, merge_days, merge_entries
from traffic.record.reports import Report
from traffic.record.snapshot import Snapshot, merge_snapshots, without_prefix

Key = tuple[str, ...]  # the key of an item, in the order of its table's key attributes
DayOf = tuple[int, Day]  # a day with the id it belongs to


@dataclass
class Replay:
    """The archive's reports, merged one after another in the order of the captures.

    Attributes:
        days: What is known of each day, by id and day.
        entries: What is known of each repository, by id.
        snapshots: What was said of the window, by id and day of capture.
        first_names: The name that each id was first captured under.
        owners: Who was first captured under a name, by the name in lower case.
    """

    days: dict[tuple[int, str], Day] = field(default_factory=dict)
    entries: dict[int, Entry] = field(default_factory=dict)
    snapshots: dict[tuple[int, str], Snapshot] = field(default_factory=dict)
    first_names: dict[int, str] = field(default_factory=dict)
    owners: dict[str, int] = field(default_factory=dict)

    def add(self, report: Report) -> None:
        """Merge one report."""
        id_ = report.repo_id
        if id_ not in self.entries:
            report = replace(report, new=True)  # as Store traffic does
            self.first_names[id_] = report.name
            self.owners.setdefault(report.name.lower(), id_)
        entry = self.entries[id_] = merge_entries(self.entries.get(id_, Entry()), report.entry)
        for day, seen in report.days.items():
            self.days[id_, day] = merge_days(self.days.get((id_, day), Day()), seen)
        for day, snapshot in report.snapshots.items():
            relative = without_prefix(snapshot, entry.names)
            self.snapshots[id_, day] = merge_snapshots(self.snapshots.get((id_, day), {}), relative)

    def row_keys(self, held: Mapping[int, str]) -> dict[int, str]:
        """Give each id's key in `RepoTraffic`.

        Args:
            held: The keys that the table of repositories holds. A key is given once, to the name first stored, and
                never changes. So one that the repository can have is right, also where an object was stored late.
        """
        times = Counter(held.values())
        return {
            id_: held[id_]
            if times[held.get(id_, "")] == 1 and held[id_] in self._possible_keys(id_)
            else own_key(name, id_, str(self.owners[name.lower()]))
            for id_, name in self.first_names.items()
        }

    def _possible_keys(self, id_: int) -> set[str]:
        return {key for name in self.entries[id_].names for key in (name, f"{name}~{id_}")}


def day_items(replay: Replay, row_keys: Mapping[int, str]) -> dict[Key, DayOf]:
    """Give what makes the items of `RepoTraffic`, by key: all items at once would be many."""
    return {(row_keys[id_], to_text(start_of(day))): (id_, seen) for (id_, day), seen in replay.days.items()}


def snapshot_items(replay: Replay) -> dict[Key, Snapshot]:
    """Give what makes the items of `RepoTrafficSnapshots`, by key."""
    return {(str(id_), day): snapshot for (id_, day), snapshot in replay.snapshots.items()}


def repository_items(replay: Replay, row_keys: Mapping[int, str], held: Mapping[str, Item]) -> dict[Key, Item]:
    """Give the items of `RepoTrafficRepositories`, by key.

    Args:
        replay: The merged archive.
        row_keys: Each id's key in `RepoTraffic`.
        held: The items as the table holds them, by key. Which of several ids owns a name depends, as the keys of rows
            do, on which was stored first.
    """
    items: dict[Key, Item] = {}
    bearers: dict[str, set[str]] = {}
    for id_, entry in replay.entries.items():
        items[str(id_),] = {"repo-name": row_keys[id_], **item_of_entry(entry)}
        for name in entry.names:
            bearers.setdefault(name.lower(), set()).add(str(id_))
    owners = {key.lower(): str(id_) for id_, key in row_keys.items()}
    for name, ids in bearers.items():
        stored_first = held.get(pointer_key(name), {}).get("owner-id")
        owner = owners.get(name) or (stored_first if stored_first in ids else None)
        items[pointer_key(name),] = {"repo-ids": ids, **({"owner-id": owner} if owner else {})}
    return items

"""What the tables should hold: the archive, merged in memory by the rules of Store traffic. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from traffic.clock import start_of, to_text
from traffic.record.items import Item, item_of_entry, own_key, pointer_key
from traffic.record.merge import Day, Entry, Snapshot, merge_days, merge_entries, merge_snapshots, without_prefix
from traffic.record.reports import Report

Key = tuple[str, ...]  # the key of an item, in the order of its table's key attributes
DayOf = tuple[int, Day]  # a repository's id and one of its days


@dataclass
class Replay:
    """The archive's reports, merged one after another in the order of the captures.

    Attributes:
        days: What is known of each day, by id and day.
        entries: What is known of each repository, by id.
        snapshots: What GitHub reported of the window, by id and day of capture.
        first_names: The name under which each id was first captured.
        owners: The id that was first captured under a name, by the name in lower case.
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
        """Return each id's key in `RepoTraffic`.

        Args:
            held: The keys in the table of repositories, by id. A repository gets its key when it is first stored, and
                the key never changes. So each key that the repository can have is right, even if an object was stored
                late.
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
    """Return the content of the items of `RepoTraffic`, by key; all items at once would need too much memory."""
    return {(row_keys[id_], to_text(start_of(day))): (id_, seen) for (id_, day), seen in replay.days.items()}


def snapshot_items(replay: Replay) -> dict[Key, Snapshot]:
    """Return the content of the items of `RepoTrafficSnapshots`, by key."""
    return {(str(id_), day): snapshot for (id_, day), snapshot in replay.snapshots.items()}


def repository_items(replay: Replay, row_keys: Mapping[int, str], held: Mapping[str, Item]) -> dict[Key, Item]:
    """Return the items of `RepoTrafficRepositories`, by key.

    Args:
        replay: The merged archive.
        row_keys: Each id's key in `RepoTraffic`.
        held: The items in the table, by key. Of several ids that had a name, the one that was stored first owns it.
    """
    items: dict[Key, Item] = {}
    ids_by_name: dict[str, set[str]] = {}
    for id_, entry in replay.entries.items():
        items[str(id_),] = {"repo-name": row_keys[id_], **item_of_entry(entry)}
        for name in entry.names:
            ids_by_name.setdefault(name.lower(), set()).add(str(id_))
    owners = {key.lower(): str(id_) for id_, key in row_keys.items()}
    for name, ids in ids_by_name.items():
        stored_first = held.get(pointer_key(name), {}).get("owner-id")
        owner = owners.get(name) or (stored_first if stored_first in ids else None)
        items[pointer_key(name),] = {"repo-ids": ids, **({"owner-id": owner} if owner else {})}
    return items

"""Merges reports into the three tables, and writes only what changes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from traffic.clock import start_of, to_text
from traffic.errors import IdentityConflictError, TableBusyError
from traffic.record.item_table import ATTEMPTS, Table, changes, item_of
from traffic.record.merge import (
    CHECKED,
    CHECKED_OF_DAY,
    Day,
    Entry,
    Item,
    Snapshot,
    day_of_item,
    entry_of_item,
    item_of_entry,
    merge_days,
    merge_entries,
    merge_snapshots,
    own_key,
    pointer_key,
    snapshot_of_item,
    without_prefix,
    written_day,
    written_snapshot,
)
from traffic.record.reports import Report
from traffic.wording import counted


class Tables:
    """`RepoTraffic` and `RepoTrafficRepositories`.

    Args:
        traffic: The table of days.
        repositories: The table of repositories.
    """

    def __init__(self, traffic: Table, repositories: Table) -> None:
        self._traffic = traffic
        self._repositories = repositories

    def days(self, repo_name: str, days: Iterable[str]) -> dict[str, Item]:
        """Read the items of some days, by day.

        One query over all of them costs less than a batch: DynamoDB charges a query by 4 KB, and a batch by item.
        """
        wanted = set(days)
        if not wanted:
            return {}
        first, last = (_day_key(repo_name, day)["timestamp"] for day in (min(wanted), max(wanted)))
        found = map(item_of, self._traffic.query({"repo-name": repo_name}, {"timestamp": first}, end=last))
        return {day: item for item in found if (day := item["timestamp"][:10]) in wanted}

    def views(self, repo_name: str, since: str) -> dict[str, int]:
        """Read a repository's views by day, from a day on; a day for which none were reported is absent."""
        found = self._traffic.query({"repo-name": repo_name}, {"timestamp": since}, ["views-count"])
        return {item["timestamp"]["S"][:10]: int(item["views-count"]["N"]) for item in found if "views-count" in item}

    def store_days(self, repo_name: str, repo_id: int, seen: Mapping[str, Day]) -> tuple[list[str], dict[str, Day]]:
        """Merge days into the table.

        Returns:
            The days whose items changed, and all days as they were before.

        Raises:
            IdentityConflictError: Some rows belong to another id; nothing was written.
            TableBusyError: Others kept changing the rows.
        """
        kept: dict[str, Day] = {}
        changed: list[str] = []
        waiting = dict(seen)
        for _ in range(ATTEMPTS):
            items = self.days(repo_name, waiting)
            _refuse_others(repo_name, repo_id, items)
            for day in list(waiting):
                item = items.get(day, {})
                kept.setdefault(day, day_of_item(item))
                merged = written_day(repo_id, merge_days(day_of_item(item), waiting[day]))
                update = changes(item, merged, CHECKED_OF_DAY)
                if update and not self._traffic.write(_day_key(repo_name, day), item, update):
                    continue
                changed += [day] if update else []
                del waiting[day]
            if not waiting:
                return changed, kept
        raise TableBusyError(
            f"{repo_name} kept changing while {counted(len(waiting), 'day of it was', 'days of it were')} merged"
        )

    def repository(self, repo_id: int) -> tuple[str, Entry] | None:
        """Read a repository's key in `RepoTraffic` and its entry; None if the repository is unknown."""
        item = self._repositories.item({"repo-id": str(repo_id)})
        return (item["repo-name"], entry_of_item(item)) if item else None

    def store_repository(self, repo_id: int, seen: Entry) -> tuple[str, Entry]:
        """Merge a report into a repository's entry, and make its name lead to it.

        Returns:
            The partition key of its days, which never changes: the name first seen. And the merged entry.

        Raises:
            TableBusyError: Others kept changing the entry.
        """
        key = {"repo-id": str(repo_id)}
        for _ in range(ATTEMPTS):
            item = self._repositories.item(key)
            kept = entry_of_item(item)
            # Write names first: a missing name is never repaired later, a name without an entry is.
            for name in sorted(seen.names.keys() - kept.names.keys()):
                self._lead(name, repo_id, claim=not item and name == seen.name)
            merged = merge_entries(kept, seen)
            repo_name = item.get("repo-name") or self._own_key(seen.name, repo_id)
            update = changes(item, {"repo-name": repo_name, **item_of_entry(merged)})
            if not update or self._repositories.write(key, item, update):
                return str(repo_name), merged
        raise TableBusyError(f"the entry of repository {repo_id} kept changing while it was merged")

    def entries(self) -> Iterator[tuple[int, str, Entry]]:
        """Read every repository's id, key in `RepoTraffic` and entry."""
        for item in self._repositories.every_item(having="repo-name"):  # the other items lead from a name to ids
            yield int(item["repo-id"]), item["repo-name"], entry_of_item(item)

    def _own_key(self, name: str, repo_id: int) -> str:
        return own_key(name, repo_id, self._pointer(name).get("owner-id"))

    def _pointer(self, name: str) -> Item:
        return self._repositories.item({"repo-id": pointer_key(name)})

    def _lead(self, name: str, repo_id: int, *, claim: bool) -> None:
        """Make a name lead to an id. With `claim`, the first id to do so owns the name as the key of its rows."""
        key, id_ = {"repo-id": pointer_key(name)}, str(repo_id)

        def led(item: Item) -> Item:
            owner = {"owner-id": id_} if claim and "owner-id" not in item else {}
            return {**item, "repo-ids": item.get("repo-ids", set()) | {id_}, **owner}

        settle(self._repositories, key, self._repositories.item(key), led)


class Snapshots:
    """`RepoTrafficSnapshots`: what GitHub reported of its window, one item for each repository and day of capture.

    Args:
        table: The table.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def referrers(self, repo_id: int, since: str) -> dict[str, dict[str, int]]:
        """Read a repository's views by referrer, by day of capture, from a day on.

        A capture without referrers is empty; a capture for which GitHub did not answer is absent.
        """
        found = map(item_of, self._table.query({"repo-id": str(repo_id)}, {"captured-on": since}, ["referrers"]))
        return {
            item["captured-on"]: {row["referrer"]: row["count"] for row in item["referrers"]}
            for item in found
            if "referrers" in item
        }

    def store(self, repo_id: int, day: str, seen: Snapshot) -> bool:
        """Replace what earlier captures of the same day reported, part by part.

        Args:
            repo_id: GitHub's numeric id.
            day: The day of capture.
            seen: What GitHub reported.

        Returns:
            Whether the item changed.

        Raises:
            TableBusyError: Others kept changing it.
        """
        key = {"repo-id": str(repo_id), "captured-on": day}

        def merged(item: Item) -> Item:
            return written_snapshot(merge_snapshots(snapshot_of_item(item), seen))

        return settle(self._table, key, self._table.item(key), merged, CHECKED)[1]


class Stored(NamedTuple):
    """What storing a report changed.

    Attributes:
        repo_name: The key of the repository's rows.
        changed: The days whose items changed.
        kept: All reported days as they were before.
        conflict: Why no day was stored, if rows belong to another repository; otherwise empty.
    """

    repo_name: str
    changed: list[str]
    kept: dict[str, Day]
    conflict: str = ""


def store_report(tables: Tables, snapshots: Snapshots, report: Report) -> Stored:
    """Merge a report into the tables. Rows that belong to another repository are left unchanged.

    Raises:
        TableBusyError: Others kept changing an item.
    """
    if not report.new and tables.repository(report.repo_id) is None:
        # The object that made the repository known is gone from the archive, so only this one has its name.
        report = report._replace(new=True)
    repo_name, entry = tables.store_repository(report.repo_id, report.entry)
    try:
        stored = Stored(repo_name, *tables.store_days(repo_name, report.repo_id, report.days))
    except IdentityConflictError as exc:
        stored = Stored(repo_name, [], {}, str(exc))
    for day, snapshot in report.snapshots.items():
        snapshots.store(report.repo_id, day, without_prefix(snapshot, entry.names))
    return stored


def settle(
    table: Table, key: Item, item: Item, merge: Callable[[Item], Item], checked: Sequence[str] = ()
) -> tuple[Item, bool]:
    """Write what merging changes of an item. If others changed the item meanwhile, read it again and merge again.

    Args:
        table: The table.
        key: The item's key.
        item: The item as it was read; empty if it did not exist.
        merge: Returns the merged item, with None for attributes to remove.
        checked: Attributes that are written, and so checked, with every other change.

    Returns:
        The merged item, without its key if it was read again; and whether it was written.

    Raises:
        TableBusyError: Others kept changing it.
    """
    for _ in range(ATTEMPTS):
        merged = merge(item)
        update = changes(item, merged, checked)
        if not update:
            return merged, False
        if table.write(key, item, update):
            return merged, True
        item = {name: value for name, value in table.item(key).items() if name not in key}
    raise TableBusyError(f"{' '.join(key.values())} in {table.name} kept changing while it was merged")


def _day_key(repo_name: str, day: str) -> Item:
    return {"repo-name": repo_name, "timestamp": to_text(start_of(day))}


def _refuse_others(repo_name: str, repo_id: int, items: Mapping[str, Item]) -> None:
    """Check that no row belongs to another repository, before the first is written."""
    for day, item in items.items():
        if item.get("repo-id", repo_id) != repo_id:
            raise IdentityConflictError(f"{repo_name} {day} belongs to id {item['repo-id']}, not to {repo_id}")

"""Compares the tables with the archive, item by item, for `traffic verify`; `traffic rebuild` writes what differs.

One repository's items are in memory at a time, or those of a few.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from typing import Any, Generic, TypeVar

from traffic.contract import METRICS
from traffic.record.archive import Archive
from traffic.record.expected import DayOf, Key, Replay, day_items, entry_items, name_items, snapshot_items
from traffic.record.item_table import Table, item_of
from traffic.record.merge import (
    CHECKED,
    CHECKED_OF_DAY,
    SOURCES,
    Day,
    Item,
    Snapshot,
    day_of_item,
    entry_of_item,
    item_of_day,
    item_of_entry,
    item_of_snapshot,
    merge_days,
    merge_entries,
    merge_snapshots,
    snapshot_of_item,
    written_day,
    written_snapshot,
)
from traffic.record.reading import Record
from traffic.record.reports import read_reports

FIRST_VERSION = "first version"

BY_OUTCOME = "refused-before"
LATER = ("views-until", "clones-until", BY_OUTCOME)  # attributes that older records lack; `traffic rebuild` adds them

MANY = 1000  # objects or repositories between two lines of progress
AT_ONCE = 8  # objects to read, or repositories to compare, if the tables and the archive are in AWS

Argument = TypeVar("Argument")
Found = TypeVar("Found")
Content = TypeVar("Content")


@dataclass(frozen=True)
class Difference:
    """Where a table and the archive disagree.

    Attributes:
        kind: `missing`, `extra`, `differs`, or FIRST_VERSION for a row that the first version wrote.
        table: The table's name.
        key: The item's key.
        attribute: The attribute that differs, if both have the item.
        archive: The value according to the archive; None if it has none.
        held: The value in the table; None if it has none.
    """

    kind: str
    table: str
    key: Key
    attribute: str = ""
    archive: Any = None
    held: Any = None

    @property
    def row(self) -> tuple[object, ...]:
        """The difference as a row of a table."""
        return self.kind, self.table, " ".join(self.key), self.attribute, _shown(self.archive), _shown(self.held)


# What a table of the differences has above its columns.
HEADINGS = ("DIFFERENCE", "TABLE", "ITEM", "ATTRIBUTE", "ARCHIVE", "TABLE HOLDS")


@dataclass(frozen=True)
class Kind(Generic[Content]):
    """Items of one table.

    Attributes:
        table: The table.
        key_names: Its key attributes.
        write: Writes what the archive says of an item as the item's attributes, without its key.
        merge: Merges what the archive says into an item of the table, as Store traffic does; None for what to remove.
        checked: Attributes that are always written, and so checked.
    """

    table: Table
    key_names: tuple[str, ...]
    write: Callable[[Content], Item]
    merge: Callable[[Item, Content], Item]
    checked: tuple[str, ...] = ()


# Called with an item that differs: its kind, its key, its attributes, and what the archive says, which is None if it
# does not have the item. Returns what the table holds of it then.
Mend = Callable[[Kind[Any], Item, Item, Any], Item]


def leave(_kind: Kind[Any], _key: Item, item: Item, _said: Any) -> Item:
    """Leave an item that differs as it is."""
    return item


@dataclass(frozen=True)
class Comparison:
    """The three tables and the archive.

    Attributes:
        record: The tables.
        archive: The archive.
        mend: Called with each item that differs.
        at_once: How many objects to read, or repositories to compare, at the same time.
        on_progress: Called with a line of progress.
    """

    record: Record
    archive: Archive
    mend: Mend = leave
    at_once: int = 1
    on_progress: Callable[[str], None] = lambda _line: None

    def differences(self) -> Iterator[Difference]:
        """Yield what differs after `mend`: first the names and repositories, then the rows of one after another.

        Raises:
            RecordError: An object of the archive is damaged.
            TableBusyError: Others kept changing an item.
        """
        replay = self._replayed()
        held = {item["repo-id"]: item for item in self.record.repositories.every_item()}
        # Names first, as Store traffic does: the owner of a name decides the key of the rows.
        names = self._entries(name_items(replay, replay.row_keys(held), held), held, names=True)
        entries = self._entries(entry_items(replay, replay.row_keys(held)), held, names=False)
        yield from sorted([*entries, *names], key=lambda difference: (difference.key, difference.attribute))
        row_keys = replay.row_keys(held)
        ids = sorted(row_keys, key=lambda id_: row_keys[id_])
        compared = self._several(lambda id_: self._repository(replay, id_, row_keys[id_]), ids)
        for found in self._counted(compared, len(ids), "Compared {} of {} repositories."):
            yield from found
        yield from self._unknown(set(row_keys.values()), set(map(str, row_keys)))

    def _replayed(self) -> Replay:
        replay, keys = Replay(), self.archive.stored_keys()
        objects = self._several(self.archive.read_answers, keys)
        for lines in self._counted(objects, len(keys), "Read {} of {} objects."):
            for report in read_reports(lines):
                replay.add(report)
        return replay

    def _entries(self, said: Mapping[Key, Item], held: dict[str, Item], *, names: bool) -> list[Difference]:
        """Compare the items of names, or those of repositories, and update `held` with what `mend` returns."""
        kind = Kind(self.record.repositories, ("repo-id",), dict, _merged_names if names else _merged_entry)

        def remembered(kind: Kind[Item], key: Item, item: Item, content: Item | None) -> Item:
            mended = self.mend(kind, key, item, content)
            if mended:
                held[key["repo-id"]] = {**key, **mended}
            else:
                held.pop(key["repo-id"], None)
            return mended

        def compared(key: str) -> list[Difference]:
            expected: dict[Key, Item] = {(key,): said[key,]} if (key,) in said else {}
            return list(differing(kind, expected, [held[key]] if key in held else [], remembered))

        keys = {key for key in held if key.isdecimal() != names} | {key for (key,) in said}
        return [each for found in self._several(compared, sorted(keys)) for each in found]

    def _repository(self, replay: Replay, id_: int, row_key: str) -> list[Difference]:
        known = replay.known(id_)
        rows, captures = self._rows(row_key), self._captures(str(id_))
        days = day_items(row_key, id_, known)
        # Rows of another repository: Store traffic writes nothing beside them.
        taken = any(row.get("repo-id", id_) != id_ for row in rows if (row_key, row["timestamp"]) in days)
        return [
            *differing(self._days, days, rows, leave if taken else self.mend),
            *differing(self._snapshots, snapshot_items(id_, known), captures, self.mend),
        ]

    def _unknown(self, row_keys: set[str], ids: set[str]) -> Iterator[Difference]:
        """Yield the rows and snapshots of repositories that the archive does not have."""
        for row_key in sorted(self.record.traffic.partitions("repo-name") - row_keys):
            yield from differing(self._days, {}, self._rows(row_key), self.mend)
        for id_ in sorted(self.record.snapshots.partitions("repo-id") - ids):
            yield from differing(self._snapshots, {}, self._captures(id_), self.mend)

    @property
    def _days(self) -> Kind[DayOf]:
        return Kind(self.record.traffic, ("repo-name", "timestamp"), _day_item, _merged_day, CHECKED_OF_DAY)

    @property
    def _snapshots(self) -> Kind[list[Snapshot]]:
        return Kind(self.record.snapshots, ("repo-id", "captured-on"), _snapshot_item, _merged_snapshot, CHECKED)

    def _rows(self, row_key: str) -> list[Item]:
        return list(map(item_of, self.record.traffic.query({"repo-name": row_key}, {"timestamp": "0"})))

    def _captures(self, id_: str) -> list[Item]:
        return list(map(item_of, self.record.snapshots.query({"repo-id": id_}, {"captured-on": "0"})))

    def _several(self, function: Callable[[Argument], Found], arguments: Sequence[Argument]) -> Iterator[Found]:
        """Yield what a function returns for each argument, in order, with up to `at_once` calls at the same time."""
        if self.at_once == 1:
            yield from map(function, arguments)
            return
        waiting: deque[Future[Found]] = deque()
        rest = iter(arguments)
        with ThreadPoolExecutor(self.at_once) as threads:
            try:
                while True:
                    # Not all at once: results that nobody takes yet would fill the memory.
                    waiting += (
                        threads.submit(function, each) for each in islice(rest, 2 * self.at_once - len(waiting))
                    )
                    if not waiting:
                        return
                    yield waiting.popleft().result()
            finally:
                threads.shutdown(cancel_futures=True)

    def _counted(self, found: Iterable[Found], total: int, line: str) -> Iterator[Found]:
        for done, each in enumerate(found, 1):
            yield each
            if done % MANY == 0:
                self.on_progress(line.format(done, total))


def differing(
    kind: Kind[Content], said: Mapping[Key, Content], held: Iterable[Item], mend: Mend
) -> Iterator[Difference]:
    """Compare some items of a table, by key and attribute.

    Args:
        kind: What they are.
        said: What the archive says of each item, by key.
        held: The items in the table.
        mend: Called with each item that differs, or is missing.
    """
    found: list[Difference] = []
    unseen = dict(said)
    for item in held:
        key = tuple(item[name] for name in kind.key_names)
        rest = {name: value for name, value in item.items() if name not in kind.key_names}
        if key not in unseen:
            if kind.key_names[0] == "repo-name" and "/" not in key[0]:  # the first version stored no owners
                found.append(Difference(FIRST_VERSION, kind.table.name, key))
            elif mend(kind, dict(zip(kind.key_names, key, strict=True)), rest, None) or not rest:
                found.append(Difference("extra", kind.table.name, key))
            continue
        found += _compared(kind, key, rest, unseen.pop(key), mend)
    for key, content in unseen.items():
        found += _compared(kind, key, {}, content, mend)
    return iter(sorted(found, key=lambda difference: (difference.key, difference.attribute)))


def _compared(kind: Kind[Content], key: Key, item: Item, content: Content, mend: Mend) -> Iterator[Difference]:
    wanted = kind.write(content)
    if wanted == item:
        return
    item = mend(kind, dict(zip(kind.key_names, key, strict=True)), item, content)
    if not item:
        yield Difference("missing", kind.table.name, key)
        return
    for attribute in sorted(wanted.keys() | item.keys()):
        expected = _expected(attribute, wanted.get(attribute), item.get(attribute))
        if expected != item.get(attribute):
            yield Difference("differs", kind.table.name, key, attribute, expected, item.get(attribute))


def _expected(attribute: str, wanted: Any, held: Any) -> Any:
    """Return the value that an attribute should have, allowing for records of earlier versions.

    Such a record lacks attributes, which is not a difference. Nor is an earlier day of a refusal: a run for a past date
    adds only that date's refusal to such a record. A day of it can have sources for the numbers imported since, alone.
    """
    if attribute == SOURCES:
        sources = (wanted or {}).items()  # a running number always had one
        known = {name: tool for name, tool in sources if name not in METRICS or (held and name in held)}
        return known or None
    if attribute in LATER and held is None:
        return None
    if attribute == BY_OUTCOME and wanted is not None:
        return {outcome: min(day, held[outcome]) for outcome, day in wanted.items() if outcome in held}
    return wanted


def _day_item(content: DayOf) -> Item:
    repo_id, day = content
    return {"repo-id": repo_id, **item_of_day(day)}


def _merged_day(item: Item, content: DayOf) -> Item:
    repo_id, day = content
    if item.get("repo-id", repo_id) != repo_id:
        return item
    held = day_of_item(item)
    # Let the archive decide the source of a value that it explains: the item of an earlier version has no sources.
    unexplained = {metric: value for metric, value in held.metrics.items() if value > day.metrics.get(metric, -1)}
    sources = {metric: tool for metric, tool in held.sources.items() if metric in unexplained}
    return {**item, **written_day(repo_id, merge_days(Day(unexplained, held.complete, sources), day))}


def _snapshot_item(captured: list[Snapshot]) -> Item:
    return item_of_snapshot(reduce(merge_snapshots, captured, {}))


def _merged_snapshot(item: Item, captured: list[Snapshot]) -> Item:
    held = snapshot_of_item(item)
    archived: Snapshot = reduce(merge_snapshots, captured, {})
    # Let the archive decide the source of a number that it explains.
    explained = {
        part: kept
        for part, kept in archived.items()
        if part in held and kept == held[part]._replace(source=kept.source)
    }
    return {**item, **written_snapshot(reduce(merge_snapshots, captured, {**held, **explained}))}


def _merged_entry(item: Item, said: Item) -> Item:
    merged = item_of_entry(merge_entries(entry_of_item(item), entry_of_item(said)))
    return {**item, "repo-name": item.get("repo-name") or said["repo-name"], **merged}


def _merged_names(item: Item, said: Item) -> Item:
    return {**said, **item, "repo-ids": item.get("repo-ids", set()) | said["repo-ids"]}


def _shown(value: Any) -> str:
    return "" if value is None else str(sorted(value) if isinstance(value, set) else value)

"""Takes an import back: what only this import explains is set to what the rest of the archive gives, or removed."""

from collections.abc import Callable
from itertools import count
from typing import Any

from traffic.contract import ImportedHistory
from traffic.errors import TableBusyError
from traffic.record.archive import Archive
from traffic.record.comparison import Comparison, Difference, Kind
from traffic.record.expected import Key
from traffic.record.item_table import ATTEMPTS
from traffic.record.merge import Item, item_of_entry, pointer_key, without_prefix
from traffic.record.reading import Record
from traffic.record.reports import read_reports

ID = "repo-id"
OWN = (ID, "repo-name")  # what an item keeps while it has anything else


def undo(
    record: Record, archive: Archive, key: str, *, at_once: int = 1, on_progress: Callable[[str], None]
) -> tuple[int, list[Difference]]:
    """Take an import back. It can be repeated after it was interrupted.

    The import's object is set aside first, so that no rebuild meanwhile stores it again. Then each item that the import
    touched is compared with the rest of the archive.

    Args:
        record: The tables.
        archive: The archive.
        key: The import's key in the archive.
        at_once: How many repositories to compare at the same time.
        on_progress: Called with a line of progress.

    Returns:
        How many items changed; and the touched items that differ from the archive still, because neither this import
        nor the rest of the archive explains them.

    Raises:
        RecordError: There is no such import, or an object of the archive is damaged.
        TableBusyError: Others kept changing an item.
    """
    history = archive.set_aside(key)
    held = record.repositories.item({ID: str(history["repo_id"])})
    taken = _TakenBack(history, names={history["repo"], *held.get("names", {})})
    found = Comparison(record, archive, taken.mend, at_once, on_progress).differences()
    left = [difference for difference in found if taken.touches(difference)]
    return next(taken.changed), left


class _TakenBack:
    """What an import wrote, and how it is removed from an item.

    Args:
        history: What was imported.
        names: The names of the repository, for which the paths of its snapshots were shortened.
    """

    def __init__(self, history: ImportedHistory, names: set[str]) -> None:
        (self.report,) = read_reports([history])
        self.id = str(history["repo_id"])
        self.pointer = pointer_key(history["repo"])
        self.names = names
        self.changed = count()  # unlike `+= 1`, its next() is safe in threads
        self._touched: set[tuple[str, Key]] = set()

    def touches(self, difference: Difference) -> bool:
        """Whether the import wrote the item that differs."""
        return (difference.table, difference.key) in self._touched

    def mend(self, kind: Kind[Any], key: Item, item: Item, said: Any) -> Item:
        """Remove from an item what only the import explains; return what the table then holds.

        Raises:
            TableBusyError: Others kept changing the item.
        """
        content = self._content(key, item, known=said is not None)
        if content is None:
            return item
        self._touched.add((kind.table.name, tuple(key.values())))
        rest = {} if said is None else kind.write(said)
        written = kind.merge(rest, content)
        for _ in range(ATTEMPTS):
            wanted = _without(item, written, rest)
            if wanted == item:
                return item
            if kind.table.replace(key, item, wanted):
                next(self.changed)
                return wanted
            item = {name: value for name, value in kind.table.item(key).items() if name not in key}
        raise TableBusyError(f"{' '.join(key.values())} in {kind.table.name} kept changing while it was mended")

    def _content(self, key: Item, item: Item, *, known: bool) -> Any:
        """Return what the import says of an item, as the archive's content of its kind; None if it says nothing."""
        if "timestamp" in key:
            day = self.report.days.get(key["timestamp"][:10])
            return (self.report.repo_id, day) if day and str(item.get(ID)) == self.id else None
        if "captured-on" in key:
            snapshot = self.report.snapshots.get(key["captured-on"])
            return [without_prefix(snapshot, self.names)] if snapshot and key[ID] == self.id else None
        if key[ID] == self.id:
            entry = self.report.entry if known else self.report._replace(new=True).entry
            return {"repo-name": item.get("repo-name"), **item_of_entry(entry)}
        if key[ID] == self.pointer:
            owner = {"owner-id": self.id} if item.get("owner-id") == self.id else {}
            return {**owner, "repo-ids": {self.id}}
        return None


def _without(item: Item, written: Item, rest: Item) -> Item:
    """Return an item with what the rest of the archive gives, where it holds what the rest and the import give.

    Args:
        item: The item.
        written: What the rest of the archive and the import give.
        rest: What the rest of the archive gives.
    """
    left = _back(item, written, rest) or {}
    if not rest and left.keys() <= {*OWN, "owner-id"}:
        return {}
    return {**{name: item[name] for name in OWN if name in item}, **left}


def _back(held: Any, written: Any, rest: Any) -> Any:
    """Return a value without what only the import explains; None if nothing is left."""
    if held == written:
        return rest
    if isinstance(held, dict) and isinstance(written, dict):
        inner = ((name, _back(value, written.get(name), (rest or {}).get(name))) for name, value in held.items())
        return {name: value for name, value in inner if value is not None} or None
    if isinstance(held, set) and isinstance(written, set):
        return held - (written - (rest or set())) or None
    return held

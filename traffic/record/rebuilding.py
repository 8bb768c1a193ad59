"""Writes what the tables lack of the archive, or hold too low, each item once."""

from collections.abc import Callable
from itertools import count
from typing import Any

from traffic.record.archive import Archive
from traffic.record.comparison import FIRST_VERSION, Comparison, Difference, Kind
from traffic.record.merge import Item
from traffic.record.reading import Record
from traffic.record.tables import settle


def rebuild(
    record: Record, archive: Archive, at_once: int = 1, on_progress: Callable[[str], None] = lambda _line: None
) -> tuple[int, list[Difference]]:
    """Write what the tables lack of the archive, or hold too low, each item once.

    Args:
        record: The tables.
        archive: The archive.
        at_once: How many repositories to write at the same time.
        on_progress: Called with a line of progress.

    Returns:
        The number of items written, and the differences that stay.

    Raises:
        RecordError: An object of the archive is damaged.
        TableBusyError: Others kept changing an item.
    """
    written = count()  # unlike `+= 1`, its next() is safe in threads

    def mend(kind: Kind[Any], key: Item, item: Item, content: Any) -> Item:
        if content is None:
            return item
        merged, changed = settle(kind.table, key, item, lambda held: kind.merge(held, content), kind.checked)
        if changed:
            next(written)
        return merged

    found = Comparison(record, archive, mend, at_once, on_progress).differences()
    left = [difference for difference in found if difference.kind != FIRST_VERSION]
    return next(written), left

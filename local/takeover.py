"""Open the tables of a history when the engine starts, also those that an earlier version saved in another form."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from local.history_folder import HistoryFolder, current_generation, flush_to_disk, read_marker, write_marker
from local.stored_items import EngineTables, RawItem, row_name, row_sort

SAVED_ITEMS = "dynamodb-items.jsonl"  # in a generation of an earlier version; a line is a partition of a table


class DamagedTablesError(Exception):
    """The file of the tables cannot be read; the archive has everything that it contained."""


def begin_tables(history: HistoryFolder) -> EngineTables:
    """Open the tables, while the history is locked. From now on they do not count as complete.

    If the file is missing, everything in the archive counts as not stored.

    Raises:
        DamagedTablesError: The file is no database, or a damaged one.
    """
    saved, before = read_marker(history), current_generation(history) / SAVED_ITEMS
    lost = not history.tables.exists() and not before.exists()
    begun = replace(saved, complete=False, stored_until=None if lost else saved.stored_until)
    if begun != saved:
        write_marker(history, begun)
    try:
        tables = EngineTables(history.tables)
    except sqlite3.OperationalError:
        raise  # for example, no space is left
    except sqlite3.DatabaseError as exc:
        raise DamagedTablesError(
            f"{history.tables} cannot be read ({exc}): move it elsewhere, and the next command writes it again from the"
            " archive"
        ) from exc
    if before.exists():
        take_over(history, tables, before)
    return tables


def take_over(history: HistoryFolder, tables: EngineTables, before: Path) -> None:
    """Copy the items that an earlier version saved; if that is interrupted, the next start does it again."""
    with tables.transaction():
        tables.add(saved_rows(before))
    tables.flush()
    before.rename(history.tables_before)
    flush_to_disk(before.parent)
    flush_to_disk(history.engine)


def saved_rows(path: Path) -> Iterator[tuple[str, str, str, RawItem]]:
    """Yield table, partition, sort key and item of each saved item."""
    with path.open() as file:
        for line in file:
            table, partition, rows = json.loads(line)
            for sort, item in rows.items():
                yield row_name(*table), partition, row_sort(sort), item

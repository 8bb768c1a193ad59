"""The items of the local engine's DynamoDB tables, in one SQLite file: its schema, and how a table is read.

The engine writes to it (see `local.cures.dynamodb`). Every other process may read it at any time.
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

RawItem = Mapping[str, Any]  # an item as DynamoDB's API writes it: `{"views-count": {"N": "5"}}`

# `sort` is empty in tables without a sort key. `item` is compact JSON text of the whole item, with its keys.
# Texts are compared by code point, so their order is that of DynamoDB's bytes.
SCHEMA = """
CREATE TABLE IF NOT EXISTS items(
    table_name TEXT NOT NULL,
    "partition" TEXT NOT NULL,
    sort TEXT NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (table_name, "partition", sort)
) WITHOUT ROWID
"""
ITEM = 'SELECT item FROM items WHERE table_name = ? AND "partition" = ? AND sort = ?'
HOME = ("000000000000", "us-east-1")  # see `local.engine`
NO_SORT = "__no_sort__"  # ministack's sort key in tables without one
LOG_SIZE = 16 * 1024 * 1024  # bytes of the log beside the file that are kept after a large transaction
PATIENCE = 60.0  # seconds to wait while another process writes

to_text: Callable[[RawItem], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def open_tables(path: Path) -> sqlite3.Connection:
    """Open the file to read and write it, and create it if it does not exist; only its owner can read it.

    A commit is on disk when the next checkpoint is: a killed process loses nothing, a power cut the last commits.
    """
    if not path.exists():  # to close the file later would release SQLite's locks of this process
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute(f"PRAGMA journal_size_limit = {LOG_SIZE}")
    database.execute(SCHEMA)
    return database


def row_name(account: str, region: str, name: str) -> str:
    """Return under which name the items of a table are stored: its own, in the engine's own account and region."""
    return name if (account, region) == HOME else f"{account}/{region}/{name}"


def row_sort(sort: str) -> str:
    """Return the sort key of an item, given ministack's."""
    return "" if sort == NO_SORT else sort


class EngineTables:
    """The file as the engine reads and writes it: every statement is committed at once, or with its transaction.

    Several threads of the engine share it. It keeps no items in memory, so other processes may write to the file, too.

    Args:
        path: The file; see `HistoryFolder.tables`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = open_tables(path)
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[Callable[[], None]]:
        """Commit what is written within, unless the yielded function is called, or an error is raised.

        Nobody else writes meanwhile. Within another transaction it does nothing: the outer one decides.
        """
        with self._lock:
            if self._database.in_transaction:
                yield lambda: None
                return
            end = "COMMIT"

            def give_up() -> None:
                nonlocal end
                end = "ROLLBACK"

            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield give_up
                self._database.execute(end)
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    def item(self, table: str, partition: str, sort: str) -> Any:
        """Read one item in DynamoDB's own form; None if it does not exist."""
        with self._lock:
            found = self._database.execute(ITEM, (table, partition, sort)).fetchone()
        return json.loads(found[0]) if found else None

    def put(self, table: str, partition: str, sort: str, item: RawItem) -> None:
        """Write one item."""
        self._all("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)", table, partition, sort, to_text(item))

    def add(self, rows: Iterable[tuple[str, str, str, RawItem]]) -> None:
        """Add items with their table, partition and sort key; those of the file win."""
        texts = ((table, partition, sort, to_text(item)) for table, partition, sort, item in rows)
        with self._lock:
            self._database.executemany("INSERT OR IGNORE INTO items VALUES (?, ?, ?, ?)", texts)

    def delete(self, table: str, partition: str, sort: str) -> None:
        """Delete one item, if it exists."""
        self._all('DELETE FROM items WHERE table_name = ? AND "partition" = ? AND sort = ?', table, partition, sort)

    def clear(self, table: str) -> None:
        """Delete all items of a table."""
        self._all("DELETE FROM items WHERE table_name = ?", table)

    def count(self, table: str) -> int:
        """Count the items of a table, which reads all of it."""
        return int(self._all("SELECT count(*) FROM items WHERE table_name = ?", table)[0][0])

    def sorts(self, table: str, partition: str) -> list[str]:
        """List the sort keys of a partition, in order."""
        found = self._all(
            'SELECT sort FROM items WHERE table_name = ? AND "partition" = ? ORDER BY sort', table, partition
        )
        return [sort for (sort,) in found]

    def has_partition(self, table: str, partition: str) -> bool:
        """Return whether a partition has items."""
        return bool(self._all('SELECT 1 FROM items WHERE table_name = ? AND "partition" = ? LIMIT 1', table, partition))

    def partitions(self, table: str, begin: str = "") -> Iterator[str]:
        """Yield the partitions of a table, in order, from one of them; each costs one search, whatever its length."""
        compare = ">="
        while True:
            select = f'SELECT min("partition") FROM items WHERE table_name = ? AND "partition" {compare} ?'  # noqa: S608
            ((begin,),) = self._all(select, table, begin)
            if begin is None:
                return
            yield begin
            compare = ">"

    def rows(
        self, table: str, partition: str, begin: str | None = None, end: str | None = None, *, backwards: bool = False
    ) -> Iterator[tuple[str, str]]:
        """Yield sort key and text of a partition's items, in order.

        Args:
            table: The table's name.
            partition: The partition.
            begin: The lowest sort key.
            end: The highest sort key.
            backwards: Whether the highest sort key comes first.
        """
        limits = {" AND sort >= ?": begin, " AND sort <= ?": end}
        given = {where: limit for where, limit in limits.items() if limit is not None}
        select = f'SELECT sort, item FROM items WHERE table_name = ? AND "partition" = ?{"".join(given)}'  # noqa: S608
        order = f" ORDER BY sort {'DESC' if backwards else 'ASC'}"
        with self._lock:
            found = self._database.execute(select + order, (table, partition, *given.values()))
        yield from found

    def flush(self) -> None:
        """Write all commits to disk, so that they survive a power cut: a checkpoint begins with that."""
        while self._all("PRAGMA wal_checkpoint(PASSIVE)")[0][0]:
            time.sleep(0.01)  # another process does it, but it may have begun before our last commit

    def close(self) -> None:
        """Close the file, which moves all commits from its log."""
        self._database.close()

    def _all(self, statement: str, *values: str) -> list[Any]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()

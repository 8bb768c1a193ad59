"""The tables of a record in both places where they can be: behind DynamoDB's API, and in the local engine's file."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from local.stored_history import StoredTable, python_item
from local.stored_items import open_tables, to_text
from tests.unit.fake_dynamodb import KEYS, FakeDynamoDB, Stored
from traffic.record.item_table import ItemTable
from traffic.record.reading import Record

BACKENDS = ("in DynamoDB", "in a file")

Items = dict[str, dict[tuple[str, ...], Stored]]  # by table and key, in DynamoDB's own form


class Backend(Protocol):
    """The tables of a record, and what a test does behind the record's back."""

    @property
    def writes(self) -> int:
        """The number of writes asked for, including those that a condition refused."""

    @property
    def record(self) -> Record:
        """The tables as the commands see them."""

    def items(self) -> Items:
        """Return all items."""

    def put(self, items: Items) -> None:
        """Replace all items."""

    def before_next_write(self, meanwhile: Callable[[], object]) -> None:
        """Do something once, between the read and the write of an item."""


def readable(items: Items) -> dict[str, dict[tuple[str, ...], Any]]:
    """Return all items in Python's types."""
    return {table: {key: python_item(item) for key, item in found.items()} for table, found in items.items()}


class InDynamoDB:
    """Behind DynamoDB's API."""

    def __init__(self) -> None:
        self._dynamodb = FakeDynamoDB()
        self.record = Record(*(ItemTable(self._dynamodb, name) for name in KEYS))

    @property
    def writes(self) -> int:
        """The number of writes."""
        return self._dynamodb.writes

    def items(self) -> Items:
        """Return all items."""
        return self._dynamodb.items

    def put(self, items: Items) -> None:
        """Replace all items."""
        self._dynamodb.items = items

    def before_next_write(self, meanwhile: Callable[[], object]) -> None:
        """Do something once, between the read and the write of an item."""
        self._dynamodb.between = meanwhile


class CountedTable(StoredTable):
    """A table in the file that counts writes, and lets somebody else write before."""

    def __init__(self, path: Path, name: str, backend: "InFile") -> None:
        super().__init__(path, name)
        self._backend = backend

    def write(self, key: dict[str, Any], read: dict[str, Any], update: dict[str, Any]) -> bool:
        """Write an item, as `StoredTable` does."""
        self._before()
        return super().write(key, read, update)

    def replace(self, key: dict[str, Any], read: dict[str, Any], wanted: dict[str, Any]) -> bool:
        """Replace an item, as `StoredTable` does."""
        self._before()
        return super().replace(key, read, wanted)

    def _before(self) -> None:
        meanwhile, self._backend.meanwhile = self._backend.meanwhile, lambda: None
        meanwhile()
        self._backend.writes += 1


class InFile:
    """In the local engine's file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tables.sqlite"
        self.writes = 0
        self.meanwhile: Callable[[], object] = lambda: None
        self._database = open_tables(self.path)
        self._tables = [CountedTable(self.path, name, self) for name in KEYS]

    @property
    def record(self) -> Record:
        """The tables."""
        return Record(*self._tables)

    def items(self) -> Items:
        """Return all items."""
        found: Items = {table: {} for table in KEYS}
        for table, partition, sort, item in self._database.execute("SELECT * FROM items"):
            found[table][(partition, sort)[: len(KEYS[table])]] = json.loads(item)
        return found

    def put(self, items: Items) -> None:
        """Replace all items."""
        self._database.execute("BEGIN")
        self._database.execute("DELETE FROM items")
        rows = [
            (table, *(*key, "")[:2], to_text(item)) for table, found in items.items() for key, item in found.items()
        ]
        self._database.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", rows)
        self._database.execute("COMMIT")

    def before_next_write(self, meanwhile: Callable[[], object]) -> None:
        """Do something once, between the read and the write of an item."""
        self.meanwhile = meanwhile

    def close(self) -> None:
        """Close the file."""
        for table in self._tables:
            table.database.close()
            table.writer.close()
        self._database.close()


@contextmanager
def backend(kind: str, folder: Path) -> Iterator[Backend]:
    """Make empty tables, `in DynamoDB` or `in a file` in a folder."""
    if kind == "in DynamoDB":
        yield InDynamoDB()
        return
    made = InFile(folder)
    try:
        yield made
    finally:
        made.close()

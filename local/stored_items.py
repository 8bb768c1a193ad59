"""The items of the local engine's DynamoDB tables, in one SQLite file: its schema, and how a table is read.

The engine writes to it (see `local.cures.dynamodb`). Every other process may read it at any time.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

Item = dict[str, Any]  # an item with attributes of Python's types
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
PAGE = 1000  # items
PATIENCE = 60.0  # seconds to wait while another process writes

to_text: Callable[[RawItem], str] = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def open_tables(path: Path) -> sqlite3.Connection:
    """Open the file to read and write it, and create it if it does not exist; only its owner can read it.

    A commit is on disk when the next checkpoint is: a killed process loses nothing, a power cut the last commits.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute(SCHEMA)
    return database


class StoredTable:
    """A table in the file, with the methods of `traffic.record.item_table.ItemTable`, for reading without the engine.

    Args:
        path: The file; see `HistoryFolder.tables`.
        name: The table's name.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name

    @cached_property
    def database(self) -> sqlite3.Connection:
        """The file, opened to read."""
        return sqlite3.connect(
            f"{self.path.resolve().as_uri()}?mode=ro", uri=True, timeout=PATIENCE, check_same_thread=False
        )

    def item(self, key: Item) -> Item:
        """Read one item; empty if it does not exist."""
        return next(iter(self.items([key])), {})

    def items(self, keys: list[Item]) -> list[Item]:
        """Read the items of some keys, without repetition; items that do not exist are left out.

        Args:
            keys: The partition key comes first in each key.
        """
        rows = (self._rows(' AND "partition" = ? AND sort = ?', key_of(key)) for key in keys)
        return [python_item(item) for found in rows for item in found]

    def every_item(
        self, attributes: Sequence[str] = (), *, having: str = "", consistent: bool = True
    ) -> Iterator[Item]:
        """Read all items of the table; the arguments are those of `scan`."""
        return map(python_item, self.scan(attributes, having=having, consistent=consistent))

    def scan(
        self,
        attributes: Sequence[str] = (),
        *,
        having: str = "",
        consistent: bool = True,  # noqa: ARG002 - the same arguments as ItemTable's; the newest writes are always seen
    ) -> Iterator[RawItem]:
        """Read all items of the table in the order of their keys.

        Args:
            attributes: The attributes to read; all of them if this is empty.
            having: An attribute; items without it are skipped.
            consistent: Without effect.
        """
        rows = self._rows(' ORDER BY "partition", sort')
        return projected((item for item in rows if not having or having in item), attributes)

    def pages(self, begin: Item | None = None) -> Iterator[list[str]]:
        """Read all items in the order of their keys as JSON texts, many at a time: the fastest way to read them.

        Args:
            begin: The first sort key, by the name of its attribute; None for all items.
        """
        select = 'SELECT item FROM items WHERE table_name = ? AND sort >= ? ORDER BY "partition", sort'
        found = self.database.execute(select, (self.name, *(begin or {"": ""}).values()))
        while rows := found.fetchmany(PAGE):
            yield [text for (text,) in rows]

    def query(
        self,
        key: Item,
        begin: Item,
        attributes: Sequence[str] = (),
        *,
        end: str = "~",
        consistent: bool = True,  # noqa: ARG002 - the same arguments as ItemTable's; the newest writes are always seen
    ) -> Iterator[RawItem]:
        """Read the items of one partition, from one sort key to another, in order.

        Args:
            key: The partition key, by the name of its attribute.
            begin: The first sort key, by the name of its attribute.
            attributes: The attributes to read beside the keys; all of them if this is empty.
            end: The last sort key. The default comes after every date and time.
            consistent: Without effect.
        """
        between = (*key.values(), *begin.values(), end)
        rows = self._rows(' AND "partition" = ? AND sort BETWEEN ? AND ? ORDER BY sort', between)
        return projected(rows, [*key, *begin, *attributes] if attributes else ())

    def _rows(self, where: str, values: Iterable[str] = ()) -> Iterator[Item]:
        select = f"SELECT item FROM items WHERE table_name = ?{where}"  # noqa: S608 - constants of this module
        return (json.loads(text) for (text,) in self.database.execute(select, (self.name, *values)))


def key_of(key: Item) -> tuple[str, str]:
    """Return partition and sort key of an item's key, in which the partition key comes first."""
    partition, sort = (*key.values(), "")[:2]
    return str(partition), str(sort)


def projected(items: Iterable[Item], attributes: Sequence[str]) -> Iterator[RawItem]:
    """Reduce items to some attributes; to all of them if there is none."""
    for item in items:
        yield {name: item[name] for name in attributes if name in item} if attributes else item


def python_item(raw: RawItem) -> Item:
    """Convert an item to Python's types, as `traffic.record.item_table.item_of` does."""
    return {name: _python_value(value) for name, value in raw.items()}


def _python_value(typed: Mapping[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    match kind:
        case "N":
            return int(value) if value.isdecimal() else Decimal(value)
        case "M":
            return python_item(value)
        case "L":
            return [_python_value(each) for each in value]
        case "SS":
            return set(value)
        case _:
            return value

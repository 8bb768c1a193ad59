"""Cure of ministack's DynamoDB: its items are in a file of SQLite, not in memory."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import copy
import functools
import json
import sqlite3
from collections.abc import Callable, Iterator, KeysView, MutableMapping
from types import NoneType, SimpleNamespace
from typing import Any

from ministack.core import responses
from ministack.services import dynamodb

from local.cures.dynamodb_pages import READING, Answer, Handler, by_page, evaluated, paginated
from local.stored_items import NO_SORT, EngineTables, row_name, row_sort

WRITERS = ("_put_item", "_update_item", "_delete_item", "_batch_write_item", "_transact_write_items")
SCALARS = frozenset([str, bool, int, float, NoneType])
STATEMENTS = ("_execute_statement", "_batch_execute_statement", "_execute_transaction")


def store_items_on_disk(tables: EngineTables) -> None:
    """Read and write items in the file of a history, where each write is committed before its answer.

    ministack: holds all items in memory, loads and saves all of them, and sorts the whole table for each page of a
    scan and the whole partition for each query.
    AWS: stores tables of any size durably, and reads no more than a page.

    A new table adopts the rows of its name, and a stack that deletes or replaces a table leaves them: only DeleteTable
    removes rows.
    """

    class TablesOnDisk(responses.AccountRegionScopedDict):  # type: ignore[misc]
        """ministack's tables; the items of each table that is added are moved to the file."""

        __slots__ = ()

        def __setitem__(self, name: str, table: Any) -> None:
            self.set_scoped(responses.get_account_id(), responses.get_region(), name, table)

        def set_scoped(self, account: str, region: str, name: str, table: Any) -> None:
            move_items(table, tables, row_name(account, region, name))
            table["ItemCount"] = tables.count(row_name(account, region, name))
            super().set_scoped(account, region, name, table)

        def update(self, other: Any) -> None:
            super().update(other)
            for (account, region, name), table in self.all_items():
                move_items(table, tables, row_name(account, region, name))

    dynamodb._tables.__class__ = TablesOnDisk
    for name in (*WRITERS, *STATEMENTS):
        setattr(dynamodb, name, in_transaction(tables, getattr(dynamodb, name)))
    dynamodb._delete_table = delete_rows_too(tables, dynamodb._delete_table)
    dynamodb._items_replaced = put_back(tables, dynamodb._items_replaced)
    dynamodb._query, dynamodb._scan = by_page(dynamodb._query), by_page(dynamodb._scan, scans=True)
    dynamodb._paginate_evaluated_items = paginated(dynamodb._paginate_evaluated_items)
    dynamodb._evaluate_condition = evaluated(dynamodb._evaluate_condition)
    dynamodb.copy = SimpleNamespace(deepcopy=copied)


def copied(value: Any) -> Any:
    """Copy an item, in a tenth of the time that Python's `deepcopy` takes: its values are those of JSON."""
    kind = type(value)
    if kind in SCALARS:
        return value
    if kind is dict:
        return {key: copied(inner) for key, inner in value.items()}
    return [copied(inner) for inner in value] if kind is list else copy.deepcopy(value)


def move_items(table: Any, tables: EngineTables, name: str) -> None:
    """Move a table's items to the file, unless they are there: rows of the file win."""
    given = table["items"]
    if isinstance(given, StoredItems):
        return
    table["items"] = StoredItems(tables, name)
    with tables.transaction():
        tables.add(
            (name, partition, row_sort(sort), item) for partition, rows in given.items() for sort, item in rows.items()
        )


def in_transaction(tables: EngineTables, handler: Handler) -> Handler:
    """Let a handler read and write in one transaction, which an error rolls back."""

    @functools.wraps(handler)
    def handle(data: Any) -> Answer:
        try:
            with tables.transaction() as give_up:
                answer = handler(data)
                if answer[0] >= 400:
                    give_up()
                return answer
        except sqlite3.OperationalError as exc:
            # Not 500: an AWS SDK would then try ten times within half a minute, and the disk stays full for longer.
            message = f"the tables could not be written: {exc}"
            return tuple(responses.error_response_json("InternalServerError", message, 400))

    return handle


def delete_rows_too(tables: EngineTables, delete_table: Handler) -> Handler:
    """Let DeleteTable delete the rows with the table."""

    def delete(data: Any) -> Answer:
        name = dynamodb._normalize_table_name(data.get("TableName"))
        answer = delete_table(data)
        if answer[0] < 400:
            tables.clear(row_name(responses.get_account_id(), responses.get_region(), name))
        return answer

    return delete


def put_back(tables: EngineTables, items_replaced: Callable[[Any], None]) -> Callable[[Any], None]:
    """Write a table's items to the file after ministack replaced all of them, to restore a backup for example."""

    def replaced(table: Any) -> None:
        _, _, _, region, account, _ = table["TableArn"].split(":")
        name = row_name(account, region, table["TableName"])
        with tables.transaction():
            tables.clear(name)
            move_items(table, tables, name)
        items_replaced(table)

    return replaced


class StoredItems(MutableMapping[str, "StoredPartition"]):
    """The items of a table in the file, as ministack reaches them: `items[partition][sort]`.

    Every partition exists, as in ministack's `defaultdict`; a partition without items is not listed.
    """

    def __init__(self, tables: EngineTables, name: str) -> None:
        self.tables, self.name = tables, name

    def __getitem__(self, partition: str) -> Any:
        reading = READING.get()
        if reading is not None and reading.page is not None:
            return reading.page[partition]
        return StoredPartition(self.tables, self.name, partition)

    def get(self, partition: str, default: Any = None) -> Any:  # noqa: ARG002 - every partition exists
        """Return one partition."""
        return self[partition]

    def __setitem__(self, partition: str, items: Any) -> None:
        del self[partition]
        self[partition].update(items)

    def __delitem__(self, partition: str) -> None:
        for sort in list(self[partition]):
            del self[partition][sort]

    def __contains__(self, partition: object) -> bool:
        return self.tables.has_partition(self.name, str(partition))

    def __iter__(self) -> Iterator[str]:
        return self.tables.partitions(self.name)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def keys(self) -> KeysView[str]:
        """List all partitions or, while a scan is answered, those of its page."""
        reading = READING.get()
        if reading is None or not reading.scans:
            return super().keys()
        return reading.scan(self.tables, self.name).keys()

    def __deepcopy__(self, _memo: Any) -> dict[str, Any]:
        """Return nothing: a copy of a table, which ministack saves, is one without its items."""
        return {}


class StoredPartition(MutableMapping[str, Any]):
    """One partition in the file. An item that is read is a copy: a change of it has to be put back."""

    def __init__(self, tables: EngineTables, name: str, partition: str) -> None:
        self.tables, self.place = tables, (name, partition)

    def __getitem__(self, sort: str) -> Any:
        item = self.get(sort)
        if item is None:
            raise KeyError(sort)
        return item

    def get(self, sort: str, default: Any = None) -> Any:
        """Read one item."""
        item = self.tables.item(*self.place, row_sort(sort))
        return default if item is None else item

    def __setitem__(self, sort: str, item: Any) -> None:
        self.tables.put(*self.place, row_sort(sort), item)

    def __delitem__(self, sort: str) -> None:
        self.tables.delete(*self.place, row_sort(sort))

    def __iter__(self) -> Iterator[str]:
        return (sort or NO_SORT for sort in self.tables.sorts(*self.place))

    def __len__(self) -> int:
        return len(self.tables.sorts(*self.place))

    def __bool__(self) -> bool:
        return self.tables.has_partition(*self.place)

    def values(self) -> Any:
        """Read all items or, while a query is answered, those of its page."""
        reading = READING.get()
        rows = self.tables.rows(*self.place) if reading is None else reading.query(self.tables, *self.place)
        return [json.loads(text) for _, text in rows]

    def __deepcopy__(self, _memo: Any) -> dict[str, Any]:
        """Return the items, in memory."""
        return dict(self)

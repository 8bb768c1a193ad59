"""A local history as every command reads it, from its files and without the engine: its tables and its objects.

ministack stores an object at `<history>/s3/ACCOUNT/BUCKET/KEY`, or under an encoded name if its key cannot be a path.
The file `.meta.json` beside it has the key, and says whether the object is deleted.
"""

import hashlib
import io
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from local.engine import ACCOUNT, EngineError, is_locked, read_running
from local.history_folder import HistoryFolder, read_marker
from local.stored_items import PATIENCE, EngineTables, RawItem

Item = dict[str, Any]  # an item with attributes of Python's types
PAGE = 1000  # items

ENCODED = ".ministack-keys"
ABOUT = ".meta.json"
NO_OBJECTS = (ABOUT, ".tmp")  # how the names of other files end


def is_complete(history: HistoryFolder) -> bool:
    """Return whether the tables on disk contain the complete archive, so that they can be read without the engine.

    They do if the engine that runs has recovered or, if none runs, if the last one ended with everything stored.
    """
    if not history.tables.exists():
        return False
    if not is_locked(history):
        return read_marker(history).complete
    try:
        return bool(read_running(history).status()["recovered"])
    except (EngineError, OSError, ValueError, KeyError):
        return False  # it starts or ends


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

    @cached_property
    def writer(self) -> EngineTables:
        """The file, opened to write; it is created if it does not exist."""
        return EngineTables(self.path)

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

    def partitions(self, key: str) -> set[str]:  # noqa: ARG002 - the same argument as ItemTable's
        """Return the partition keys of all items."""
        found: set[str] = set()
        partition = ""
        while partition is not None:  # one search for each partition: DISTINCT would read every item
            found.add(partition)
            select = 'SELECT min("partition") FROM items WHERE table_name = ? AND "partition" > ?'
            ((partition,),) = self.database.execute(select, (self.name, partition))
        return found - {""}

    def write(self, key: Item, read: Item, update: Item) -> bool:
        """Set or remove attributes, on condition that these and the id have not changed since they were read.

        Args:
            key: The item's key; the partition key comes first.
            read: The item as it was read; empty if it did not exist.
            update: The attributes to set; those that are None are removed.

        Returns:
            Whether the item was written; if not, another writer was faster: read it again.
        """
        guarded = {*update, *({"repo-id"} & read.keys() - key.keys())}
        place = (self.name, *key_of(key))
        with self.writer.transaction():
            held: RawItem = self.writer.item(*place) or {}
            known = python_item(held)
            unchanged = all(known.get(name, self) == read.get(name, self) for name in guarded)
            if unchanged:
                rest = {name: value for name, value in held.items() if name not in update}
                new = {name: value for name, value in update.items() if value is not None}
                self.writer.put(*place, {**rest, **_written(key), **_written(new)})
        return unchanged

    def replace(self, key: Item, read: Item, wanted: Item) -> bool:
        """Set an item's attributes and remove all others, on condition that none has changed since they were read.

        Args:
            key: The item's key; the partition key comes first.
            read: The item as it was read, without its key.
            wanted: The attributes that it should have; if there are none, the item is removed.

        Returns:
            Whether it was written; if not, another writer was faster: read it again.
        """
        place = (self.name, *key_of(key))
        with self.writer.transaction():
            held = python_item(self.writer.item(*place) or {})
            unchanged = held == ({**key, **read} if read else {})
            if unchanged and wanted:
                self.writer.put(*place, {**_written(key), **_written(wanted)})
            elif unchanged:
                self.writer.delete(*place)
        return unchanged

    def _rows(self, where: str, values: Iterable[str] = ()) -> Iterator[Item]:
        select = f"SELECT item FROM items WHERE table_name = ?{where}"  # noqa: S608 - constants of this module
        return (json.loads(text) for (text,) in self.database.execute(select, (self.name, *values)))


def _written(item: Item) -> dict[str, Any]:
    return {name: _written_value(value) for name, value in item.items()}


def _written_value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case dict():
            return {"M": _written(value)}
        case list():
            return {"L": [_written_value(each) for each in value]}
        case set():
            return {"SS": sorted(value)}
        case _:
            return {"S": value}


def key_of(key: Item) -> tuple[str, str]:
    """Return partition and sort key of an item's key, in which the partition key comes first."""
    partition, sort = (*key.values(), "")[:2]
    return str(partition), str(sort)


def projected(items: Iterable[Item], attributes: Sequence[str]) -> Iterator[RawItem]:
    """Reduce items to some attributes; to all of them if these are empty."""
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


class StoredObjects:
    """An S3 client that reads files, and leaves every other call to the engine's client.

    Args:
        folder: See `HistoryFolder.objects`.
        client: Returns the engine's client.
    """

    def __init__(self, folder: Path, client: Callable[[], Any]) -> None:
        self._folder = folder / ACCOUNT
        self._client = client

    def __getattr__(self, call: str) -> Any:
        """Return a call of the engine's client."""
        return getattr(self._client(), call)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """Read an object.

        Raises:
            ClientError: There is no such object.
        """
        bucket = self._folder / Bucket
        for path in (bucket / Key, bucket / ENCODED / encoded(Key)):
            if path.is_file() and not about(path).get("is_delete_marker"):
                return {"Body": io.BytesIO(path.read_bytes())}
        raise ClientError({"Error": {"Code": "NoSuchKey", "Message": f"There is no object {Key}"}}, "GetObject")

    def get_paginator(self, operation: str) -> Any:
        """Return itself for listings: it is their paginator."""
        return self if operation == "list_objects_v2" else self._client().get_paginator(operation)

    def paginate(self, *, Bucket: str, Prefix: str, Delimiter: str = "") -> Iterator[dict[str, Any]]:  # noqa: N803
        """Yield the keys below a prefix in order, in one page; with a delimiter those up to it, each once."""
        keys = sorted(self._keys(self._folder / Bucket, Prefix))
        if Delimiter:
            folders = {Prefix + key.removeprefix(Prefix).partition(Delimiter)[0] + Delimiter for key in keys}
            yield {"CommonPrefixes": [{"Prefix": folder} for folder in sorted(folders)]}
        else:
            yield {"Contents": [{"Key": key} for key in keys]}

    def _keys(self, bucket: Path, prefix: str) -> Iterator[str]:
        for folder in (bucket / prefix.rpartition("/")[0], bucket / ENCODED):
            for parent, folders, names in os.walk(folder):
                folders[:] = [name for name in folders if name != ENCODED]
                for path in (Path(parent, name) for name in names if not name.endswith(NO_OBJECTS)):
                    known = about(path)
                    key = known.get("key") or path.relative_to(bucket).as_posix()
                    if key.startswith(prefix) and not known.get("is_delete_marker"):
                        yield key


def encoded(key: str) -> str:
    """Return the name of the file of an object whose key cannot be a path, as ministack makes it."""
    name = quote(key, safe="").replace(".", "%2E")
    return name if len(name) <= 200 else "sha256-" + hashlib.sha256(key.encode()).hexdigest()


def about(path: Path) -> dict[str, Any]:
    """Read what ministack wrote about an object; nothing if it was killed before."""
    try:
        return dict(json.loads(path.with_name(path.name + ABOUT).read_text()))
    except FileNotFoundError:
        return {}

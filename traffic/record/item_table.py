"""One DynamoDB table: items are read, and written only on condition that nobody changed them since."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from decimal import Decimal
from functools import cache
from itertools import chain
from typing import Any, Protocol

from botocore.exceptions import ClientError

from traffic.errors import TableBusyError
from traffic.record.merge import Item
from traffic.record.transient import renamed_if_transient

BATCH_GET = 100  # keys; DynamoDB's limit for one BatchGetItem
ATTEMPTS = 5  # to write an item that others change at the same time

RawItem = Mapping[str, Any]  # an item as DynamoDB's API writes it: `{"views-count": {"N": "5"}}`


def to_dynamodb(value: Any) -> Any:
    """Write a value as DynamoDB's API does: `5` as `{"N": "5"}`."""
    return _serializer().serialize(value)


@cache
def _serializer() -> Any:
    from boto3.dynamodb.types import TypeSerializer  # noqa: PLC0415 - reading without DynamoDB needs no boto3

    return TypeSerializer()


class Table(Protocol):
    """A table that can be read and written as `ItemTable` can."""

    name: str

    def item(self, key: Item) -> Item:
        """Read one item; empty if it does not exist."""

    def items(self, keys: list[Item]) -> list[Item]:
        """Read the items of some keys."""

    def every_item(
        self, attributes: Sequence[str] = (), *, having: str = "", consistent: bool = True
    ) -> Iterator[Item]:
        """Read all items."""

    def pages(self, begin: Item | None = None) -> Iterator[Sequence[str]]:
        """Read all items as JSON texts, many at a time."""

    def query(
        self, key: Item, begin: Item, attributes: Sequence[str] = (), *, end: str = "~", consistent: bool = True
    ) -> Iterator[RawItem]:
        """Read the items of one partition, from one sort key to another, in order."""

    def partitions(self, key: str) -> set[str]:
        """Return the partition keys of all items."""

    def write(self, key: Item, read: Item, update: Item) -> bool:
        """Set or remove attributes, on condition that these and the id have not changed since they were read."""

    def replace(self, key: Item, read: Item, wanted: Item) -> bool:
        """Set an item's attributes and remove all others, on condition that none has changed since they were read."""


class ItemTable:
    """A table of items with attributes of Python's types.

    Args:
        dynamodb: A DynamoDB client.
        name: The table's name.
        segments: How many parts of the table a scan reads at the same time.
    """

    def __init__(self, dynamodb: Any, name: str, *, segments: int = 1) -> None:
        self._dynamodb = dynamodb
        self.name = name
        self._segments = segments

    def item(self, key: Item) -> Item:
        """Read one item; empty if it does not exist."""
        return next(iter(self.items([key])), {})

    def items(self, keys: list[Item]) -> list[Item]:
        """Read the items of some keys, without repetition; items that do not exist are left out.

        Raises:
            TableBusyError: DynamoDB returned only a part of them.
        """
        found: list[Item] = []
        for start in range(0, len(keys), BATCH_GET):
            waiting = [_written(key) for key in keys[start : start + BATCH_GET]]
            for _ in range(ATTEMPTS):
                asked = {self.name: {"Keys": waiting, "ConsistentRead": True}}
                answer = self._ask("batch_get_item", RequestItems=asked)
                found += [item_of(item) for item in answer["Responses"].get(self.name, [])]
                waiting = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
                if not waiting:
                    break
            else:
                raise TableBusyError(f"DynamoDB left {len(waiting)} keys of {self.name} unread")
        return found

    def every_item(
        self, attributes: Sequence[str] = (), *, having: str = "", consistent: bool = True
    ) -> Iterator[Item]:
        """Read all items of the table; the arguments are those of `scan`."""
        return map(item_of, self.scan(attributes, having=having, consistent=consistent))

    def scan(self, attributes: Sequence[str] = (), *, having: str = "", consistent: bool = True) -> Iterator[RawItem]:
        """Read all items of the table, without the time that it takes to convert them.

        Args:
            attributes: The attributes to read; all of them if this is empty.
            having: An attribute; items without it are skipped.
            consistent: Whether the newest writes must be seen, which costs twice as much.

        Raises:
            TableBusyError: DynamoDB is throttled or failed, and a retry will help.
        """
        names = {f"#{n}": name for n, name in enumerate(attributes)}
        request: dict[str, Any] = {"ProjectionExpression": ", ".join(names)} if names else {}
        if having:
            request["FilterExpression"] = "attribute_exists(#having)"
            names["#having"] = having
        if names:
            request["ExpressionAttributeNames"] = names
        return chain.from_iterable(self._scanned_pages(ConsistentRead=consistent, **request))

    def pages(self, begin: Item | None = None) -> Iterator[list[str]]:
        """Read all items as JSON texts, a page at a time. They may miss a write of the last second.

        Args:
            begin: The first sort key, by the name of its attribute; None for all items.

        Raises:
            TableBusyError: DynamoDB is throttled or failed, and a retry will help.
        """
        request: dict[str, Any] = {}
        if begin:
            request = {
                "FilterExpression": "#sort >= :begin",
                "ExpressionAttributeNames": {"#sort": next(iter(begin))},
                "ExpressionAttributeValues": {":begin": to_dynamodb(*begin.values())},
            }
        for page in self._scanned_pages(ConsistentRead=False, **request):
            yield list(map(json.dumps, page))

    def query(
        self, key: Item, begin: Item, attributes: Sequence[str] = (), *, end: str = "~", consistent: bool = True
    ) -> Iterator[RawItem]:
        """Read the items of one partition, from one sort key to another, in order.

        Args:
            key: The partition key, by the name of its attribute.
            begin: The first sort key, by the name of its attribute.
            attributes: The attributes to read; all of them if this is empty.
            end: The last sort key. The default comes after every date and time.
            consistent: Whether the newest writes must be seen, which costs twice as much.

        Raises:
            TableBusyError: DynamoDB is throttled or failed, and a retry will help.
        """
        names = {f"#{n}": name for n, name in enumerate(dict.fromkeys([*key, *begin, *attributes]))}
        request: dict[str, Any] = {
            "KeyConditionExpression": "#0 = :key AND #1 BETWEEN :begin AND :end",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                ":key": to_dynamodb(*key.values()),
                ":begin": to_dynamodb(*begin.values()),
                ":end": to_dynamodb(end),
            },
        }
        if attributes:
            request["ProjectionExpression"] = ", ".join(names)
        return chain.from_iterable(self._pages("query", ConsistentRead=consistent, **request))

    def _pages(self, operation: str, **request: Any) -> Iterator[list[RawItem]]:
        while True:
            page = self._ask(operation, TableName=self.name, **request)
            yield page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _scanned_pages(self, **request: Any) -> Iterator[list[RawItem]]:
        """Scan all segments of the table at the same time.

        Source:
            https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html#Scan.ParallelScan
        """
        if self._segments == 1:
            yield from self._pages("scan", **request)
            return
        segments = [
            self._pages("scan", Segment=segment, TotalSegments=self._segments, **request)
            for segment in range(self._segments)
        ]
        with ThreadPoolExecutor(self._segments) as readers:
            reading = {readers.submit(next, segment, None): segment for segment in segments}
            while reading:
                for read in wait(reading, return_when=FIRST_COMPLETED).done:
                    segment, page = reading.pop(read), read.result()
                    if page is not None:
                        reading[readers.submit(next, segment, None)] = segment
                        yield page

    def partitions(self, key: str) -> set[str]:
        """Return the partition keys of all items.

        Args:
            key: The attribute that is the partition key.
        """
        return {item[key]["S"] for item in self.scan([key], consistent=False)}

    def write(self, key: Item, read: Item, update: Item) -> bool:
        """Set or remove attributes, on condition that these and the id have not changed since they were read.

        Args:
            key: The item's key.
            read: The item as it was read; empty if it did not exist.
            update: The attributes to set; those that are None are removed.

        Returns:
            Whether the item was written; if not, another writer was faster: read it again.
        """
        guarded = dict(enumerate(sorted({*update, *({"repo-id"} & read.keys() - key.keys())})))
        return self._update(key, read, guarded, {n: update[name] for n, name in guarded.items() if name in update})

    def replace(self, key: Item, read: Item, wanted: Item) -> bool:
        """Set an item's attributes and remove all others, on condition that none has changed since they were read.

        Args:
            key: The item's key.
            read: The item as it was read, without its key.
            wanted: The attributes that it should have; if there are none, the item is removed.

        Returns:
            Whether it was written; if not, another writer was faster: read it again.
        """
        guarded = dict(enumerate(sorted({*read, *wanted})))
        if not wanted:
            return self._change("delete_item", key, read, guarded, {})
        changed = {n: wanted.get(name) for n, name in guarded.items() if read.get(name) != wanted.get(name)}
        return self._update(key, read, guarded, changed)

    def _update(self, key: Item, read: Item, guarded: Mapping[int, str], changed: Mapping[int, Any]) -> bool:
        """Set attributes, by their number in `guarded`; remove those that are None."""
        new = {f":new{n}": to_dynamodb(value) for n, value in changed.items() if value is not None}
        set_ = ", ".join(f"#{value[4:]} = {value}" for value in new)
        removed = ", ".join(f"#{n}" for n, value in changed.items() if value is None and guarded[n] in read)
        parts = ((f"SET {set_}", set_), (f"REMOVE {removed}", removed))
        change = " ".join(part for part, attributes in parts if attributes)
        return self._change("update_item", key, read, guarded, new, UpdateExpression=change)

    def _change(
        self, operation: str, key: Item, read: Item, guarded: Mapping[int, str], new: Item, **change: str
    ) -> bool:
        """Write on condition that the guarded attributes are as they were read; return whether they were."""
        old = {f":old{n}": to_dynamodb(read[name]) for n, name in guarded.items() if name in read}
        values = {"ExpressionAttributeValues": new | old} if new | old else {}
        try:
            self._ask(
                operation,
                TableName=self.name,
                Key=_written(key),
                ConditionExpression=" AND ".join(
                    f"#{n} = :old{n}" if f":old{n}" in old else f"attribute_not_exists(#{n})" for n in guarded
                ),
                ExpressionAttributeNames={f"#{n}": name for n, name in guarded.items()},
                **values,
                **change,
            )
        except ClientError as exc:
            if exc.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def _ask(self, operation: str, **request: Any) -> Any:
        """Call DynamoDB.

        Raises:
            TableBusyError: DynamoDB is throttled or failed, and a retry will help.
        """
        with renamed_if_transient(TableBusyError, self.name):
            return getattr(self._dynamodb, operation)(**request)


def changes(read: Item, merged: Item, checked: Sequence[str] = ()) -> Item:
    """Return the attributes that have to be written; empty if nothing changes.

    Args:
        read: The item as it was read.
        merged: The attributes that it should have; None for one that it should not have.
        checked: Attributes that are written, and so checked, with every change.
    """
    changed = {name: value for name, value in merged.items() if read.get(name) != value}
    return {**changed, **{name: merged[name] for name in checked if name in merged}} if changed else {}


def _written(item: Item) -> dict[str, Any]:
    return {name: to_dynamodb(value) for name, value in item.items()}


def item_of(raw: RawItem) -> Item:
    """Convert an item to Python's types: integers are `int`, unlike with boto3's own converter."""
    return {name: _from_dynamodb(value) for name, value in raw.items()}


def _from_dynamodb(typed: Mapping[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    match kind:
        case "N":
            return int(value) if value.isdecimal() else Decimal(value)
        case "M":
            return item_of(value)
        case "L":
            return [_from_dynamodb(each) for each in value]
        case "SS":
            return set(value)
        case _:
            return value

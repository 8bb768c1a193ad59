"""One DynamoDB table: read consistently, written only over what was read."""

from collections.abc import Iterator, Sequence
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from traffic.errors import TableBusyError
from traffic.record.items import Item
from traffic.record.transient import FAILURES, passes

BATCH_GET = 100  # keys; DynamoDB's limit for one BatchGetItem
ATTEMPTS = 5  # at an item that others change meanwhile

to_dynamodb = TypeSerializer().serialize
from_dynamodb = TypeDeserializer().deserialize


class ItemTable:
    """A table of items with attributes of Python's types.

    Args:
        dynamodb: A DynamoDB client.
        name: The table's name.
    """

    def __init__(self, dynamodb: Any, name: str) -> None:
        self._dynamodb = dynamodb
        self.name = name

    def item(self, key: Item) -> Item:
        """Read one item; empty where there is none."""
        return next(iter(self.items([key])), {})

    def items(self, keys: list[Item]) -> list[Item]:
        """Read the items that are there of some keys, each named once.

        Raises:
            TableBusyError: DynamoDB gave only a part of them.
        """
        found: list[Item] = []
        for start in range(0, len(keys), BATCH_GET):
            waiting = [_written(key) for key in keys[start : start + BATCH_GET]]
            for _ in range(ATTEMPTS):
                asked = {self.name: {"Keys": waiting, "ConsistentRead": True}}
                answer = self._ask("batch_get_item", RequestItems=asked)
                found += [_read(item) for item in answer["Responses"].get(self.name, [])]
                waiting = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
                if not waiting:
                    break
            else:
                raise TableBusyError(f"DynamoDB left {len(waiting)} keys of {self.name} unread")
        return found

    def every_item(self, attributes: Sequence[str] = (), *, having: str = "") -> Iterator[Item]:
        """Read the whole table.

        Args:
            attributes: Those to read; all where none is named.
            having: An attribute without which an item is passed over.

        Raises:
            TableBusyError: DynamoDB is throttled, or failed in passing.
        """
        named = {f"#{n}": name for n, name in enumerate(attributes)}
        wanted: dict[str, Any] = {"ProjectionExpression": ", ".join(named)} if named else {}
        if having:
            wanted["FilterExpression"] = "attribute_exists(#having)"
            named["#having"] = having
        if named:
            wanted["ExpressionAttributeNames"] = named
        begin: dict[str, Any] = {}
        while True:
            page = self._ask("scan", TableName=self.name, ConsistentRead=True, **wanted, **begin)
            yield from (_read(item) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            begin = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def query(self, key: Item, begin: Item, attributes: Sequence[str] = (), *, end: str = "~") -> Iterator[Item]:
        """Read the items of one partition, from one sort key to another, in order.

        Args:
            key: The partition key, by its name.
            begin: The first sort key, by its name.
            attributes: Those to read; all if none is named.
            end: The last sort key. The default comes after every date and time.

        Raises:
            TableBusyError: DynamoDB is throttled, or failed in passing.
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
        while True:
            page = self._ask("query", TableName=self.name, ConsistentRead=True, **request)
            yield from (_read(item) for item in page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def write(self, key: Item, read: Item, update: Item) -> bool:
        """Set attributes, on condition that those of them, and the id, are still as they were read.

        Args:
            key: The item's key.
            read: The item as it was read; empty where there was none.
            update: The attributes to set.

        Returns:
            Whether it was written; if not, others were faster: read again.
        """
        guarded = dict(enumerate(sorted({*update, *({"repo-id"} & read.keys() - key.keys())})))
        new = {f":new{n}": to_dynamodb(update[name]) for n, name in guarded.items() if name in update}
        old = {f":old{n}": to_dynamodb(read[name]) for n, name in guarded.items() if name in read}
        try:
            self.update(
                key,
                UpdateExpression="SET " + ", ".join(f"#{value[4:]} = {value}" for value in new),
                ConditionExpression=" AND ".join(
                    f"#{n} = :old{n}" if f":old{n}" in old else f"attribute_not_exists(#{n})" for n in guarded
                ),
                ExpressionAttributeNames={f"#{n}": name for n, name in guarded.items()},
                ExpressionAttributeValues=new | old,
            )
        except ClientError as exc:
            if exc.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def update(self, key: Item, **expressions: Any) -> None:
        """Change one item by expressions of DynamoDB's own."""
        self._ask("update_item", TableName=self.name, Key=_written(key), **expressions)

    def _ask(self, operation: str, **request: Any) -> Any:
        """Call DynamoDB.

        Raises:
            TableBusyError: It is throttled, or failed or could not be reached in passing.
        """
        try:
            return getattr(self._dynamodb, operation)(**request)
        except FAILURES as exc:
            if passes(exc):
                raise TableBusyError(f"{self.name}: {exc}") from exc
            raise


def changes(read: Item, merged: Item) -> Item:
    """Give those attributes that are not yet as they should be."""
    return {name: value for name, value in merged.items() if read.get(name) != value}


def _written(item: Item) -> dict[str, Any]:
    return {name: to_dynamodb(value) for name, value in item.items()}


def _read(item: dict[str, Any]) -> Item:
    return {name: from_dynamodb(value) for name, value in item.items()}

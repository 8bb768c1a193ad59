"""DynamoDB in memory, with what Store traffic uses: hundreds of examples in the time that moto needs for ten."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from traffic.record.item_table import ItemTable
from traffic.record.tables import Snapshots, Tables

KEYS = {
    "RepoTraffic": ("repo-name", "timestamp"),
    "RepoTrafficRepositories": ("repo-id",),
    "RepoTrafficSnapshots": ("repo-id", "captured-on"),
}

Stored = dict[str, Any]  # an item in DynamoDB's own form


class FakeDynamoDB:
    """The calls that Store traffic and the commands make, on three tables.

    Attributes:
        items: By table and key.
        writes: Number of writes asked for, including those that a condition refused.
        between: Called once, before the next write: what another writer does meanwhile.
        refusal: The error code that the next calls are answered with.
    """

    def __init__(self) -> None:
        self.items: dict[str, dict[tuple[str, ...], Stored]] = {table: {} for table in KEYS}
        self.writes = 0
        self.between: Callable[[], object] | None = None
        self.refusal: str | None = None

    @property
    def tables(self) -> Tables:
        """The tables of days and repositories."""
        return Tables(ItemTable(self, "RepoTraffic"), ItemTable(self, "RepoTrafficRepositories"))

    @property
    def snapshots(self) -> Snapshots:
        """The table of snapshots."""
        return Snapshots(ItemTable(self, "RepoTrafficSnapshots"))

    def dump(self) -> dict[str, dict[tuple[str, ...], Any]]:
        """Return every item of every table, in Python's types."""
        read = TypeDeserializer().deserialize
        return {
            table: {key: {name: read(value) for name, value in item.items()} for key, item in items.items()}
            for table, items in self.items.items()
        }

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        """Read items by their keys."""
        self._refuse()
        ((table, asked),) = RequestItems.items()
        assert asked["ConsistentRead"]
        keys = [_key(table, key) for key in asked["Keys"]]
        assert len(set(keys)) == len(keys) <= 100, "DynamoDB takes each key once, and a hundred of them"
        found = [deepcopy(self.items[table][key]) for key in keys if key in self.items[table]]
        return {"Responses": {table: found}, "UnprocessedKeys": {}}

    def query(
        self,
        *,
        TableName: str,  # noqa: N803
        ExpressionAttributeNames: dict[str, str],  # noqa: N803
        ExpressionAttributeValues: Stored,  # noqa: N803
        KeyConditionExpression: str,  # noqa: N803
        ConsistentRead: bool,  # noqa: N803
    ) -> dict[str, Any]:
        """Read all attributes of a partition's items between two sort keys."""
        self._refuse()
        assert (ConsistentRead, KeyConditionExpression) == (True, "#0 = :key AND #1 BETWEEN :begin AND :end")
        key, begin, end = (ExpressionAttributeValues[f":{name}"]["S"] for name in ("key", "begin", "end"))
        names = KEYS[TableName]
        assert tuple(ExpressionAttributeNames.values()) == names
        items = list(self.items[TableName].items())  # other threads may write meanwhile
        found = (item for (own, sort), item in items if own == key and begin <= sort <= end)
        return {"Items": sorted((deepcopy(item) for item in found), key=lambda item: str(item[names[1]]["S"]))}

    def scan(
        self,
        *,
        TableName: str,  # noqa: N803
        ConsistentRead: bool,  # noqa: ARG002, N803 - it is always consistent
        ProjectionExpression: str = "",  # noqa: N803
        ExpressionAttributeNames: dict[str, str] | None = None,  # noqa: N803
    ) -> dict[str, Any]:
        """Read all items of a table, or some of their attributes."""
        self._refuse()
        wanted = [(ExpressionAttributeNames or {})[name] for name in ProjectionExpression.split(", ") if name]
        items = map(deepcopy, self.items[TableName].values())
        return {"Items": [{name: item[name] for name in wanted} if wanted else item for item in items]}

    def update_item(  # noqa: PLR0913 (boto3's names)
        self,
        *,
        TableName: str,  # noqa: N803
        Key: Stored,  # noqa: N803
        UpdateExpression: str,  # noqa: N803
        ConditionExpression: str,  # noqa: N803
        ExpressionAttributeNames: dict[str, str],  # noqa: N803
        ExpressionAttributeValues: Stored | None = None,  # noqa: N803
    ) -> None:
        """Change an item, if the condition holds."""
        names, values = ExpressionAttributeNames, ExpressionAttributeValues or {}
        changed = {**Key, **self._read_to_write(TableName, Key, ConditionExpression, names, values)}
        setting, _, removing = UpdateExpression.partition("REMOVE ")
        for name, value in re.findall(r"(#\w+) = (:\w+)", setting):
            changed[names[name]] = values[value]
        for name in re.findall(r"#\w+", removing):
            changed.pop(names[name], None)
        self.items[TableName][_key(TableName, Key)] = deepcopy(changed)

    def delete_item(
        self,
        *,
        TableName: str,  # noqa: N803
        Key: Stored,  # noqa: N803
        ConditionExpression: str,  # noqa: N803
        ExpressionAttributeNames: dict[str, str],  # noqa: N803
        ExpressionAttributeValues: Stored,  # noqa: N803
    ) -> None:
        """Delete an item, if the condition holds."""
        self._read_to_write(TableName, Key, ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues)
        self.items[TableName].pop(_key(TableName, Key), None)

    def _read_to_write(self, table: str, key: Stored, condition: str, names: dict[str, str], values: Stored) -> Stored:
        """Return the item that is about to change, if the condition holds."""
        self._refuse()
        meanwhile, self.between = self.between, None
        if meanwhile:
            meanwhile()
        self.writes += 1
        item = self.items[table].get(_key(table, key), {})
        if not all(_holds(part, item, names, values) for part in condition.split(" AND ")):
            raise _error("ConditionalCheckFailedException")
        return item

    @contextmanager
    def refusing(self, code: str) -> Iterator[None]:
        """Answer every call with an error."""
        self.refusal = code
        yield
        self.refusal = None

    def _refuse(self) -> None:
        if self.refusal:
            raise _error(self.refusal)


def _holds(part: str, item: Stored, names: dict[str, str], values: Stored) -> bool:
    if part.startswith("attribute_not_exists"):
        return names[part[len("attribute_not_exists(") : -1]] not in item
    name, value = part.split(" = ")
    return _unordered(item.get(names[name], {})) == _unordered(values[value])


def _unordered(value: Stored) -> Stored:
    """Return a value for a comparison: DynamoDB does not compare the order of a set."""
    return {"SS": sorted(value["SS"])} if "SS" in value else value


def _key(table: str, item: Stored) -> tuple[str, ...]:
    return tuple(str(item[name]["S"]) for name in KEYS[table])


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "UpdateItem")

"""Tables and a bucket in memory that understand what this project says to DynamoDB and S3: for thousands of runs."""

import copy
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from lambdas.shared.archive import Archive
from lambdas.shared.tables import Snapshots, Tables

KEYS = {
    "RepoTraffic": ("repo-name", "timestamp"),
    "RepoTrafficRepositories": ("repo-id",),
    "RepoTrafficSnapshots": ("repo-id", "captured-on"),
}

Written = dict[str, Any]  # an item in DynamoDB's own form

_read = TypeDeserializer().deserialize


class MemoryDynamoDB:
    """DynamoDB's calls, and of its expressions those that the project uses; any other fails the test."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[tuple[str, ...], Written]] = {name: {} for name in KEYS}
        self.writes = 0

    def items(self, table: str) -> dict[tuple[str, ...], dict[str, Any]]:
        """Read a whole table in Python's types."""
        return {key: {name: _read(value) for name, value in item.items()} for key, item in self.tables[table].items()}

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        """Read items by their keys."""
        responses: dict[str, list[Written]] = {}
        for table, asked in RequestItems.items():
            assert len(asked["Keys"]) <= 100
            keys = [_key(table, key) for key in asked["Keys"]]
            assert len(set(keys)) == len(keys), "DynamoDB refuses a batch that names a key twice"
            responses[table] = [copy.deepcopy(self.tables[table][key]) for key in keys if key in self.tables[table]]
        return {"Responses": responses}

    def update_item(self, **request: Any) -> None:
        """Write one item, if the condition holds."""
        table, key = self.tables[request["TableName"]], _key(request["TableName"], request["Key"])
        names, values = request["ExpressionAttributeNames"], request["ExpressionAttributeValues"]
        item = table.get(key, {})
        for condition in filter(None, request.get("ConditionExpression", "").split(" AND ")):
            if not _holds(condition, item, names, values):
                raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "UpdateItem")
        written = {**request["Key"], **item}
        _update(written, request["UpdateExpression"], names, values)
        table[key] = copy.deepcopy(written)
        self.writes += 1

    def get_paginator(self, operation: str) -> "MemoryDynamoDB":
        """Be a paginator of scans."""
        assert operation == "scan"
        return self

    def paginate(self, *, TableName: str, ConsistentRead: bool) -> list[dict[str, Any]]:  # noqa: N803 (boto3's names)
        """Give the whole table in one page."""
        assert ConsistentRead
        return [{"Items": copy.deepcopy(list(self.tables[TableName].values()))}]


class MemoryS3:
    """S3's calls on one bucket."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Key: str, Body: bytes, IfNoneMatch: str = "", **_rest: str) -> None:  # noqa: N803
        """Write an object, with `IfNoneMatch` only where there is none."""
        if IfNoneMatch and Key in self.objects:
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.objects[Key] = Body

    def get_object(self, *, Key: str, **_rest: str) -> dict[str, Any]:  # noqa: N803
        """Read an object."""
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}

    def get_paginator(self, operation: str) -> "MemoryS3":
        """Be a paginator of listings."""
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Prefix: str, Delimiter: str = "", **_rest: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        """Give all keys below a prefix, or the folders, in one page."""
        found = sorted(key for key in self.objects if key.startswith(Prefix))
        if Delimiter:
            folders = sorted({Prefix + key[len(Prefix) :].partition(Delimiter)[0] + Delimiter for key in found})
            yield {"CommonPrefixes": [{"Prefix": folder} for folder in folders]}
        else:
            yield {"Contents": [{"Key": key} for key in found]}


class MemoryAccount:
    """What the handlers work on."""

    def __init__(self) -> None:
        self.dynamodb, self.s3 = MemoryDynamoDB(), MemoryS3()
        self.tables = Tables(self.dynamodb, "RepoTraffic", "RepoTrafficRepositories")
        self.snapshots = Snapshots(self.dynamodb, "RepoTrafficSnapshots")
        self.archive = Archive("archive", self.s3)

    def days(self) -> dict[tuple[str, ...], dict[str, Any]]:
        """Read the table of days, by key and day."""
        return {(name, time[:10]): item for (name, time), item in self.dynamodb.items("RepoTraffic").items()}


def _key(table: str, item: Written) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in KEYS[table])


def _holds(condition: str, item: Written, names: Mapping[str, str], values: Written) -> bool:
    absent = re.fullmatch(r"attribute_not_exists\((#\w+)\)", condition)
    if absent:
        return names[absent[1]] not in item
    name, _, value = condition.partition(" = ")
    return bool(item.get(names[name]) == values[value])


def _update(item: Written, expression: str, names: Mapping[str, str], values: Written) -> None:
    for clause in re.split(r" (?=ADD )", expression):
        verb, _, rest = clause.partition(" ")
        for action in re.split(r", (?=#)", rest):
            _act(item, verb, action, names, values)


def _act(item: Written, verb: str, action: str, names: Mapping[str, str], values: Written) -> None:
    if verb == "ADD":
        name, _, value = action.partition(" ")
        kept = item.get(names[name], {"SS": []})["SS"]
        item[names[name]] = {"SS": sorted({*kept, *values[value]["SS"]})}
        return
    assert verb == "SET"
    name, _, value = action.partition(" = ")
    first = re.fullmatch(r"if_not_exists\((#\w+), (:\w+)\)", value)
    item[names[name]] = item.get(names[first[1]], values[first[2]]) if first else values[value]

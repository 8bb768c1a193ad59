"""The two tables, as items: read consistently, written only where something changes, and only over what was read."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from lambdas.shared.clock import start_of, to_text
from lambdas.shared.contract import METRICS
from lambdas.shared.errors import IdentityConflictError, TableBusyError
from lambdas.shared.merge import Day, Entry, Name, merge_days, merge_entries
from lambdas.shared.settings import setting

Item = dict[str, Any]

BATCH_GET = 100  # keys; DynamoDB's limit for one BatchGetItem
ATTEMPTS = 5  # at an item that others change meanwhile

_to_dynamodb = TypeSerializer().serialize
_from_dynamodb = TypeDeserializer().deserialize


class Tables:
    """`RepoTraffic` and `RepoTrafficRepositories`.

    Args:
        dynamodb: A DynamoDB client.
        traffic: The name of the table of days.
        repositories: The name of the table of repositories.
    """

    def __init__(self, dynamodb: Any, traffic: str, repositories: str) -> None:
        self._dynamodb = dynamodb
        self._traffic = traffic
        self._repositories = repositories

    def days(self, repo_name: str, days: Iterable[str]) -> dict[str, Item]:
        """Read the items of some days, by day."""
        keys = [{"repo-name": repo_name, "timestamp": to_text(start_of(day))} for day in days]
        return {item["timestamp"][:10]: item for item in self._read(self._traffic, keys)}

    def store_days(self, repo_name: str, repo_id: int, seen: Mapping[str, Day]) -> tuple[list[str], dict[str, Day]]:
        """Merge days into the table.

        Returns:
            The days whose items changed, and each day as it was kept before.

        Raises:
            IdentityConflictError: The rows belong to another id.
            TableBusyError: Others kept changing the rows.
        """
        kept: dict[str, Day] = {}
        changed: list[str] = []
        waiting = dict(seen)
        for _ in range(ATTEMPTS):
            items = self.days(repo_name, waiting)
            for day in list(waiting):
                item = items.get(day, {})
                if item.get("repo-id", repo_id) != repo_id:
                    raise IdentityConflictError(f"{repo_name} {day} belongs to id {item['repo-id']}, not to {repo_id}")
                kept.setdefault(day, day_of_item(item))
                update = _changes(
                    item, {"repo-id": repo_id, **item_of_day(merge_days(day_of_item(item), waiting[day]))}
                )
                key = {"repo-name": repo_name, "timestamp": to_text(start_of(day))}
                if update and not self._write(self._traffic, key, item, update):
                    continue
                changed += [day] if update else []
                del waiting[day]
            if not waiting:
                return changed, kept
        raise TableBusyError(f"{repo_name} kept changing while {len(waiting)} days of it were merged")

    def repository(self, repo_id: int) -> tuple[str, Entry] | None:
        """Read a repository's key in `RepoTraffic` and what is known of it; None where nothing is."""
        item = self._item(str(repo_id))
        return (item["repo-name"], entry_of_item(item)) if item else None

    def store_repository(self, repo_id: int, seen: Entry) -> str:
        """Merge what was seen of a repository into its entry, and lead its name to it.

        Returns:
            The partition key its days lie under: the name first seen, which never changes.

        Raises:
            TableBusyError: Others kept changing the entry.
        """
        for _ in range(ATTEMPTS):
            item = self._item(str(repo_id))
            kept = entry_of_item(item)
            for name in seen.names.keys() - kept.names.keys():
                self._point(name, repo_id, claim=not item)
            repo_name = item.get("repo-name") or self._own_key(seen.name, repo_id)
            update = _changes(item, {"repo-name": repo_name, **item_of_entry(merge_entries(kept, seen))})
            if not update or self._write(self._repositories, {"repo-id": str(repo_id)}, item, update):
                return str(repo_name)
        raise TableBusyError(f"the entry of repository {repo_id} kept changing while it was merged")

    def ids_named(self, name: str) -> list[int]:
        """Give the ids of every repository that ever bore a name, whatever its case."""
        return sorted(int(found) for found in self._item(_pointer(name)).get("repo-ids", ()))

    def _own_key(self, name: str, repo_id: int) -> str:
        owner = self._item(_pointer(name))["owner-id"]
        return name if owner == str(repo_id) else f"{name}~{repo_id}"

    def _point(self, name: str, repo_id: int, *, claim: bool) -> None:
        """Lead a name to an id; where it claims, the first id owns the name as the key of its rows."""
        update, values = "ADD #ids :ids", {":ids": {str(repo_id)}}
        names = {"#ids": "repo-ids"}
        if claim:
            update = f"SET #owner = if_not_exists(#owner, :id) {update}"
            values[":id"] = str(repo_id)  # type: ignore[assignment]
            names["#owner"] = "owner-id"
        self._dynamodb.update_item(
            TableName=self._repositories,
            Key={"repo-id": {"S": _pointer(name)}},
            UpdateExpression=update,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={key: _to_dynamodb(value) for key, value in values.items()},
        )

    def _item(self, key: str) -> Item:
        return next(iter(self._read(self._repositories, [{"repo-id": key}])), {})

    def _read(self, table: str, keys: list[Item]) -> list[Item]:
        found: list[Item] = []
        for start in range(0, len(keys), BATCH_GET):
            waiting = [{name: _to_dynamodb(value) for name, value in key.items()} for key in keys[start:][:BATCH_GET]]
            for _ in range(ATTEMPTS):
                answer = self._dynamodb.batch_get_item(RequestItems={table: {"Keys": waiting, "ConsistentRead": True}})
                found += [
                    {name: _from_dynamodb(value) for name, value in item.items()}
                    for item in answer["Responses"].get(table, [])
                ]
                waiting = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
                if not waiting:
                    break
            else:
                raise TableBusyError(f"DynamoDB left {len(waiting)} keys of {table} unread")
        return found

    def _write(self, table: str, key: Item, read: Item, update: Item) -> bool:
        """Set attributes, on condition that those of them, and the id, are still as they were read.

        Returns:
            Whether it was written; if not, others were faster: read again.
        """
        guarded = {*update, *({"repo-id"} & read.keys() - key.keys())}
        conditions = [
            f"#{n} = :old{n}" if name in read else f"attribute_not_exists(#{n})"
            for n, name in enumerate(sorted(guarded))
        ]
        numbered = dict(enumerate(sorted(guarded)))
        values = {f":new{n}": _to_dynamodb(update[name]) for n, name in numbered.items() if name in update}
        values |= {f":old{n}": _to_dynamodb(read[name]) for n, name in numbered.items() if name in read}
        try:
            self._dynamodb.update_item(
                TableName=table,
                Key={name: _to_dynamodb(value) for name, value in key.items()},
                UpdateExpression="SET "
                + ", ".join(f"#{n} = :new{n}" for n, name in numbered.items() if name in update),
                ConditionExpression=" AND ".join(conditions),
                ExpressionAttributeNames={f"#{n}": name for n, name in numbered.items()},
                ExpressionAttributeValues=values,
            )
        except ClientError as exc:
            if exc.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True


def day_of_item(item: Mapping[str, Any]) -> Day:
    """Read an item of `RepoTraffic`. An absent attribute is an unknown number, not zero."""
    return Day(
        {metric: int(item[metric]) for metric in METRICS if metric in item},
        frozenset(kind for kind in ("views", "clones") if item.get(f"{kind}-complete")),
    )


def item_of_day(day: Day) -> Item:
    """Write a day as attributes of an item of `RepoTraffic`."""
    return {**day.metrics, **{f"{kind}-complete": True for kind in day.complete}}


def entry_of_item(item: Mapping[str, Any]) -> Entry:
    """Read a repository's item of `RepoTrafficRepositories`."""
    return Entry(
        {name: Name(seen["first"], seen["last"]) for name, seen in item.get("names", {}).items()},
        item.get("newest-day"),
        item.get("captured-on"),
        item.get("refusals", {}),
    )


def item_of_entry(entry: Entry) -> Item:
    """Write what is known of a repository as attributes of its item; what is unknown is absent."""
    item = {
        "names": {name: {"first": seen.first, "last": seen.last} for name, seen in entry.names.items()},
        "newest-day": entry.newest_day,
        "captured-on": entry.captured_on,
        "refusals": dict(entry.refusals),
    }
    return {name: value for name, value in item.items() if value}


def _changes(read: Item, merged: Item) -> Item:
    return {name: value for name, value in merged.items() if read.get(name) != value}


def _pointer(name: str) -> str:
    """Name the item that leads from a repository's name to its ids. GitHub's names ignore case."""
    return f"name {name.lower()}"


@cache
def tables() -> Tables:
    """Give the tables that the deployment set."""
    return Tables(boto3.client("dynamodb"), setting("TRAFFIC_TABLE"), setting("REPOSITORIES_TABLE"))

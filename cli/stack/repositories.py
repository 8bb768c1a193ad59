"""Finds a repository by a name it bears or bore, or by its id, in the table of repositories."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from cli.stack.deployment import Deployment

POINTER = "name "  # what the keys of the items that lead from a name to ids begin with


@dataclass(frozen=True)
class Found:
    """The repository that a name leads to.

    Attributes:
        repo_name: The partition key of its rows in the table of traffic.
        current_name: The name it bears now; None where only rows of it are known.
        id: GitHub's numeric id; None where only rows of it are known.
        others: Ids of further repositories that bore the name that was asked for.
    """

    repo_name: str
    current_name: str | None = None
    id: str | None = None
    others: tuple[str, ...] = ()


def find_repository(deployment: Deployment, asked: str) -> Found | None:
    """Find a repository by current or former name in any case, by `owner/name~ID`, or by id."""
    id_ = asked.rsplit("~", 1)[-1]
    if id_.isdecimal():
        return _found(deployment, id_)
    pointer = _item(deployment, POINTER + asked.lower())
    if pointer is None:
        return None
    ids = sorted(pointer["repo-ids"], key=int)
    found = [each for each in (_found(deployment, each) for each in ids) if each]
    bearers = [each for each in found if (each.current_name or "").lower() == asked.lower()]
    owners = [each for each in found if each.id == pointer.get("owner-id")]
    chosen = next(iter(bearers + owners + found), None)
    if chosen is None:
        return None
    others = tuple(each for each in ids if each != chosen.id)
    return Found(chosen.repo_name, chosen.current_name, chosen.id, others)


def current_name(names: Mapping[str, Mapping[str, str]]) -> str | None:
    """Give the name seen last; of several, the one that was first seen last."""
    return max(names, key=lambda name: (names[name]["last"], names[name]["first"]), default=None)


def close_names(deployment: Deployment, asked: str) -> list[str]:
    """Give up to three known names that look like a misspelt one, or end with it."""
    known = {name.lower(): name for name in known_names(deployment)}
    same_end = [name for name in known if name.endswith("/" + asked.lower())]
    close = same_end + difflib.get_close_matches(asked.lower(), known, n=3)
    return [known[name] for name in dict.fromkeys(close)][:3]


def known_names(deployment: Deployment) -> Iterator[str]:
    """Give every name that any captured repository bears or bore."""
    pages = deployment.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(
        TableName=deployment.output("RepositoriesTable"),
        ProjectionExpression="#names",
        ExpressionAttributeNames={"#names": "names"},
    ):
        for item in page["Items"]:
            yield from item.get("names", {}).get("M", {})


def _found(deployment: Deployment, id_: str) -> Found | None:
    item = _item(deployment, id_)
    return Found(item["repo-name"], current_name(item.get("names", {})), id_) if item else None


def _item(deployment: Deployment, key: str) -> dict[str, Any] | None:
    answer = deployment.client("dynamodb").get_item(
        TableName=deployment.output("RepositoriesTable"), Key={"repo-id": {"S": key}}
    )
    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in answer["Item"].items()} if "Item" in answer else None

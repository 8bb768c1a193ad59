"""`traffic show`: the days of one repository."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from cli.arguments import Target, read_day
from cli.command import command
from cli.stack.deployment import Deployment
from cli.stack.opening import opened
from cli.stack.repositories import Found, close_names, find_repository
from cli.terminal import CommandError, say, table, warn
from traffic.contract import METRICS

EXAMPLES = """examples:
  traffic show octo/docs                      its days, oldest first
  traffic show octo/docs --since 2026-11-01   from a day on
  traffic show 1296269                        by GitHub's id, whatever its name is now

columns: day, views, unique visitors, clones, unique cloners; in a pipe then `partial` where GitHub had not
told the whole day. An empty cell was never told: it is not zero. Unique visitors of days cannot be added up.
"""

HEADINGS = ("DAY", "VIEWS", "UNIQUE VISITORS", "CLONES", "UNIQUE CLONERS")


@command(EXAMPLES)
@click.argument("repository", metavar="REPO", help="owner/name, owner/name~ID or the id")
@click.option("--since", type=read_day, metavar="DAY", help="the first day to show, as 2026-11-01")
def execute(target: Target, repository: str, since: str | None) -> int:
    """Show the days of a repository, by its current or a former name, or by its id."""
    with opened(target) as deployment:
        show(deployment, repository, since=since)
    return 0


def show(deployment: Deployment, asked: str, *, since: str | None = None) -> None:
    """Print the days of a repository, the oldest first.

    Raises:
        CommandError: Nothing is kept under this name; the message gives names that look like it.
    """
    # Rows of the first version have no entry among the repositories: their name alone leads to them.
    found = find_repository(deployment, asked) or Found(asked)
    rows = list(days_of(deployment, found.repo_name, since=since))
    if not rows and found.id is None:
        raise CommandError(_unknown(deployment, asked))
    _tell_names(found, asked)
    if sys.stdout.isatty():
        partial = [not whole(row) for row in rows]
        marked = zip(rows, partial, strict=True)
        table(HEADINGS, [(_day(row) + ("*" if is_partial else ""), *_cells(row)) for row, is_partial in marked])
        if any(partial):
            say("* GitHub has not told the whole day, or lost it before it could be asked.")
    else:
        table(HEADINGS, [(_day(row), *_cells(row), "" if whole(row) else "partial") for row in rows])


def _unknown(deployment: Deployment, asked: str) -> str:
    close = close_names(deployment, asked)
    hint = f"did you mean {' or '.join(close)}?" if close else "expected owner/name or an id of a captured repository."
    return f"Nothing is kept of a repository {asked!r}: {hint}"


def _tell_names(found: Found, asked: str) -> None:
    """Say where a name leads elsewhere than a reader would think."""
    if found.current_name and found.current_name.lower() != asked.lower():
        warn(f"{asked} is {found.current_name} (id {found.id}).")
    if found.others:
        others = ", ".join(f"`traffic show {other}`" for other in found.others)
        warn(f"Several repositories bore the name {asked}; this is {found.id}. The others: {others}.")


def days_of(deployment: Deployment, repo_name: str, *, since: str | None = None) -> Iterator[Mapping[str, Any]]:
    """Read the items of one partition of the table of traffic, the oldest day first."""
    pages = deployment.client("dynamodb").get_paginator("query")
    for page in pages.paginate(
        TableName=deployment.output("TrafficTable"),
        KeyConditionExpression="#name = :name AND #day >= :since",
        ExpressionAttributeNames={"#name": "repo-name", "#day": "timestamp"},
        ExpressionAttributeValues={":name": {"S": repo_name}, ":since": {"S": since or "0"}},
    ):
        yield from page["Items"]


def whole(row: Mapping[str, Any]) -> bool:
    """Say whether GitHub told the whole day, views and clones."""
    return "views-complete" in row and "clones-complete" in row


def _day(row: Mapping[str, Any]) -> str:
    return str(row["timestamp"]["S"])[:10]


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [row[metric]["N"] if metric in row else "" for metric in METRICS]

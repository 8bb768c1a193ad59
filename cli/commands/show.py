"""`traffic show`: the days of one repository."""

import sys

import click

from cli.arguments import Target, read_day, read_repository
from cli.command import command
from cli.stack.opening import opened
from cli.terminal import say, table, warn
from traffic.record.reading import Found, Record

EXAMPLES = """examples:
  traffic show octo/docs                      its days, oldest first
  traffic show octo/docs --since 2026-11-01   from a day on
  traffic show 1296269                        by GitHub's id, whatever its name is now

columns: day, views, unique visitors, clones, unique cloners; in a pipe also `partial` if GitHub did not report the
complete day. GitHub did not report an empty cell: it is not zero. Unique visitors of several days cannot be added up.
"""

HEADINGS = ("DAY", "VIEWS", "UNIQUE VISITORS", "CLONES", "UNIQUE CLONERS")


@command(EXAMPLES)
@click.argument("repository", type=read_repository, metavar="REPO", help="owner/name, owner/name~ID or the id")
@click.option("--since", type=read_day, metavar="DAY", help="the first day to show, as 2026-11-01")
def execute(target: Target, repository: str, since: str | None) -> int:
    """Show the days of a repository, by its current or a former name, or by its id."""
    with opened(target) as deployment:
        show(deployment.record, repository, since=since)
    return 0


def show(record: Record, asked: str, *, since: str | None = None) -> None:
    """Print the days of a repository, the oldest first.

    Raises:
        RecordError: Nothing is kept under this name.
    """
    found = record.repository(asked)
    _warn_about_names(found, asked)
    rows = [(row, "" if all(row.complete) else "partial") for row in record.days(found.repo_name, since=since)]
    if sys.stdout.isatty():
        table(HEADINGS, [(row.day + ("*" if partial else ""), *row.metrics) for row, partial in rows])
        if any(partial for _, partial in rows):
            say("* GitHub has not reported the complete day, or deleted it before it was asked.")
    else:
        table(HEADINGS, [(row.day, *row.metrics, partial) for row, partial in rows])


def _warn_about_names(found: Found, asked: str) -> None:
    """Warn if a name leads elsewhere than a reader would think."""
    if found.name.lower() != asked.lower():
        warn(f"{asked} is {found.name} (id {found.id}).")
    if found.others:
        others = ", ".join(f"`traffic show {other}`" for other in found.others)
        warn(f"Several repositories had the name {asked}; this is {found.id}. The others: {others}.")

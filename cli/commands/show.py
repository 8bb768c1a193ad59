"""`traffic show`: the days of one repository."""

import sys
from collections.abc import Iterator, Sequence
from datetime import date

import click

from cli.command import Target, command, read_day, read_repository
from cli.pager import paged
from cli.stack.deployment import opened
from cli.terminal import say, table, warn
from traffic.record.reading import DayRow, Found, Record

EXAMPLES = """examples:
  traffic show octo/docs                      its days, oldest first
  traffic show octo/docs --since 2026-11-01   from a day on
  traffic show octo/docs --sources            with the tools of numbers that only an import has
  traffic show 1296269                        by GitHub's id, whatever its name is now

columns: day, views, unique visitors, clones, unique cloners, remark: `partial` if GitHub did not report the complete
day, `missing` if no capture has the day. GitHub did not report an empty cell: it is not zero. Unique visitors of
several days cannot be added up. --sources adds a column: the tool from which the numbers of the day were imported, if
GitHub did not report them; in parentheses which ones, if not all.
"""

HEADINGS = ("DAY", "VIEWS", "UNIQUE VISITORS", "CLONES", "UNIQUE CLONERS", "REMARK")
IMPORTED = "IMPORTED FROM"

PARTIAL, MISSING = "partial", "missing"

NOTHING = (None,) * 4  # the numbers of a day that no capture has

Cells = tuple[object, ...]


@command(EXAMPLES)
@click.argument("repository", type=read_repository, metavar="REPO", help="owner/name, owner/name~ID or the id")
@click.option("--since", type=read_day, metavar="DAY", help="the first day to show, as 2026-11-01")
@click.option("--sources", is_flag=True, help="show the tools of numbers that only an import has")
def execute(target: Target, repository: str, since: str | None, *, sources: bool) -> int:
    """Show the days of a repository, by its current or a former name, or by its id."""
    with paged(), opened(target) as deployment:
        show(deployment.record, repository, since=since, sources=sources)
    return 0


def show(record: Record, asked: str, *, since: str | None = None, sources: bool = False) -> None:
    """Print the days of a repository, the oldest first.

    Raises:
        RecordError: Nothing is kept under this name.
    """
    found = record.repository(asked)
    _warn_about_names(found, asked)
    days = list(record.days(found.repo_name))  # also those before `since`: the first of its days may be missing
    rows = list(shown_days(days, since or "", gaps_as_one=sys.stdout.isatty()))
    imported = {row.day: tools_of(row) for row in days} if sources else {}
    if sources:
        table((*HEADINGS, IMPORTED), [(*row, imported.get(str(row[0]), "")) for row in rows])
    else:
        table(HEADINGS, rows)
    if sys.stdout.isatty():
        remarks = {str(row[-1]) for row in rows}
        if PARTIAL in remarks:
            say("partial: GitHub has not reported the complete day, or deleted it before it was asked.")
        if remarks - {PARTIAL, ""}:
            say("missing: no capture has the day.")


def shown_days(days: Sequence[DayRow], since: str, *, gaps_as_one: bool) -> Iterator[Cells]:
    """Return a row for each day from one day on, also for the days between them that no capture has.

    Args:
        days: The days that are kept, in order.
        since: The first day to show.
        gaps_as_one: Whether neighbouring days without a capture have one row together.
    """
    for before, row in zip([*days[:1], *days], days, strict=False):
        missing = [day for day in _between(before.day, row.day) if day >= since]
        if gaps_as_one and len(missing) > 1:
            yield (missing[0], *NOTHING, f"{MISSING}: {len(missing)} days, until {missing[-1]}")
        else:
            yield from ((day, *NOTHING, MISSING) for day in missing)
        if row.day >= since:
            yield (row.day, *row.metrics, "" if all(row.complete) else PARTIAL)


def tools_of(row: DayRow) -> str:
    """Return the tools whose imports alone have numbers of a day, each with these numbers if they are not all.

    Returns:
        For example `csv` or `csv (views, clones)`; empty if GitHub reported all.
    """
    known = sum(number is not None for number in row.metrics)
    named = zip(row.sources, HEADINGS[1:5], strict=True)
    numbers: dict[str, list[str]] = {}
    for tool, heading in named:
        if tool:
            numbers.setdefault(tool, []).append(heading.lower())
    return ", ".join(
        tool if len(headings) == known else f"{tool} ({', '.join(headings)})" for tool, headings in numbers.items()
    )


def _between(first: str, last: str) -> list[str]:
    start, end = (date.fromisoformat(day).toordinal() for day in (first, last))
    return [date.fromordinal(day).isoformat() for day in range(start + 1, end)]


def _warn_about_names(found: Found, asked: str) -> None:
    """Warn if a name leads elsewhere than a reader would think."""
    if found.name.lower() != asked.lower():
        warn(f"{asked} is {found.name} (id {found.id}).")
    if found.others:
        others = ", ".join(f"`traffic show {other}`" for other in found.others)
        warn(f"Several repositories had the name {asked}; this is {found.id}. The others: {others}.")

"""`traffic export`: every day of every repository, for a spreadsheet or a program."""

from collections.abc import Iterator
from pathlib import Path

import click

from cli.command import FILE, Target, command, read_day
from cli.export_formats import DAYS, FILES, TEXT, Cells, cells_of, chosen_format, write
from cli.stack.opening import opened
from cli.terminal import counted
from traffic.record.reading import Record

EXAMPLES = """examples:
  traffic export --format csv               to the terminal, or into a pipe
  traffic export --output traffic.parquet   into a file, in the format of its name: .csv, .json, .jsonl, .parquet,
                                            .sqlite or .db; the file appears only when it is complete
  traffic export -f jsonl --since yesterday   only that day and later ones

columns, in every format: repo-name, timestamp, views-count, views-uniques, clones-count, clones-uniques, repo-id,
current-name, views-complete, clones-complete

repo-name and repo-id never change, and current-name is the name that GitHub reported last. views-complete and
clones-complete are true if GitHub reported the day after it had ended.

csv      a number that is not known is empty; a name that looks like a formula gets a ' before it
json     an array of objects; a number that is not known is left out
jsonl    one object on each line; a number that is not known is null
parquet  names are texts, timestamp is a time in UTC, the numbers are 64-bit integers or null
sqlite   the table traffic: texts, integers or null, and 1 or 0 for true or false

Do not add up unique visitors of several days: a person who comes on two days is counted twice.
"""


@command(EXAMPLES)
@click.option(
    "--format", "-f", "form", type=click.Choice([*TEXT, *FILES]), help="the format (default: that of FILE's name)"
)
@click.option("--output", "-o", type=FILE, metavar="FILE", help="where to write (default: standard output)")
@click.option("--since", type=read_day, metavar="DAY", help="only this day and later ones, as 2026-11-20")
def execute(target: Target, form: str | None, output: Path | None, since: str | None) -> int:
    """Write every day of every repository, sorted by repository and day."""
    form = chosen_format(form, output)
    with opened(target) as deployment:
        rows = sorted_rows(deployment.record, since=since)
    write(DAYS, rows, form, output)
    return 0


def sorted_rows(record: Record, *, since: str | None = None) -> Iterator[Cells]:
    """Read all days, or those since one, sorted by repository and day.

    All rows are in memory once, about 250 bytes each, because DynamoDB's scans are in no useful order.
    """
    rows = sorted(row for row in counted(record.every_day(), "days") if since is None or row.timestamp >= since)
    names = {each.repo_name: each.name for each in record.every_repository()}
    return (cells_of(row, names.get(row.repo_name, row.repo_name)) for row in rows)

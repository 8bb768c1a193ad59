"""`traffic export`: every day of every repository, for a spreadsheet or a program."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

import click

from cli.arguments import FILE, Target, read_day
from cli.atomic_file import atomic_file, atomic_path
from cli.command import command
from cli.export_formats import write_csv, write_json, write_json_lines, write_parquet, write_sqlite
from cli.stack.opening import opened
from cli.terminal import UsageError, counted
from traffic.record.reading import DayRow, Record

EXAMPLES = """examples:
  traffic export --format csv                                to the terminal, or into a pipe
  traffic export --format parquet --output traffic.parquet   into a file, which appears only when it is complete
  traffic export --format jsonl --since 2026-11-01           only that day and later ones

columns, in every format: repo-name, timestamp, views-count, views-uniques, clones-count, clones-uniques

csv      a number that GitHub did not report is empty; a name that looks like a formula gets a ' before it
json     an array of objects; a number that GitHub did not report is left out
jsonl    one object on each line; a number that GitHub did not report is null
parquet  repo-name is text, timestamp is a TIMESTAMP in UTC, the numbers are 64-bit integers or null
sqlite   the table traffic: texts, and integers or null

Do not add up unique visitors of several days: a person who comes on two days is counted twice.
"""

TEXT: Mapping[str, Callable[[Sequence[DayRow], TextIO], None]] = {
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_json_lines,
}
FILES: Mapping[str, Callable[[Sequence[DayRow], Path], None]] = {"parquet": write_parquet, "sqlite": write_sqlite}


@command(EXAMPLES)
@click.option("--format", "form", type=click.Choice([*TEXT, *FILES]), required=True, help="the format to write")
@click.option("--output", type=FILE, metavar="FILE", help="where to write (default: standard output)")
@click.option("--since", type=read_day, metavar="DAY", help="only this day and later ones, as 2026-11-20")
def execute(target: Target, form: str, output: Path | None, since: str | None) -> int:
    """Write every day of every repository, sorted by repository and day."""
    if form in FILES and output is None:
        raise UsageError(f"--format {form} is not text: name a file with --output traffic.{form}.")
    with opened(target) as deployment:
        rows = sorted_rows(deployment.record, since=since)
    if form in FILES and output:
        with atomic_path(output, private=True) as path:
            FILES[form](rows, path)
    else:
        with atomic_file(output, private=True) as file:
            TEXT[form](rows, file)
    return 0


def sorted_rows(record: Record, *, since: str | None = None) -> Sequence[DayRow]:
    """Read all days, or those since one, sorted by repository and day.

    All rows are in memory once, about 250 bytes each, because DynamoDB's scans are in no useful order.
    """
    return sorted(row for row in counted(record.every_day(), "days") if since is None or row.timestamp >= since)

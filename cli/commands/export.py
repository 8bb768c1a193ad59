"""`traffic export`: every day of every repository, for a spreadsheet or a program."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

import click

from cli.atomic_file import atomic_file, atomic_path
from cli.command import FILE, Target, command, read_day
from cli.export_formats import Cells, cells_of, write_csv, write_json, write_json_lines, write_parquet, write_sqlite
from cli.pager import paged
from cli.stack.opening import opened
from cli.terminal import UsageError, counted
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

TEXT: Mapping[str, Callable[[Iterable[Cells], TextIO], None]] = {
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_json_lines,
}
FILES: Mapping[str, Callable[[Iterable[Cells], Path], None]] = {"parquet": write_parquet, "sqlite": write_sqlite}

# The formats that names of files promise.
ENDINGS = {**{f".{form}": form for form in (*TEXT, *FILES)}, ".ndjson": "jsonl", ".db": "sqlite", ".sqlite3": "sqlite"}


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
    if form in FILES and output:
        with atomic_path(output, private=True) as path:
            FILES[form](rows, path)
    else:
        with paged(), atomic_file(output, private=True) as file:
            TEXT[form](rows, file)
    return 0


def chosen_format(form: str | None, output: Path | None) -> str:
    """Return the format to write: the one asked for, or the one that the name of the file promises.

    Raises:
        UsageError: Neither chooses a format, or they promise different ones, or the format needs a file.
    """
    promised = ENDINGS.get(output.suffix.lower()) if output else None
    if form and promised not in (None, form):
        raise UsageError(
            f"--output {str(output)!r} is a name for {promised}, but --format is {form}: change one of them."
        )
    chosen = form or promised
    if chosen is None:
        what = f"--output {str(output)!r} does not name a format" if output else "No format"
        formats = ", ".join([*TEXT, *FILES])
        raise UsageError(f"{what}: add --format with one of {formats}, or --output with a name such as traffic.csv.")
    if chosen in FILES and output is None:
        raise UsageError(f"--format {chosen} is not text: name a file with --output traffic.{chosen}.")
    return chosen


def sorted_rows(record: Record, *, since: str | None = None) -> Iterator[Cells]:
    """Read all days, or those since one, sorted by repository and day.

    All rows are in memory once, about 250 bytes each, because DynamoDB's scans are in no useful order.
    """
    rows = sorted(row for row in counted(record.every_day(), "days") if since is None or row.timestamp >= since)
    names = {each.repo_name: each.name for each in record.every_repository()}
    return (cells_of(row, names.get(row.repo_name, row.repo_name)) for row in rows)

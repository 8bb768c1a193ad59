"""`traffic export`: the whole table, for a spreadsheet or a program."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from cli.arguments import FILE, Target, read_day
from cli.command import command
from cli.export_formats import COLUMNS, Row, write_csv, write_json, write_json_lines, write_parquet, write_sqlite
from cli.stack.deployment import Deployment
from cli.stack.opening import opened
from cli.terminal import CommandError, UsageError, warn

EXAMPLES = """examples:
  traffic export --format csv                                to the terminal, or into a pipe
  traffic export --format parquet --output traffic.parquet   into a file, which appears only when it is whole
  traffic export --format jsonl --since 2026-11-01           only that day and later ones

columns, in every form: repo-name, timestamp, views-count, views-uniques, clones-count, clones-uniques

csv      a cell that GitHub never told is empty; a name that a spreadsheet would take for a formula gets a ' before it
json     an array of objects; what GitHub never told is left out
jsonl    an object a line; what GitHub never told is null
parquet  repo-name is text, timestamp a TIMESTAMP in UTC, the numbers are 64-bit integers or null
sqlite   the table traffic: texts, and integers or null

Unique visitors of several days must not be added up: who comes on two days is counted twice.
"""

TEXT: Mapping[str, Callable[[Sequence[Row], TextIO], None]] = {
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_json_lines,
}
FILES: Mapping[str, Callable[[Sequence[Row], Path], None]] = {"parquet": write_parquet, "sqlite": write_sqlite}

MANY = 50_000  # rows between two lines of progress: about a second


@command(EXAMPLES)
@click.option("--format", "form", type=click.Choice([*TEXT, *FILES]), required=True, help="the format to write")
@click.option("--output", type=FILE, metavar="FILE", help="where to write (default: standard output)")
@click.option("--since", type=read_day, metavar="DAY", help="only this day and later ones, as 2026-11-20")
def execute(target: Target, form: str, output: Path | None, since: str | None) -> int:
    """Write every day of every repository, sorted by repository and day."""
    if form in FILES and output is None:
        raise UsageError(f"--format {form} is no text: name a file with --output traffic.{form}.")
    with opened(target) as deployment:
        rows = sorted_rows(deployment, since=since)
    if form in FILES and output:
        with whole_path(output) as path:
            FILES[form](rows, path)
    else:
        with whole_file(output) as file:
            TEXT[form](rows, file)
    return 0


def sorted_rows(deployment: Deployment, *, since: str | None = None) -> Sequence[Row]:
    """Read the table, or its days since one, sorted by repository and day.

    All of it, with rows of the first version, of which the table of repositories knows nothing;
    once in memory, about 250 bytes a row, because DynamoDB scans in no order of use.
    """
    names: dict[str, str] = {}  # one string for each repository, not for each row
    rows: list[tuple[Any, ...]] = []
    for number, row in enumerate(_scan(deployment), 1):
        if number % MANY == 0:
            warn(f"Read {number:,} days.")
        if since is None or row[1] >= since:
            rows.append((names.setdefault(row[0], row[0]), *row[1:]))
    rows.sort(key=lambda row: (row[0], row[1]))
    return rows


def _scan(deployment: Deployment) -> Iterator[tuple[Any, ...]]:
    placeholders = {f"#{index}": column for index, column in enumerate(COLUMNS)}
    pages = deployment.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(
        TableName=deployment.output("TrafficTable"),
        ProjectionExpression=", ".join(placeholders),
        ExpressionAttributeNames=placeholders,
    ):
        for item in page["Items"]:
            yield tuple(next(iter(item[column].values())) if column in item else None for column in COLUMNS)


@contextmanager
def whole_file(path: Path | None) -> Iterator[TextIO]:
    """Open a file that appears under its name only when it is whole; without a path, standard output.

    Raises:
        CommandError: It cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    with whole_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def whole_path(path: Path) -> Iterator[Path]:
    """Give a file to write that takes the place of another only when it is whole.

    Raises:
        CommandError: It cannot be written.
    """
    # Beside the target: a rename is atomic only within one file system.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            temporary.touch()  # where it cannot be written, the message is the same for every form
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as exc:
        raise CommandError(
            f"{str(path)!r} cannot be written ({exc.strerror}): give --output a file in a folder of yours."
        ) from exc

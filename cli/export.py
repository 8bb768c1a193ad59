"""`traffic export`: the whole table, for a spreadsheet or a program."""

import argparse
import csv
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from cli.deployment import Deployment
from cli.opening import opened
from cli.terminal import CommandError
from lambdas.shared.contract import METRICS

EXAMPLES = """examples:
  traffic export --format csv                           to the terminal, or into a pipe
  traffic export --format json --output traffic.json    into a file, which appears only when it is whole

CSV: columns repo-name,timestamp,views-count,views-uniques,clones-count,clones-uniques; a cell that GitHub never
told is empty. JSON: an array of objects with the same names; what GitHub never told is left out.
"""

COLUMNS = ("repo-name", "timestamp", *METRICS)

Row = Sequence[str | None]  # in the order of COLUMNS


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """Add `traffic export` to the commands."""
    parser = commands.add_parser(
        "export",
        help="write the whole table as CSV or JSON",
        description="Write every day of every repository, sorted by repository and day.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=parents,
    )
    parser.add_argument("--format", choices=("csv", "json"), required=True, help="the form to write")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write (default: standard output)")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Write the table where it was asked for."""
    write = write_csv if arguments.format == "csv" else write_json
    with opened(arguments) as deployment:
        rows = sorted_rows(deployment)
    with whole_file(arguments.output) as output:
        write(rows, output)
    return 0


def sorted_rows(deployment: Deployment) -> Sequence[Row]:
    """Read the table, sorted by repository and day.

    All of it, with rows of the first version, of which the table of repositories knows nothing;
    once in memory, about 250 bytes a row, because DynamoDB scans in no order of use.
    """
    names: dict[str, str] = {}  # one string for each repository, not for each row
    rows = [(names.setdefault(row[0], row[0]), *row[1:]) for row in _scan(deployment)]
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


def write_csv(rows: Sequence[Row], output: TextIO) -> None:
    """Write CSV as in RFC 4180, but with plain newlines.

    Names are written as they are: an owner's name begins with a letter or a digit, so that no
    spreadsheet takes one for a formula.
    """
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)


def write_json(rows: Sequence[Row], output: TextIO) -> None:
    """Write an array with an object a line, without what GitHub never told."""
    output.write("[")
    for index, row in enumerate(rows):
        known = {column: cell for column, cell in zip(COLUMNS, row, strict=True) if cell is not None}
        numbers = {column: int(cell) for column, cell in known.items() if column in METRICS}
        output.write(("," if index else "") + "\n" + json.dumps(known | numbers))
    output.write("\n]\n")


@contextmanager
def whole_file(path: Path | None) -> Iterator[TextIO]:
    """Open a file that appears under its name only when it is whole; without a path, standard output.

    Raises:
        CommandError: It cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    # Beside the target: a rename is atomic only within one file system.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            with temporary.open("w", encoding="utf-8", newline="") as file:
                yield file
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as exc:
        raise CommandError(
            f"{str(path)!r} cannot be written ({exc.strerror}): give --output a file in a folder of yours."
        ) from exc

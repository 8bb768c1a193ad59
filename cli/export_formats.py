"""The formats of `traffic export`: CSV, JSON, JSON Lines, Parquet and SQLite."""

import csv
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from cli.terminal import CommandError, plain
from traffic.contract import METRICS
from traffic.record.reading import DayRow

Cells = tuple[str | int | None, ...]  # of one day, in the order of COLUMNS

COLUMNS = ("repo-name", "timestamp", *METRICS, "repo-id", "current-name", "views-complete", "clones-complete")

NUMBERS = (*METRICS, "repo-id")
FLAGS = ("views-complete", "clones-complete")

FORMULA = ("=", "+", "-", "@")  # a spreadsheet reads a cell that begins so as a formula


def cells_of(row: DayRow, current_name: str) -> Cells:
    """Return the cells of a day; None if a number is not known."""
    return (row.repo_name, row.timestamp, *row.metrics, row.repo_id, current_name, *row.complete)


def write_csv(rows: Iterable[Cells], output: TextIO) -> None:
    """Write CSV as in RFC 4180, but with plain newlines; an unknown cell is empty, and a flag is `true` or `false`.

    A name that a spreadsheet would read as a formula gets an apostrophe before it, and its control characters become
    spaces. GitHub has no such names, but another server might.

    Source:
        https://owasp.org/www-community/attacks/CSV_Injection
    """
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(map(_harmless, row) for row in rows)


def _harmless(cell: str | int | None) -> str | int | None:
    if isinstance(cell, bool):
        return str(cell).lower()
    if not isinstance(cell, str):
        return cell
    text = plain(cell)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text


def write_json(rows: Iterable[Cells], output: TextIO) -> None:
    """Write an array with one object on each line, without the numbers that GitHub did not report."""
    output.write("[")
    for index, row in enumerate(rows):
        known = {column: cell for column, cell in _by_column(row).items() if cell is not None}
        output.write(("," if index else "") + "\n" + json.dumps(known))
    output.write("\n]\n")


def write_json_lines(rows: Iterable[Cells], output: TextIO) -> None:
    """Write one object on each line; a number that GitHub did not report is null, so each line has every column."""
    output.writelines(json.dumps(_by_column(row)) + "\n" for row in rows)


def write_parquet(rows: Iterable[Cells], path: Path) -> None:
    """Write Parquet: names as text, days as moments in UTC, numbers as 64-bit integers or null, flags as booleans.

    DuckDB is half the size of pyarrow and needs no numpy. It reads a file of JSON Lines, so a million rows are not held
    in memory a second time.

    Raises:
        CommandError: DuckDB cannot write it.
    """
    import duckdb  # noqa: PLC0415  # it takes 0.2 s, for this format only

    lines = path.with_name(f"{path.name}.jsonl")
    types = {"timestamp": "TIMESTAMPTZ", **dict.fromkeys(NUMBERS, "BIGINT"), **dict.fromkeys(FLAGS, "BOOLEAN")}
    columns = {column: types.get(column, "VARCHAR") for column in COLUMNS}
    try:
        with lines.open("w", encoding="utf-8") as output:
            write_json_lines(rows, output)
        # A missing extension must be an error, not a download.
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as database:
            database.read_json(str(lines), columns=columns, format="newline_delimited").write_parquet(
                str(path), compression="zstd"
            )
    except duckdb.Error as exc:
        raise CommandError(f"{path.name} cannot be written as Parquet: {str(exc).splitlines()[0]}") from exc
    finally:
        lines.unlink(missing_ok=True)


def write_sqlite(rows: Iterable[Cells], path: Path) -> None:
    """Write a SQLite database with one table, `traffic`; an unknown cell is null, and a flag is 1 or 0.

    Raises:
        CommandError: SQLite cannot write it.
    """
    types = {**dict.fromkeys(NUMBERS, "INTEGER"), **dict.fromkeys(FLAGS, "INTEGER NOT NULL")}
    columns = ", ".join(f'"{column}" {types.get(column, "TEXT NOT NULL")}' for column in COLUMNS)
    database = sqlite3.connect(path)
    try:
        # The file gets its name only when it is complete, so it needs no journal.
        database.execute("PRAGMA journal_mode = OFF")
        database.execute(f'CREATE TABLE traffic ({columns}, PRIMARY KEY ("repo-name", "timestamp")) WITHOUT ROWID')
        marks = ", ".join("?" for _ in COLUMNS)
        database.executemany(f"INSERT INTO traffic VALUES ({marks})", rows)  # noqa: S608  # only question marks
        database.commit()
    except sqlite3.Error as exc:
        raise CommandError(f"{path.name} cannot be written as SQLite: {exc}") from exc
    finally:
        database.close()


def _by_column(row: Cells) -> dict[str, str | int | None]:
    """Return the cells of a day by column."""
    return dict(zip(COLUMNS, row, strict=True))

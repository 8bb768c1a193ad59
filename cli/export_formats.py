"""The formats of `traffic export` and `traffic sql`: CSV, JSON, JSON Lines, Parquet, SQLite and DuckDB."""

import csv
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from cli.atomic_file import atomic_file, atomic_path
from cli.pager import paged
from cli.terminal import CommandError, UsageError, plain

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

Cell = str | int | float | bool | None
Cells = Sequence[Cell]  # of one row, in the order of its sheet's columns


@dataclass(frozen=True)
class Sheet:
    """What every format of some rows has in common.

    Attributes:
        name: The name of the table in SQLite.
        columns: DuckDB's type of each column, by its name.
        key: The columns whose cells no two rows share.
        filled: The columns that have a cell in every row.
    """

    name: str
    columns: Mapping[str, str]
    key: Sequence[str] = ()
    filled: Sequence[str] = ()

    def by_column(self, row: Cells) -> dict[str, Cell]:
        """Return the cells of a row by column."""
        return dict(zip(self.columns, row, strict=True))


FORMATS = {
    "csv": "CSV",
    "json": "JSON",
    "jsonl": "JSON Lines",
    "parquet": "Parquet",
    "sqlite": "SQLite",
    "duckdb": "DuckDB",
}

IN_SQLITE = {"BIGINT": "INTEGER", "BOOLEAN": "INTEGER", "DOUBLE": "REAL"}  # all other types are texts

FORMULA = ("=", "+", "-", "@")  # a spreadsheet reads a cell that begins so as a formula


def write_csv(sheet: Sheet, rows: Iterable[Cells], output: TextIO) -> None:
    """Write CSV as in RFC 4180, but with plain newlines; an unknown cell is empty, and a flag is `true` or `false`.

    A name that a spreadsheet would read as a formula gets an apostrophe before it, and its control characters become
    spaces. GitHub has no such names, but another server might.

    Source:
        https://owasp.org/www-community/attacks/CSV_Injection
    """
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(sheet.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)


def _harmless(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return str(cell).lower()
    if not isinstance(cell, str):
        return cell
    text = plain(cell)
    return f"'{text}" if text.lstrip().startswith(FORMULA) else text


def write_json(sheet: Sheet, rows: Iterable[Cells], output: TextIO) -> None:
    """Write an array with one object on each line, without the numbers that GitHub did not report."""
    output.write("[")
    for index, row in enumerate(rows):
        known = {column: cell for column, cell in sheet.by_column(row).items() if cell is not None}
        output.write(("," if index else "") + "\n" + json.dumps(known))
    output.write("\n]\n")


def write_json_lines(sheet: Sheet, rows: Iterable[Cells], output: TextIO) -> None:
    """Write one object on each line; a number that GitHub did not report is null, so each line has every column."""
    output.writelines(json.dumps(sheet.by_column(row)) + "\n" for row in rows)


def write_parquet(sheet: Sheet, rows: Iterable[Cells], path: Path) -> None:
    """Write Parquet: names as text, days as moments in UTC, numbers as 64-bit integers or null, flags as booleans.

    Raises:
        CommandError: DuckDB cannot write it.
    """
    with _in_duckdb(sheet, rows, path, "Parquet") as found:
        found.write_parquet(str(path), compression="zstd")


def write_duckdb(sheet: Sheet, rows: Iterable[Cells], path: Path) -> None:
    """Write a DuckDB database with one table, whose columns have the types of Parquet.

    Raises:
        CommandError: DuckDB cannot write it.
    """
    with _in_duckdb(sheet, rows, path, "DuckDB") as found:
        path.unlink(missing_ok=True)  # DuckDB makes a database of no file, but not of an empty one
        found.query("found", f"ATTACH {_text(path)} AS written")
        found.create(f"written.{quoted(sheet.name)}")
        found.query("found", "DETACH written")


@contextmanager
def _in_duckdb(sheet: Sheet, rows: Iterable[Cells], path: Path, form: str) -> Iterator["DuckDBPyRelation"]:
    """Let DuckDB read rows from a file of JSON Lines, so that a million are not in memory a second time.

    Raises:
        CommandError: DuckDB cannot read or write them.
    """
    import duckdb  # noqa: PLC0415  # it takes 0.2 s, for these formats only

    lines = path.with_name(f"{path.name}.jsonl")
    try:
        with lines.open("w", encoding="utf-8") as output:
            write_json_lines(sheet, rows, output)
        # A missing extension must be an error, not a download.
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as database:
            yield database.read_json(str(lines), columns=dict(sheet.columns), format="newline_delimited")
    except duckdb.Error as exc:
        raise CommandError(f"{path.name} cannot be written as {form}: {str(exc).splitlines()[0]}") from exc
    finally:
        lines.unlink(missing_ok=True)


def write_sqlite(sheet: Sheet, rows: Iterable[Cells], path: Path) -> None:
    """Write a SQLite database with one table, `traffic`; an unknown cell is null, and a flag is 1 or 0.

    Raises:
        CommandError: SQLite cannot write it.
    """
    columns = ", ".join(_in_sqlite(sheet, column) for column in sheet.columns)
    key = ", ".join(map(quoted, sheet.key))
    marks = ", ".join("?" for _ in sheet.columns)
    database = sqlite3.connect(path)
    try:
        # The file gets its name only when it is complete, so it needs no journal.
        database.execute("PRAGMA journal_mode = OFF")
        ordered = f", PRIMARY KEY ({key})) WITHOUT ROWID" if key else ")"
        database.execute(f"CREATE TABLE {sheet.name} ({columns}{ordered}")
        database.executemany(f"INSERT INTO {sheet.name} VALUES ({marks})", rows)  # noqa: S608  # constants and marks
        database.commit()
    except sqlite3.Error as exc:
        raise CommandError(f"{path.name} cannot be written as SQLite: {exc}") from exc
    finally:
        database.close()


def _in_sqlite(sheet: Sheet, column: str) -> str:
    """Write the definition of a column."""
    filled = " NOT NULL" if column in sheet.filled else ""
    return f"{quoted(column)} {IN_SQLITE.get(sheet.columns[column], 'TEXT')}{filled}"


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Write the name of a column for SQL."""
    return '"' + name.replace('"', '""') + '"'


TEXT: Mapping[str, Callable[[Sheet, Iterable[Cells], TextIO], None]] = {
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_json_lines,
}
FILES: Mapping[str, Callable[[Sheet, Iterable[Cells], Path], None]] = {
    "parquet": write_parquet,
    "sqlite": write_sqlite,
    "duckdb": write_duckdb,
}

# The formats that names of files promise.
ENDINGS = {**{f".{form}": form for form in (*TEXT, *FILES)}, ".ndjson": "jsonl", ".db": "sqlite", ".sqlite3": "sqlite"}


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


def write(sheet: Sheet, rows: Iterable[Cells], form: str, output: Path | None) -> None:
    """Write rows in a format that `chosen_format` chose, to a file or to standard output."""
    if form in FILES and output:
        with atomic_path(output, private=True) as path:
            FILES[form](sheet, rows, path)
    else:
        with paged(), atomic_file(output, private=True) as file:
            TEXT[form](sheet, rows, file)

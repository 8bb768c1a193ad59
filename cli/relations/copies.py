"""Writes a relation into a file, in any format of the export.

DuckDB itself writes CSV, Parquet and its own files, which takes a fifth of the time. The others are written row by row.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cli.export_formats import FILES, FORMATS, TEXT, Cells, Sheet
from cli.relations.database import Relations
from cli.relations.relation_columns import TEXT as TEXTS
from cli.relations.relation_columns import sheet_of
from cli.terminal import CommandError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PAGE = 10_000  # rows

# What `write_csv` of `cli.export_formats` does with a text: it writes nothing unprintable, and never a formula.
HARMLESS = r"""
CREATE OR REPLACE TEMP MACRO printable(cell) AS regexp_replace(
    cell, '[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]', ' ', 'g'
);
CREATE OR REPLACE TEMP MACRO harmless(cell) AS CASE
    WHEN NOT regexp_matches(cell, '^[=+@-]|[^!-~]') THEN cell
    WHEN regexp_matches(printable(cell), '^ *[=+@-]') THEN concat('''', printable(cell))
    ELSE printable(cell)
END
"""


def write_relation(relations: Relations, name: str, form: str, path: Path, *, table: str | None = None) -> None:
    """Write a relation into a file. A database gets one table more; any other file is replaced.

    Args:
        relations: The record.
        name: One of `RELATIONS`.
        form: One of `FORMATS`.
        path: The file.
        table: The name of the table in a database, where it differs from that of the relation.

    Raises:
        CommandError: It cannot be written.
    """
    import duckdb  # noqa: PLC0415  # it takes 0.2 s

    columns = sheet_of(name, sources=relations.sources and name == "days")
    sheet = Sheet(table or name, columns.columns, columns.key, columns.filled)
    with relations.select(name) as select:
        try:
            if form in COPIES:
                COPIES[form](relations.database, select, sheet, path)
            elif form in FILES:
                FILES[form](sheet, _rows(relations.database, select), path)
            else:
                with path.open("w", encoding="utf-8", newline="") as file:
                    TEXT[form](sheet, _rows(relations.database, select), file)
        except duckdb.Error as exc:
            reason = str(exc).splitlines()[0]
            raise CommandError(f"{path.name} cannot be written as {FORMATS[form]}: {reason}") from exc


def _rows(database: "DuckDBPyConnection", select: str) -> Iterator[Cells]:
    found = database.execute(select)
    while page := found.fetchmany(PAGE):
        yield from page


def _copy_csv(database: "DuckDBPyConnection", select: str, sheet: Sheet, path: Path) -> None:
    database.execute(HARMLESS)
    cells = _each(sheet, lambda name, type_: f"harmless({name})" if type_ == TEXTS else name)
    select = f"SELECT {cells} FROM ({select})"  # noqa: S608 - constants
    database.execute(f"COPY ({select}) TO {_quoted(path)} (FORMAT csv, HEADER)")


def _copy_parquet(database: "DuckDBPyConnection", select: str, sheet: Sheet, path: Path) -> None:
    database.execute(f"COPY ({_typed(select, sheet)}) TO {_quoted(path)} (FORMAT parquet, COMPRESSION zstd)")


def _copy_table(database: "DuckDBPyConnection", select: str, sheet: Sheet, path: Path) -> None:
    if path.exists() and not path.stat().st_size:
        path.unlink()  # DuckDB makes a database of no file, but not of an empty one
    database.execute(f"ATTACH {_quoted(path)} AS written")
    try:
        database.execute(f'CREATE TABLE written."{sheet.name}" AS {_typed(select, sheet)}')
    finally:
        database.execute("DETACH written")


def _typed(select: str, sheet: Sheet) -> str:
    return f"SELECT {_each(sheet, 'CAST({} AS {})'.format)} FROM ({select})"  # noqa: S608 - constants


def _each(sheet: Sheet, cell: Callable[[str, str], str]) -> str:
    """Write an expression for each column, made of the column's quoted name and its type."""
    quoted = {f'"{name}"': type_ for name, type_ in sheet.columns.items()}
    return ", ".join(f"{cell(name, type_)} AS {name}" for name, type_ in quoted.items())


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


COPIES: Mapping[str, Callable[["DuckDBPyConnection", str, Sheet, Path], None]] = {
    "csv": _copy_csv,
    "parquet": _copy_parquet,
    "duckdb": _copy_table,
}

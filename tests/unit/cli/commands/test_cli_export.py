"""`traffic export`: what a spreadsheet or a program gets."""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from cli.atomic_file import atomic_file, atomic_path
from cli.commands.export import FILES, TEXT, sorted_rows
from cli.export_formats import COLUMNS, write_csv, write_json, write_parquet, write_sqlite
from cli.main import traffic
from cli.terminal import CommandError, UsageError
from tests.unit.cli_stack import Stack, fresh_stack
from traffic.contract import METRICS
from traffic.record.reading import DayRow

stack = pytest.fixture(fresh_stack)


def test_csv_is_sorted_and_leaves_unknown_cells_empty(stack: Stack) -> None:
    """A zero where GitHub said nothing would be an invented measurement."""
    stack.day("octo/web", "2026-11-19", {"views-count": 0, "views-uniques": 0, "views-complete": True, "repo-id": 8})
    stack.day("octo/docs", "2026-11-20", {"views-count": 5, "views-uniques": 2, "clones-count": 1, "clones-uniques": 1})
    stack.day("octo/docs", "2026-11-19", {"clones-count": 4, "clones-uniques": 3})
    output = io.StringIO()

    write_csv(sorted_rows(stack.deployment.record), output)

    assert output.getvalue() == (
        "repo-name,timestamp,views-count,views-uniques,clones-count,clones-uniques\n"
        "octo/docs,2026-11-19T00:00:00Z,,,4,3\n"
        "octo/docs,2026-11-20T00:00:00Z,5,2,1,1\n"
        "octo/web,2026-11-19T00:00:00Z,0,0,,\n"
    )


def test_json_holds_numbers_and_leaves_unknown_cells_out(stack: Stack) -> None:
    """A program must be able to tell a zero from what is not known."""
    stack.day("octo/docs", "2026-11-19", {"views-count": 0, "views-uniques": 0})
    output = io.StringIO()

    write_json(sorted_rows(stack.deployment.record), output)

    assert json.loads(output.getvalue()) == [
        {"repo-name": "octo/docs", "timestamp": "2026-11-19T00:00:00Z", "views-count": 0, "views-uniques": 0}
    ]


def test_an_empty_table_is_valid_in_both_forms() -> None:
    """The first export may come before the first run."""
    as_csv, as_json = io.StringIO(), io.StringIO()

    write_csv([], as_csv)
    write_json([], as_json)

    assert as_csv.getvalue().count("\n") == 1
    assert json.loads(as_json.getvalue()) == []


def test_an_interrupted_export_leaves_the_old_file(tmp_path: Path) -> None:
    """Half a file looks like a whole one with fewer rows."""
    target = tmp_path / "traffic.csv"
    target.write_text("old")

    def interrupted() -> None:
        with atomic_file(target) as output:
            output.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The message must say which path, for it may come from a script's variable."""
    with pytest.raises(CommandError, match="absent"), atomic_file(tmp_path / "absent" / "traffic.csv"):
        pass


def text_of(form: str, rows: Sequence[DayRow]) -> str:
    """Write rows in one of the forms that are text."""
    output = io.StringIO()
    TEXT[form](rows, output)
    return output.getvalue()


def numbers(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give a row in the order of the columns, with None for what is empty or left out."""
    cells = ((column, row.get(column)) for column in COLUMNS)
    return tuple(None if cell in ("", None) else int(cell) if column in METRICS else cell for column, cell in cells)


def read_csv(rows: Sequence[DayRow], _folder: Path) -> list[tuple[Any, ...]]:
    """Write and read CSV."""
    return [numbers(row) for row in csv.DictReader(io.StringIO(text_of("csv", rows)))]


def read_json(rows: Sequence[DayRow], _folder: Path) -> list[tuple[Any, ...]]:
    """Write and read JSON."""
    return [numbers(row) for row in json.loads(text_of("json", rows))]


def read_json_lines(rows: Sequence[DayRow], _folder: Path) -> list[tuple[Any, ...]]:
    """Write and read JSON Lines."""
    return [numbers(json.loads(line)) for line in text_of("jsonl", rows).splitlines()]


def read_parquet(rows: Sequence[DayRow], folder: Path) -> list[tuple[Any, ...]]:
    """Write and read Parquet."""
    write_parquet(rows, folder / "traffic.parquet")
    found = duckdb.read_parquet(str(folder / "traffic.parquet")).fetchall()
    return [(row[0], f"{row[1]:%Y-%m-%dT%H:%M:%SZ}", *row[2:]) for row in found]


def read_sqlite(rows: Sequence[DayRow], folder: Path) -> list[tuple[Any, ...]]:
    """Write and read SQLite."""
    write_sqlite(rows, folder / "traffic.sqlite")
    database = sqlite3.connect(folder / "traffic.sqlite")
    try:
        return database.execute("SELECT * FROM traffic").fetchall()
    finally:
        database.close()


READERS = {"csv": read_csv, "json": read_json, "jsonl": read_json_lines, "parquet": read_parquet, "sqlite": read_sqlite}


@pytest.mark.parametrize("form", [*TEXT, *FILES])
def test_each_form_read_back_equals_the_table(stack: Stack, tmp_path: Path, form: str) -> None:
    """An export is what people keep when they leave: a zero, a hole and ten digits must all survive."""
    stack.day("octo/web", "2026-11-19", {"views-count": 0, "views-uniques": 0})
    stack.day("octo/docs", "2026-11-20", {"views-count": 12345678901, "views-uniques": 2, "clones-count": 1})
    stack.day("octo/docs", "2026-11-19", {"clones-count": 4, "clones-uniques": 3})
    stack.day("docs", "2019-01-01", {"views-count": 1})

    assert READERS[form](sorted_rows(stack.deployment.record), tmp_path) == [
        ("docs", "2019-01-01T00:00:00Z", 1, None, None, None),
        ("octo/docs", "2026-11-19T00:00:00Z", None, None, 4, 3),
        ("octo/docs", "2026-11-20T00:00:00Z", 12345678901, 2, 1, None),
        ("octo/web", "2026-11-19T00:00:00Z", 0, 0, None, None),
    ]


def test_the_types_are_right_also_where_nothing_is_known(tmp_path: Path) -> None:
    """A column that is empty today must not become text, which breaks the query of tomorrow."""
    rows = [DayRow("octo/docs", "2026-11-19T00:00:00Z", (None, None, None, None))]
    write_parquet(rows, tmp_path / "traffic.parquet")
    (tmp_path / "traffic.csv").write_text(text_of("csv", [DayRow("octo/docs", "2026-11-19T00:00:00Z", (1, 1, 1, 1))]))

    described = duckdb.read_parquet(str(tmp_path / "traffic.parquet"))
    assert described.columns == list(COLUMNS)
    assert list(map(str, described.types)) == ["VARCHAR", "TIMESTAMP", *["BIGINT"] * 4]
    guessed = duckdb.read_csv(str(tmp_path / "traffic.csv"))
    assert list(map(str, guessed.types))[2:] == ["BIGINT"] * 4
    assert str(guessed.types[1]).startswith("TIMESTAMP")


def frames(rows: Sequence[DayRow], folder: Path) -> Mapping[str, pd.DataFrame]:
    """Read each form as people who work with pandas do; a column with holes needs `Int64`, or it becomes floats."""
    write_parquet(rows, folder / "traffic.parquet")
    write_sqlite(rows, folder / "traffic.sqlite")
    database = sqlite3.connect(folder / "traffic.sqlite")
    try:
        return {
            "csv": pd.read_csv(
                io.StringIO(text_of("csv", rows)), parse_dates=["timestamp"], dtype=dict.fromkeys(METRICS, "Int64")
            ),
            "json": pd.read_json(io.StringIO(text_of("json", rows))),
            "jsonl": pd.read_json(io.StringIO(text_of("jsonl", rows)), lines=True),
            "parquet": duckdb.read_parquet(str(folder / "traffic.parquet")).df(),
            "sqlite": pd.read_sql("SELECT * FROM traffic", database, parse_dates=["timestamp"]),
        }
    finally:
        database.close()


def test_pandas_reads_days_as_times_and_numbers_as_numbers(tmp_path: Path) -> None:
    """A hole is missing there, never zero; and a count of ten digits stays exact."""
    rows = [
        DayRow("octo/docs", "2026-11-19T00:00:00Z", (12345678901, 0, None, None)),
        DayRow("octo/docs", "2026-11-20T00:00:00Z", (None, None, 4, 3)),
    ]
    for form, frame in frames(rows, tmp_path).items():
        assert set(frame.columns) == set(COLUMNS), form
        assert [f"{time:%Y-%m-%d}" for time in frame["timestamp"]] == ["2026-11-19", "2026-11-20"], form
        for column, known in zip(METRICS, [(12345678901, None), (0, None), (None, 4), (None, 3)], strict=True):
            assert pd.api.types.is_numeric_dtype(frame[column]), (form, column)
            assert [None if pd.isna(cell) else int(cell) for cell in frame[column]] == list(known), (form, column)


@pytest.mark.parametrize("form", [*TEXT, *FILES])
def test_an_empty_table_is_valid_in_every_form(tmp_path: Path, form: str) -> None:
    """The first export may come before the first run."""
    assert READERS[form]([], tmp_path) == []


def test_only_days_since_one_are_written(stack: Stack) -> None:
    """Who exports every week wants what is new; the day itself is within."""
    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        stack.day("octo/docs", day, {"views-count": 1})

    rows = sorted_rows(stack.deployment.record, since="2026-11-19")
    assert [row.timestamp for row in rows] == ["2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"]


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_name_is_no_formula_in_a_spreadsheet(name: str) -> None:
    """A row of the first version has a bare name, and anybody may have written into that table."""
    (row,) = csv.DictReader(io.StringIO(text_of("csv", [DayRow(name, "2026-11-19T00:00:00Z", (1, None, None, None))])))

    assert row["repo-name"] == f"'{name}".replace("\t", " ")


@pytest.mark.parametrize("form", FILES)
def test_what_is_no_text_needs_a_file(form: str) -> None:
    """Parquet on a terminal is noise, and through a pipe nobody can seek in it."""
    with pytest.raises(UsageError, match=f"--output traffic.{form}"):
        traffic.main(["export", "--format", form], standalone_mode=False)


@pytest.mark.parametrize("write", FILES.values(), ids=FILES)
def test_a_database_that_fails_leaves_the_old_file(
    tmp_path: Path, write: Callable[[Sequence[DayRow], Path], None]
) -> None:
    """Ctrl-C in the middle of a million rows must leave nothing half, and nothing behind."""
    target = tmp_path / "traffic.db"
    target.write_text("old")

    class Interrupted(list[DayRow]):
        """Rows that end in Ctrl-C."""

        def __iter__(self) -> Any:
            yield DayRow("octo/docs", "2026-11-19T00:00:00Z", (1, None, None, None))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), atomic_path(target) as path:
        write(Interrupted(), path)

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("write", FILES.values(), ids=FILES)
def test_a_row_that_does_not_fit_is_one_clear_message(
    tmp_path: Path, write: Callable[[Sequence[DayRow], Path], None]
) -> None:
    """Somebody else's row in the table must not end in a traceback."""
    row = DayRow("octo/docs", "2026-11-19T00:00:00Z", (1, None, None, None))
    wrong = [row, row] if write is write_sqlite else [row._replace(timestamp="not a day")]

    with pytest.raises(CommandError, match="cannot be written as"), atomic_path(tmp_path / "traffic.db") as path:
        write(wrong, path)

"""`traffic export`: what a spreadsheet or a program gets."""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from cli.atomic_file import atomic_file, atomic_path
from cli.commands.export import sorted_rows
from cli.export_formats import (
    DAYS,
    FILES,
    TEXT,
    Cells,
    Sheet,
    cells_of,
    write_csv,
    write_json,
    write_parquet,
    write_sqlite,
)
from cli.main import main
from cli.terminal import CommandError
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

    write_csv(DAYS, sorted_rows(stack.deployment.record), output)

    assert output.getvalue() == (
        "repo-name,timestamp,views-count,views-uniques,clones-count,clones-uniques,"
        "repo-id,current-name,views-complete,clones-complete\n"
        "octo/docs,2026-11-19T00:00:00Z,,,4,3,,octo/docs,false,false\n"
        "octo/docs,2026-11-20T00:00:00Z,5,2,1,1,,octo/docs,false,false\n"
        "octo/web,2026-11-19T00:00:00Z,0,0,,,8,octo/web,true,false\n"
    )


def test_json_holds_numbers_and_leaves_unknown_cells_out(stack: Stack) -> None:
    """A program must be able to tell a zero from what is not known."""
    stack.day("octo/docs", "2026-11-19", {"views-count": 0, "views-uniques": 0})
    output = io.StringIO()

    write_json(DAYS, sorted_rows(stack.deployment.record), output)

    assert json.loads(output.getvalue()) == [
        {
            "repo-name": "octo/docs",
            "timestamp": "2026-11-19T00:00:00Z",
            "views-count": 0,
            "views-uniques": 0,
            "current-name": "octo/docs",
            "views-complete": False,
            "clones-complete": False,
        }
    ]


def test_an_empty_table_is_valid_in_both_forms() -> None:
    """The first export may come before the first run."""
    as_csv, as_json = io.StringIO(), io.StringIO()

    write_csv(DAYS, [], as_csv)
    write_json(DAYS, [], as_json)

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


def cells(*rows: DayRow) -> Sequence[Cells]:
    """Return rows as the export writes them, of repositories that kept their names."""
    return [cells_of(row, row.repo_name) for row in rows]


def text_of(form: str, rows: Iterable[Cells]) -> str:
    """Write rows in one of the forms that are text."""
    output = io.StringIO()
    TEXT[form](DAYS, rows, output)
    return output.getvalue()


def typed(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return a row in the order of the columns, with None for what is empty or left out."""
    return tuple(_typed(column, row.get(column)) for column in DAYS.columns)


def _typed(column: str, cell: Any) -> Any:
    if DAYS.columns[column] == "BOOLEAN":
        return cell in (True, "true")
    return None if cell in ("", None) else int(cell) if DAYS.columns[column] == "BIGINT" else cell


def read_csv(rows: Iterable[Cells], _folder: Path) -> list[tuple[Any, ...]]:
    """Write and read CSV."""
    return [typed(row) for row in csv.DictReader(io.StringIO(text_of("csv", rows)))]


def read_json(rows: Iterable[Cells], _folder: Path) -> list[tuple[Any, ...]]:
    """Write and read JSON."""
    return [typed(row) for row in json.loads(text_of("json", rows))]


def read_json_lines(rows: Iterable[Cells], _folder: Path) -> list[tuple[Any, ...]]:
    """Write and read JSON Lines."""
    return [typed(json.loads(line)) for line in text_of("jsonl", rows).splitlines()]


def read_parquet(rows: Iterable[Cells], folder: Path) -> list[tuple[Any, ...]]:
    """Write and read Parquet."""
    write_parquet(DAYS, rows, folder / "traffic.parquet")
    found = duckdb.read_parquet(str(folder / "traffic.parquet")).df()
    found["timestamp"] = found["timestamp"].dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        typed({column: None if pd.isna(row[column]) else row[column] for column in DAYS.columns})
        for _, row in found.iterrows()
    ]


def read_sqlite(rows: Iterable[Cells], folder: Path) -> list[tuple[Any, ...]]:
    """Write and read SQLite."""
    write_sqlite(DAYS, rows, folder / "traffic.sqlite")
    database = sqlite3.connect(folder / "traffic.sqlite")
    try:
        found = database.execute("SELECT * FROM traffic").fetchall()
        return [typed(dict(zip(DAYS.columns, row, strict=True))) for row in found]
    finally:
        database.close()


READERS = {"csv": read_csv, "json": read_json, "jsonl": read_json_lines, "parquet": read_parquet, "sqlite": read_sqlite}


@pytest.mark.parametrize("form", [*TEXT, *FILES])
def test_each_form_read_back_equals_the_table(stack: Stack, tmp_path: Path, form: str) -> None:
    """An export is what people keep when they leave: a zero, a hole, ten digits, a new name and an old one survive."""
    stack.day("octo/web", "2026-11-19", {"views-count": 0, "views-uniques": 0})
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-10-01", "octo/manual": "2026-11-20"})
    views = {"views-count": 12345678901, "views-uniques": 2, "views-complete": True}
    stack.day("octo/docs", "2026-11-20", {**views, "clones-count": 1, "repo-id": 7})
    clones = {"clones-count": 4, "clones-uniques": 3, "clones-complete": True}
    stack.day("octo/docs", "2026-11-19", {**clones, "repo-id": 7})
    stack.day("docs", "2019-01-01", {"views-count": 1})

    assert READERS[form](sorted_rows(stack.deployment.record), tmp_path) == [
        ("docs", "2019-01-01T00:00:00Z", 1, None, None, None, None, "docs", False, False),
        ("octo/docs", "2026-11-19T00:00:00Z", None, None, 4, 3, 7, "octo/manual", False, True),
        ("octo/docs", "2026-11-20T00:00:00Z", 12345678901, 2, 1, None, 7, "octo/manual", True, False),
        ("octo/web", "2026-11-19T00:00:00Z", 0, 0, None, None, None, "octo/web", False, False),
    ]
    left = {path.name for path in tmp_path.iterdir()}
    assert left <= {f"traffic.{form}"}, "a temporary file with the same content would be found by others"


def test_the_types_are_right_also_where_nothing_is_known(tmp_path: Path) -> None:
    """A column that is empty today must not become text, which breaks the query of tomorrow."""
    rows = cells(DayRow("octo/docs", "2026-11-19T00:00:00Z", (None, None, None, None)))
    write_parquet(DAYS, rows, tmp_path / "traffic.parquet")
    (tmp_path / "traffic.csv").write_text(
        text_of("csv", cells(DayRow("octo/docs", "2026-11-19T00:00:00Z", (1, 1, 1, 1), repo_id=7)))
    )

    described = duckdb.read_parquet(str(tmp_path / "traffic.parquet"))
    assert described.columns == list(DAYS.columns)
    assert list(map(str, described.types)) == [
        *["VARCHAR", "TIMESTAMP WITH TIME ZONE", *["BIGINT"] * 5],
        *["VARCHAR", "BOOLEAN", "BOOLEAN"],
    ]
    guessed = duckdb.read_csv(str(tmp_path / "traffic.csv"))
    assert list(map(str, guessed.types))[2:] == [*["BIGINT"] * 5, "VARCHAR", "BOOLEAN", "BOOLEAN"]
    assert str(guessed.types[1]).startswith("TIMESTAMP")


def frames(rows: Iterable[Cells], folder: Path) -> Mapping[str, pd.DataFrame]:
    """Read each form as people who work with pandas do; a column with holes needs `Int64`, or it becomes floats."""
    write_parquet(DAYS, rows, folder / "traffic.parquet")
    write_sqlite(DAYS, rows, folder / "traffic.sqlite")
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
    rows = cells(
        DayRow("octo/docs", "2026-11-19T00:00:00Z", (12345678901, 0, None, None), repo_id=7),
        DayRow("octo/docs", "2026-11-20T00:00:00Z", (None, None, 4, 3), repo_id=7),
    )
    for form, frame in frames(rows, tmp_path).items():
        assert set(frame.columns) == set(DAYS.columns), form
        assert [f"{time:%Y-%m-%d}" for time in frame["timestamp"]] == ["2026-11-19", "2026-11-20"], form
        for column, known in zip(METRICS, [(12345678901, None), (0, None), (None, 4), (None, 3)], strict=True):
            assert pd.api.types.is_numeric_dtype(frame[column]), (form, column)
            assert [None if pd.isna(cell) else int(cell) for cell in frame[column]] == list(known), (form, column)


def test_pandas_merges_every_form_with_every_other(tmp_path: Path) -> None:
    """Somebody joins last year's Parquet with today's CSV: times with a zone and times without one do not merge."""
    rows = cells(DayRow("octo/docs", "2026-11-19T00:00:00Z", (1, 1, 1, 1)))

    read = frames(rows, tmp_path)

    for (one, left), (other, right) in combinations(read.items(), 2):
        assert len(left.merge(right, on=["repo-name", "timestamp"])) == 1, (one, other)


@pytest.mark.parametrize("form", [*TEXT, *FILES])
def test_an_empty_table_is_valid_in_every_form(tmp_path: Path, form: str) -> None:
    """The first export may come before the first run."""
    assert READERS[form]([], tmp_path) == []


def test_only_days_since_one_are_written(stack: Stack) -> None:
    """Who exports every week wants what is new; the day itself is within."""
    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        stack.day("octo/docs", day, {"views-count": 1})

    rows = sorted_rows(stack.deployment.record, since="2026-11-19")
    assert [row[1] for row in rows] == ["2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"]


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_name_is_no_formula_in_a_spreadsheet(name: str) -> None:
    """A row of the first version has a bare name, and anybody may have written into that table."""
    (row,) = csv.DictReader(
        io.StringIO(text_of("csv", cells(DayRow(name, "2026-11-19T00:00:00Z", (1, None, None, None)))))
    )

    assert row["repo-name"] == row["current-name"] == f"'{name}".replace("\t", " ")


@pytest.mark.parametrize("form", FILES)
def test_what_is_no_text_needs_a_file(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Parquet on a terminal is noise, and through a pipe nobody can seek in it."""
    assert main(["export", "-f", form]) == 2
    assert f"--output traffic.{form}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("x.csv", b"repo-name,"),
        ("x.CSV", b"repo-name,"),
        ("x.json", b"[\n"),
        ("x.jsonl", b'{"repo-name"'),
        ("x.ndjson", b'{"repo-name"'),
        ("x.parquet", b"PAR1"),
        ("x.sqlite", b"SQLite format 3"),
        ("x.db", b"SQLite format 3"),
    ],
)
def test_the_name_of_the_file_chooses_the_format(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, beginning: bytes
) -> None:
    """Nobody should have to type it twice."""
    stack.day("octo/docs", "2026-11-18", {"views-count": 1})
    monkeypatch.setattr("cli.commands.export.opened", lambda _target: nullcontext(stack.deployment))

    assert main(["export", "-o", str(tmp_path / name)]) == 0

    assert (tmp_path / name).read_bytes().startswith(beginning)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_name_that_promises_nothing_takes_any_format(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some programs want a file called data.txt."""
    monkeypatch.setattr("cli.commands.export.opened", lambda _target: nullcontext(stack.deployment))

    assert main(["export", "--format", "csv", "--output", str(tmp_path / "data.txt")]) == 0
    assert (tmp_path / "data.txt").read_text().startswith("repo-name,")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("--format", "csv", "--output", "x.parquet"),
            "--output 'x.parquet' is a name for parquet, but --format is csv: change one of them.",
        ),
        (
            ("--output", "data.txt"),
            (
                "--output 'data.txt' does not name a format: add --format with one of csv, json, jsonl, parquet,"
                " sqlite, or --output with a name such as traffic.csv."
            ),
        ),
        (
            (),
            (
                "No format: add --format with one of csv, json, jsonl, parquet, sqlite,"
                " or --output with a name such as traffic.csv."
            ),
        ),
    ],
)
def test_a_format_that_is_missing_or_contradicts_the_name_is_refused(
    arguments: tuple[str, ...], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A CSV file called x.parquet would fail days later, in another program."""
    assert main(["export", *arguments]) == 2
    assert capsys.readouterr() == ("", f"traffic: error: {error}\n")


@pytest.mark.parametrize("write", FILES.values(), ids=FILES)
def test_a_database_that_fails_leaves_the_old_file(
    tmp_path: Path, write: Callable[[Sheet, Iterable[Cells], Path], None]
) -> None:
    """Ctrl-C in the middle of a million rows must leave nothing half, and nothing behind."""
    target = tmp_path / "traffic.db"
    target.write_text("old")

    def interrupted() -> Iterator[Cells]:
        yield from cells(DayRow("octo/docs", "2026-11-19T00:00:00Z", (1, None, None, None)))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), atomic_path(target) as path:
        write(DAYS, interrupted(), path)

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("write", FILES.values(), ids=FILES)
def test_a_row_that_does_not_fit_is_one_clear_message(
    tmp_path: Path, write: Callable[[Sheet, Iterable[Cells], Path], None]
) -> None:
    """Somebody else's row in the table must not end in a traceback."""
    row = DayRow("octo/docs", "2026-11-19T00:00:00Z", (1, None, None, None))
    wrong = [row, row] if write is write_sqlite else [row._replace(timestamp="not a day")]

    with pytest.raises(CommandError, match="cannot be written as"), atomic_path(tmp_path / "traffic.db") as path:
        write(DAYS, cells(*wrong), path)

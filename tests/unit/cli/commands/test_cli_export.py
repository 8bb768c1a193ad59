"""`traffic export`: what a spreadsheet or a program gets."""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.atomic_file import atomic_file, atomic_path
from cli.export_formats import FILES, FORMATS, TEXT, Cells, Sheet, write_csv, write_sqlite
from cli.main import main
from cli.relations.copies import HARMLESS, write_relation
from cli.relations.database import open_relations
from cli.relations.relation_columns import RELATIONS
from cli.terminal import CommandError
from tests.unit.cli.relations.test_database import fill
from tests.unit.cli_stack import Stack, fresh_stack
from traffic.contract import METRICS

stack = pytest.fixture(fresh_stack)

DAYS = replace(RELATIONS["days"], name="traffic")


def exported(stack: Stack, form: str, folder: Path) -> Path:
    """Write the days of a stack as `traffic export` does."""
    path = folder / f"traffic.{form}"
    with open_relations(stack.deployment.record, stack.deployment.archive) as relations:
        write_relation(relations, "days", form, path, table="traffic")
    return path


def written(form: str, rows: Iterable[Cells], folder: Path) -> Path:
    """Write rows as `traffic sql` does."""
    path = folder / f"traffic.{form}"
    if form in FILES:
        FILES[form](DAYS, rows, path)
    else:
        with path.open("w") as file:
            TEXT[form](DAYS, rows, file)
    return path


def cells(name: str, day: str, metrics: Sequence[int | None], repo_id: int | None = None) -> Cells:
    """Return a row of days, of a repository that kept its name."""
    return (name, f"{day}T00:00:00Z", *metrics, repo_id, name, False, False)


NOTHING = (None,) * 4


def test_csv_is_sorted_and_leaves_unknown_cells_empty(stack: Stack, tmp_path: Path) -> None:
    """A zero where GitHub said nothing would be an invented measurement."""
    stack.day("octo/web", "2026-11-19", {"views-count": 0, "views-uniques": 0, "views-complete": True, "repo-id": 8})
    stack.day("octo/docs", "2026-11-20", {"views-count": 5, "views-uniques": 2, "clones-count": 1, "clones-uniques": 1})
    stack.day("octo/docs", "2026-11-19", {"clones-count": 4, "clones-uniques": 3})

    assert exported(stack, "csv", tmp_path).read_text() == (
        "repo-name,timestamp,views-count,views-uniques,clones-count,clones-uniques,"
        "repo-id,current-name,views-complete,clones-complete\n"
        "octo/docs,2026-11-19T00:00:00Z,,,4,3,,octo/docs,false,false\n"
        "octo/docs,2026-11-20T00:00:00Z,5,2,1,1,,octo/docs,false,false\n"
        "octo/web,2026-11-19T00:00:00Z,0,0,,,8,octo/web,true,false\n"
    )


def test_json_holds_numbers_and_leaves_unknown_cells_out(stack: Stack, tmp_path: Path) -> None:
    """A program must be able to tell a zero from what is not known."""
    stack.day("octo/docs", "2026-11-19", {"views-count": 0, "views-uniques": 0})

    assert exported(stack, "json", tmp_path).read_text() == (
        '[\n{"repo-name": "octo/docs", "timestamp": "2026-11-19T00:00:00Z", "views-count": 0, "views-uniques": 0,'
        ' "current-name": "octo/docs", "views-complete": false, "clones-complete": false}\n]\n'
    )


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


def typed(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return a row in the order of the columns, with None for what is empty or left out."""
    return tuple(_typed(column, row.get(column)) for column in DAYS.columns)


def _typed(column: str, cell: Any) -> Any:
    if DAYS.columns[column] == "BOOLEAN":
        return cell in (True, "true")
    return None if cell in ("", None) else int(cell) if DAYS.columns[column] == "BIGINT" else cell


def read_csv(path: Path) -> list[tuple[Any, ...]]:
    """Read CSV."""
    return [typed(row) for row in csv.DictReader(io.StringIO(path.read_text()))]


def read_json(path: Path) -> list[tuple[Any, ...]]:
    """Read JSON."""
    return [typed(row) for row in json.loads(path.read_text())]


def read_json_lines(path: Path) -> list[tuple[Any, ...]]:
    """Read JSON Lines."""
    return [typed(json.loads(line)) for line in path.read_text().splitlines()]


def read_parquet(path: Path) -> list[tuple[Any, ...]]:
    """Read Parquet."""
    return _typed_times(duckdb.read_parquet(str(path)).df())


def read_duckdb(path: Path) -> list[tuple[Any, ...]]:
    """Read DuckDB."""
    with duckdb.connect(str(path), read_only=True) as database:
        return _typed_times(database.table("traffic").df())


def _typed_times(found: pd.DataFrame) -> list[tuple[Any, ...]]:
    found["timestamp"] = found["timestamp"].dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        typed({column: None if pd.isna(row[column]) else row[column] for column in DAYS.columns})
        for _, row in found.iterrows()
    ]


def read_sqlite(path: Path) -> list[tuple[Any, ...]]:
    """Read SQLite."""
    database = sqlite3.connect(path)
    try:
        found = database.execute("SELECT * FROM traffic").fetchall()
        return [typed(dict(zip(DAYS.columns, row, strict=True))) for row in found]
    finally:
        database.close()


READERS = {
    "csv": read_csv,
    "json": read_json,
    "jsonl": read_json_lines,
    "parquet": read_parquet,
    "sqlite": read_sqlite,
    "duckdb": read_duckdb,
}


@pytest.mark.parametrize("form", FORMATS)
def test_each_form_read_back_equals_the_table(stack: Stack, tmp_path: Path, form: str) -> None:
    """An export is what people keep when they leave: a zero, a hole, ten digits, a new name and an old one survive."""
    stack.day("octo/web", "2026-11-19", {"views-count": 0, "views-uniques": 0})
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-10-01", "octo/manual": "2026-11-20"})
    views = {"views-count": 12345678901, "views-uniques": 2, "views-complete": True}
    stack.day("octo/docs", "2026-11-20", {**views, "clones-count": 1, "repo-id": 7})
    clones = {"clones-count": 4, "clones-uniques": 3, "clones-complete": True}
    stack.day("octo/docs", "2026-11-19", {**clones, "repo-id": 7})
    stack.day("docs", "2019-01-01", {"views-count": 1})

    rows = [
        ("docs", "2019-01-01T00:00:00Z", 1, None, None, None, None, "docs", False, False),
        ("octo/docs", "2026-11-19T00:00:00Z", None, None, 4, 3, 7, "octo/manual", False, True),
        ("octo/docs", "2026-11-20T00:00:00Z", 12345678901, 2, 1, None, 7, "octo/manual", True, False),
        ("octo/web", "2026-11-19T00:00:00Z", 0, 0, None, None, None, "octo/web", False, False),
    ]
    path = exported(stack, form, tmp_path)
    assert READERS[form](path) == rows
    assert list(tmp_path.iterdir()) == [path], "a temporary file with the same content would be found by others"

    path.unlink()
    assert READERS[form](written(form, rows, tmp_path)) == rows
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("form", ["csv", "json", "jsonl"])
def test_both_ways_to_write_a_text_write_the_same_bytes(stack: Stack, tmp_path: Path, form: str) -> None:
    """DuckDB writes CSV for `traffic export`, Python for `traffic sql`."""
    stack.day("octo/docs", "2026-11-20", {"views-count": 12345678901, "views-complete": True, "repo-id": 7})
    stack.day('a "b", c', "2026-11-20", {"views-count": 0})
    rows = [
        ('a "b", c', "2026-11-20T00:00:00Z", 0, None, None, None, None, 'a "b", c', False, False),
        ("octo/docs", "2026-11-20T00:00:00Z", 12345678901, None, None, None, 7, "octo/docs", True, False),
    ]

    by_export = exported(stack, form, tmp_path).read_bytes()

    assert by_export == written(form, rows, tmp_path).read_bytes()


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cn", "Cs"])))
def test_duckdb_makes_a_text_as_harmless_as_python_does(text: str) -> None:
    """A title or a note may be anything; a spreadsheet must run none of it."""
    output = io.StringIO()
    write_csv(replace(DAYS, columns={"text": "VARCHAR", "more": "VARCHAR"}), [(text, "")], output)
    (_, (expected, _)) = csv.reader(io.StringIO(output.getvalue()))

    with duckdb.connect() as database:
        database.execute(HARMLESS)
        assert database.execute("SELECT harmless(?)", [text]).fetchone() == (expected,)


def test_the_types_are_right_also_where_nothing_is_known(tmp_path: Path) -> None:
    """A column that is empty today must not become text, which breaks the query of tomorrow."""
    described = duckdb.read_parquet(str(written("parquet", [cells("octo/docs", "2026-11-19", NOTHING)], tmp_path)))
    assert described.columns == list(DAYS.columns)
    assert list(map(str, described.types)) == [
        *["VARCHAR", "TIMESTAMP WITH TIME ZONE", *["BIGINT"] * 5],
        *["VARCHAR", "BOOLEAN", "BOOLEAN"],
    ]
    guessed = duckdb.read_csv(str(written("csv", [cells("octo/docs", "2026-11-19", (1, 1, 1, 1), 7)], tmp_path)))
    assert list(map(str, guessed.types))[2:] == [*["BIGINT"] * 5, "VARCHAR", "BOOLEAN", "BOOLEAN"]
    assert str(guessed.types[1]).startswith("TIMESTAMP")


def frames(rows: Sequence[Cells], folder: Path) -> Mapping[str, pd.DataFrame]:
    """Read each form as people who work with pandas do; a column with holes needs `Int64`, or it becomes floats."""
    paths = {form: written(form, rows, folder) for form in FORMATS}
    database = sqlite3.connect(paths["sqlite"])
    try:
        return {
            "csv": pd.read_csv(paths["csv"], parse_dates=["timestamp"], dtype=dict.fromkeys(METRICS, "Int64")),
            "json": pd.read_json(paths["json"]),
            "jsonl": pd.read_json(paths["jsonl"], lines=True),
            "parquet": duckdb.read_parquet(str(paths["parquet"])).df(),
            "sqlite": pd.read_sql("SELECT * FROM traffic", database, parse_dates=["timestamp"]),
        }
    finally:
        database.close()


def test_pandas_reads_days_as_times_and_numbers_as_numbers(tmp_path: Path) -> None:
    """A hole is missing there, never zero; and a count of ten digits stays exact."""
    rows = [
        cells("octo/docs", "2026-11-19", (12345678901, 0, None, None), 7),
        cells("octo/docs", "2026-11-20", (None, None, 4, 3), 7),
    ]
    for form, frame in frames(rows, tmp_path).items():
        assert set(frame.columns) == set(DAYS.columns), form
        assert [f"{time:%Y-%m-%d}" for time in frame["timestamp"]] == ["2026-11-19", "2026-11-20"], form
        for column, known in zip(METRICS, [(12345678901, None), (0, None), (None, 4), (None, 3)], strict=True):
            assert pd.api.types.is_numeric_dtype(frame[column]), (form, column)
            assert [None if pd.isna(cell) else int(cell) for cell in frame[column]] == list(known), (form, column)


def test_pandas_merges_every_form_with_every_other(tmp_path: Path) -> None:
    """Somebody joins last year's Parquet with today's CSV: times with a zone and times without one do not merge."""
    read = frames([cells("octo/docs", "2026-11-19", (1, 1, 1, 1))], tmp_path)

    for (one, left), (other, right) in combinations(read.items(), 2):
        assert len(left.merge(right, on=["repo-name", "timestamp"])) == 1, (one, other)


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_table_is_valid_in_every_form(stack: Stack, tmp_path: Path, form: str) -> None:
    """The first export may come before the first run."""
    assert READERS[form](written(form, [], tmp_path)) == []
    (tmp_path / f"traffic.{form}").unlink()
    assert READERS[form](exported(stack, form, tmp_path)) == []


def export(stack: Stack, monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run `traffic export` on a stack."""
    monkeypatch.setattr("cli.commands.export.opened", lambda _target: nullcontext(stack.deployment))
    return main(["export", *map(str, arguments)])


def test_only_days_since_one_are_written(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who exports every week wants what is new; the day itself is within."""
    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        stack.day("octo/docs", day, {"views-count": 1})

    assert export(stack, monkeypatch, "-f", "csv", "--since", "2026-11-19") == 0

    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split(",")[1] for row in rows] == ["2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"]


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_name_is_no_formula_in_a_spreadsheet(stack: Stack, tmp_path: Path, name: str) -> None:
    """A row of the first version has a bare name, and anybody may have written into that table."""
    stack.day(name, "2026-11-19", {"views-count": 1})

    (row,) = csv.DictReader(io.StringIO(exported(stack, "csv", tmp_path).read_text()))

    assert row["repo-name"] == row["current-name"] == f"'{name}".replace("\t", " ")


# The relations as `--what` writes them in JSON Lines, of the stack that `fill` fills.
CAPTURE = '{"repo-name": "octo/docs", "captured-on": "2026-11-20"'
REPOSITORY = '"repo-id": 7, "current-name": "octo/manual"}'
UNKNOWN = '"clones-count": null, "clones-uniques": null, "views-until": "2026-11-19", "clones-until": null'
WRITTEN = {
    "referrers": [
        f'{CAPTURE}, "referrer": "z.example", "views-count": 9, "views-uniques": 3, {REPOSITORY}',
        f'{CAPTURE}, "referrer": "a", "views-count": 2, "views-uniques": 1, {REPOSITORY}',
    ],
    "totals": [f'{CAPTURE}, "views-count": 0, "views-uniques": 0, {UNKNOWN}, {REPOSITORY}'],
    "numbers": [
        (
            '{"repo-name": "octo/docs", "captured-on": "2020-01-02", "stars": 0, "stars-source": "ghrs", "forks": 2,'
            f' "forks-source": "csv", {REPOSITORY}'
        ),
        f'{CAPTURE}, "stars": 12345678901, "stars-source": null, "forks": null, "forks-source": null, {REPOSITORY}',
    ],
    "notes": [
        '{"repo-name": "docs", "day": "2019-01-01", "text": "begun", "repo-id": null, "current-name": "docs"}',
        f'{{"repo-name": "octo/docs", "day": "2026-11-20", "text": "v2, \\u201cthe big one\\u201d", {REPOSITORY}',
    ],
}


@pytest.mark.parametrize("what", WRITTEN)
def test_more_than_days_can_be_written(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """Referrers, paths and notes are as lost as days are if they cannot leave."""
    fill(stack)

    assert export(stack, monkeypatch, "--what", what, "-f", "jsonl") == 0
    assert capsys.readouterr().out.splitlines()[: len(WRITTEN[what])] == WRITTEN[what]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("what", RELATIONS)
def test_every_form_of_every_relation_has_its_columns(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, form: str
) -> None:
    """Also one whose numbers are all unknown: tomorrow's file must fit to today's."""
    fill(stack)
    path = tmp_path / f"file.{form}"

    assert export(stack, monkeypatch, "--what", what, "-o", path) == 0

    assert columns_of(path, "traffic" if (what, form) == ("days", "sqlite") else what) == list(RELATIONS[what].columns)


@pytest.mark.parametrize("form", FORMATS)
def test_sources_are_columns_on_request(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """A program can tell an import's number from GitHub's, in every format; without the option nothing is different."""
    day = {"repo-name": "octo/docs", "timestamp": "2026-11-19T00:00:00Z", "views-uniques": 5, "clones-count": 1}
    stack._put("RepoTraffic", {**day, "sources": {"views-uniques": "github-repo-stats", "clones-count": "csv"}})
    path, table = tmp_path / f"file.{form}", "traffic" if form == "sqlite" else "days"

    assert export(stack, monkeypatch, "--sources", "-o", path) == 0

    sources = {"views-count-source", "views-uniques-source", "clones-count-source", "clones-uniques-source"}
    if form == "json":  # it leaves unknown cells out
        (row,) = json.loads(path.read_text())
        found: tuple[Any, ...] | None = tuple(row[name] for name in sorted(sources & row.keys()))
    elif form == "sqlite":
        with sqlite3.connect(path) as database:
            found = database.execute('SELECT "clones-count-source", "views-uniques-source" FROM traffic').fetchone()
        assert columns_of(path, table)[-4:] == [f"{metric}-source" for metric in METRICS]
    else:
        with duckdb.connect() as opened:
            if form == "duckdb":
                opened.execute(f"ATTACH '{path}' AS written (READ_ONLY)")
            found_in = "written.days" if form == "duckdb" else f"'{path}'"
            opened.execute(f'FROM {found_in} SELECT "clones-count-source", "views-uniques-source"')
            found = opened.fetchone()
        assert columns_of(path, table)[-4:] == [f"{metric}-source" for metric in METRICS]
    assert found == ("csv", "github-repo-stats")


def test_sources_are_of_days(capsys: pytest.CaptureFixture[str]) -> None:
    """What GitHub lists in a capture has no sources."""
    assert main(["export", "--what", "paths", "--sources", "--format", "csv"]) == 2
    assert "--sources is of days, but --what is paths" in capsys.readouterr().err


def columns_of(path: Path, table: str) -> list[str]:
    """Return the names of the columns of a file."""
    if path.suffix == ".sqlite":
        database = sqlite3.connect(path)
        try:
            return [column for (_, column, *_) in database.execute(f"PRAGMA table_info({table})")]
        finally:
            database.close()
    if path.suffix == ".json":  # it leaves unknown cells out
        found = {column for row in json.loads(path.read_text()) for column in row}
        return [column for column in RELATIONS[table].columns if column in found or unknown(table, column)]
    with duckdb.connect() as opened:
        if path.suffix == ".duckdb":
            opened.execute(f"ATTACH '{path}' AS written (READ_ONLY)")
        found_in = f"written.{table}" if path.suffix == ".duckdb" else f"'{path}'"
        return [column for (column, *_) in opened.execute(f"DESCRIBE FROM {found_in}").fetchall()]


def unknown(table: str, column: str) -> bool:
    """Return whether `fill` leaves a column without a cell."""
    return (table, column) in {
        *(("repositories", column) for column in ("captured-on", "newest-day", "views-active-on", "clones-active-on")),
        ("totals", "clones-uniques"),
        ("totals", "clones-until"),
        ("days", "views-uniques"),
    }


@pytest.mark.parametrize("name", ["all.sqlite", "all.duckdb"])
def test_everything_fits_into_one_database(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One file to keep, and to ask."""
    fill(stack)

    for _ in range(2):
        assert export(stack, monkeypatch, "--what", "all", "-o", tmp_path / name) == 0

    assert {what: columns_of(tmp_path / name, what) for what in RELATIONS} == {
        what: list(sheet.columns) for what, sheet in RELATIONS.items()
    }
    assert list(tmp_path.iterdir()) == [tmp_path / name]
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet"])
def test_everything_fits_into_a_folder(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Spreadsheets want files. What else is in the folder stays."""
    fill(stack)
    folder = tmp_path / "out"

    assert export(stack, monkeypatch, "--what", "all", "-f", form, "-o", folder) == 0
    (folder / "mine.txt").write_text("mine")
    (folder / f"notes.{form}").write_text("old")
    assert export(stack, monkeypatch, "--what", "all", "-f", form, "-o", folder) == 0

    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["mine.txt", *(f"{what}.{form}" for what in RELATIONS)]
    )
    assert {path.stat().st_mode & 0o777 for path in folder.glob(f"*.{form}")} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert columns_of(folder / f"notes.{form}", "notes") == list(RELATIONS["notes"].columns)


def test_an_interrupted_export_of_everything_leaves_the_old_files(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of two exports do not fit to each other."""
    (tmp_path / "days.csv").write_text("old")
    stack._clients["dynamodb"].delete_table(TableName="RepoTrafficSnapshots")

    assert export(stack, monkeypatch, "--what", "all", "-f", "csv", "-o", tmp_path) == 1

    assert (tmp_path / "days.csv").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "days.csv"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("--what", "all"),
            "--what all is several tables: name a folder or a database with --output, as traffic.duckdb.",
        ),
        (
            ("--what", "all", "-o", "x.csv"),
            (
                "--output 'x.csv' is a name for one file, but --what all writes several: name a folder, or a database"
                " such as traffic.duckdb."
            ),
        ),
        (
            ("--what", "all", "-o", "out"),
            "--output 'out' is a folder: add --format with one of csv, json, jsonl, parquet for its files.",
        ),
        (
            ("--what", "all", "-f", "csv", "-o", "x.duckdb"),
            "--output 'x.duckdb' is a name for duckdb, but --format is csv: change one of them.",
        ),
        (
            ("--what", "repositories", "-f", "csv", "--since", "2026-11-20"),
            "--since chooses days, but --what repositories has none: leave --since out.",
        ),
    ],
)
def test_what_cannot_be_written_so_is_refused(
    arguments: tuple[str, ...], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is read, and with what helps."""
    assert main(["export", *arguments]) == 2
    assert capsys.readouterr() == ("", f"traffic: error: {error}\n")


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
        ("x.duckdb", b""),
    ],
)
def test_the_name_of_the_file_chooses_the_format(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, beginning: bytes
) -> None:
    """Nobody should have to type it twice."""
    stack.day("octo/docs", "2026-11-18", {"views-count": 1})
    assert export(stack, monkeypatch, "-o", tmp_path / name) == 0

    assert (tmp_path / name).read_bytes().startswith(beginning)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_name_that_promises_nothing_takes_any_format(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some programs want a file called data.txt."""
    assert export(stack, monkeypatch, "--format", "csv", "--output", tmp_path / "data.txt") == 0
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
                " sqlite, duckdb, or --output with a name such as traffic.csv."
            ),
        ),
        (
            (),
            (
                "No format: add --format with one of csv, json, jsonl, parquet, sqlite, duckdb,"
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
        yield cells("octo/docs", "2026-11-19", NOTHING)
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
    row = cells("octo/docs", "2026-11-19", NOTHING)
    wrong = [row, row] if write is write_sqlite else [cells("octo/docs", "not a day", NOTHING)]

    with pytest.raises(CommandError, match="cannot be written as"), atomic_path(tmp_path / "traffic.db") as path:
        write(DAYS, wrong, path)

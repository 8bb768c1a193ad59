"""One archive, read from both sides: the tables that Store traffic makes of it, and the views that Athena computes."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from cli.export_formats import Cell
from cli.sql.athena_text import athena_text
from cli.sql.local_answer import answer_here
from cli.sql.question import read_question
from cli.sql.views import VIEWS
from cli.stack.deployment import Deployment
from lambdas.store_traffic import receipts
from local.stored_history import StoredTable
from local.stored_items import open_tables, to_text
from stacks import queries
from tests.unit.fake_dynamodb import KEYS, FakeDynamoDB
from traffic.record.archive import pack, unpack
from traffic.record.reading import Record
from traffic.record.reports import read_reports

Objects = Mapping[str, Sequence[Any]]  # the lines of each object of the archive, by its key
Rows = list[tuple[Cell, ...]]

TABLES = {"answers": queries.ANSWERS, "imports": queries.IMPORTS, "runs": queries.RUN_FILES}


class KeptRecord(Deployment):
    """A deployment whose tables are in a file, as the local engine keeps them."""

    @property
    def record(self) -> Record:
        """The tables."""
        traffic, repositories, snapshots = (StoredTable(Path(self.place), name) for name in KEYS)
        return Record(traffic, repositories, snapshots)


def local_answers(objects: Objects, *questions: str) -> list[Rows]:
    """Let Store traffic merge the objects in the order of the captures, and ask the tables."""
    dynamodb = FakeDynamoDB()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(receipts, "tables", lambda: dynamodb.tables)
        patch.setattr(receipts, "snapshots", lambda: dynamodb.snapshots)
        stored = [key for key in objects if not key.startswith("runs/")]
        for key in sorted(stored, key=lambda key: key.rpartition("/")[2]):
            for report in read_reports(unpack(pack(objects[key]))):
                receipts.store(report)
        file = Path(folder, "tables.sqlite")
        with open_tables(file) as database:
            for table, items in dynamodb.items.items():
                rows = ((table, *(*key, "")[:2], to_text(item)) for key, item in items.items())
                database.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", rows)
        database.close()
        outputs = {"ArchiveBucket": "archive"}
        deployment = KeptRecord(outputs=outputs, client=lambda _name: None, place=str(file), parameters={})
        return [_answer(deployment, question) for question in questions]


def _answer(deployment: Deployment, question: str) -> Rows:
    with answer_here(deployment, read_once(question, "duckdb")) as answer:
        return sorted(map(tuple, answer.rows), key=repr)


def athena_answers(objects: Objects, *questions: str) -> list[Rows]:
    """Ask the text that Athena gets, translated for DuckDB, over the objects as the stack's tables define them."""
    answers = []
    with archive_in_duckdb(objects) as database:
        for question in questions:
            found = database.execute(athenas_text_for_duckdb(question)).fetchall()
            answers.append(sorted((tuple(map(_cell, row)) for row in found), key=repr))
    return answers


# A property asks the same questions of each example, and parsing takes longer than answering.
read_once = cache(read_question)


@cache
def athenas_text_for_duckdb(question: str) -> str:
    """Translate the text that Athena gets."""
    text = athena_text(read_question(question, "athena"))
    return sqlglot.transpile(text, read="athena", write="duckdb")[0]


def _cell(cell: Any) -> Cell:
    return cell if cell is None or isinstance(cell, bool | int | float) else str(cell)


@contextmanager
def archive_in_duckdb(objects: Objects) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the objects in DuckDB as the tables of Glue, each with the hidden column `$path`."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as database:
        for key, lines in objects.items():
            path = Path(folder, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            gzipped = key.endswith(".gz")
            path.write_bytes(pack(lines) if gzipped else "\n".join(map(json.dumps, lines)).encode())
        for place, columns in TABLES.items():
            files = [str(path) for path in Path(folder, place).rglob("*.*")]
            table = "run_files" if place == "runs" else place
            types = {name: exp.DataType.build(type_, dialect="hive").sql("duckdb") for name, type_ in columns.items()}
            if files:
                lenient = str(place == "runs").lower()
                options = f"format = 'newline_delimited', filename = true, ignore_errors = {lenient}"
                reader = f"read_json({files}, columns = {types}, {options})"
                rows = f'SELECT * EXCLUDE (filename), filename AS "$path" FROM {reader}'  # noqa: S608 - our own names
                database.execute(f"CREATE VIEW {table} AS {rows}")
            else:
                cells = ", ".join(f'"{name}" {type_}' for name, type_ in {**types, "$path": "VARCHAR"}.items())
                database.execute(f"CREATE TABLE {table} ({cells})")
        yield database


def everything(view: str) -> str:
    """Return the question for all rows of a view."""
    return f"SELECT {', '.join(VIEWS[view])} FROM {view}"  # noqa: S608 - our own names

"""Answers a question on this machine: DuckDB, with the views made from the record."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb

from cli.export_formats import Cell, quoted
from cli.relations.database import Relations, open_relations
from cli.relations.relation_columns import RELATIONS
from cli.sql.answer import SqlAnswer, column_types, refused
from cli.sql.question import Question
from cli.sql.views import VIEWS, in_sql
from cli.stack.deployment import Deployment
from traffic.contract import Summary

AT_ONCE = 10_000  # rows that are fetched at once

# The types that an answer keeps. All others, such as lists and times, become texts.
KEPT = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), "BIGINT"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "DOUBLE"),
    "BOOLEAN": "BOOLEAN",
}

# From here on a question can reach no file, no network and no setting; extensions are those of DuckDB's wheel.
LOCK = "SET autoload_known_extensions = false; SET enable_external_access = false; SET lock_configuration = true"


@contextmanager
def answer_here(deployment: Deployment, question: Question) -> Iterator[SqlAnswer]:
    """Answer a question from the record. Read the rows before the block ends.

    Raises:
        UsageError: DuckDB refuses the question.
    """
    with open_relations(deployment.record, deployment.archive) as relations:
        for view in sorted(question.views):
            if view == "runs":
                _create_runs(relations)
            else:
                _create(relations, view)
        relations.database.execute(LOCK)
        yield _ask(relations.database, question.text)


def _create(relations: Relations, view: str) -> None:
    """Make a table of a relation, with the names and types of the view."""
    columns = ((quoted(column), in_sql(column)) for column in RELATIONS[view].columns)
    cells = ", ".join(f"CAST({column} AS {VIEWS[view][name]}) AS {name}" for column, name in columns)
    with relations.select(view) as statement:
        relations.database.execute(f"CREATE TABLE {view} AS SELECT {cells} FROM ({statement})")  # noqa: S608


def _create_runs(relations: Relations) -> None:
    """Make a table of the summaries that are still in the archive."""
    archive = relations.archive
    keys = (key for key in archive.keys("runs/") if key.endswith("/summary.json"))
    rows = [json.dumps(_run(summary)) for key in keys if (summary := archive.read_note(key))]
    columns = dict(VIEWS["runs"])
    with relations.written([rows]):
        text = f"read_json(getvariable('lines'), format = 'newline_delimited', columns = {columns})"
        relations.database.execute(f"CREATE TABLE runs AS SELECT * FROM {text} ORDER BY started")  # noqa: S608


def _run(summary: Summary) -> Mapping[str, str]:
    run = summary["run"]
    cells = (run["id"], run["started"], summary["outcome"], summary["error"], summary["subject"])
    return dict(zip(VIEWS["runs"], cells, strict=True))


def _ask(database: duckdb.DuckDBPyConnection, text: str) -> SqlAnswer:
    try:
        # DuckDB's Python cannot return times with a zone without another package, so it is DuckDB that writes them.
        found = database.sql(text)
        types = [(name, str(type_)) for name, type_ in zip(found.columns, found.types, strict=True)]
        kept = column_types([(name, _kept(type_)) for name, type_ in types])
        shown = ", ".join(_shown(name, type_) for name, type_ in types)
        return SqlAnswer(kept, _rows(database.execute(f"SELECT {shown} FROM ({text}\n) AS answer")))  # noqa: S608
    except duckdb.Error as exc:
        raise _refused(exc) from exc
    except RuntimeError as exc:  # DuckDB's word for Ctrl-C
        if "interrupted" in str(exc):
            raise KeyboardInterrupt from exc
        raise


def _kept(type_: str) -> str:
    return "DATE" if type_ == "DATE" else "DOUBLE" if type_.startswith("DECIMAL") else KEPT.get(type_, "VARCHAR")


def _shown(name: str, type_: str) -> str:
    if type_ in KEPT:
        return quoted(name)
    return f"CAST({quoted(name)} AS {'DOUBLE' if type_.startswith('DECIMAL') else 'VARCHAR'}) AS {quoted(name)}"


def _rows(found: duckdb.DuckDBPyConnection) -> Iterator[Sequence[Cell]]:
    while rows := found.fetchmany(AT_ONCE):
        yield from rows


def _refused(error: duckdb.Error) -> Exception:
    """Return DuckDB's error in one line, without the kind of the error and the copy of the question."""
    text = re.sub(r"^[\w ]+ Error: ", "", str(error).split("\n\nLINE ")[0])
    unknown = re.search(r'Referenced column "([^"]*)" not found', text)
    return refused(unknown[0] if unknown else text.splitlines()[0], unknown and unknown[1])

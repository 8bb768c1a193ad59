"""The relations hold what the tables and the archive hold, read from DynamoDB or from the file of the local engine."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.relations.database import Relations, open_relations
from cli.relations.relation_columns import RELATIONS
from local.stored_history import StoredTable
from local.stored_items import open_tables, to_text
from tests.unit.cli_stack import Stack, fresh_stack
from tests.unit.fake_dynamodb import KEYS
from traffic.errors import TableBusyError
from traffic.record.notes import Note, put_note
from traffic.record.reading import Record

stack = pytest.fixture(fresh_stack)

CAPTURE = {
    "repo-id": "7",
    "captured-on": "2026-11-20",
    "views-count": 0,
    "views-uniques": 0,
    "views-until": "2026-11-19",
    "referrers": [{"referrer": "z.example", "count": 9, "uniques": 3}, {"referrer": "a", "count": 2, "uniques": 1}],
    "paths": [{"path": "/", "title": 'The "first", \u2028 page\x00', "count": 5, "uniques": 4}],
    "captured-at": {"views": "2026-11-20T09:00:00Z", "stars": "2026-11-20T09:00:00Z"},
    "stars": 12345678901,
}
IMPORTED = {
    "repo-id": "7",
    "captured-on": "2020-01-02",
    "stars": 0,
    "forks": 2,
    "sources": {"forks": "csv", "stars": "ghrs"},
    "captured-at": {"stars": "2020-01-02T00:00:00Z", "forks": "2020-01-02T00:00:00Z"},
}


def fill(stack: Stack) -> None:
    """Put a renamed repository, a row of the first version, and captures of which one is of no known repository."""
    names = {"octo/docs": "2026-10-01", "octo/book": "2026-10-09", "octo/manual": "2026-11-20"}
    stack.repository("7", "octo/docs", names=names)
    stack.day("octo/docs", "2026-11-20", {"views-count": 12345678901, "repo-id": 7, "views-complete": True})
    stack.day("octo/docs", "2026-11-19", {"clones-count": 0, "clones-uniques": 0, "repo-id": 7})
    stack.day("docs", "2019-01-01", {"views-count": 1})
    stack._put("RepoTrafficSnapshots", CAPTURE)
    stack._put("RepoTrafficSnapshots", IMPORTED)
    stack._put("RepoTrafficSnapshots", {"repo-id": "7", "captured-on": "2026-11-18", "referrers": []})
    stack._put("RepoTrafficSnapshots", {"repo-id": "8", "captured-on": "2026-11-18", "clones-count": 1})
    put_note(stack.deployment.archive, Note("octo/docs", "2026-11-20", "v2, “the big one”"))
    put_note(stack.deployment.archive, Note("docs", "2019-01-01", "begun"))


def stored(stack: Stack, path: Path) -> Record:
    """Copy the tables of a stack into a file of the local engine."""
    database = open_tables(path)
    for table, keys in KEYS.items():
        for item in stack.deployment.client("dynamodb").scan(TableName=table)["Items"]:
            row = (table, *(item[key]["S"] for key in keys), *[""] * (2 - len(keys)), to_text(item))
            database.execute("INSERT INTO items VALUES (?, ?, ?, ?)", row)
    database.close()
    return Record(*(StoredTable(path, table) for table in KEYS))


@pytest.fixture(params=["DynamoDB", "SQLite"])
def relations(request: pytest.FixtureRequest, stack: Stack, tmp_path: Path) -> Iterator[Relations]:
    """The filled stack's relations, from either backend."""
    fill(stack)
    record = stack.deployment.record if request.param == "DynamoDB" else stored(stack, tmp_path / "tables.sqlite")
    with open_relations(record, stack.deployment.archive) as opened:
        yield opened


def rows(relations: Relations, name: str) -> list[tuple[Any, ...]]:
    """Return the rows of a relation, and check its columns."""
    with relations.select(name) as select:
        found = relations.database.execute(select)
        assert [column[0] for column in found.description] == list(RELATIONS[name].columns)
        return found.fetchall()


EXPECTED: dict[str, list[tuple[Any, ...]]] = {
    "days": [
        ("docs", "2019-01-01T00:00:00Z", 1, None, None, None, None, "docs", False, False),
        ("octo/docs", "2026-11-19T00:00:00Z", None, None, 0, 0, 7, "octo/manual", False, False),
        ("octo/docs", "2026-11-20T00:00:00Z", 12345678901, None, None, None, 7, "octo/manual", True, False),
    ],
    "referrers": [
        ("octo/docs", "2026-11-20", "z.example", 9, 3, 7, "octo/manual"),
        ("octo/docs", "2026-11-20", "a", 2, 1, 7, "octo/manual"),
    ],
    "paths": [("octo/docs", "2026-11-20", "/", 'The "first", \u2028 page\x00', 5, 4, 7, "octo/manual")],
    "totals": [
        ("octo/docs", "2026-11-20", 0, 0, None, None, "2026-11-19", None, 7, "octo/manual"),
        (None, "2026-11-18", None, None, 1, None, None, None, 8, None),
    ],
    "numbers": [
        ("octo/docs", "2020-01-02", 0, "ghrs", 2, "csv", 7, "octo/manual"),
        ("octo/docs", "2026-11-20", 12345678901, None, None, None, 7, "octo/manual"),
    ],
    "repositories": [("octo/docs", 7, "octo/manual", "octo/docs octo/book", "2026-10-01", None, None, None, None)],
    "notes": [
        ("docs", "2019-01-01", "begun", None, "docs"),
        ("octo/docs", "2026-11-20", "v2, “the big one”", 7, "octo/manual"),
    ],
}


def test_each_relation_holds_the_rows_of_the_record_in_order(relations: Relations) -> None:
    """Exports, SQL and the report are made of them: zero is not unknown, and a first version's row has no id."""
    assert {name: rows(relations, name) for name in RELATIONS} == EXPECTED


def test_days_before_the_first_one_are_not_read(relations: Relations) -> None:
    """In AWS, they would be sent for nothing."""
    later = replace(relations, since="2026-11-20")

    found = {name: rows(later, name) for name in RELATIONS}

    assert found == {
        name: [row for row in kept if name == "repositories" or row[1][:10] >= "2026-11-20"]
        for name, kept in EXPECTED.items()
    }


class Failing(StoredTable):
    """A table whose second page cannot be read."""

    def pages(self, begin: dict[str, Any] | None = None) -> Iterator[list[str]]:
        """Return a page, then fail."""
        yield from super().pages(begin)
        raise TableBusyError("throttled")


def test_a_table_that_cannot_be_read_to_its_end_is_an_error(stack: Stack, tmp_path: Path) -> None:
    """Half an export would look complete."""
    fill(stack)
    record = stored(stack, tmp_path / "tables.sqlite")
    record.traffic = Failing(tmp_path / "tables.sqlite", "RepoTraffic")

    with (
        open_relations(record, stack.deployment.archive) as relations,
        pytest.raises(TableBusyError),
        relations.select("days"),
    ):
        pytest.fail("the days are not complete")


def test_a_statement_that_fails_leaves_the_other_relations(stack: Stack, tmp_path: Path) -> None:
    """A question in SQL may be wrong, and the next one right."""
    fill(stack)
    path = tmp_path / "tables.sqlite"
    record = stored(stack, path)
    with open_tables(path) as database:
        database.execute("INSERT INTO items VALUES ('RepoTraffic', 'octo/a', '', '{')")

    with open_relations(record, stack.deployment.archive) as relations:
        with pytest.raises(duckdb.Error, match="JSON"), relations.select("days") as select:
            relations.database.execute(select).fetchall()
        assert len(rows(relations, "paths")) == 1


def test_reading_a_long_table_takes_no_more_memory(stack: Stack, tmp_path: Path) -> None:
    """Ten thousand repositories with years of days have to fit into a laptop."""
    path = tmp_path / "tables.sqlite"
    days = (
        {"repo-name": {"S": f"octo/{number % 100}"}, "timestamp": {"S": f"{number:020}"}, "views-count": {"N": "5"}}
        for number in range(100_000)
    )
    with open_tables(path) as database:
        made = (("RepoTraffic", day["repo-name"]["S"], day["timestamp"]["S"], to_text(day)) for day in days)
        database.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", made)
    record = Record(*(StoredTable(path, table) for table in KEYS))

    with open_relations(record, stack.deployment.archive) as relations, relations.select("days") as select:
        relations.database.execute("SET memory_limit = '60MB'; SET threads = 1")
        relations.database.execute(f"COPY ({select}) TO '{tmp_path}/days.csv'")

    assert len((tmp_path / "days.csv").read_text().splitlines()) == 100_001

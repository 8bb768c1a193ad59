"""The text that Athena gets: the views that a question uses, and then the question itself."""

import pytest
import sqlglot
from sqlglot import exp

from cli.relations.relation_columns import DAY, RELATIONS, TIME
from cli.sql.athena_text import VIEWS_FOLDER, athena_text
from cli.sql.question import read_question
from cli.sql.views import OF_THE_RECORD, VIEWS, in_sql
from tests.unit.cli.sql.two_sides import everything

TABLES = {"answers", "imports", "run_files"}  # of Glue


def text_of(question: str) -> str:
    """Return the text for a question."""
    return athena_text(read_question(question, "athena"))


def names_of(text: str) -> list[str]:
    """Return the names that the WITH of a statement defines, in order."""
    statement = sqlglot.parse_one(text, read="athena")
    return [each.alias for each in statement.find(exp.With).expressions]  # type: ignore[union-attr]


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_is_defined_after_the_names_that_it_uses(view: str) -> None:
    """A WITH of SQL knows only the names before it, and Athena otherwise looks for a table."""
    text = text_of(everything(view))
    known = set(TABLES)

    for defined in sqlglot.parse_one(text, read="athena").find(exp.With).expressions:  # type: ignore[union-attr]
        own = {each.alias for each in defined.this.find_all(exp.CTE)}
        assert {table.name for table in defined.this.find_all(exp.Table)} <= known | own, defined.alias
        known.add(defined.alias)
    assert view in known


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_has_the_documented_columns_in_order(view: str) -> None:
    """`SELECT *` must have the same columns here and in AWS."""
    statement = sqlglot.parse_one((VIEWS_FOLDER / f"{view}.sql").read_text(), read="athena")

    assert isinstance(statement, exp.Query)
    assert statement.named_selects == list(VIEWS[view])


@pytest.mark.parametrize("view", OF_THE_RECORD)
def test_a_view_has_the_columns_of_the_export(view: str) -> None:
    """What a person learnt of one of them is true of the other."""
    exported = RELATIONS[view].columns

    assert list(VIEWS[view].items()) == [
        (in_sql(column), DAY if type_ == TIME else type_) for column, type_ in exported.items()
    ]


def test_a_question_has_only_the_views_that_it_uses() -> None:
    """Each further view would make Athena read the archive once more."""
    assert names_of(text_of("SELECT * FROM runs")) == ["runs"]
    assert text_of("SELECT 1") == "SELECT 1"


@pytest.mark.parametrize(
    ("question", "names", "end"),
    [
        ("SELECT * FROM runs", ["runs"], "SELECT * FROM runs"),
        (
            "WITH mine AS (SELECT * FROM runs) SELECT * FROM mine ORDER BY run",
            ["runs", "mine"],
            "SELECT * FROM mine ORDER BY run",
        ),
        (
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3) select * from n, runs",
            ["runs", "n"],
            "select * from n, runs",
        ),
        (
            "-- who?\nWITH mine AS (SELECT 1 AS one) SELECT * FROM mine, runs",
            ["runs", "mine"],
            "SELECT * FROM mine, runs",
        ),
    ],
)
def test_the_views_come_before_the_names_of_the_question(question: str, names: list[str], end: str) -> None:
    """A WITH inside of a subquery would lose the order of the rows."""
    text = text_of(question)

    assert names_of(text) == names
    assert text.endswith(end)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_reads_the_answers_at_most_twice(view: str) -> None:
    """Athena computes a name of a WITH again for each use, and charges for what it reads.

    Source:
        https://trino.io/docs/current/sql/select.html#with-clause
    """

    def reads(name: str) -> int:
        path = VIEWS_FOLDER / f"{name}.sql"
        if not path.exists():
            return int(name == "answers")
        return sum(reads(each.name) for each in sqlglot.parse_one(path.read_text(), read="athena").find_all(exp.Table))

    assert reads(view) <= 2 + (view == "repositories") + (view == "paths")

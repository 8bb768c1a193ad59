"""A question in SQL only reads the views: everything else is refused before it runs, for both databases."""

from typing import get_args

import pytest

from cli.sql.prepared import PREPARED, prepared_question
from cli.sql.question import Dialect, read_question
from cli.terminal import UsageError

BOTH = pytest.mark.parametrize("dialect", get_args(Dialect))


@BOTH
@pytest.mark.parametrize(
    ("text", "views"),
    [
        ("SELECT 1", set()),
        ("SELECT * FROM days", {"days"}),
        ("select * from DAYS d join Repositories r using (repo_id)", {"days", "repositories"}),
        ("WITH busy AS (SELECT * FROM days) SELECT * FROM busy JOIN totals USING (repo_id)", {"days", "totals"}),
        ("(SELECT repo_id FROM paths) UNION ALL (SELECT repo_id FROM referrers)", {"paths", "referrers"}),
        ("SELECT (SELECT max(started) FROM runs)", {"runs"}),
        ("SELECT * FROM days, UNNEST(ARRAY[1, 2]) AS t(n)", {"days"}),
        ("SELECT * FROM (VALUES (1), (2)) AS t(n)", set()),
    ],
)
def test_a_select_statement_is_a_question(dialect: Dialect, text: str, views: set[str]) -> None:
    """The views that it names are those that must stand before it runs."""
    question = read_question(text, dialect)

    assert (question.text, set(question.views)) == (text, views)


@BOTH
@pytest.mark.parametrize("text", ["SELECT 1;", " SELECT 1 ; ", "SELECT 1; -- done"])
def test_a_semicolon_at_the_end_is_left_out(dialect: Dialect, text: str) -> None:
    """People write one from habit; behind the views of Athena it would be an error."""
    assert read_question(text, dialect).text == "SELECT 1"


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO days VALUES (1)",
        "UPDATE days SET views_count = 0",
        "DELETE FROM days",
        "CREATE TABLE copy AS SELECT * FROM days",
        "CREATE VIEW mine AS SELECT * FROM days",
        "DROP TABLE days",
        "ALTER TABLE days ADD COLUMN x INT",
        "COPY days TO 'days.csv'",
        "COPY (SELECT * FROM days) TO 'days.csv'",
        "EXPORT DATABASE 'folder'",
        "UNLOAD (SELECT * FROM days) TO 's3://elsewhere/'",
        "ATTACH 'other.db'",
        "DETACH other",
        "USE other",
        "PRAGMA database_list",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "CALL pragma_version()",
        "EXPLAIN ANALYZE SELECT * FROM days",
        "DESCRIBE days",
        "SHOW TABLES",
        "BEGIN TRANSACTION",
        "EXECUTE mine",
        "MSCK REPAIR TABLE answers",
        "SELECT * INTO copy FROM days",
        "WITH gone AS (DELETE FROM days RETURNING *) SELECT * FROM gone",
        "VACUUM",
        "",
        "-- nothing",
    ],
)
def test_everything_else_is_refused(dialect: Dialect, text: str) -> None:
    """A question from a web page, pasted without reading it, must not change or send anything."""
    with pytest.raises(UsageError):
        read_question(text, dialect)


@BOTH
@pytest.mark.parametrize("text", ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE days", "SELECT 1;;SELECT 2"])
def test_several_statements_are_refused(dialect: Dialect, text: str) -> None:
    """The second one would run unseen."""
    with pytest.raises(UsageError, match="2 statements are not one question"):
        read_question(text, dialect)


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM 'days.csv'",
        'SELECT * FROM "days.parquet"',
        "SELECT * FROM days, 's3://elsewhere/x.parquet'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('*')",
        "SELECT * FROM parquet_scan('x')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM answers",
        "SELECT * FROM other.days",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM days WHERE day IN (SELECT day FROM secrets)",
        "WITH mine AS (SELECT * FROM secrets) SELECT * FROM mine",
        "SELECT * FROM TABLE(system.query(query => 'SELECT 1'))",
    ],
)
def test_only_the_views_can_be_read(dialect: Dialect, text: str) -> None:
    """In AWS the person's rights may cover much more than this archive; here, the whole disk."""
    with pytest.raises(UsageError):
        read_question(text, dialect)


@BOTH
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("SELECT * FROM day", "There is no view 'day': did you mean days?"),
        (
            "SELECT * FROM stars",
            "There is no view 'stars': the views are days, repositories, referrers, paths, totals, numbers, runs.",
        ),
        (
            "DROP TABLE days",
            "DROP is refused, because a question only reads: write one SELECT statement, which may begin with WITH.",
        ),
        ("SELECT 'a", "The question cannot be read: a quotation mark or the end of a comment is missing."),
        ("SELECT * FROM", "The question cannot be read: something is missing at 'FROM', line 1, column 13."),
        (
            "WITH days AS (SELECT 1) SELECT * FROM days",
            "WITH days has the name of a view: choose another name.",
        ),
    ],
)
def test_an_error_is_one_sentence_that_says_what_to_do(dialect: Dialect, text: str, error: str) -> None:
    """The parser's own errors have several lines, colours and the words of its inside."""
    with pytest.raises(UsageError) as raised:
        read_question(text, dialect)

    assert str(raised.value) == error


@BOTH
@pytest.mark.parametrize("name", PREPARED)
def test_a_prepared_question_can_be_read_by_both(dialect: Dialect, name: str) -> None:
    """One file is the question here and in AWS."""
    assert read_question(prepared_question(name), dialect).views

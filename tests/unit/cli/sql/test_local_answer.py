"""The answer of DuckDB on this machine: what it can reach, its types, and its errors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.export_formats import Cell
from cli.sql import local_answer
from cli.sql.local_answer import answer_here
from cli.sql.question import Question, read_question
from cli.sql.views import VIEWS
from cli.terminal import UsageError
from tests.unit.cli.sql.two_sides import everything
from tests.unit.cli_stack import Stack, fresh_stack

stack = pytest.fixture(fresh_stack)


@pytest.fixture
def kept(stack: Stack) -> Stack:
    """A stack with two days of a renamed repository, and one of the first version."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-10-01", "octo/manual": "2026-11-20"})
    stack.day("octo/docs", "2026-11-19", {"views-count": 5, "views-uniques": 2, "repo-id": 7, "views-complete": True})
    stack.day("octo/docs", "2026-11-20", {"views-count": 0, "repo-id": 7})
    stack.day("docs", "2019-01-01", {"clones-count": 1})
    return stack


def ask(stack: Stack, text: str, *, parsed: bool = True) -> Sequence[Sequence[Cell]]:
    """Return the rows of an answer; without parsing, DuckDB gets the text as it is."""
    question = read_question(text, "duckdb") if parsed else Question(text, frozenset({"days"}))
    with answer_here(stack.deployment, question) as answer:
        return list(answer.rows)


def test_a_view_has_the_rows_and_types_of_the_record(kept: Stack) -> None:
    """A hole is null, a zero is a zero, and a row of the first version has its key as its name."""
    with answer_here(kept.deployment, read_question("SELECT * FROM days ORDER BY day", "duckdb")) as answer:
        assert answer.columns == VIEWS["days"]
        assert list(answer.rows) == [
            ("docs", "2019-01-01", None, None, 1, None, None, "docs", False, False),
            ("octo/docs", "2026-11-19", 5, 2, None, None, 7, "octo/manual", True, False),
            ("octo/docs", "2026-11-20", 0, None, None, None, 7, "octo/manual", False, False),
        ]


@pytest.mark.parametrize("view", VIEWS)
def test_an_empty_record_has_every_view_with_its_types(stack: Stack, view: str) -> None:
    """The first question may come before the first run."""
    with answer_here(stack.deployment, read_question(everything(view), "duckdb")) as answer:
        assert (answer.columns, list(answer.rows)) == (VIEWS[view], [])


def test_runs_are_the_summaries_in_the_archive(stack: Stack) -> None:
    """Other files of a run are no summaries."""
    summary = {"outcome": "failed", "error": "GitHubAuthError", "subject": "1 of 2", "message": "..."}
    stack.note("runs/run-2/summary.json", {"run": {"id": "run-2", "started": "2026-11-20T09:00:00Z"}, **summary})
    stack.note("runs/run-2/manifest.json", [{"repositories": []}])

    assert ask(stack, "SELECT * FROM runs") == [
        ("run-2", "2026-11-20T09:00:00Z", "failed", "GitHubAuthError", "1 of 2")
    ]


@pytest.mark.parametrize(
    ("expression", "type_", "cell"),
    [
        ("count(*)", "BIGINT", 3),
        ("sum(views_count)", "BIGINT", 5),
        ("avg(views_count)", "DOUBLE", 2.5),
        ("max(CAST(1.5 AS DECIMAL(5, 2)))", "DOUBLE", 1.5),
        ("max(day)", "DATE", "2026-11-20"),
        ("bool_or(views_complete)", "BOOLEAN", True),
        ("list(current_name ORDER BY day)", "VARCHAR", "[docs, octo/manual, octo/manual]"),
        ("max(TIMESTAMPTZ '2026-11-20 09:00:00+00' AT TIME ZONE 'UTC')", "VARCHAR", "2026-11-20 09:00:00"),
        ("max(clones_uniques)", "BIGINT", None),
    ],
)
def test_a_type_that_no_format_has_becomes_a_text(kept: Stack, expression: str, type_: str, cell: Cell) -> None:
    """A list or a time would fail in the middle of a file."""
    question = read_question(f"SELECT {expression} AS found FROM days", "duckdb")  # noqa: S608
    with answer_here(kept.deployment, question) as answer:
        assert (answer.columns, [tuple(row) for row in answer.rows]) == ({"found": type_}, [(cell,)])


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM glob('{folder}/*')",
        "COPY days TO '{folder}/days.csv'",
        "ATTACH '{folder}/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET threads = 1",
        "RESET lock_configuration",
        "SET autoload_known_extensions = true",
    ],
)
def test_a_statement_that_the_parser_let_through_reaches_nothing(kept: Stack, tmp_path: Path, text: str) -> None:
    """Two locks: whoever finds a hole in the parser still has no file, no network and no setting."""
    (tmp_path / "secret.csv").write_text("token\nghp_secret\n")

    with pytest.raises(UsageError):
        ask(kept, text.format(file=tmp_path / "secret.csv", folder=tmp_path), parsed=False)

    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("SELECT view_count FROM days", 'Referenced column "view_count" not found: did you mean views_count?'),
        ("SELECT no_such_thing FROM days", 'Referenced column "no_such_thing" not found.'),
        ("SELECT nothing(day) FROM days", "Scalar Function with name nothing does not exist."),
        (
            "SELECT day, sum(views_count) FROM days",
            'column "day" must appear in the GROUP BY clause or must be part of an aggregate function.',
        ),
        (
            "SELECT CAST(current_name AS INT) FROM days",
            "Could not convert string 'docs' to INT32 when casting from source column current_name.",
        ),
        (
            "SELECT day, repo_id AS day FROM days",
            "The answer has two columns 'day': name one of them differently with AS.",
        ),
    ],
)
def test_an_error_is_one_line_and_names_the_column_that_was_meant(kept: Stack, text: str, error: str) -> None:
    """DuckDB's own errors have several lines, with a copy of the question."""
    with pytest.raises(UsageError) as raised:
        ask(kept, text)

    assert str(raised.value) == error


def test_a_question_that_is_interrupted_ends_as_every_command_does() -> None:
    """DuckDB reports Ctrl-C as an error of its own, which a person would see as a traceback."""

    class Interrupted:
        def sql(self, _text: str) -> Any:
            raise RuntimeError("Query interrupted")

    with pytest.raises(KeyboardInterrupt):
        local_answer._ask(Interrupted(), "SELECT 1")  # type: ignore[arg-type]

"""`traffic sql`: prepared questions, formats and errors of the command."""

import json
import sqlite3
from contextlib import nullcontext
from pathlib import Path

import duckdb
import pytest

from cli.main import main
from cli.sql.prepared import PREPARED, prepared_question
from tests.unit.cli_stack import Stack, fresh_stack

stack = pytest.fixture(fresh_stack)


@pytest.fixture(autouse=True)
def kept(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open a stack with one day of a repository."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-11-20"})
    stack.day("octo/docs", "2026-11-20", {"views-count": 5, "repo-id": 7, "views-complete": True})
    monkeypatch.setattr("cli.commands.sql.opened", lambda _target: nullcontext(stack.deployment))


def test_the_prepared_questions_are_listed_with_what_they_ask(capsys: pytest.CaptureFixture[str]) -> None:
    """Each file begins with its question in words."""
    assert main(["sql", "--list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("\t")[0] for line in lines] == PREPARED
    assert all(len(line.partition("\t")[2]) > 20 for line in lines)


@pytest.mark.parametrize("name", PREPARED)
def test_a_prepared_question_can_be_shown_and_asked(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its SQL is where one's own question begins."""
    assert main(["sql", "--list", name]) == 0
    shown = capsys.readouterr().out
    assert shown == prepared_question(name)

    assert main(["sql", name]) == main(["sql", shown]) == 0


def test_a_pipe_gets_lines_with_tabs(capsys: pytest.CaptureFixture[str]) -> None:
    """As of every other command: no headings, and nothing but the rows."""
    assert main(["sql", "SELECT day, views_count, clones_count, views_complete FROM days"]) == 0

    assert capsys.readouterr() == ("2026-11-20\t5\t\ttrue\n", "")


def test_a_format_is_that_of_an_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Types survive: a date in Parquet, a number in JSON."""
    question = "SELECT day, views_count FROM days"

    assert main(["sql", question, "--format", "csv"]) == main(["sql", question, "-f", "json"]) == 0
    assert capsys.readouterr().out == 'day,views_count\n2026-11-20,5\n[\n{"day": "2026-11-20", "views_count": 5}\n]\n'
    for name in ("answer.parquet", "answer.sqlite", "answer.jsonl"):
        assert main(["sql", question, "--output", str(tmp_path / name)]) == 0
    assert list(map(str, duckdb.read_parquet(str(tmp_path / "answer.parquet")).types)) == ["DATE", "BIGINT"]
    database = sqlite3.connect(tmp_path / "answer.sqlite")
    assert database.execute("SELECT * FROM answer").fetchall() == [("2026-11-20", 5)]
    database.close()
    assert json.loads((tmp_path / "answer.jsonl").read_text()) == {"day": "2026-11-20", "views_count": 5}


def test_a_file_appears_only_with_a_complete_answer(tmp_path: Path) -> None:
    """An error in the middle leaves the old file."""
    target = tmp_path / "answer.csv"
    target.write_text("old")

    assert main(["sql", "SELECT CAST(current_name AS INT) FROM days", "--output", str(target)]) == 2
    assert target.read_text() == "old"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([], "There is no question: write one in SQL, or the name of one that `traffic sql --list` shows."),
        (["growth"], "There is no prepared question 'growth': `traffic sql --list` shows them."),
        (["growth-by-owners"], "There is no prepared question 'growth-by-owners': did you mean growth-by-owner?"),
        (
            ["--list", "growth-by-owners"],
            "There is no prepared question 'growth-by-owners': did you mean growth-by-owner?",
        ),
        (["SELECT * FROM dayz"], "There is no view 'dayz': did you mean days?"),
        (["SELECT view_count FROM days"], 'Referenced column "view_count" not found: did you mean views_count?'),
        (["SELECT 1", "-f", "parquet"], "--format parquet is not text: name a file with --output traffic.parquet."),
    ],
)
def test_a_wrong_use_is_one_line_and_exit_code_2(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script can tell a wrong question from a failure of AWS."""
    assert main(["sql", *arguments]) == 2
    assert capsys.readouterr() == ("", f"traffic: error: {error}\n")

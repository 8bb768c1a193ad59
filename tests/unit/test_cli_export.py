"""`traffic export`: what a spreadsheet or a program gets."""

import io
import json
from pathlib import Path

import pytest

from cli.export import sorted_rows, whole_file, write_csv, write_json
from cli.terminal import CommandError
from tests.unit.cli_stack import Stack, fresh_stack

stack = pytest.fixture(fresh_stack)


def test_csv_is_sorted_and_leaves_unknown_cells_empty(stack: Stack) -> None:
    """A zero where GitHub said nothing would be an invented measurement."""
    stack.day("octo/web", "2026-11-19", {"views-count": 0, "views-uniques": 0, "views-complete": True, "repo-id": 8})
    stack.day("octo/docs", "2026-11-20", {"views-count": 5, "views-uniques": 2, "clones-count": 1, "clones-uniques": 1})
    stack.day("octo/docs", "2026-11-19", {"clones-count": 4, "clones-uniques": 3})
    output = io.StringIO()

    write_csv(sorted_rows(stack.deployment), output)

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

    write_json(sorted_rows(stack.deployment), output)

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
        with whole_file(target) as output:
            output.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The message must say which path, for it may come from a script's variable."""
    with pytest.raises(CommandError, match="absent"), whole_file(tmp_path / "absent" / "traffic.csv"):
        pass

"""`traffic executions`: the list, and one run in detail."""

import json
from datetime import timedelta

import pytest

from cli.commands.executions import list_runs, repositories_of, show_execution
from cli.terminal import CommandError
from tests.unit.cli_stack import STARTED, Stack, fresh_stack
from traffic.contract import summary_key

stack = pytest.fixture(fresh_stack)


def add_children(stack: Stack, *, failed: int, succeeded: int) -> None:
    """Give the map children, of a repository each."""
    for number in range(failed + succeeded):
        child = {
            "executionArn": f"arn:child:{number}",
            "name": f"child-{number}",
            "status": "FAILED" if number >= succeeded else "SUCCEEDED",
            "startDate": STARTED,
            "stopDate": STARTED + timedelta(seconds=1),
            "input": json.dumps({"batch": {"repositories": [{"id": number, "name": f"octo/{number}"}]}}),
        }
        if number >= succeeded:
            child |= {"error": "GitHubUnavailableError", "cause": "502"}
        stack.step_functions.children.append(child)


def test_the_list_says_of_each_run_how_it_ended(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Newest first; in a pipe without headings, a line for each."""
    stack.step_functions.execution("run-2", "RUNNING", startDate=STARTED + timedelta(days=1))
    stack.step_functions.execution("run-1", stopDate=STARTED + timedelta(seconds=65))
    stack.note(summary_key("run-1"), {"subject": "2 repositories captured"})

    list_runs(stack.deployment, 20)

    newer, older = capsys.readouterr().out.splitlines()
    assert newer.startswith("RUNNING\trun-2\t2026-11-21T09:00:00Z\t")
    assert older == "SUCCEEDED\trun-1\t2026-11-20T09:00:00Z\t1m05s\t2 repositories captured"


def test_one_run_shows_its_failed_children_first(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a thousand children, those that failed are why somebody looks."""
    stack.step_functions.execution("run-1", "FAILED", error="NothingCapturedError", cause="FAILED")
    add_children(stack, succeeded=3, failed=1)

    show_execution(stack.deployment, "run-1", all_children=False)

    output = capsys.readouterr().out
    assert "NothingCapturedError: FAILED" in output
    assert "4 children: 1 FAILED, 3 SUCCEEDED" in output
    assert "octo/3\nGitHubUnavailableError: 502" in output
    assert "octo/0" not in output
    assert "3 more: --children shows all." in output


def test_all_children_are_shown_where_asked_for(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A repository that was captured slowly did not fail, but somebody may ask why."""
    stack.step_functions.execution("run-1")
    add_children(stack, succeeded=3, failed=1)

    show_execution(stack.deployment, "run-1", all_children=True)

    output = capsys.readouterr().out
    assert output.index("octo/3") < output.index("octo/0")


def test_a_child_names_the_first_repositories_of_its_batch() -> None:
    """Children have random names: without their repositories, nobody knows which is which."""
    names = [{"name": f"octo/{number}"} for number in range(7)]

    assert repositories_of(json.dumps({"batch": {"repositories": names}})).endswith("octo/4 and 2 more")
    assert repositories_of(None) == ""
    assert repositories_of("[]") == ""


def test_an_unknown_execution_is_named(stack: Stack) -> None:
    """Names are long and are copied by hand."""
    with pytest.raises(CommandError, match="no execution 'run-9'"):
        show_execution(stack.deployment, "run-9", all_children=False)

"""`traffic executions`: the list, and one run in detail."""

import json
from datetime import timedelta
from typing import Any

import pytest

from cli.commands.executions import list_runs, repositories_of, show_execution
from cli.terminal import CommandError
from tests.unit.cli_stack import STARTED, Stack, fresh_stack
from traffic.contract import summary_key

stack = pytest.fixture(fresh_stack)


def add_children(stack: Stack, *, failed: int, succeeded: int) -> None:
    """Add children of the Map, with a repository each."""
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


def event(seconds: float, kind: str, **details: Any) -> dict[str, Any]:
    """Make an event of a history, so many seconds after the start."""
    return {"type": kind, "timestamp": STARTED + timedelta(seconds=seconds), **details}


def shown(stack: Stack, name: str, capsys: pytest.CaptureFixture[str], *, all_children: bool = False) -> list[str]:
    """Show a run, and return the lines."""
    show_execution(stack.deployment, name, all_children=all_children)
    return capsys.readouterr().out.splitlines()


def test_the_list_shows_how_each_run_ended(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest run is first. In a pipe there are no headings, and a line for each run."""
    stack.step_functions.execution("run-2", "RUNNING", startDate=STARTED + timedelta(days=1))
    stack.step_functions.execution("run-1", stopDate=STARTED + timedelta(seconds=65))
    stack.note(summary_key("run-1"), {"subject": "2 repositories captured"})

    list_runs(stack.deployment, 20)

    newer, older = capsys.readouterr().out.splitlines()
    assert newer.startswith("RUNNING\trun-2\t2026-11-21T09:00:00Z\t")
    assert older == "SUCCEEDED\trun-1\t2026-11-20T09:00:00Z\t1m05s\t2 repositories captured"


def test_the_list_is_as_long_as_wanted(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A year of runs would fill the screen, and cost a call each."""
    for name in ("run-3", "run-2", "run-1"):
        stack.step_functions.execution(name, stopDate=STARTED)

    list_runs(stack.deployment, 2)

    assert [line.split("\t")[1] for line in capsys.readouterr().out.splitlines()] == ["run-3", "run-2"]


def test_one_run_shows_its_states_and_its_summary(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Each visit of a state has a line: kind, start, duration, retries, and what happened."""
    run = stack.step_functions.execution("run-1", stopDate=STARTED + timedelta(seconds=65))
    wait = {"name": "Wait for rate limit", "input": json.dumps({"resume_at": "2026-11-20T09:00:30Z"})}
    failed = {"error": "GitHubUnavailableError", "cause": json.dumps({"errorMessage": "502"})}
    stack.step_functions.events = {
        run["executionArn"]: [
            event(0, "TaskStateEntered", stateEnteredEventDetails={"name": "List repositories"}),
            event(0, "TaskScheduled"),
            event(1, "TaskFailed", taskFailedEventDetails=failed),
            event(2, "TaskScheduled"),
            event(3, "TaskStateExited"),
            event(3, "WaitStateEntered", stateEnteredEventDetails=wait),
            event(30, "WaitStateExited"),
        ]
    }
    stack.note(summary_key("run-1"), {"subject": "1", "message": "1 captured\n  octo/\x1bdocs"})

    assert shown(stack, "run-1", capsys) == [
        "run-1  SUCCEEDED  2026-11-20T09:00:00Z  1m05s",
        "",
        "List repositories\tTask\t2026-11-20T09:00:00Z\t3.0s\t1\tGitHubUnavailableError: 502",
        "Wait for rate limit\tWait\t2026-11-20T09:00:03Z\t27s\t\twaits until 2026-11-20T09:00:30Z",
        "",
        "1 captured",
        "  octo/ docs",
    ]


def test_one_run_shows_only_its_failed_children(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Among a thousand children, people look for those that failed."""
    stack.step_functions.execution("run-1", "FAILED", error="NothingCapturedError", cause="FAILED", stopDate=STARTED)
    add_children(stack, succeeded=3, failed=1)

    assert shown(stack, "run-1", capsys) == [
        "run-1  FAILED  2026-11-20T09:00:00Z  0.0s",
        "NothingCapturedError: FAILED",
        "",
        "",
        "4 children: 1 FAILED, 3 SUCCEEDED",
        "",
        "child-3  FAILED  2026-11-20T09:00:00Z  1.0s",
        "octo/3",
        "GitHubUnavailableError: 502",
        "3 more: --children shows all.",
    ]


def test_at_most_ten_failed_children_are_shown(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Each takes two calls, and if GitHub is down, they all failed for the same reason."""
    stack.step_functions.execution("run-1", "FAILED", stopDate=STARTED)
    add_children(stack, succeeded=0, failed=11)

    lines = shown(stack, "run-1", capsys)

    assert [line for line in lines if line.startswith("octo/")] == [f"octo/{number}" for number in range(10)]
    assert lines[-1] == "1 more: --children shows all."


def test_all_children_are_shown_if_wanted(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A repository that was captured slowly did not fail, but a person may ask why. Failed children are first."""
    run = stack.step_functions.execution("run-1")
    add_children(stack, succeeded=12, failed=1)

    lines = shown(stack, run["executionArn"], capsys, all_children=True)

    names = [line for line in lines if line.startswith("octo/")]
    assert names == ["octo/12", *(f"octo/{number}" for number in range(12))]
    assert not lines[-1].endswith("--children shows all.")


def test_a_lane_shows_its_batches_and_the_states_that_failed(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """One child captures many batches: thousands of states in which nothing happened would hide the one that failed."""
    stack.step_functions.execution("run-1", stopDate=STARTED)
    add_children(stack, succeeded=0, failed=1)
    (child,) = stack.step_functions.children
    child["input"] = json.dumps({"batch": {"repositories": [], "lane": {"last": 59, "width": 9}, "at": {"part": 20}}})
    named = {"name": "Fetch traffic"}
    events = [event(second, "TaskStateEntered", stateEnteredEventDetails=named) for second in range(100)]
    events[40:40] = [event(39, "TaskFailed", taskFailedEventDetails={"error": "KeyError", "cause": "name"})]
    events.append(event(100, "FailStateEntered", stateEnteredEventDetails={"name": "Report failure"}))
    stack.step_functions.events = {child["executionArn"]: events}

    assert shown(stack, "run-1", capsys)[-5:] == [
        "a lane: batches 21 to 60 of the run",
        "GitHubUnavailableError: 502",
        "Fetch traffic\tTask\t2026-11-20T09:00:39Z\t1.0s\t\tKeyError: name",
        "Report failure\tFail\t2026-11-20T09:01:40Z\t0.0s\t\t",
        "99 more states, without a failure.",
    ]


def test_a_child_shows_the_first_repositories_of_its_batch() -> None:
    """Children have random names: only their repositories show which is which."""

    def batch(number: int) -> str:
        return json.dumps({"batch": {"repositories": [{"name": f"octo/{each}"} for each in range(number)]}})

    assert repositories_of(batch(5)) == "octo/0, octo/1, octo/2, octo/3, octo/4"
    assert repositories_of(batch(7)) == "octo/0, octo/1, octo/2, octo/3, octo/4 and 2 more"
    assert [repositories_of(wrong) for wrong in (None, "[]", "{}", "no JSON")] == [""] * 4


def test_an_unknown_execution_is_one_clear_message(stack: Stack) -> None:
    """Names are long, and people copy them by hand."""
    with pytest.raises(
        CommandError, match=r"^There is no execution 'run-9': `traffic executions` lists those there are"
    ):
        show_execution(stack.deployment, "run-9", all_children=False)

"""`traffic plan`: what the next run would do, before it does."""

import json
from datetime import UTC, date, datetime

import pytest

from cli.commands.plan import next_run, show_plan
from cli.terminal import CommandError
from tests.unit.cli_stack import STARTED, Stack, fresh_stack
from traffic import planning
from traffic.contract import manifest_key, not_due_key

stack = pytest.fixture(fresh_stack)

DAY = date(2026, 11, 21)


def last_run(stack: Stack, *, asked: int, not_due: int, limit: int | None) -> None:
    """Let a run have listed repositories, with ids from 1."""
    run = stack.step_functions.execution("run-1")
    stack.note(
        manifest_key("run-1"), [{"repositories": [{"id": id_ + 1, "name": f"octo/{id_}"}]} for id_ in range(asked)]
    )
    if not_due:
        stack.note(not_due_key("run-1"), {"2026-11-25": list(range(asked + 1, asked + not_due + 1))})
    output = json.dumps({"listing": {"tokens": {"*": {"limit": limit}}} if limit else {}})
    exited = {"type": "TaskStateExited", "timestamp": STARTED, "stateExitedEventDetails": {"output": output}}
    stack.step_functions.events = {run["executionArn"]: [exited]}


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What was printed, by what it is about."""
    return dict(line.rsplit("\t", 1) for line in capsys.readouterr().out.splitlines()[1:])


def test_with_enough_budget_everybody_is_asked(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Of repositories that nothing is known of, four calls each."""
    last_run(stack, asked=3, not_due=0, limit=5000)

    show_plan(stack.deployment, DAY)

    assert lines(capsys) == {
        "repositories": "3",
        "asked": "3",
        "calls to GitHub, about": "12",
        "calls granted, less the reserve": "90000",
        "not due": "0",
    }


def test_who_is_not_due_is_counted_by_day(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repositories that the last run left out are planned for, too; what is known of them decides."""
    monkeypatch.setattr(planning, "LEAST_LIMIT", 1)
    last_run(stack, asked=2, not_due=1, limit=1)  # 20 hours of one call, less two: 18
    dormant = {
        "repo-name": "octo/2",
        "captured-on": "2026-11-18",
        "covered": {kind: ["2026-01-01/2026-11-17"] for kind in ("views", "clones")},
    }
    for id_ in range(4, 12):
        stack._put("RepoTrafficRepositories", {"repo-id": str(id_), **dormant})
    last_run(stack, asked=3, not_due=8, limit=1)

    show_plan(stack.deployment, DAY)

    told = lines(capsys)
    assert told["asked"] == "3"
    assert told["calls to GitHub, about"] == "12"
    assert told["  due on 2026-11-25"] == "8"


def test_without_any_listing_it_says_what_to_do(stack: Stack) -> None:
    """There is nothing to plan from."""
    stack.step_functions.execution("run-1", "FAILED")

    with pytest.raises(CommandError, match="`traffic run` does"):
        show_plan(stack.deployment, DAY)


def test_the_next_run_is_at_nine() -> None:
    """The schedule's hour, UTC."""
    assert next_run(datetime(2026, 11, 20, 8, 59, tzinfo=UTC)) == date(2026, 11, 20)
    assert next_run(datetime(2026, 11, 20, 9, 0, tzinfo=UTC)) == date(2026, 11, 21)

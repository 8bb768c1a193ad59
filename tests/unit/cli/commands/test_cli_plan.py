"""`traffic plan`: shows what the next run would do."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cli.commands.plan import next_run, show_plan
from cli.terminal import CommandError
from tests.unit.cli_stack import STARTED, Stack, fresh_stack
from traffic import planning
from traffic.contract import manifest_key, not_due_key

stack = pytest.fixture(fresh_stack)

DAY = date(2026, 11, 21)

DORMANT = {
    "repo-name": "octo/dormant",
    "captured-on": "2026-11-18",
    "covered": {kind: ["2026-01-01/2026-11-17"] for kind in ("views", "clones")},
}


def add_run(
    stack: Stack, name: str, batches: list[dict[str, Any]], tokens: dict[str, Any], **not_due: list[int]
) -> None:
    """Add a run that listed batches, and others that are not due on days such as `on_2026_11_25`."""
    run = stack.step_functions.execution(name)
    stack.note(manifest_key(name), batches)
    if not_due:
        days = {day.removeprefix("on_").replace("_", "-"): ids for day, ids in not_due.items()}
        stack.note(not_due_key(name), days)
    outputs = ["[]", json.dumps({"listing": [1]}), json.dumps({"listing": {"tokens": tokens}}), "{}"]
    stack.step_functions.events[run["executionArn"]] = [
        {"type": "PassStateEntered", "timestamp": STARTED},
        *(
            {"type": "TaskStateExited", "timestamp": STARTED, "stateExitedEventDetails": {"output": output}}
            for output in outputs
        ),
    ]


def batch(*ids: int, **owner: str) -> dict[str, Any]:
    """Make a batch of a manifest."""
    return {"repositories": [{"id": id_, "name": f"octo/{id_}"} for id_ in ids], **owner}


def test_with_enough_calls_the_run_asks_for_all_repositories(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A new repository takes four calls, and the listing two. Of 5,000 calls an hour 500 are the reserve."""
    add_run(stack, "run-1", [batch(1), batch(2, 3)], {"*": {"limit": 5000}})

    show_plan(stack.deployment, DAY)

    assert capsys.readouterr().out.splitlines() == [
        "The run of 2026-11-21, based on what run-1 listed:",
        "repositories\t3",
        "asked\t3",
        "calls to GitHub, about\t14",
        "calls granted, less the reserve\t89998",
        "calls an hour, at most\t14 of 4500",
        "points a minute, at most\t14 of 810",
        "seconds of response time a minute, at most\t2.1 of 81",
        "over at about\t2026-11-21 09:01 UTC",
        "not due\t0",
        "GitHub is assumed to answer a call in 0.15 s.",
    ]


def test_each_user_has_a_plan_of_its_own(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """The calls that GitHub grants are added up, and the repositories of each owner are planned with their token."""
    tokens = {"octo": {"limit": 1000, "login": "mona"}, "*": {"limit": 5000, "login": "lisa"}}
    add_run(stack, "run-1", [batch(1, owner="octo"), batch(2, 3)], tokens)

    show_plan(stack.deployment, DAY)

    out = capsys.readouterr().out
    assert "calls granted, less the reserve\t107996" in out
    assert "calls to GitHub, about\t16" in out
    assert "points a minute, at most\t10 of 810" in out  # of the user with most calls
    assert "for each of 2 users" in out


def test_tokens_of_one_user_have_one_plan(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """The run counts their calls together, because GitHub does so."""
    tokens = {"octo": {"limit": 5000, "login": "mona"}, "*": {"limit": 5000, "login": "mona"}}
    add_run(stack, "run-1", [batch(1, owner="octo"), batch(2, 3)], tokens)

    show_plan(stack.deployment, DAY)

    out = capsys.readouterr().out
    assert "calls granted, less the reserve\t89996" in out
    assert "points a minute, at most\t16 of 810" in out
    assert "users" not in out


def test_a_run_that_waits_for_the_next_hours_limit_is_over_later(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """3,000 repositories are 12,031 calls: 4,500 in each of two hours, and the others in 5.6 minutes of 540."""
    add_run(stack, "run-1", [batch(*range(3_000))], {"*": {"limit": 5000}})

    show_plan(stack.deployment, DAY)

    out = capsys.readouterr().out
    assert "calls to GitHub, about\t12031" in out
    assert "calls an hour, at most\t4500 of 4500" in out
    assert "points a minute, at most\t540 of 810" in out
    assert "seconds of response time a minute, at most\t81 of 81" in out
    assert "over at about\t2026-11-21 11:06 UTC" in out


def test_without_a_limit_the_calls_that_are_granted_are_unknown(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """GitHub Enterprise Server sets none by default."""
    add_run(stack, "run-1", [batch(1, owner="octo"), batch(2)], {"octo": {}, "*": {"limit": 5000}})

    show_plan(stack.deployment, DAY)

    out = capsys.readouterr().out
    assert "calls granted, less the reserve\tunknown" in out
    assert "over at about\tunknown" in out


def test_repositories_that_are_not_due_are_counted_by_day(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repositories that the last run left out are planned too: what the tables hold of them decides."""
    monkeypatch.setattr(planning, "LEAST_LIMIT", 1)
    for id_ in range(4, 12):
        stack._put("RepoTrafficRepositories", {"repo-id": str(id_), **DORMANT})
    stack._put("RepoTrafficRepositories", {"repo-id": "99", **DORMANT})  # not selected any longer
    stack.pointer("octo/dormant", owner="4", ids={"4"})
    # 20 hours of one call, less the reserve of two, and the two calls of the listing: 16.
    add_run(
        stack, "run-1", [batch(1, 2, 3)], {"*": {"limit": 1}}, on_2026_11_25=[4, 5, 6], on_2026_11_26=[7, 8, 9, 10, 11]
    )

    show_plan(stack.deployment, DAY)

    assert capsys.readouterr().out.splitlines() == [
        "The run of 2026-11-21, based on what run-1 listed:",
        "repositories\t11",
        "asked\t3",
        "calls to GitHub, about\t14",
        "calls granted, less the reserve\t16",
        "calls an hour, at most\t0 of 0",
        "points a minute, at most\t14 of 810",
        "seconds of response time a minute, at most\t2.1 of 81",
        "over at about\t2026-11-22 00:01 UTC",
        "not due\t8",
        "  due on 2026-11-25\t8",
        "GitHub is assumed to answer a call in 0.15 s.",
    ]


def test_repositories_that_are_not_due_count_for_their_owners_token(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """The manifest holds no owner for them: the name in the table leads to the token."""
    names = {"octo/dormant": {"first": "2026-01-01T09:00:00Z", "last": "2026-11-18"}}
    stack._put("RepoTrafficRepositories", {"repo-id": "4", **DORMANT, "names": names})
    add_run(stack, "run-1", [batch(1)], {"octo": {"limit": 1000}, "*": {"limit": 5000}}, on_2026_11_25=[4])

    show_plan(stack.deployment, DAY)

    assert "calls granted, less the reserve\t107996" in capsys.readouterr().out


def test_the_last_run_that_listed_repositories_counts(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A run may fail before it lists, and one that stores a date again lists objects of the archive."""
    stack.step_functions.execution("run-4", "FAILED")
    stack.step_functions.execution("run-3")
    stack.note(manifest_key("run-3"), [{"repositories": [], "objects": ["answers/1"]}])
    add_run(stack, "run-2", [batch(1)], {"*": {"limit": 5000}})
    add_run(stack, "run-1", [batch(1, 2)], {"*": {"limit": 5000}})

    show_plan(stack.deployment, DAY)

    first, second, *_ = capsys.readouterr().out.splitlines()
    assert (first, second) == ("The run of 2026-11-21, based on what run-2 listed:", "repositories\t1")


@pytest.mark.parametrize(("failed", "found"), [(19, True), (20, False)])
def test_a_listing_is_looked_for_among_the_last_20_runs(stack: Stack, failed: int, found: bool) -> None:
    """Without a listing there is nothing to plan from, and the message says what to do."""
    for number in range(failed):
        stack.step_functions.execution(f"failed-{number}", "FAILED")
    add_run(stack, "run-1", [batch(1)], {"*": {"limit": 5000}})

    if found:
        show_plan(stack.deployment, DAY)
    else:
        with pytest.raises(CommandError, match=r"^No run has listed repositories yet: `traffic run` starts one\.$"):
            show_plan(stack.deployment, DAY)


@pytest.mark.parametrize(("parameters", "hour"), [({}, 9), ({"RunHour": "9"}, 9), ({"RunHour": "23"}, 23)])
def test_the_next_run_is_at_the_hour_of_the_stack(stack: Stack, parameters: dict[str, str], hour: int) -> None:
    """The rule of the stack starts it. A stack of an earlier version has no parameter, and runs at 09:00 UTC."""
    deployment = replace(stack.deployment, parameters=parameters)

    assert next_run(datetime(2026, 11, 20, hour - 1, 59, tzinfo=UTC), deployment.run_hour) == date(2026, 11, 20)
    assert next_run(datetime(2026, 11, 20, hour, 0, tzinfo=UTC), deployment.run_hour) == date(2026, 11, 21)

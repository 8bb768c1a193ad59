"""`traffic start`: what it reports, and when it catches up a missed run."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cli.commands.start import catch_up_due, watch
from cli.main import main
from cli.stack.deployment import Deployment
from tests.unit.cli_stack import STARTED, Stack, fresh_stack

stack = pytest.fixture(fresh_stack)

NOW = STARTED + timedelta(hours=30)


@pytest.mark.parametrize(
    ("executions", "due"),
    [
        ([], True),
        ([("SUCCEEDED", 24.1)], True),
        ([("SUCCEEDED", 24)], False),
        ([("SUCCEEDED", 31), ("SUCCEEDED", 23)], False),
        ([("FAILED", 1), ("SUCCEEDED", 31)], True),
        ([("FAILED", 1), ("SUCCEEDED", 5)], False),
        ([("RUNNING", 0), ("SUCCEEDED", 31)], False),
    ],
)
def test_a_run_is_caught_up_if_the_last_success_is_over_a_day_old(
    executions: list[tuple[str, float]], due: bool
) -> None:
    """GitHub deletes traffic after 14 days: a laptop that was off at 09:00 must not lose any."""
    found = [{"status": status, "startDate": NOW - timedelta(hours=hours)} for status, hours in executions]

    assert catch_up_due(found, NOW) is due


def test_each_run_is_reported_when_it_begins_and_ends_and_is_then_saved(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line for each, so that a log of weeks stays readable. What ended before is not reported again."""
    stack.step_functions.execution("manual-1", "FAILED", stopDate=STARTED)

    def naps() -> Iterator[None]:
        yield
        stack.step_functions.executions[1] |= {"status": "SUCCEEDED", "stopDate": STARTED + timedelta(seconds=65)}
        yield
        assert stack.saves == 1
        yield
        raise KeyboardInterrupt

    steps, slept = naps(), []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        next(steps)

    monkeypatch.setattr("cli.commands.start.time.sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        watch(stack.deployment)

    ((name, payload),) = stack.step_functions.started
    assert name.startswith("catch-up-20")
    assert payload == {}
    assert capsys.readouterr().out.splitlines() == [
        "The last successful run began over 24 hours ago: catching up.",
        f"2026-11-20T09:00:00Z  {name}  started",
        f"2026-11-20T09:01:05Z  {name}  SUCCEEDED after 1m05s",
    ]
    assert slept == [1.0] * 4
    assert stack.saves == 1


def test_a_failed_catch_up_is_tried_again_an_hour_later(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a laptop that woke without a network would wait until the next morning."""

    class Clock(datetime):
        """A clock that the test sets."""

        moment = NOW

        @classmethod
        def now(cls, _zone: object = None) -> datetime:  # type: ignore[override]
            """Return the moment."""
            return cls.moment

    def naps() -> Iterator[None]:
        stack.step_functions.executions[0] |= {"status": "FAILED", "stopDate": NOW}
        for minutes, started in ((60, 1), (61, 1), (120, 2)):
            yield
            assert len(stack.step_functions.started) == started
            Clock.moment = NOW + timedelta(minutes=minutes)
        yield
        raise KeyboardInterrupt

    steps = naps()
    monkeypatch.setattr("cli.commands.start.datetime", Clock)
    monkeypatch.setattr("cli.commands.start.time.sleep", lambda _seconds: next(steps))
    with pytest.raises(KeyboardInterrupt):
        watch(stack.deployment)

    assert len(stack.step_functions.started) == 2
    assert capsys.readouterr().out.count("catching up") == 2


@pytest.mark.parametrize(("parameters", "hour"), [({}, "09:00"), ({"RunHour": "7"}, "07:00")])
def test_the_command_runs_until_ctrl_c(
    stack: Stack,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    parameters: dict[str, str],
    hour: str,
) -> None:
    """Ctrl-C is the usual end, so the exit code is 0."""
    deployment = replace(stack.deployment, parameters=parameters)

    def interrupted(_deployment: Deployment) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.commands.start.deployed", lambda _target: nullcontext(deployment))
    monkeypatch.setattr("cli.commands.start.watch", interrupted)

    assert main(["start"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        f"Running; history in /somewhere. The rule starts a run every day at {hour} UTC. Ctrl-C stops.",
        "Stopping ...",
        "Stopped. Nothing that was stored is lost.",
    ]

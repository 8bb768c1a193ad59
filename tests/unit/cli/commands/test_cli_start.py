"""`traffic start`: when a missed run is caught up."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from cli.commands.start import catch_up_due, watch
from tests.unit.cli_stack import STARTED, Stack, fresh_stack

stack = pytest.fixture(fresh_stack)

NOW = STARTED + timedelta(hours=30)


@pytest.mark.parametrize(
    ("executions", "due"),
    [
        ([], True),
        ([("SUCCEEDED", 31)], True),
        ([("SUCCEEDED", 23)], False),
        ([("FAILED", 1), ("SUCCEEDED", 31)], True),
        ([("FAILED", 1), ("SUCCEEDED", 5)], False),
        ([("RUNNING", 0), ("SUCCEEDED", 31)], False),
    ],
)
def test_a_run_is_caught_up_when_the_last_success_is_over_a_day_old(
    executions: list[tuple[str, int]], due: bool
) -> None:
    """GitHub forgets after 14 days: a laptop that was off at 09:00 must not lose any."""
    found = [{"status": status, "startDate": NOW - timedelta(hours=hours)} for status, hours in executions]

    assert catch_up_due(found, NOW) is due


def test_each_run_is_told_once_as_it_begins_and_ends_and_then_saved(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line for each, so that a log of weeks stays readable."""

    def naps() -> Iterator[None]:
        yield
        stack.step_functions.executions[0] |= {"status": "SUCCEEDED", "stopDate": STARTED + timedelta(seconds=65)}
        yield
        yield
        raise KeyboardInterrupt

    steps = naps()
    monkeypatch.setattr("cli.commands.start.time.sleep", lambda _seconds: next(steps))
    with pytest.raises(KeyboardInterrupt):
        watch(stack.deployment)

    caught_up, started, ended = capsys.readouterr().out.splitlines()
    assert "catching up" in caught_up
    assert started.endswith("started")
    assert ended.endswith("SUCCEEDED after 1m05s")
    assert stack.step_functions.started[0][0].startswith("catch-up-")
    assert stack.saves == 1


def test_a_catch_up_that_failed_is_tried_again_an_hour_later(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A laptop that woke without a network would else wait until the next morning."""

    class Clock(datetime):
        """Tells the time of the story."""

        moment = NOW

        @classmethod
        def now(cls, _zone: object = None) -> datetime:  # type: ignore[override]
            """Give it."""
            return cls.moment

    def naps() -> Iterator[None]:
        stack.step_functions.executions[0] |= {"status": "FAILED", "stopDate": NOW}
        yield
        Clock.moment = NOW + timedelta(minutes=59)
        yield
        Clock.moment = NOW + timedelta(minutes=61)
        yield
        raise KeyboardInterrupt

    steps = naps()
    monkeypatch.setattr("cli.commands.start.datetime", Clock)
    monkeypatch.setattr("cli.commands.start.time.sleep", lambda _seconds: next(steps))
    with pytest.raises(KeyboardInterrupt):
        watch(stack.deployment)

    assert len(stack.step_functions.started) == 2
    assert capsys.readouterr().out.count("catching up") == 2

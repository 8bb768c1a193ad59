"""How far a run has come, and how that is shown."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from cli.runs import live, progress
from cli.runs.live import Lines, LiveBar
from cli.runs.progress import Progress, RunReader
from cli.terminal import CommandError
from tests.unit.cli_stack import STARTED, Stack, fresh_stack
from traffic.contract import ENDPOINTS, manifest_key, receipts_prefix

stack = pytest.fixture(fresh_stack)

UNTIL = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def reader_of(stack: Stack, status: str = "RUNNING") -> RunReader:
    """Start a run, and return its reader."""
    return RunReader(stack.deployment, stack.step_functions.execution("run-1", status)["executionArn"])


def receipts(stack: Stack, name: str, *receipts: tuple[int, str, tuple[str, ...]]) -> None:
    """Write receipts: id, outcome and the endpoints that answered."""
    found = [{"id": id_, "outcome": outcome, "answered": list(answered)} for id_, outcome, answered in receipts]
    stack.note(f"{receipts_prefix('run-1')}{name}.json", found)


@pytest.mark.parametrize(
    ("shown", "sentence"),
    [
        (Progress("RUNNING"), "listing repositories"),
        (Progress("RUNNING", listed=0), "0 of 0 repositories captured"),
        (Progress("RUNNING", listed=3, captured=1), "1 of 3 repositories captured"),
        (
            Progress("RUNNING", listed=3, captured=1, failed=2, until=UNTIL),
            "1 of 3 repositories captured, 2 failed, waiting for GitHub's rate limit until 09:30:00 UTC",
        ),
    ],
)
def test_progress_is_one_sentence(shown: Progress, sentence: str) -> None:
    """It fits on one line, and a time is in UTC as everywhere."""
    assert shown.sentence == sentence


def test_a_repository_is_captured_or_failed_but_not_both(stack: Stack) -> None:
    """A repository that failed in one pass may be captured in the next."""
    reader = reader_of(stack)
    assert reader.progress() == Progress("RUNNING")

    stack.note(manifest_key("run-1"), [{"repositories": [{}, {}]}, {"repositories": [{}, {}]}])
    receipts(stack, "a", (1, "captured", ENDPOINTS), (2, "failed", ENDPOINTS[:1]), (3, "failed", ()))
    assert reader.progress() == Progress("RUNNING", listed=4, captured=1, failed=2)

    receipts(stack, "b", (2, "captured", ENDPOINTS[1:]), (4, "captured", ENDPOINTS[:2]))
    assert reader.progress() == Progress("RUNNING", listed=4, captured=2, failed=1)


def test_each_receipt_is_read_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of 100,000 repositories has thousands of receipts, and each look would read them all."""
    reader = reader_of(stack)
    receipts(stack, "a", (1, "captured", ENDPOINTS))
    read: list[str] = []
    get_object = stack.deployment.client("s3").get_object

    def counted(**asked: str) -> Any:
        read.append(asked["Key"])
        return get_object(**asked)

    monkeypatch.setattr(stack.deployment.client("s3"), "get_object", counted)
    reader.progress()
    reader.progress()

    assert read.count(f"{receipts_prefix('run-1')}a.json") == 1


def test_an_object_that_cannot_be_read_is_an_error(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a missing object means that the run has not written it yet."""

    def refused(**_asked: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject")

    reader = reader_of(stack)
    assert reader.summary() is None
    monkeypatch.setattr(stack.deployment.client("s3"), "get_object", refused)
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.summary()


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "InvalidArn", "AccessDenied"])
def test_an_execution_that_does_not_exist_is_one_clear_message(
    monkeypatch: pytest.MonkeyPatch, stack: Stack, code: str
) -> None:
    """Another error of AWS is reported as it is."""

    def refused(**_asked: str) -> None:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "DescribeExecution")

    monkeypatch.setattr(stack.step_functions, "describe_execution", refused)
    reader = RunReader(stack.deployment, "arn:aws:states:us-east-1:123456789012:execution:CaptureTraffic:run-9")
    with pytest.raises((CommandError, ClientError)) as raised:
        reader.execution()

    expected = "There is no execution 'run-9': `traffic executions` lists those there are."
    assert (str(raised.value) == expected) is (code != "AccessDenied")


def test_a_run_waits_until_the_first_of_its_children_continues(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that succeeded waits no longer, and a run that ended waits for nothing."""
    monkeypatch.setattr(progress, "datetime", Clock)
    reader = reader_of(stack)
    for number, (status, minutes) in enumerate([("RUNNING", 40), ("RUNNING", 30), ("SUCCEEDED", 20)]):
        arn = f"arn:child:{number}"
        stack.step_functions.children.append({"executionArn": arn, "status": status})
        resume_at = f"2026-11-20T09:{minutes}:00Z"
        wait = {"name": "Wait for rate limit", "input": json.dumps({"resume_at": resume_at})}
        event = {"type": "WaitStateEntered", "timestamp": STARTED, "stateEnteredEventDetails": wait}
        stack.step_functions.events[arn] = [event]

    assert reader.progress().until == UNTIL

    stack.step_functions.executions[0]["status"] = "SUCCEEDED"
    assert reader.progress().until is None


class Clock(datetime):
    """A clock that stands still when the run starts."""

    @classmethod
    def now(cls, _zone: object = None) -> datetime:  # type: ignore[override]
        """Return the start."""
        return STARTED


def test_a_pipe_gets_a_line_for_each_change_but_not_too_many(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log of a run stays short. The end is always shown at once."""
    times: Iterator[float] = iter([0.0, 0.0, 1.9, 2.0, 2.0, 5.0, 5.1, 5.1])
    monkeypatch.setattr("cli.runs.live.time.monotonic", lambda: next(times))
    lines = Lines()

    lines.show(Progress("RUNNING"))
    lines.show(Progress("RUNNING", listed=1))  # 1.9 seconds later: too soon
    lines.show(Progress("RUNNING", listed=2))
    lines.show(Progress("RUNNING", listed=2))  # no change
    lines.show(Progress("SUCCEEDED", listed=2, captured=2))

    assert capsys.readouterr().out.splitlines() == [
        "listing repositories",
        "0 of 2 repositories captured",
        "2 of 2 repositories captured",
    ]


class Screen:
    """A terminal that keeps what it last showed."""

    def update(self, shown: Table) -> None:
        """Replace what is shown."""
        self.cells = [next(iter(column.cells)) for column in shown.columns]


@pytest.mark.parametrize(
    ("shown", "completed", "total", "pulse"),
    [
        (Progress("RUNNING"), 0, 1, True),
        (Progress("RUNNING", listed=0), 0, 1, False),
        (Progress("RUNNING", listed=4, captured=1, failed=2), 3, 4, False),
    ],
)
def test_a_terminal_shows_a_bar_and_the_sentence(shown: Progress, completed: int, total: int, pulse: bool) -> None:
    """Failed repositories count as done. Until the listing ends, the bar only moves."""
    screen = Screen()
    LiveBar(cast("Live", screen)).show(shown)

    bar, sentence = screen.cells
    assert isinstance(bar, ProgressBar)
    assert (bar.completed, bar.total, bar.pulse, bar.width) == (completed, total, pulse, 30)
    assert sentence == shown.sentence


def test_the_output_decides_between_bar_and_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file with the control characters of a bar cannot be read."""
    for terminal, kind in ((False, Lines), (True, LiveBar)):
        monkeypatch.setattr(live, "Console", lambda terminal=terminal: Console(force_terminal=terminal))
        with live._display() as display:
            assert type(display) is kind

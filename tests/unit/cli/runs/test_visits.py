"""What the command line reads from execution histories."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.runs.visits import explain, state_visits, waiting_until

START = datetime(2026, 11, 20, 9, tzinfo=UTC)


def event(seconds: int, kind: str, **details: Any) -> dict[str, Any]:
    """Make a history event so many seconds after the start."""
    return {"type": kind, "timestamp": START + timedelta(seconds=seconds), **details}


def entered(seconds: int, kind: str, name: str, state_input: object = None) -> dict[str, Any]:
    """Make the event with which a state is entered."""
    details = {"name": name, "input": json.dumps(state_input or {})}
    return event(seconds, f"{kind}StateEntered", stateEnteredEventDetails=details)


def succeeded(seconds: int, payload: object) -> dict[str, Any]:
    """Make the event with which a function answers."""
    return event(seconds, "TaskSucceeded", taskSucceededEventDetails={"output": json.dumps({"Payload": payload})})


def failed(seconds: int, error: str, cause: str) -> dict[str, Any]:
    """Make the event with which an attempt fails."""
    return event(seconds, "TaskFailed", taskFailedEventDetails={"error": error, "cause": cause})


def test_a_state_that_was_retried_tells_how_often_how_long_and_why() -> None:
    """That is what somebody asks who sees a run that took long."""
    visits = state_visits(
        [
            event(0, "ExecutionStarted"),
            entered(0, "Task", "List repositories"),
            event(0, "TaskScheduled"),
            failed(3, "GitHubUnavailableError", json.dumps({"errorMessage": "502", "errorType": "x"})),
            event(5, "TaskScheduled"),
            succeeded(6, {}),
            event(6, "TaskStateExited"),
            event(6, "ExecutionSucceeded"),
        ]
    )

    [visit] = visits
    assert (visit.name, visit.kind, visit.retries) == ("List repositories", "Task", 1)
    assert visit.seconds(START) == 6
    assert visit.failures == ["GitHubUnavailableError: 502"]


def test_a_wait_tells_until_when() -> None:
    """A run that waits for GitHub is not stuck, and a person must be able to see that."""
    visits = state_visits([entered(0, "Wait", "Wait for rate limit", {"resume_at": "2026-11-20T09:30:00Z"})])

    assert visits[0].until == "2026-11-20T09:30:00Z"
    assert visits[0].seconds(START + timedelta(seconds=7)) == 7


def test_a_state_that_ends_the_execution_takes_no_time() -> None:
    """Nothing tells of leaving it; without an end it would seem to run for ever."""
    (visit,) = state_visits([entered(3, "Fail", "Report failure")])

    assert visit.left == visit.entered


def test_an_execution_in_a_wait_state_waits_until_the_time_of_its_input() -> None:
    """On AWS, the last event of a waiting execution is the entry into its Wait state."""
    history = [entered(9, "Wait", "Wait for rate limit", {"resume_at": "2026-11-20T09:30:00Z"}), succeeded(8, {})]

    assert waiting_until(history, START) == START + timedelta(minutes=30)


def test_an_execution_whose_last_answer_asked_for_a_pause_waits() -> None:
    """On the local engine, a waiting child's last events are Store traffic's, after Fetch traffic's answer."""
    history = [
        succeeded(9, {"changed": 3}),
        event(9, "Note"),
        succeeded(8, {"resume_at": "2026-11-20T09:30:00Z"}),
    ]

    assert waiting_until(history, START) == START + timedelta(minutes=30)


def test_an_execution_at_work_does_not_wait() -> None:
    """A pause that is over, or a task under way, is no wait: shown as one, it would look like a hang."""
    pause = succeeded(8, {"resume_at": "2026-11-20T09:00:10Z"})

    assert waiting_until([event(9, "TaskScheduled"), pause], START) is None
    assert waiting_until([pause], START + timedelta(minutes=1)) is None
    assert waiting_until([], START) is None


def test_a_cause_that_is_no_json_is_shown_as_it_is() -> None:
    """Causes come from AWS, from Lambda and from the definition itself."""
    assert explain("States.Timeout", None) == "States.Timeout"
    assert explain("Stopped", "by hand") == "Stopped: by hand"
    assert explain("A", '"text"') == 'A: "text"'
    assert explain(None, None) == ""

"""What the command line reads from the histories of executions."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.runs.visits import StateVisit, explain, state_visits, waiting_until

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


def test_a_retried_state_shows_how_often_how_long_and_why() -> None:
    """A person who sees a slow run asks for this."""
    visits = state_visits(
        [
            event(0, "ExecutionStarted"),
            event(0, "TaskScheduled"),  # before any state
            entered(0, "Task", "List repositories"),
            event(0, "TaskScheduled"),
            failed(3, "GitHubUnavailableError", json.dumps({"errorMessage": "502", "errorType": "x"})),
            event(5, "LambdaFunctionScheduled"),
            event(5, "TaskTimedOut", taskTimedOutEventDetails={"error": "States.Timeout"}),
            event(5, "TaskScheduled"),
            succeeded(6, {}),
            event(6, "TaskStateExited"),
            event(7, "ExecutionSucceeded"),
        ]
    )

    assert visits == [
        StateVisit(
            "List repositories",
            "Task",
            START,
            left=START + timedelta(seconds=6),
            attempts=3,
            failures=["GitHubUnavailableError: 502", "States.Timeout"],
        )
    ]
    assert visits[0].retries == 2
    assert visits[0].seconds(START + timedelta(hours=1)) == 6


def test_states_follow_one_another() -> None:
    """An event belongs to the state that was entered last, and an execution that ends leaves its state."""
    visits = state_visits(
        [
            entered(0, "Choice", "All done?"),
            entered(1, "Task", "Store traffic"),
            event(1, "TaskScheduled"),
            event(4, "ExecutionAborted"),
            event(9, "ExecutionFailed"),
        ]
    )

    assert [(visit.name, visit.left, visit.attempts, visit.retries) for visit in visits] == [
        ("All done?", START + timedelta(seconds=1), 0, 0),
        ("Store traffic", START + timedelta(seconds=4), 1, 0),
    ]
    assert visits[1].failures == []


def test_a_wait_shows_until_when() -> None:
    """A run that waits for GitHub is not stuck, and a person must be able to see that."""
    until = {"resume_at": "2026-11-20T09:30:00Z"}
    wait, task = state_visits([entered(0, "Wait", "Wait", until), entered(7, "Task", "Fetch traffic", until)])

    assert (wait.until, task.until) == ("2026-11-20T09:30:00Z", None)
    assert task.seconds(START + timedelta(seconds=9)) == 2


@pytest.mark.parametrize("kind", ["Fail", "Succeed"])
def test_a_state_that_ends_the_execution_takes_no_time(kind: str) -> None:
    """The history has no event for leaving it. Without an end the state would seem to run forever."""
    (visit,) = state_visits([entered(3, kind, "End")])

    assert visit.left == visit.entered


def test_an_execution_in_a_wait_state_waits_until_the_time_of_its_input() -> None:
    """On AWS, the last event of a waiting execution is the entry into its Wait state."""
    history = [entered(9, "Wait", "Wait for rate limit", {"resume_at": "2026-11-20T09:30:00Z"}), succeeded(8, {})]

    assert waiting_until(history, START) == START + timedelta(minutes=30)


def test_an_execution_waits_after_an_answer_that_asked_for_a_pause() -> None:
    """On the local engine, a waiting child's last events are Store traffic's, after Fetch traffic's answer."""
    history = [
        succeeded(9, {"changed": 3}),
        event(9, "Note"),
        succeeded(8, {"resume_at": "2026-11-20T09:30:00Z"}),
        event(7, "TaskScheduled"),
    ]

    assert waiting_until(history, START) == START + timedelta(minutes=30)


@pytest.mark.parametrize("kind", ["TaskScheduled", "TaskStarted"])
def test_an_execution_that_works_does_not_wait(kind: str) -> None:
    """A pause that is over, or a running task, is not a wait: shown as one, it would look like a hang."""
    pause = succeeded(8, {"resume_at": "2026-11-20T09:00:10Z"})

    assert waiting_until([event(9, kind), pause], START) is None
    assert waiting_until([pause], START + timedelta(seconds=9)) == START + timedelta(seconds=10)
    assert waiting_until([pause], START + timedelta(seconds=10)) is None
    assert waiting_until([], START) is None


@pytest.mark.parametrize("text", ['{"resume_at": "2026', "[]", '"text"', '{"Payload": []}', '{"resume_at": 5}'])
def test_an_input_without_a_time_is_not_a_wait(text: str) -> None:
    """The API cuts long texts, and a function may answer anything."""
    answered = event(9, "TaskSucceeded", taskSucceededEventDetails={"output": text})

    assert waiting_until([answered], START) is None


def test_a_cause_that_is_not_json_is_shown_unchanged() -> None:
    """Causes come from AWS, from Lambda and from the definition itself."""
    assert explain("States.Timeout", None) == "States.Timeout"
    assert explain("Stopped", "by hand") == "Stopped: by hand"
    assert explain("A", '"text"') == 'A: "text"'
    assert explain("A", '{"errorType": "B"}') == 'A: {"errorType": "B"}'
    assert explain("A", '{"errorMessage": "text"}') == "A: text"
    assert explain(None, None) == ""

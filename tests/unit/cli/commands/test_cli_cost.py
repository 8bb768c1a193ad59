"""`traffic cost`: shows what a run cost, from its histories, its receipts and CloudWatch."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.commands.cost import show_cost
from cli.runs.prices import MEMORY
from cli.runs.usage import FUNCTIONS, add_up
from cli.runs.visits import StateVisit
from cli.terminal import CommandError
from tests.unit.cli_stack import STARTED, Stack, fresh_stack
from traffic.contract import receipts_prefix

stack = pytest.fixture(fresh_stack)

DEFINITION = Path(__file__).parents[4] / "statemachine" / "capture_traffic.asl.json"
FUNCTION = "GitHubTraffic-FunctionsSummarizeRun1A2B3C4D-Xy9"  # as CloudFormation names it


def event(kind: str, seconds: float, name: str = "") -> dict[str, Any]:
    """Make an event of a history, so many seconds after the start."""
    details = {"stateEnteredEventDetails": {"name": name}} if name else {}
    return {"type": kind, "timestamp": STARTED + timedelta(seconds=seconds), **details}


def task(begins: float, ends: float, name: str = "Fetch traffic") -> list[dict[str, Any]]:
    """Make the events of a task."""
    return [event("TaskStateEntered", begins, name), event("TaskStateExited", ends)]


def test_the_run_and_its_children_are_added_up(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Transitions and the functions' time are exact by the histories. Writes are the most that the receipts allow."""
    run = stack.step_functions.execution("run-1", stopDate=STARTED + timedelta(minutes=5))
    child = {"executionArn": "arn:child:1", "name": "child", "status": "SUCCEEDED", "startDate": STARTED}
    stack.step_functions.children.append(child)
    choice = [event("ChoiceStateEntered", 2, "All fetched?"), event("ChoiceStateExited", 2)]
    stack.step_functions.events = {
        run["executionArn"]: task(0, 2),
        "arn:child:1": [*task(0, 1), *task(1, 1.5, "Store traffic"), *choice],
    }
    stack.note(receipts_prefix("run-1") + "a.json", [{"id": 1, "items_changed": 14}, {"id": 2, "items_changed": 0}])

    show_cost(stack.deployment, None)

    assert capsys.readouterr().out.splitlines() == [
        "run-1  SUCCEEDED  2 repositories stored",
        "state transitions\t4\t0.000100",
        "Lambda\t3.5 s, 1.0 GB-s\t0.000013",
        "DynamoDB writes\tat most 22 units\t0.000014",
        "DynamoDB reads\tat most 1307 units\t0.000163",
        "S3 requests\tabout 8 writes, 5 reads\t0.000042",
        "logs\tabout 2 KB\t0.000001",
        "X-Ray traces\tat most 2\t0.000010",
        "together\t\t0.000343",
        "a month of such runs\t30 runs\t0.010302",
    ]


def test_the_last_run_that_ended_is_shown(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that is still running has no cost yet, and the one before is what a person means."""
    stack.step_functions.execution("run-3", "RUNNING")
    stack.step_functions.execution("run-2", "FAILED", stopDate=STARTED)
    stack.step_functions.execution("run-1", stopDate=STARTED)

    show_cost(stack.deployment, None)
    show_cost(stack.deployment, "run-1")

    lines = capsys.readouterr().out.splitlines()
    assert (lines[0], lines[10]) == (
        "run-2  FAILED  0 repositories stored",
        "run-1  SUCCEEDED  0 repositories stored",
    )


def test_a_retry_is_a_transition_too() -> None:
    """Step Functions charges for it. A state that is visited again counts again."""
    ended = STARTED + timedelta(seconds=3)
    visits = [
        StateVisit("Fetch traffic", "Task", STARTED, ended, attempts=3),
        StateVisit("Fetch traffic", "Task", STARTED, ended, attempts=1),
        StateVisit("Publish summary", "Task", STARTED, ended, attempts=2),
    ]

    assert add_up(visits) == (6, 4, {"Fetch traffic": 6.0})


def test_the_time_of_every_function_is_counted_with_its_memory() -> None:
    """A task that the definition calls otherwise, or a function without a known memory, would cost nothing."""
    called = {
        name: state["Parameters"]["FunctionName"].removeprefix("${").removesuffix("FunctionArn}")
        for name, state in tasks_in(json.loads(DEFINITION.read_text(encoding="utf-8")))
    }

    assert called == FUNCTIONS
    assert set(MEMORY) == set(FUNCTIONS.values())


def tasks_in(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the states that call a function, with their names."""
    for name, state in machine["States"].items():
        if state.get("Resource") == "arn:aws:states:::lambda:invoke":
            yield name, state
        if "ItemProcessor" in state:
            yield from tasks_in(state["ItemProcessor"])


def test_a_run_that_has_not_ended_has_no_cost_yet(stack: Stack) -> None:
    """People would believe a number that is too low."""
    stack.step_functions.execution("run-1", "RUNNING")

    with pytest.raises(CommandError, match=r"^run-1 has not ended: try again after its end\.$"):
        show_cost(stack.deployment, "run-1")
    with pytest.raises(CommandError, match=r"^No run has ended yet: `traffic run` starts one\.$"):
        show_cost(stack.deployment, None)
    with pytest.raises(CommandError, match=r"^There is no execution 'run-9'"):
        show_cost(stack.deployment, "run-9")


def measure(stack: Stack, calls: int, *, tables: bool = True, minute: int = 1) -> None:
    """Let CloudWatch have measured so many calls of a function in a minute of the run, and what the tables used."""
    client, moment = stack.deployment.client("cloudwatch"), STARTED + timedelta(minutes=minute)
    used: dict[str, tuple[str, str, str, list[float]]] = {
        FUNCTION: ("AWS/Lambda", "Duration", "FunctionName", [1500.0] * calls),
        "RepoTraffic": ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", [14.0]),
        "RepoTrafficSnapshots": ("AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", [2.0, 1.5]),
    }
    for name, (namespace, metric, dimension, values) in used.items():
        if namespace == "AWS/DynamoDB" and not tables:
            continue
        for value in values:
            of = [{"Name": dimension, "Value": name}]
            datum = {"MetricName": metric, "Dimensions": of, "Timestamp": moment, "Value": value}
            client.put_metric_data(Namespace=namespace, MetricData=[datum])


def run_two_tasks(stack: Stack) -> None:
    """Let a run of five minutes and some seconds have called the function twice."""
    begun, ended = STARTED + timedelta(seconds=30), STARTED + timedelta(minutes=5, seconds=10)
    run = stack.step_functions.execution("run-1", startDate=begun, stopDate=ended)
    events = [event("TaskStateEntered", 0, "Fetch traffic"), event("TaskScheduled", 0), event("TaskStateExited", 9)]
    stack.step_functions.events = {run["executionArn"]: events * 2}
    stack.step_functions.definition = f'{{"Resource": "arn:aws:lambda:us-east-1:123456789012:function:{FUNCTION}"}}'


def shown(stack: Stack, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Show the cost of the last run, and return what it used of functions and tables."""
    show_cost(stack.deployment, None)
    return [line.rpartition("\t")[0] for line in capsys.readouterr().out.splitlines()[2:5]]


BY_HISTORIES = ["Lambda\t18.0 s, 4.5 GB-s", "DynamoDB writes\tat most 0 units", "DynamoDB reads\tat most 1300 units"]


@pytest.mark.parametrize("minute", [0, 5])
def test_what_cloudwatch_measured_counts(stack: Stack, capsys: pytest.CaptureFixture[str], minute: int) -> None:
    """The functions' time, and what the tables used, are exact then: from the first minute of the run to its last."""
    run_two_tasks(stack)
    measure(stack, calls=2, minute=minute)

    assert shown(stack, capsys) == [
        "Lambda\t3.0 s, 3.0 GB-s",
        "DynamoDB writes\t14 units",
        "DynamoDB reads\t3.5 units",
    ]


def test_what_cloudwatch_measured_only_in_part_does_not_count(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Metrics arrive minutes later: people would believe half of them."""
    run_two_tasks(stack)
    measure(stack, calls=1)

    assert shown(stack, capsys) == BY_HISTORIES


def test_what_cloudwatch_measured_after_the_run_does_not_count(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """It belongs to another run."""
    run_two_tasks(stack)
    measure(stack, calls=2, minute=6)

    assert shown(stack, capsys) == BY_HISTORIES


def test_tables_without_measurements_did_not_cost_nothing(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """The local engine measures only functions."""
    run_two_tasks(stack)
    measure(stack, calls=2, tables=False)

    assert shown(stack, capsys) == BY_HISTORIES


def test_without_the_right_to_read_metrics_the_histories_count(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command must not fail: a person may show a run without this right."""

    def refused(**_asked: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetMetricStatistics")

    run_two_tasks(stack)
    measure(stack, calls=2)
    monkeypatch.setattr(stack.deployment.client("cloudwatch"), "get_metric_statistics", refused)

    assert shown(stack, capsys) == BY_HISTORIES

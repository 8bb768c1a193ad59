"""`traffic cost`: what a run cost, from what it left."""

from datetime import timedelta
from typing import Any

import pytest

from cli.commands.cost import add_up, show_cost
from cli.runs.cost_table import ROWS
from cli.runs.visits import StateVisit
from cli.terminal import CommandError
from tests.unit.cli_stack import STARTED, Stack, fresh_stack
from traffic.contract import receipts_prefix

stack = pytest.fixture(fresh_stack)

FUNCTION = "GitHubTraffic-FunctionsSummarizeRun1A2B3C4D-Xy9"  # as CloudFormation names it


def event(kind: str, seconds: float, name: str = "") -> dict[str, Any]:
    """An event of a history, so many seconds after the start."""
    details = {"stateEnteredEventDetails": {"name": name}} if name else {}
    return {"type": kind, "timestamp": STARTED + timedelta(seconds=seconds), **details}


def task(begins: float, ends: float) -> list[dict[str, Any]]:
    """The events of a task."""
    return [event("TaskStateEntered", begins, "Fetch traffic"), event("TaskStateExited", ends)]


def test_the_run_and_its_children_are_added_up(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Transitions and the functions' time are exact by the histories; writes are those of the receipts, at most."""
    run = stack.step_functions.execution("run-1")
    child = {"executionArn": "arn:child:1", "name": "child", "status": "SUCCEEDED", "startDate": STARTED}
    stack.step_functions.children.append(child)
    choice = [event("ChoiceStateEntered", 2, "All fetched?"), event("ChoiceStateExited", 2)]
    stack.step_functions.events = {run["executionArn"]: task(0, 2), "arn:child:1": [*task(0, 1.5), *choice]}
    stack.note(receipts_prefix("run-1") + "a.json", [{"id": 1, "items_changed": 14}, {"id": 2, "items_changed": 0}])

    show_cost(stack.deployment, None)

    first, *rows = capsys.readouterr().out.splitlines()
    assert first == "run-1  SUCCEEDED  2 repositories stored"
    assert rows[0] == "state transitions\t3\t0.000075"
    assert rows[1] == "Lambda\t3.5 s, 0.9 GB-s\t0.000012"
    assert rows[2] == "DynamoDB writes\tat most 22 units\t0.000014"
    assert rows[3] == "DynamoDB reads\tat most 1307 units\t0.000163"
    assert rows[4] == "S3 requests\tabout 8 writes, 5 reads\t0.000042"
    assert [row.partition("\t")[0] for row in rows[:7]] == list(ROWS)[:7]
    assert rows[7].startswith("together\t\t0.0003")


def test_a_retry_is_a_transition_too() -> None:
    """Step Functions charges for it."""
    visits = [StateVisit("Fetch traffic", "Task", STARTED, STARTED + timedelta(seconds=3), attempts=3)]

    assert add_up(visits) == (3, 3, {"Fetch traffic": 3.0})


def test_a_run_that_goes_on_has_no_cost_yet(stack: Stack) -> None:
    """A number that is too low would be believed."""
    stack.step_functions.execution("run-1", "RUNNING")

    with pytest.raises(CommandError, match="run-1 has not ended"):
        show_cost(stack.deployment, "run-1")
    with pytest.raises(CommandError, match="No run has ended yet"):
        show_cost(stack.deployment, None)


def let_be_measured(stack: Stack, calls: int, *, tables: bool = True) -> None:
    """Let CloudWatch know of so many calls of a function, and of what tables used."""
    client, minute = stack.deployment.client("cloudwatch"), STARTED.replace(minute=1)
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
            datum = {"MetricName": metric, "Dimensions": of, "Timestamp": minute, "Value": value}
            client.put_metric_data(Namespace=namespace, MetricData=[datum])


def a_run_of_two_tasks(stack: Stack) -> None:
    """Let a run have called the function twice."""
    run = stack.step_functions.execution("run-1", stopDate=STARTED + timedelta(minutes=5))
    begun = [event("TaskStateEntered", 0, "Fetch traffic"), event("TaskScheduled", 0), event("TaskStateExited", 9)]
    stack.step_functions.events = {run["executionArn"]: begun * 2}
    stack.step_functions.definition = f'{{"Resource": "arn:aws:lambda:us-east-1:123456789012:function:{FUNCTION}"}}'


def test_what_cloudwatch_measured_counts(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """The functions' time and what the tables used are then exact."""
    a_run_of_two_tasks(stack)
    let_be_measured(stack, calls=2)

    show_cost(stack.deployment, None)

    _, _, functions, writes, reads, *_ = capsys.readouterr().out.splitlines()
    assert functions.startswith("Lambda\t3.0 s, 3.0 GB-s\t")
    assert writes.startswith("DynamoDB writes\t14 units\t")
    assert reads.startswith("DynamoDB reads\t3.5 units\t")


def test_what_cloudwatch_knows_in_part_does_not_count(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Metrics come minutes later: half of them would be believed."""
    a_run_of_two_tasks(stack)
    let_be_measured(stack, calls=1)

    show_cost(stack.deployment, None)

    assert "Lambda\t18.0 s" in capsys.readouterr().out


def test_tables_that_nobody_measured_did_not_cost_nothing(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """The local engine measures functions alone."""
    a_run_of_two_tasks(stack)
    let_be_measured(stack, calls=2, tables=False)

    show_cost(stack.deployment, None)

    assert "DynamoDB writes\tat most 0 units" in capsys.readouterr().out

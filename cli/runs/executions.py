"""The executions of the state machine: starts them, finds them, and reads what they did."""

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cli.runs.visits import StateVisit, state_visits
from cli.stack.deployment import Deployment
from cli.terminal import duration


def start_execution(deployment: Deployment, payload: Mapping[str, Any], *, reason: str = "manual") -> str:
    """Start an execution, and return its ARN. Its name holds why and when it began: `manual-20261120T090000Z-1f3a`."""
    name = f"{reason}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
    answer = deployment.client("stepfunctions").start_execution(
        stateMachineArn=deployment.output("StateMachineArn"), name=name, input=json.dumps(payload)
    )
    return str(answer["executionArn"])


def newest_executions(deployment: Deployment, limit: int) -> list[dict[str, Any]]:
    """Return the last executions of the state machine, the newest first."""
    pages = deployment.client("stepfunctions").get_paginator("list_executions")
    found = pages.paginate(stateMachineArn=deployment.output("StateMachineArn"), PaginationConfig={"MaxItems": limit})
    return [execution for page in found for execution in page["executions"]]


def execution_arn(deployment: Deployment, name: str) -> str:
    """Return the ARN of an execution of the state machine; an ARN is returned unchanged."""
    if name.startswith("arn:"):
        return name
    return deployment.output("StateMachineArn").replace(":stateMachine:", ":execution:") + f":{name}"


def events_of(deployment: Deployment, arn: str) -> Iterator[Mapping[str, Any]]:
    """Read the events of an execution's history, the oldest first."""
    pages = deployment.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    return (event for page in pages for event in page["events"])


def visits_of(deployment: Deployment, arn: str) -> list[StateVisit]:
    """Read the states that an execution passed through."""
    return state_visits(events_of(deployment, arn))


def children_of(deployment: Deployment, arn: str) -> list[dict[str, Any]]:
    """List the child executions of a run's Map."""
    client = deployment.client("stepfunctions")
    pages = client.get_paginator("list_executions")
    return [
        child
        for map_run in client.list_map_runs(executionArn=arn)["mapRuns"]
        for page in pages.paginate(mapRunArn=map_run["mapRunArn"])
        for child in page["executions"]
    ]


def at(moment: datetime) -> str:
    """Write a moment in UTC, as the rest of the system does."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def lasted(execution: Mapping[str, Any]) -> str:
    """Write how long an execution took, or has taken until now."""
    return duration(((execution.get("stopDate") or datetime.now(UTC)) - execution["startDate"]).total_seconds())

"""A stack for the tests of the command line: moto's tables and bucket, and a state machine with prepared answers."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from cli.command import STACK_NAME
from cli.stack.deployment import Deployment
from tests.unit.moto_account import moto_account

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:CaptureTraffic"

STARTED = datetime(2026, 11, 20, 9, tzinfo=UTC)

OUTPUTS = {
    "StateMachineArn": MACHINE,
    "TrafficTable": "RepoTraffic",
    "RepositoriesTable": "RepoTrafficRepositories",
    "SnapshotsTable": "RepoTrafficSnapshots",
    "ArchiveBucket": "archive",
    "SummaryTopicArn": "arn:aws:sns:us-east-1:123456789012:summary",
    "GitHubTokenSecret": "token",
    "StoreTrafficFunction": "StoreTraffic",
}


@dataclass
class FakeStepFunctions:
    """The calls of Step Functions that the commands make, answered from memory.

    Attributes:
        executions: As ListExecutions returns them, the newest first.
        events: Histories by execution ARN.
        children: Executions of the map.
        started: Names and inputs of what was started.
        definition: The state machine's.
        on_look: Called at each DescribeExecution, to let the execution go on.
    """

    executions: list[dict[str, Any]] = field(default_factory=list)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    children: list[dict[str, Any]] = field(default_factory=list)
    started: list[tuple[str, Any]] = field(default_factory=list)
    stopped: list[tuple[str, str, str]] = field(default_factory=list)
    definition: str = "{}"
    on_look: Callable[[dict[str, Any]], None] = lambda _execution: None

    def execution(self, name: str, status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
        """Add an execution, older than those that were added before it."""
        arn = MACHINE.replace("stateMachine", "execution") + f":{name}"
        execution = {"executionArn": arn, "name": name, "status": status, "startDate": STARTED, **more}
        self.executions.append(execution)
        return execution

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> dict[str, Any]:  # noqa: A002, N803
        """Start an execution that runs until `on_look` ends it."""
        assert stateMachineArn == MACHINE
        self.started.append((name, json.loads(input)))
        return self.execution(name, "RUNNING")

    def stop_execution(self, *, executionArn: str, error: str, cause: str) -> None:  # noqa: N803
        """Record which execution was stopped, and why."""
        self.stopped.append((executionArn, error, cause))

    def describe_state_machine(self, *, stateMachineArn: str) -> dict[str, Any]:  # noqa: N803
        """Return the definition as it is deployed."""
        assert stateMachineArn == MACHINE
        return {"definition": self.definition}

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        """Describe an execution or a child."""
        for execution in [*self.executions, *self.children]:
            if execution["executionArn"] == executionArn:
                self.on_look(execution)
                return execution
        raise ClientError({"Error": {"Code": "ExecutionDoesNotExist", "Message": ""}}, "DescribeExecution")

    def get_execution_history(self, *, executionArn: str, **_page: Any) -> dict[str, Any]:  # noqa: N803
        """Return a history, the newest event first, as the commands ask for it outside of a paginator."""
        return {"events": self.events.get(executionArn, [])[::-1]}

    def list_map_runs(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803
        """Return one map run if there are children."""
        return {"mapRuns": [{"mapRunArn": f"{executionArn}/map"}] if self.children else []}

    def list_executions(self, *, mapRunArn: str, statusFilter: str) -> dict[str, Any]:  # noqa: ARG002, N803
        """List the children of one status."""
        return {"executions": [child for child in self.children if child["status"] == statusFilter]}

    def get_paginator(self, operation: str) -> "FakeStepFunctions":
        """Return itself: it is a paginator too."""
        assert operation in ("list_executions", "get_execution_history")
        return self

    def paginate(self, **asked: Any) -> Sequence[Mapping[str, Any]]:
        """Yield everything in one page."""
        if "executionArn" in asked:
            return [{"events": self.events.get(asked["executionArn"], [])}]
        if "mapRunArn" in asked:
            return [{"executions": self.children}]
        return [{"executions": self.executions[: asked["PaginationConfig"]["MaxItems"]]}]


class FakeCloudFormation:
    """A stack with an empty template."""

    def describe_stack_resources(self, *, PhysicalResourceId: str) -> dict[str, Any]:  # noqa: N803
        """Return the stack's resource of this name."""
        return {"StackResources": [{"PhysicalResourceId": PhysicalResourceId, "StackName": STACK_NAME}]}

    def get_template(self, *, StackName: str) -> dict[str, Any]:  # noqa: ARG002, N803
        """Return the template."""
        return {"TemplateBody": {"Resources": {}}}


class Stack:
    """A deployed stack: fill it, and let a command work on `deployment`."""

    def __init__(self, *, options: str = "") -> None:
        self.step_functions = FakeStepFunctions()
        self.saves = 0
        self.deployment = Deployment(
            outputs=OUTPUTS,
            client=self._client,
            place="/somewhere",
            parameters={"GitHubApiUrl": "https://api.github.com"},
            options=options,
            save=self._save,
        )
        names: tuple[Any, ...] = ("dynamodb", "s3", "secretsmanager", "sns", "cloudwatch")
        self._clients: dict[str, Any] = {name: boto3.client(name, region_name="us-east-1") for name in names}
        self._create()

    def _client(self, service: str) -> Any:
        # moto's CloudFormation wants packages that nothing else needs.
        fakes: dict[str, Any] = {"stepfunctions": self.step_functions, "cloudformation": FakeCloudFormation()}
        return fakes.get(service) or self._clients[service]

    def _save(self) -> None:
        self.saves += 1

    def _create(self) -> None:
        self._clients["s3"].create_bucket(Bucket="archive")
        for table, *keys in (
            ("RepoTraffic", "repo-name", "timestamp"),
            ("RepoTrafficRepositories", "repo-id"),
            ("RepoTrafficSnapshots", "repo-id", "captured-on"),
        ):
            self._clients["dynamodb"].create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
            )

    def _put(self, table: str, item: Mapping[str, Any]) -> None:
        written = {name: TypeSerializer().serialize(value) for name, value in item.items()}
        self._clients["dynamodb"].put_item(TableName=table, Item=written)

    def day(self, repo_name: str, day: str, cells: Mapping[str, int | bool]) -> None:
        """Put a day of a repository."""
        self._put("RepoTraffic", {"repo-name": repo_name, "timestamp": f"{day}T00:00:00Z", **cells})

    def repository(self, id_: str, repo_name: str, *, names: Mapping[str, str]) -> None:
        """Put a repository, and the pointers from its names, each with the last day it was seen."""
        known = {name: {"first": f"{last}T09:00:00Z", "last": last} for name, last in names.items()}
        self._put("RepoTrafficRepositories", {"repo-id": id_, "repo-name": repo_name, "names": known})
        for name in names:
            self.pointer(name, owner=id_, ids={id_})

    def pointer(self, name: str, *, owner: str, ids: set[str]) -> None:
        """Put the pointer from a name to ids."""
        self._put("RepoTrafficRepositories", {"repo-id": f"name {name.lower()}", "owner-id": owner, "repo-ids": ids})

    def note(self, key: str, content: Any) -> None:
        """Put a note of a run into the archive bucket."""
        self._clients["s3"].put_object(Bucket="archive", Key=key, Body=json.dumps(content).encode())


def fresh_stack() -> Iterator[Stack]:
    """Make a stack inside of moto; the body of the fixture `stack`."""
    with moto_account():
        yield Stack()

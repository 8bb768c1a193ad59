"""The complete pipeline on the local engine: the real template, definition and handlers, and a simulated GitHub."""

import json
import random
import socket
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from boto3.dynamodb.types import TypeDeserializer

from local.deploying import deploy
from local.engine import ROOT, Engine, running_engine
from local.synthesis import synthesize
from traffic.contract import METRICS, Receipt, Summary, receipts_prefix, summary_key

ASSEMBLY = ROOT / "build" / "cloud-assembly"  # shared with `traffic run`: synthesis takes seconds

LONGEST = 240.0  # seconds for any run here

Items = dict[tuple[str, ...], dict[str, Any]]

_from_dynamodb = TypeDeserializer().deserialize


@dataclass(frozen=True)
class Execution:
    """A run that has ended.

    Attributes:
        name: The name of the execution, which is the run's id.
        arn: The ARN of the execution.
        status: `SUCCEEDED`, `FAILED`, ...
        error: The name of the error, if it failed.
        cause: The cause of the error, if it failed.
        seconds: Its duration.
    """

    name: str
    arn: str
    status: str
    error: str
    cause: str
    seconds: float


@dataclass(frozen=True)
class Pipeline:
    """The deployed stack.

    Attributes:
        engine: The engine with the stack.
        outputs: The stack's outputs.
        port: The port on 127.0.0.1 where the functions expect GitHub.
        queue: The URL of a queue that is subscribed to the topic.
    """

    engine: Engine
    outputs: Mapping[str, str]
    port: int
    queue: str

    def start(self, given: object = None) -> str:
        """Start an execution, and return its ARN."""
        answer = self.engine.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["StateMachineArn"],
            name=f"run-{uuid.uuid4().hex[:12]}",
            input=json.dumps({} if given is None else given),
        )
        return str(answer["executionArn"])

    def finish(self, arn: str, longest: float = LONGEST) -> Execution:
        """Wait until an execution has ended, at most this number of seconds."""
        give_up = time.monotonic() + longest
        while (found := self.engine.client("stepfunctions").describe_execution(executionArn=arn))[
            "status"
        ] == "RUNNING":
            assert time.monotonic() < give_up, f"{arn} does not end"
            time.sleep(0.05)
        seconds = (found["stopDate"] - found["startDate"]).total_seconds()
        return Execution(found["name"], arn, found["status"], found.get("error", ""), found.get("cause", ""), seconds)

    def run(self, given: object = None) -> Execution:
        """Run once, until the end."""
        return self.finish(self.start(given))

    def children(self, execution: Execution) -> list[dict[str, Any]]:
        """Return the child executions of a run's Map."""
        client = self.engine.client("stepfunctions")
        return [
            child
            for map_run in client.list_map_runs(executionArn=execution.arn)["mapRuns"]
            for page in client.get_paginator("list_executions").paginate(mapRunArn=map_run["mapRunArn"])
            for child in page["executions"]
        ]

    def waits(self, execution: Execution) -> int:
        """Return how often a function made the run, or a child of it, wait for GitHub's limit."""
        events = self.events(execution)
        return sum('"resume_at"' in event.get("taskSucceededEventDetails", {}).get("output", "") for event in events)

    def errors(self, execution: Execution) -> tuple[str, ...]:
        """Return the errors of failed tasks of the run and its children."""
        failed = [event for event in self.events(execution) if event["type"] == "TaskFailed"]
        return tuple(sorted({event["taskFailedEventDetails"]["error"] for event in failed}))

    def events(self, execution: Execution) -> list[dict[str, Any]]:
        """Return the histories of the run and of its children."""
        pages = self.engine.client("stepfunctions").get_paginator("get_execution_history")
        arns = [execution.arn, *(child["executionArn"] for child in self.children(execution))]
        return [event for arn in arns for page in pages.paginate(executionArn=arn) for event in page["events"]]

    def summary(self, execution: Execution) -> Summary:
        """Return the summary in the archive."""
        return cast("Summary", json.loads(self.read(summary_key(execution.name))))

    def receipts(self, execution: Execution) -> list[Receipt]:
        """Return the receipts of Store traffic, in the order of the repositories' names."""
        listed = self.engine.client("s3").get_paginator("list_objects_v2")
        pages = listed.paginate(Bucket=self.outputs["ArchiveBucket"], Prefix=receipts_prefix(execution.name))
        notes = [json.loads(self.read(each["Key"])) for page in pages for each in page.get("Contents", [])]
        return sorted((receipt for note in notes for receipt in note), key=lambda receipt: str(receipt["name"]))

    def read(self, key: str) -> bytes:
        """Read an object of the archive bucket."""
        answer = self.engine.client("s3").get_object(Bucket=self.outputs["ArchiveBucket"], Key=key)
        return bytes(answer["Body"].read())

    def days(self) -> Items:
        """Return all items of `RepoTraffic`, by repository and day."""
        return {(item["repo-name"], item["timestamp"][:10]): item for item in self.scan("RepoTraffic")}

    def numbers(self) -> dict[tuple[str, ...], tuple[int | None, ...]]:
        """Return the four numbers of every stored day; None for an unknown number."""
        return {
            key: tuple(int(item[metric]) if metric in item else None for metric in METRICS)
            for key, item in self.days().items()
        }

    def repositories(self) -> dict[str, dict[str, Any]]:
        """Return all items of `RepoTrafficRepositories`."""
        return {item["repo-id"]: item for item in self.scan("RepoTrafficRepositories")}

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return all items of every table, in a stable order."""
        names = self.engine.client("dynamodb").list_tables()["TableNames"]
        return {name: sorted(self.scan(name), key=repr) for name in names}

    def scan(self, table: str) -> list[dict[str, Any]]:
        """Return all items of a table."""
        pages = self.engine.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return [
            {name: _from_dynamodb(value) for name, value in item.items()} for page in pages for item in page["Items"]
        ]

    def mail(self, number: int, *, seconds: float = 10) -> list[dict[str, str]]:
        """Remove published messages from the queue, in order: each with `Subject` and `Message`.

        Args:
            number: The expected number of messages.
            seconds: The time to wait for them.
        """
        client = self.engine.client("sqs")
        messages: list[dict[str, str]] = []
        give_up = time.monotonic() + seconds
        while len(messages) < number and time.monotonic() < give_up:
            for received in client.receive_message(QueueUrl=self.queue, WaitTimeSeconds=1).get("Messages", []):
                messages.append(json.loads(received["Body"]))
                client.delete_message(QueueUrl=self.queue, ReceiptHandle=received["ReceiptHandle"])
        return messages

    def forget(self) -> None:
        """Empty the tables and the queue: each simulated GitHub uses the same ids."""
        client = self.engine.client("dynamodb")
        for name in client.list_tables()["TableNames"]:
            empty(client, name)
        self.engine.client("sqs").purge_queue(QueueUrl=self.queue)


def empty(dynamodb: Any, name: str) -> None:
    """Delete a table and create it again, which is faster than deleting its items."""
    table = dynamodb.describe_table(TableName=name)["Table"]
    kept = {key: table[key] for key in ("TableName", "KeySchema", "AttributeDefinitions")}
    dynamodb.delete_table(TableName=name)
    dynamodb.create_table(**kept, BillingMode="PAY_PER_REQUEST")


@contextmanager
def deployed_pipeline(history: Path, assembly: Path | None = None) -> Iterator[Pipeline]:
    """Start an engine on a fresh history and deploy the real template to it, or that of another assembly."""
    port = free_port()
    parameters = {"GitHubAccessToken": "github_pat_made_up", "GitHubApiUrl": f"http://127.0.0.1:{port}"}
    with running_engine(history) as engine:
        outputs = deploy(engine, assembly or synthesize(ASSEMBLY), parameters)
        queue = subscribed_queue(engine, outputs["SummaryTopicArn"])
        yield Pipeline(engine, outputs, port, queue)


def subscribed_queue(engine: Engine, topic: str) -> str:
    """Create a queue that is subscribed to the topic, and return its URL."""
    queue: str = engine.client("sqs").create_queue(QueueName="mailbox")["QueueUrl"]
    described = engine.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = described["Attributes"]["QueueArn"]
    sender = {"Principal": {"Service": "sns.amazonaws.com"}, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
    policy = {"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn, **sender}]}
    engine.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    engine.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return queue


def free_port() -> int:
    """Return a free port for GitHub, which stays free between two simulated GitHubs.

    The kernel uses ports from 32768 upwards for clients, so such a port may be taken before the next one starts.
    """
    while True:
        port = random.randrange(20_000, 32_768)  # noqa: S311 - nothing depends on it
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port

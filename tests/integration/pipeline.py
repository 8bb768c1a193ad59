"""The whole pipeline on the local engine: the real template, definition and handlers, against a simulated GitHub."""

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

ASSEMBLY = ROOT / "build" / "cloud-assembly"  # the one that `traffic run` makes too: synthesis takes seconds

DEFINITION = json.loads((ROOT / "statemachine" / "capture_traffic.asl.json").read_text())

MAX_CONCURRENCY: int = DEFINITION["States"]["Capture repositories"]["MaxConcurrency"]

LONGEST = 240.0  # seconds that any run here may take

Items = dict[tuple[str, ...], dict[str, Any]]

_from_dynamodb = TypeDeserializer().deserialize


@dataclass(frozen=True)
class Execution:
    """A run that ended.

    Attributes:
        name: The execution's, and so the run's id.
        arn: The execution's.
        status: `SUCCEEDED`, `FAILED`, ...
        error: Where it failed: the error's name.
        cause: Where it failed: why.
        seconds: How long it took.
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
        engine: Where it is deployed.
        outputs: The stack's.
        port: Where the functions expect GitHub, on 127.0.0.1.
        queue: The address of a queue that gets what the topic's readers get.
    """

    engine: Engine
    outputs: Mapping[str, str]
    port: int
    queue: str

    def start(self, given: object = None) -> str:
        """Start an execution; its ARN."""
        answer = self.engine.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["StateMachineArn"],
            name=f"run-{uuid.uuid4().hex[:12]}",
            input=json.dumps({} if given is None else given),
        )
        return str(answer["executionArn"])

    def finish(self, arn: str, longest: float = LONGEST) -> Execution:
        """Wait until an execution has ended, but not longer than so many seconds."""
        give_up = time.monotonic() + longest
        while (found := self.engine.client("stepfunctions").describe_execution(executionArn=arn))[
            "status"
        ] == "RUNNING":
            assert time.monotonic() < give_up, f"{arn} does not end"
            time.sleep(0.05)
        seconds = (found["stopDate"] - found["startDate"]).total_seconds()
        return Execution(found["name"], arn, found["status"], found.get("error", ""), found.get("cause", ""), seconds)

    def run(self, given: object = None) -> Execution:
        """Run once, to the end."""
        return self.finish(self.start(given))

    def children(self, execution: Execution) -> list[dict[str, Any]]:
        """List the child executions of a run's Map."""
        client = self.engine.client("stepfunctions")
        return [
            child
            for map_run in client.list_map_runs(executionArn=execution.arn)["mapRuns"]
            for page in client.get_paginator("list_executions").paginate(mapRunArn=map_run["mapRunArn"])
            for child in page["executions"]
        ]

    def waits(self, execution: Execution) -> int:
        """Count how often the run, or a child of it, was told by a function to wait for GitHub's limit."""
        events = self.events(execution)
        return sum('"resume_at"' in event.get("taskSucceededEventDetails", {}).get("output", "") for event in events)

    def errors(self, execution: Execution) -> tuple[str, ...]:
        """Name what tasks of the run, or of a child of it, failed with."""
        failed = [event for event in self.events(execution) if event["type"] == "TaskFailed"]
        return tuple(sorted({event["taskFailedEventDetails"]["error"] for event in failed}))

    def events(self, execution: Execution) -> list[dict[str, Any]]:
        """Read the histories of the run and of its children."""
        client = self.engine.client("stepfunctions")
        arns = [execution.arn, *(child["executionArn"] for child in self.children(execution))]
        return [event for arn in arns for event in client.get_execution_history(executionArn=arn)["events"]]

    def summary(self, execution: Execution) -> Summary:
        """Read what Summarize run kept."""
        return cast("Summary", json.loads(self.read(summary_key(execution.name))))

    def receipts(self, execution: Execution) -> list[Receipt]:
        """Read what Store traffic left, in the order of the repositories' names."""
        listed = self.engine.client("s3").get_paginator("list_objects_v2")
        pages = listed.paginate(Bucket=self.outputs["ArchiveBucket"], Prefix=receipts_prefix(execution.name))
        notes = [json.loads(self.read(each["Key"])) for page in pages for each in page.get("Contents", [])]
        return sorted((receipt for note in notes for receipt in note), key=lambda receipt: str(receipt["name"]))

    def read(self, key: str) -> bytes:
        """Read an object of the archive bucket."""
        answer = self.engine.client("s3").get_object(Bucket=self.outputs["ArchiveBucket"], Key=key)
        return bytes(answer["Body"].read())

    def days(self) -> Items:
        """Read the whole of `RepoTraffic`, by repository and day."""
        return {(item["repo-name"], item["timestamp"][:10]): item for item in self.scan("RepoTraffic")}

    def numbers(self) -> dict[tuple[str, ...], tuple[int | None, ...]]:
        """Read the four numbers of every day kept; None where one is unknown."""
        return {
            key: tuple(int(item[metric]) if metric in item else None for metric in METRICS)
            for key, item in self.days().items()
        }

    def repositories(self) -> dict[str, dict[str, Any]]:
        """Read the whole of `RepoTrafficRepositories`."""
        return {item["repo-id"]: item for item in self.scan("RepoTrafficRepositories")}

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Read every table whole, in a stable order."""
        names = self.engine.client("dynamodb").list_tables()["TableNames"]
        return {name: sorted(self.scan(name), key=repr) for name in names}

    def scan(self, table: str) -> list[dict[str, Any]]:
        """Read a table as it is."""
        pages = self.engine.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return [
            {name: _from_dynamodb(value) for name, value in item.items()} for page in pages for item in page["Items"]
        ]

    def mail(self, number: int, *, seconds: float = 10) -> list[dict[str, str]]:
        """Take from the queue what was published to the topic, in order: each with `Subject` and `Message`.

        Args:
            number: How many are expected.
            seconds: How long to wait for them.
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
        """Empty the tables and the queue: a new GitHub deals out the same ids again."""
        client = self.engine.client("dynamodb")
        for name in client.list_tables()["TableNames"]:
            empty(client, name)
        self.engine.client("sqs").purge_queue(QueueUrl=self.queue)


def empty(dynamodb: Any, name: str) -> None:
    """Drop a table and make it again: items would have to be deleted one by one."""
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
    """Give the address of a queue that gets what the topic's readers get."""
    queue: str = engine.client("sqs").create_queue(QueueName="mailbox")["QueueUrl"]
    described = engine.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = described["Attributes"]["QueueArn"]
    sender = {"Principal": {"Service": "sns.amazonaws.com"}, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}
    policy = {"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn, **sender}]}
    engine.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    engine.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return queue


def free_port() -> int:
    """Find a free port for GitHub, one that stays free between two of them.

    The kernel takes the ports of clients from 32768 upwards: one of those may be taken before the next GitHub comes.
    """
    while True:
        port = random.randrange(20_000, 32_768)  # noqa: S311 - nothing depends on it
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port

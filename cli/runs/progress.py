"""Reads how far a run has come, from its objects in the archive bucket and from its histories."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from cli.runs.visits import explain, waiting_until
from cli.stack.deployment import Deployment
from cli.terminal import CommandError
from traffic.contract import (
    ENDPOINTS,
    Receipt,
    Summary,
    manifest_key,
    receipts_prefix,
    summary_key,
)
from traffic.wording import repositories

LAST_EVENTS = 10  # enough to reach back from a Wait over Store traffic to what Fetch traffic answered


@dataclass(frozen=True)
class Progress:
    """How far a run has come at one moment.

    Attributes:
        status: The execution's, for example `RUNNING`.
        listed: How many repositories the run found; None before the listing is complete.
        captured: How many repositories have all their answers stored.
        failed: How many repositories were refused or given up.
        until: When the first execution that waits at the rate limit continues; None if none waits.
    """

    status: str
    listed: int | None = None
    captured: int = 0
    failed: int = 0
    until: datetime | None = None

    @property
    def sentence(self) -> str:
        """The progress in one line."""
        if self.listed is None:
            sentence = "listing repositories"
        else:
            sentence = f"{self.captured} of {repositories(self.listed)} captured"
        if self.failed:
            sentence += f", {self.failed} failed"
        if self.until:
            sentence += f", waiting for GitHub's rate limit until {self.until.astimezone(UTC):%H:%M:%S} UTC"
        return sentence


@dataclass
class RunReader:
    """Reads a run's progress. It reads each receipt once."""

    deployment: Deployment
    execution_arn: str
    _listed: int | None = None
    _seen: set[str] = field(default_factory=set)
    _answered: dict[int, set[str]] = field(default_factory=dict)
    _refused: set[int] = field(default_factory=set)

    @property
    def run_id(self) -> str:
        """The execution's name, under which the run keeps its objects."""
        return self.execution_arn.rsplit(":", 1)[-1]

    @property
    def bucket(self) -> str:
        """The archive bucket."""
        return self.deployment.output("ArchiveBucket")

    def execution(self) -> dict[str, Any]:
        """Describe the execution.

        Raises:
            CommandError: There is no such execution.
        """
        try:
            return dict(self.deployment.client("stepfunctions").describe_execution(executionArn=self.execution_arn))
        except ClientError as exc:
            if exc.response["Error"]["Code"] not in ("ExecutionDoesNotExist", "InvalidArn"):
                raise
            command = f"traffic executions{self.deployment.options}"
            raise CommandError(f"There is no execution {self.run_id!r}: `{command}` lists those there are.") from exc

    def progress(self) -> Progress:
        """Return how far the run has come."""
        status = self.execution()["status"]
        if self._listed is None and (batches := self.read_json(manifest_key(self.run_id))):
            self._listed = sum(len(batch["repositories"]) for batch in batches)
        for receipt in self.receipts():
            self._take(receipt)
        captured = {id_ for id_, answered in self._answered.items() if answered.issuperset(ENDPOINTS)}
        times = self._waits() if status == "RUNNING" else []
        return Progress(
            status=status,
            listed=self._listed,
            captured=len(captured),
            failed=len(self._refused - captured),
            until=min(times, default=None),
        )

    def summary(self) -> Summary | None:
        """Read the run's summary, which holds the text of the e-mail; None if the run wrote no summary."""
        summary: Summary | None = self.read_json(summary_key(self.run_id))
        return summary

    def reason(self, execution: Mapping[str, Any]) -> str:
        """Return the error of a run that failed, and its reason in words; empty if the run has no error.

        Step Functions has the subject of the summary as the cause, and the subject repeats the error.
        """
        summary = self.summary()
        return explain(execution.get("error"), (summary and summary.get("cause")) or execution.get("cause"))

    def _take(self, receipt: Receipt) -> None:
        self._answered.setdefault(receipt["id"], set()).update(receipt["answered"])
        if receipt["outcome"] == "captured":
            self._refused.discard(receipt["id"])
        else:
            self._refused.add(receipt["id"])

    def receipts(self) -> Iterator[Receipt]:
        """Read the receipts that were not read before."""
        pages = self.deployment.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=receipts_prefix(self.run_id)):
            for entry in page.get("Contents", []):
                if entry["Key"] not in self._seen:
                    yield from self.read_json(entry["Key"]) or ()
                    self._seen.add(entry["Key"])

    def read_json(self, key: str) -> Any | None:
        """Read one of the run's objects in the archive bucket; None if there is no such object."""
        try:
            return json.loads(self.deployment.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read())
        except ClientError as exc:
            if exc.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise

    def _waits(self) -> list[datetime]:
        """Return until when the run and its running children wait. Only few children run at once."""
        client = self.deployment.client("stepfunctions")
        executions = [self.execution_arn, *(child["executionArn"] for child in self._running_children())]
        now = datetime.now(UTC)
        histories = (
            client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=LAST_EVENTS)["events"]
            for arn in executions
        )
        return [moment for events in histories if (moment := waiting_until(events, now)) is not None]

    def _running_children(self) -> list[dict[str, Any]]:
        client = self.deployment.client("stepfunctions")
        return [
            child
            for map_run in client.list_map_runs(executionArn=self.execution_arn)["mapRuns"]
            for child in client.list_executions(mapRunArn=map_run["mapRunArn"], statusFilter="RUNNING")["executions"]
        ]

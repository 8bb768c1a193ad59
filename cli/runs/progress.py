"""How far a run has come, read from what it leaves in the archive bucket and from its histories."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from cli.runs.visits import waiting_until
from cli.stack.deployment import Deployment
from traffic.contract import (
    ENDPOINTS,
    Receipt,
    Summary,
    manifest_key,
    receipts_prefix,
    summary_key,
)

LAST_EVENTS = 10  # enough to reach back from a Wait over Store traffic to what Fetch traffic answered


@dataclass(frozen=True)
class Progress:
    """A moment of a run.

    Attributes:
        status: The execution's, for example `RUNNING`.
        listed: How many repositories the run found; None before the listing is complete.
        captured: Repositories of which every answer is stored.
        failed: Repositories that were refused or given up.
        waiting: How many executions wait at the rate limit.
        until: When the first of them goes on.
    """

    status: str
    listed: int | None = None
    captured: int = 0
    failed: int = 0
    waiting: int = 0
    until: datetime | None = None

    @property
    def sentence(self) -> str:
        """Tell it in one line."""
        if self.listed is None:
            told = "listing repositories"
        else:
            told = f"{self.captured} of {self.listed} repositories captured"
        if self.failed:
            told += f", {self.failed} failed"
        if self.until:
            told += f", waiting for GitHub's rate limit until {self.until.astimezone(UTC):%H:%M:%S} UTC"
        return told


@dataclass
class RunReader:
    """Reads a run's progress, each receipt once."""

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
        """Describe the execution."""
        described: dict[str, Any] = self.deployment.client("stepfunctions").describe_execution(
            executionArn=self.execution_arn
        )
        return described

    def progress(self) -> Progress:
        """Say how far the run has come."""
        status = self.execution()["status"]
        if self._listed is None:
            self._listed = self._count_listed()
        for receipt in self.receipts():
            self._take(receipt)
        captured = {id_ for id_, answered in self._answered.items() if answered.issuperset(ENDPOINTS)}
        times = self._waits() if status == "RUNNING" else []
        return Progress(
            status=status,
            listed=self._listed,
            captured=len(captured),
            failed=len(self._refused - captured),
            waiting=len(times),
            until=min(times, default=None),
        )

    def summary(self) -> Summary | None:
        """Read the run's summary, the words of the e-mail; None where the run came to none."""
        text = self._read(summary_key(self.run_id))
        summary: Summary | None = json.loads(text) if text else None
        return summary

    def note(self, key: str) -> Any | None:
        """Read a note of the run; None where there is none."""
        text = self._read(key)
        return json.loads(text) if text else None

    def _take(self, receipt: Receipt) -> None:
        self._answered.setdefault(receipt["id"], set()).update(receipt["answered"])
        if receipt["outcome"] == "captured":
            self._refused.discard(receipt["id"])
        else:
            self._refused.add(receipt["id"])

    def _count_listed(self) -> int | None:
        text = self._read(manifest_key(self.run_id))
        return sum(len(batch["repositories"]) for batch in json.loads(text)) if text else None

    def receipts(self) -> Iterator[Receipt]:
        """Read the receipts that were not read before."""
        pages = self.deployment.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=receipts_prefix(self.run_id)):
            for entry in page.get("Contents", []):
                if entry["Key"] not in self._seen:
                    yield from json.loads(self._read(entry["Key"]) or "[]")
                    self._seen.add(entry["Key"])

    def _read(self, key: str) -> str | None:
        try:
            body: bytes = self.deployment.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as exc:
            if exc.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise
        return body.decode()

    def _waits(self) -> list[datetime]:
        """Say until when the run, or its children, wait: only those that run are asked, and they are few."""
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

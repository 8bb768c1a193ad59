"""A complete run by the real handlers, and the metrics that CloudWatch reads from their logs."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from lambdas.shared.deployed_archive import archive
from tests.unit.handlers import Account
from traffic.clock import to_text
from traffic.contract import Batch, ChildState, RunState, Summary
from traffic.errors import GitHubUnavailableError


@dataclass(frozen=True)
class Written:
    """One metric in one record of the embedded metric format."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str
    values: tuple[float, ...]

    @property
    def identity(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """What an alarm must specify to see it."""
        return self.namespace, self.name, self.dimensions


def metrics_in(log: str) -> list[Written]:
    """Return every metric in a function's log, as CloudWatch reads them.

    Source:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    records = [json.loads(line) for line in log.splitlines() if '"CloudWatchMetrics"' in line]
    return [
        Written(
            directive["Namespace"],
            metric["Name"],
            tuple((name, record[name]) for name in sorted(names)),
            metric["Unit"],
            tuple(record[metric["Name"]]),
        )
        for record in records
        for directive in record["_aws"]["CloudWatchMetrics"]
        for names in directive["Dimensions"]
        for metric in directive["Metrics"]
    ]


def values(log: str, name: str) -> list[float]:
    """Return the values of one metric, in order."""
    return [value for metric in metrics_in(log) if metric.name == name for value in metric.values]


def run(aws: Account, run_id: str = "run-1") -> Summary:
    """Run as the definition does, but go on at once when it waits for GitHub's limit."""
    state: RunState = {"run": {"id": run_id, "started": to_text(datetime.now(UTC))}, "input": {}}
    while "manifest" not in state:
        state = aws.list_repositories_from(state)
        state.pop("resume_at", None)
    for batch in archive().read_note(state["manifest"]["key"]) or []:
        _capture(aws, state, batch)
    return aws.summarize(state)


def _capture(aws: Account, state: RunState, batch: Batch) -> None:
    child: ChildState = {"run": state["run"], "batch": batch}
    while True:
        try:
            child = aws.fetch(child)
        except GitHubUnavailableError:
            continue  # the definition's Retry
        child.pop("resume_at", None)
        if "key" in child["batch"]:
            aws.store(child)
        if child["batch"]["repositories"]:
            continue
        if "lane" not in child["batch"] or child["batch"]["at"]["part"] >= child["batch"]["lane"]["last"]:
            return
        child["batch"]["at"]["part"] += 1

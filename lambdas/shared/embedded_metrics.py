"""Writes metrics to the function's log in CloudWatch's embedded metric format: calls to GitHub, waits.

Source:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

if TYPE_CHECKING:  # Summarize run writes metrics, too, and starts faster without the client
    from traffic.github.client import GitHub

NAMESPACE = "GitHubTrafficCapture"  # the stack's alarms and its dashboard name it, and the dimension `service`

# One value for all functions and repositories: each other value would be another metric to pay for.
SERVICE = "github"


@contextmanager
def counted(github: "GitHub") -> Iterator[None]:
    """Write how many calls were made in the block, and how many GitHub still allows; also if one of them raises.

    Each invocation writes its own calls, once. A retry makes calls, too, and writes them.
    """
    before = github.calls
    try:
        yield
    finally:
        calls = github.calls - before
        write(SERVICE, {"GitHubCalls": calls, "RemainingBudget": github.remaining if calls else None})


def write_wait(resume_at: datetime, now: datetime) -> None:
    """Write how many seconds GitHub wants the run to wait.

    Children that wait at the same time write a wait each. The run waited for the longest of them, not for the sum.
    """
    write(SERVICE, {"WaitedSeconds": max((resume_at - now).total_seconds(), 0.0)}, MetricUnit.Seconds)


def write(service: str, numbers: Mapping[str, float | None], unit: MetricUnit = MetricUnit.Count) -> None:
    """Write numbers as one record. An unknown number, None, is not written."""
    # Ephemeral: each call writes its own numbers, also if a test or a warm function calls twice.
    metrics = EphemeralMetrics(namespace=NAMESPACE, service=service)
    for name, value in numbers.items():
        if value is not None:
            metrics.add_metric(name=name, unit=unit, value=value)
    metrics.flush_metrics()

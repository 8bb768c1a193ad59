"""What CloudWatch measured while a run went on."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from cli.runs.prices import MEMORY
from cli.stack.deployment import Deployment

MINUTE = 60  # seconds: the finest that AWS keeps of these, for 15 days
TABLES = ("TrafficTable", "RepositoriesTable", "SnapshotsTable")


@dataclass(frozen=True)
class Measured:
    """What the functions and tables used in a run's minutes.

    Attributes:
        function_seconds: For which AWS charges.
        gigabyte_seconds: The same, weighed with each function's memory.
        writes: Write units.
        reads: Read units.
    """

    function_seconds: float
    gigabyte_seconds: float
    writes: float
    reads: float


def measured(deployment: Deployment, begun: datetime, ended: datetime, calls: int) -> Measured | None:
    """Read what was used in the minutes of a run. Runs that overlapped are in it, too.

    Args:
        deployment: The stack.
        begun: When the run began.
        ended: When it ended.
        calls: Of functions, that the run made.

    Returns:
        None where CloudWatch does not know all of it: on the local engine, in the minutes after a run, and 15 days
        later.

    Source:
        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html (Duration, in milliseconds)
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html (Consumed...Units)
    """
    span = {
        "StartTime": begun.replace(second=0, microsecond=0),
        "EndTime": ended.replace(second=0, microsecond=0) + timedelta(seconds=MINUTE),
    }
    functions, tables = _functions(deployment), [deployment.output(name) for name in TABLES]
    try:
        durations = {name: _sums(deployment, span, "Lambda", "Duration", FunctionName=name) for name in functions}
        if sum(count for _, count in durations.values()) < calls:
            return None
        written, read = (
            [_sums(deployment, span, "DynamoDB", metric, TableName=table) for table in tables]
            for metric in ("ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits")
        )
        if not any(count for _, count in read):  # every run reads; the local engine measures functions alone
            return None
        units = (sum(total for total, _ in each) for each in (written, read))
        seconds = {name: milliseconds / 1000 for name, (milliseconds, _) in durations.items()}
        weighed = (seconds[name] * _megabytes(name) / 1024 for name in seconds)
        return Measured(sum(seconds.values()), sum(weighed), *units)
    except ClientError:
        return None  # no right to read metrics


def _functions(deployment: Deployment) -> set[str]:
    """Name the functions that the definition calls."""
    described = deployment.client("stepfunctions").describe_state_machine(
        stateMachineArn=deployment.output("StateMachineArn")
    )
    return set(re.findall(r":function:([\w-]+)", described["definition"]))


def _megabytes(name: str) -> int:
    """Return the memory of a function. CloudFormation names it after the stack and its logical id."""
    return next((megabytes for logical, megabytes in MEMORY.items() if logical in name), max(MEMORY.values()))


def _sums(deployment: Deployment, span: Mapping[str, Any], service: str, metric: str, **of: str) -> tuple[float, float]:
    """Add up a metric: the sum of its values, and how many there are."""
    points = deployment.client("cloudwatch").get_metric_statistics(
        Namespace=f"AWS/{service}",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in of.items()],
        Period=MINUTE,
        Statistics=["Sum", "SampleCount"],
        **span,
    )["Datapoints"]
    return math.fsum(point["Sum"] for point in points), sum(point["SampleCount"] for point in points)

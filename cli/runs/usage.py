"""Adds up what a finished run used, from its histories, its receipts and CloudWatch."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from botocore.exceptions import ClientError

from cli.runs.cost_table import ROWS, Used, dollars, reads, requests_and_logs, writes
from cli.runs.executions import children_of, visits_of
from cli.runs.prices import GET, GIGABYTE_SECOND, LOGGED, MEMORY, PUT, READ, TRACE, TRANSITION, WRITE
from cli.runs.progress import RunReader
from cli.runs.visits import StateVisit
from cli.stack.deployment import Deployment

# The function of each task. The definition's other tasks call no function.
FUNCTIONS = {
    "List repositories": "ListRepos",
    "Fetch traffic": "FetchTraffic",
    "Store traffic": "StoreTraffic",
    "Summarize run": "SummarizeRun",
}

MINUTE = 60  # seconds: CloudWatch's shortest period for these metrics, kept for 15 days
TABLES = ("TrafficTable", "RepositoriesTable", "SnapshotsTable")


@dataclass(frozen=True)
class Usage:
    """What a run used.

    Attributes:
        used: How much of what each price is for.
        function_seconds: The functions' time: measured, or from each task's start to its end, which is a little longer.
        repositories: How many repositories something was stored for.
        measured: Whether time, writes and reads come from CloudWatch.
    """

    used: Used
    function_seconds: float
    repositories: int
    measured: bool = False

    @property
    def rows(self) -> list[tuple[str, str, float]]:
        """What was used, how much of it, and dollars: the rows of the cost table that depend on the run."""
        most = "" if self.measured else "at most "
        amounts = {
            "state transitions": f"{self.used[TRANSITION]:g}",
            "Lambda": f"{self.function_seconds:.1f} s, {self.used[GIGABYTE_SECOND]:.1f} GB-s",
            "DynamoDB writes": f"{most}{self.used[WRITE]:g} units",
            "DynamoDB reads": f"{most}{self.used[READ]:g} units",
            "S3 requests": f"about {self.used[PUT]:g} writes, {self.used[GET]:g} reads",
            "logs": f"about {self.used[LOGGED] * 1024**2:.0f} KB",
            "X-Ray traces": f"at most {self.used[TRACE]:g}",
        }
        return [(what, amount, dollars(self.used, *ROWS[what])) for what, amount in amounts.items()]


@dataclass(frozen=True)
class Measured:
    """What the functions and tables used during a run, as CloudWatch measured it.

    Attributes:
        function_seconds: Seconds that AWS charges for.
        gigabyte_seconds: The same seconds, each multiplied by its function's memory.
        writes: Write units.
        reads: Read units.
    """

    function_seconds: float
    gigabyte_seconds: float
    writes: float
    reads: float


def usage(deployment: Deployment, reader: RunReader, execution: Mapping[str, Any]) -> Usage:
    """Add up what a run and its children used."""
    children = [child["executionArn"] for child in children_of(deployment, reader.execution_arn)]
    histories = chain.from_iterable(visits_of(deployment, arn) for arn in (reader.execution_arn, *children))
    transitions, calls, seconds = add_up(visits := list(histories))
    rounds = sum(visit.name == "Store traffic" for visit in visits)
    receipts = list(reader.receipts())
    stored = len({receipt["id"] for receipt in receipts})
    found = _measured(deployment, execution["startDate"], execution["stopDate"], calls)
    changed = sum(receipt["items_changed"] for receipt in receipts)
    weighed = sum(seconds[task] * MEMORY[FUNCTIONS[task]] / 1024 for task in seconds)
    used = {
        **requests_and_logs(stored, len(children), rounds, calls),
        TRANSITION: transitions,
        GIGABYTE_SECOND: found.gigabyte_seconds if found else weighed,
        WRITE: found.writes if found else writes(stored, changed),
        READ: found.reads if found else reads(stored),
    }
    return Usage(used, found.function_seconds if found else sum(seconds.values()), stored, measured=found is not None)


def add_up(visits: Iterable[StateVisit]) -> tuple[int, int, dict[str, float]]:
    """Return the number of transitions, the number of calls of functions, and the seconds by the name of each task.

    Source:
        https://aws.amazon.com/step-functions/pricing/ ("a state transition each time a step is executed", retries too)
    """
    now, transitions, calls, seconds = datetime.now(UTC), 0, 0, dict[str, float]()
    for visit in visits:
        transitions += 1 + visit.retries
        if visit.name in FUNCTIONS:
            seconds[visit.name] = seconds.get(visit.name, 0.0) + visit.seconds(now)
            calls += visit.attempts
    return transitions, calls, seconds


def _measured(deployment: Deployment, begun: datetime, ended: datetime, calls: int) -> Measured | None:
    """Read what CloudWatch measured in the minutes of a run. Runs that overlapped are included.

    Args:
        deployment: The stack.
        begun: When the run began.
        ended: When it ended.
        calls: How many calls of functions the run made.

    Returns:
        None if CloudWatch does not hold all of it: on the local engine, in the first minutes after a run, and after
        15 days.

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
        if not any(count for _, count in read):  # every run reads; the local engine measures only functions
            return None
        units = (sum(total for total, _ in each) for each in (written, read))
        seconds = {name: milliseconds / 1000 for name, (milliseconds, _) in durations.items()}
        weighed = (seconds[name] * _megabytes(name) / 1024 for name in seconds)
        return Measured(sum(seconds.values()), sum(weighed), *units)
    except ClientError:
        return None  # these credentials may not read metrics


def _functions(deployment: Deployment) -> set[str]:
    """Return the names of the functions that the definition calls."""
    described = deployment.client("stepfunctions").describe_state_machine(
        stateMachineArn=deployment.output("StateMachineArn")
    )
    return set(re.findall(r":function:([\w-]+)", described["definition"]))


def _megabytes(name: str) -> int:
    """Return the memory of a function in MB. Its name holds its logical id, because CloudFormation chose the name."""
    return next((megabytes for logical, megabytes in MEMORY.items() if logical in name), max(MEMORY.values()))


def _sums(deployment: Deployment, span: Mapping[str, Any], service: str, metric: str, **of: str) -> tuple[float, float]:
    """Return the sum of a metric's values, and how many values there are."""
    points = deployment.client("cloudwatch").get_metric_statistics(
        Namespace=f"AWS/{service}",
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in of.items()],
        Period=MINUTE,
        Statistics=["Sum", "SampleCount"],
        **span,
    )["Datapoints"]
    return math.fsum(point["Sum"] for point in points), sum(point["SampleCount"] for point in points)

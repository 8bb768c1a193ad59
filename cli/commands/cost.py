"""`traffic cost`: what a finished execution cost, from its own histories and receipts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import click

from cli.arguments import Target
from cli.command import command
from cli.runs.cost_table import ROWS, RUNS, Used, dollars, reads, requests_and_logs, writes
from cli.runs.executions import children_of, describe, execution_arn, newest_executions, visits_of
from cli.runs.prices import (
    GET,
    GIGABYTE_SECOND,
    LOGGED,
    MEMORY,
    PUT,
    READ,
    TRACE,
    TRANSITION,
    WRITE,
)
from cli.runs.progress import RunReader
from cli.runs.usage import measured
from cli.runs.visits import StateVisit
from cli.stack.deployment import Deployment
from cli.stack.opening import opened
from cli.terminal import CommandError, plain, say, table

# The function of each task; the definition's other tasks are no functions.
FUNCTIONS = {
    "List repositories": "ListRepos",
    "Fetch traffic": "FetchTraffic",
    "Store traffic": "StoreTraffic",
    "Summarize run": "SummarizeRun",
}

EXAMPLES = """examples:
  traffic cost                                    the last run that ended
  traffic cost manual-20261120T090000Z-1f3a       one run, by name or ARN
  traffic cost --aws                              a run in AWS, by its own histories there

Prices are those of us-east-1, without the free tier. On this machine nothing is charged: it says what such a run takes.
In AWS, CloudWatch knows what functions and tables used, from some minutes after a run and for 15 days. Without it the
functions' time is that of the histories, and writes and reads are those of the receipts, at most.
"""


@dataclass(frozen=True)
class Usage:
    """What an execution used.

    Attributes:
        used: By price: how much.
        function_seconds: From each task's start to its end: the functions' time, and a little of the service's.
        repositories: Repositories of which something was stored.
        measured: Whether time, writes and reads are CloudWatch's.
    """

    used: Used
    function_seconds: float
    repositories: int
    measured: bool = False

    @property
    def rows(self) -> list[tuple[str, str, float]]:
        """What was used, how much of it, and dollars. The rows of the README's table that a run decides."""
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


@command(EXAMPLES)
@click.argument("name", required=False, metavar="[NAME]", help="the run, by name or ARN (default: the last that ended)")
def execute(target: Target, name: str | None) -> int:
    """Show what a finished run cost, from its own histories and receipts."""
    with opened(target) as deployment:
        show_cost(deployment, name)
    return 0


def show_cost(deployment: Deployment, name: str | None) -> None:
    """Print what a run cost, by what was used, and together.

    Raises:
        CommandError: There is no such run, or it has not ended.
    """
    arn = execution_arn(deployment, name) if name else last_ended(deployment)
    reader = RunReader(deployment, arn)
    execution = describe(reader, name or arn)
    if execution["status"] == "RUNNING":
        raise CommandError(f"{plain(execution['name'])} has not ended: its cost is known when it has.")
    used = usage(deployment, reader, execution)
    say(f"{execution['name']}  {execution['status']}  {used.repositories} repositories stored")
    total = sum(row[-1] for row in used.rows)
    rows = [*used.rows, ("together", "", total), ("a month of such runs", f"{RUNS} runs", total * RUNS)]
    table(("WHAT", "HOW MUCH", "DOLLARS"), [(what, much, f"{price:.6f}") for what, much, price in rows])


def last_ended(deployment: Deployment) -> str:
    """Give the ARN of the last run that ended.

    Raises:
        CommandError: There is none among the last hundred.
    """
    ended = (each for each in newest_executions(deployment, 100) if each["status"] != "RUNNING")
    found = next(ended, None)
    if found is None:
        raise CommandError("No run has ended yet: `traffic run` starts one.")
    return str(found["executionArn"])


def usage(deployment: Deployment, reader: RunReader, execution: Mapping[str, Any]) -> Usage:
    """Add up what a run and its children used."""
    children = [child["executionArn"] for child in children_of(deployment, reader.execution_arn)]
    histories = chain.from_iterable(visits_of(deployment, arn) for arn in (reader.execution_arn, *children))
    transitions, calls, seconds = add_up(histories)
    receipts = list(reader.receipts())
    stored = len({receipt["id"] for receipt in receipts})
    found = (
        measured(deployment, execution["startDate"], execution["stopDate"], calls) if "stopDate" in execution else None
    )
    changed = sum(receipt["items_changed"] for receipt in receipts)
    used = {
        **requests_and_logs(stored, len(children), calls),
        TRANSITION: transitions,
        GIGABYTE_SECOND: found.gigabyte_seconds if found else sum(map(gigabyte_seconds, seconds, seconds.values())),
        WRITE: found.writes if found else writes(stored, changed),
        READ: found.reads if found else reads(stored),
    }
    return Usage(used, found.function_seconds if found else sum(seconds.values()), stored, measured=found is not None)


def add_up(visits: Iterable[StateVisit]) -> tuple[int, int, dict[str, float]]:
    """Count transitions and calls of functions, and the seconds of tasks by the name of the task.

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


def gigabyte_seconds(task: str, seconds: float) -> float:
    """Weigh the seconds of a task's function with its memory."""
    return seconds * MEMORY[FUNCTIONS[task]] / 1024

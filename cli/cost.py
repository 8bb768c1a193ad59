"""`traffic cost`: what a finished execution cost, from its own histories and receipts."""

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from cli.deployment import Deployment
from cli.executions import children_of, describe, execution_arn, newest_executions, visits_of
from cli.history import StateVisit
from cli.metrics import measured
from cli.opening import opened
from cli.prices import ENTRY_AND_SNAPSHOT, GIGABYTE_SECOND, GIGABYTES, ITEMS_READ, READ, TRANSITION, WRITE
from cli.progress import RunReader
from cli.terminal import CommandError, plain, say, table

PUBLISH = "Publish summary"  # the one task that is no function

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
        transitions: Of the run and its children; a retry is one, too.
        function_seconds: From each task's beginning to its end: the functions' time, and a little of the service's.
        writes: Items written, at most: the days that changed, and two items for each repository that was stored.
        reads: Read units, at most.
        repositories: Of which something was stored.
        measured: Whether time, writes and reads are CloudWatch's.
    """

    transitions: int
    function_seconds: float
    writes: float
    reads: float
    repositories: int
    measured: bool = False

    @property
    def rows(self) -> list[tuple[str, str, float]]:
        """What was used, how much of it, and dollars."""
        most = "" if self.measured else "at most "
        return [
            ("state transitions", str(self.transitions), self.transitions * TRANSITION),
            (
                "Lambda",
                f"{self.function_seconds:.1f} s at {GIGABYTES * 1024:.0f} MB",
                self.function_seconds * GIGABYTES * GIGABYTE_SECOND,
            ),
            ("DynamoDB writes", f"{most}{self.writes:g}", self.writes * WRITE),
            ("DynamoDB reads", f"{most}{self.reads:g}", self.reads * READ),
        ]


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """Add `traffic cost` to the commands."""
    parser = commands.add_parser(
        "cost",
        help="price a finished run",
        description="Price a finished run from its own histories and receipts.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=parents,
    )
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="the run, by name or ARN (default: the last that ended)"
    )
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Print what a run cost."""
    with opened(arguments) as deployment:
        show_cost(deployment, arguments.name)
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
    total = sum(dollars for *_, dollars in used.rows)
    rows = [*used.rows, ("together", "", total), ("a month of such runs", "30 runs", total * 30)]
    table(("WHAT", "HOW MUCH", "DOLLARS"), [(what, much, f"{dollars:.6f}") for what, much, dollars in rows])


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
    children = (child["executionArn"] for child in children_of(deployment, reader.execution_arn))
    transitions, calls, seconds = add_up(
        chain.from_iterable(visits_of(deployment, a) for a in (reader.execution_arn, *children))
    )
    receipts = list(reader.receipts())
    stored = len({receipt["id"] for receipt in receipts})
    found = (
        measured(deployment, execution["startDate"], execution["stopDate"], calls) if "stopDate" in execution else None
    )
    if found is not None:
        return Usage(transitions, found.function_seconds, found.writes, found.reads, stored, measured=True)
    changed = sum(receipt["items_changed"] for receipt in receipts)
    return Usage(transitions, seconds, changed + stored * ENTRY_AND_SNAPSHOT, stored * ITEMS_READ, stored)


def add_up(visits: Iterable[StateVisit]) -> tuple[int, int, float]:
    """Count transitions and calls of functions, and the seconds of tasks.

    Source:
        https://aws.amazon.com/step-functions/pricing/ ("a state transition each time a step is executed", retries too)
    """
    now, transitions, calls, seconds = datetime.now(UTC), 0, 0, 0.0
    for visit in visits:
        transitions += 1 + visit.retries
        if visit.kind == "Task":
            seconds += visit.seconds(now)
            calls += visit.attempts if visit.name != PUBLISH else 0
    return transitions, calls, seconds

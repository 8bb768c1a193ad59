"""`traffic cost`: shows what a finished run cost."""

import click

from cli.command import Target, command, read_execution
from cli.pager import paged
from cli.runs.cost_table import RUNS
from cli.runs.executions import execution_arn, newest_executions
from cli.runs.progress import RunReader
from cli.runs.usage import usage
from cli.stack.deployment import Deployment, opened
from cli.terminal import CommandError, plain, say, table
from traffic.wording import repositories

EXAMPLES = """examples:
  traffic cost                                    the last run that ended
  traffic cost manual-20261120T090000Z-1f3a       one run, by name or ARN
  traffic cost --aws                              the last run of the stack in AWS that ended

Prices are those of us-east-1, without the free tier. A run on this machine costs nothing: the command shows what the
same run would cost in AWS. In AWS, CloudWatch measures what functions and tables use. Its numbers are available some
minutes after a run, and for 15 days. Without them, the functions' time comes from the histories, and writes and reads
are the most that the receipts allow.
"""

LATEST = 100  # runs among which the last one that ended is looked for


@command(EXAMPLES)
@click.argument(
    "name",
    required=False,
    type=read_execution,
    metavar="[NAME]",
    help="the run, by name or ARN (default: the last that ended)",
)
def execute(target: Target, name: str | None) -> int:
    """Show what a finished run cost, from its own histories and receipts."""
    with paged(), opened(target) as deployment:
        show_cost(deployment, name)
    return 0


def show_cost(deployment: Deployment, name: str | None) -> None:
    """Print what a run cost: each thing that was used, and the total.

    Raises:
        CommandError: There is no such run, or it has not ended yet.
    """
    arn = execution_arn(deployment, name) if name else last_ended(deployment)
    reader = RunReader(deployment, arn)
    execution = reader.execution()
    if execution["status"] == "RUNNING":
        raise CommandError(f"{plain(execution['name'])} has not ended: try again after its end.")
    used = usage(deployment, reader, execution)
    say(f"{execution['name']}  {execution['status']}  {repositories(used.repositories)} stored")
    total = sum(row[-1] for row in used.rows)
    rows = [*used.rows, ("together", "", total), ("a month of such runs", f"{RUNS} runs", total * RUNS)]
    table(("WHAT", "HOW MUCH", "DOLLARS"), [(what, much, f"{price:.6f}") for what, much, price in rows])


def last_ended(deployment: Deployment) -> str:
    """Return the ARN of the last run that ended.

    Raises:
        CommandError: None of the last 100 runs has ended.
    """
    ended = (each for each in newest_executions(deployment, LATEST) if each["status"] != "RUNNING")
    found = next(ended, None)
    if found is None:
        raise CommandError("No run has ended yet: `traffic run` starts one.")
    return str(found["executionArn"])

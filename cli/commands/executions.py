"""`traffic executions`: lists the runs so far, or shows one in detail."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import click

from cli.command import Target, command, read_execution
from cli.pager import paged
from cli.runs.executions import at, children_of, execution_arn, lasted, newest_executions, visits_of
from cli.runs.progress import RunReader
from cli.runs.visits import StateVisit, explain
from cli.stack.deployment import Deployment, opened
from cli.terminal import duration, plain, say, table
from traffic.wording import counted

EXAMPLES = """examples:
  traffic executions                          the last runs, newest first
  traffic executions --limit 100              more of them
  traffic executions manual-20261120T090000Z-1f3a             one run: its states, and the children that failed
  traffic executions manual-20261120T090000Z-1f3a --children  all its children

columns of the list: status, name, start, duration, the subject of its e-mail
"""

CHILDREN_SHOWN = 10
STATES_SHOWN = 50  # of a child; a lane passes through thousands, and then only those that failed are shown


@command(EXAMPLES)
@click.argument("name", required=False, type=read_execution, metavar="[NAME]", help="the run to show, by name or ARN")
@click.option("--limit", type=click.IntRange(1), default=20, metavar="N", help="how many runs to list (default: 20)")
@click.option("--children", is_flag=True, help="show all children of the map, not the failed ones only")
def execute(target: Target, name: str | None, limit: int, *, children: bool) -> int:
    """List the runs so far, or show each state, retry, wait and failure of one."""
    with paged(), opened(target) as deployment:
        if name:
            show_execution(deployment, name, all_children=children)
        else:
            list_runs(deployment, limit)
    return 0


def list_runs(deployment: Deployment, limit: int) -> None:
    """Print the last runs, the newest first."""
    table(
        ("STATUS", "NAME", "STARTED", "DURATION", "SUMMARY"),
        [
            (run["status"], run["name"], at(run["startDate"]), lasted(run), _subject(deployment, run))
            for run in newest_executions(deployment, limit)
        ],
    )


def _subject(deployment: Deployment, run: dict[str, Any]) -> str:
    summary = RunReader(deployment, run["executionArn"]).summary()
    return summary["subject"] if summary else ""


def show_execution(deployment: Deployment, name: str, *, all_children: bool) -> None:
    """Print one execution: its states, the children of its map, and its summary."""
    reader = RunReader(deployment, execution_arn(deployment, name))
    execution = reader.execution()
    say(f"{execution['name']}  {execution['status']}  {at(execution['startDate'])}  {lasted(execution)}")
    reason = reader.reason(execution)
    if reason:
        say(plain(reason))
    say()
    show_states(visits_of(deployment, execution["executionArn"]))
    show_children(deployment, execution["executionArn"], all_children=all_children)
    summary = reader.summary()
    if summary:
        say()
        say("\n".join(plain(line) for line in summary["message"].splitlines()))


def show_states(visits: Iterable[StateVisit]) -> None:
    """Print each visit of a state."""
    now = datetime.now(UTC)
    table(
        ("STATE", "KIND", "STARTED", "DURATION", "RETRIES", "WHAT HAPPENED"),
        [
            (
                visit.name,
                visit.kind,
                at(visit.entered),
                duration(visit.seconds(now)),
                visit.retries or "",
                _happened(visit),
            )
            for visit in visits
        ],
    )


def _happened(visit: StateVisit) -> str:
    wait = [f"waits until {visit.until}"] if visit.until else []
    return "; ".join(wait + visit.failures)


def show_children(deployment: Deployment, arn: str, *, all_children: bool) -> None:
    """Print how the children of the map ended: the failed ones first, the others only if all are wanted."""
    children = children_of(deployment, arn)
    if not children:
        return
    say()
    say(f"{counted(len(children), 'child', 'children')}: {_counted(children)}")
    failed = [child for child in children if child["status"] != "SUCCEEDED"]
    succeeded = [child for child in children if child["status"] == "SUCCEEDED"]
    shown = failed + succeeded if all_children else failed[:CHILDREN_SHOWN]
    for child in shown:
        _show_child(deployment, child)
    if len(shown) < len(children):
        say(f"{len(children) - len(shown)} more: --children shows all.")


def _counted(children: list[dict[str, Any]]) -> str:
    statuses = sorted({child["status"] for child in children})
    return ", ".join(f"{sum(child['status'] == status for child in children)} {status}" for status in statuses)


def _show_child(deployment: Deployment, child: dict[str, Any]) -> None:
    described = deployment.client("stepfunctions").describe_execution(executionArn=child["executionArn"])
    say()
    say(f"{child['name']}  {child['status']}  {at(child['startDate'])}  {lasted(child)}")
    say(plain(repositories_of(described.get("input"))))
    reason = explain(described.get("error"), described.get("cause"))
    if reason:
        say(plain(reason))
    visits = visits_of(deployment, child["executionArn"])
    shown = [visit for visit in visits[:-1] if visit.failures] + visits[-1:]
    if len(visits) <= STATES_SHOWN:
        shown = visits
    show_states(shown)
    if len(shown) < len(visits):
        say(f"{counted(len(visits) - len(shown), 'more state', 'more states')}, without a failure.")


def repositories_of(child_input: str | None) -> str:
    """Return the names of the repositories in a child's batch, at most five of them; or a lane's batches."""
    try:
        batch = json.loads(child_input or "")["batch"]
        if "lane" in batch:
            return f"a lane: batches {batch['at']['part'] + 1} to {batch['lane']['last'] + 1} of the run"
        names = [repository["name"] for repository in batch["repositories"]]
    except (ValueError, KeyError, TypeError):
        return ""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(islice(names, 5)) + more

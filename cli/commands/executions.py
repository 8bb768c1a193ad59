"""`traffic executions`: the runs so far, and one of them in detail."""

import argparse
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from cli.runs.progress import RunReader
from cli.runs.visits import StateVisit, explain, state_visits
from cli.stack.deployment import Deployment
from cli.stack.opening import opened
from cli.terminal import CommandError, duration, plain, say, table

EXAMPLES = """examples:
  traffic executions                          the last runs, newest first
  traffic executions --limit 100              more of them
  traffic executions manual-20261120T090000Z-1f3a             one run: its states, and the children that failed
  traffic executions manual-20261120T090000Z-1f3a --children  all its children

columns of the list: status, name, start, duration, what its e-mail was titled
"""

CHILDREN_SHOWN = 10


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """Add `traffic executions` to the commands."""
    parser = commands.add_parser(
        "executions",
        help="list the runs so far, or show one in detail",
        description="List the runs so far, or show each state, retry, wait and failure of one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=parents,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="the run to show, by name or ARN")
    parser.add_argument("--limit", type=positive, default=20, metavar="N", help="how many runs to list (default: 20)")
    parser.add_argument(
        "--children", action="store_true", help="show all children of the map, not the failed ones only"
    )
    parser.set_defaults(execute=execute)


def positive(text: str) -> int:
    """Read a number of at least 1.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return int(text)


def execute(arguments: argparse.Namespace) -> int:
    """Show what was asked for."""
    with opened(arguments) as deployment:
        if arguments.name:
            show_execution(deployment, arguments.name, all_children=arguments.children)
        else:
            list_runs(deployment, arguments.limit)
    return 0


def newest_executions(deployment: Deployment, limit: int) -> list[dict[str, Any]]:
    """Give the last executions of the state machine, the newest first."""
    pages = deployment.client("stepfunctions").get_paginator("list_executions")
    found = pages.paginate(stateMachineArn=deployment.output("StateMachineArn"), PaginationConfig={"MaxItems": limit})
    return [execution for page in found for execution in page["executions"]]


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
    execution = describe(reader, name)
    say(f"{execution['name']}  {execution['status']}  {at(execution['startDate'])}  {lasted(execution)}")
    reason = explain(execution.get("error"), execution.get("cause"))
    if reason:
        say(plain(reason))
    say()
    show_states(visits_of(deployment, execution["executionArn"]))
    showchildren_of(deployment, execution["executionArn"], all_children=all_children)
    summary = reader.summary()
    if summary:
        say()
        say("\n".join(plain(line) for line in summary["message"].splitlines()))


def execution_arn(deployment: Deployment, name: str) -> str:
    """Give the ARN of an execution of the state machine; an ARN is taken as it is."""
    if name.startswith("arn:"):
        return name
    return deployment.output("StateMachineArn").replace(":stateMachine:", ":execution:") + f":{name}"


def describe(reader: RunReader, name: str) -> dict[str, Any]:
    """Describe an execution.

    Raises:
        CommandError: There is none of that name.
    """
    try:
        return reader.execution()
    except ClientError as exc:
        if exc.response["Error"]["Code"] not in ("ExecutionDoesNotExist", "InvalidArn"):
            raise
        raise CommandError(
            f"There is no execution {name!r}: `traffic executions{reader.deployment.options}` lists those there are."
        ) from exc


def visits_of(deployment: Deployment, arn: str) -> list[StateVisit]:
    """Read the states that an execution passed through."""
    pages = deployment.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    return state_visits(event for page in pages for event in page["events"])


def show_states(visits: Iterable[StateVisit]) -> None:
    """Print each passage through a state."""
    now = datetime.now(UTC)
    table(
        ("STATE", "KIND", "STARTED", "DURATION", "RETRIES", "WHAT HAPPENED"),
        [
            (visit.name, visit.kind, at(visit.entered), duration(visit.seconds(now)), visit.retries or "", _told(visit))
            for visit in visits
        ],
    )


def _told(visit: StateVisit) -> str:
    told = [f"waits until {visit.until}"] if visit.until else []
    return "; ".join(told + visit.failures)


def showchildren_of(deployment: Deployment, arn: str, *, all_children: bool) -> None:
    """Print how the children of the map ended: those that failed first, the others where all are asked for."""
    children = children_of(deployment, arn)
    if not children:
        return
    say()
    say(f"{len(children)} children: {_counted(children)}")
    failed = [child for child in children if child["status"] != "SUCCEEDED"]
    succeeded = [child for child in children if child["status"] == "SUCCEEDED"]
    shown = failed + succeeded if all_children else failed[:CHILDREN_SHOWN]
    for child in shown:
        _show_child(deployment, child)
    if len(shown) < len(children):
        say(f"{len(children) - len(shown)} more: --children shows all.")


def children_of(deployment: Deployment, arn: str) -> list[dict[str, Any]]:
    """List the child executions of a run's Map."""
    client = deployment.client("stepfunctions")
    pages = client.get_paginator("list_executions")
    return [
        child
        for map_run in client.list_map_runs(executionArn=arn)["mapRuns"]
        for page in pages.paginate(mapRunArn=map_run["mapRunArn"])
        for child in page["executions"]
    ]


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
    show_states(visits_of(deployment, child["executionArn"]))


def at(moment: datetime) -> str:
    """Write a moment as the rest of the system does, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def lasted(execution: dict[str, Any]) -> str:
    """Say how long an execution took, or has taken until now."""
    return duration(((execution.get("stopDate") or datetime.now(UTC)) - execution["startDate"]).total_seconds())


def repositories_of(child_input: str | None) -> str:
    """Name the repositories that a child was given, the first few of a batch."""
    try:
        names = [repository["name"] for repository in json.loads(child_input or "")["batch"]["repositories"]]
    except (ValueError, KeyError, TypeError):
        return ""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(islice(names, 5)) + more

"""`traffic plan`: what the next run would do, and how many calls to GitHub that takes."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cli.deployment import Deployment
from cli.executions import newest_executions
from cli.opening import opened
from cli.progress import RunReader
from cli.terminal import CommandError, say, table
from cli.verify import items
from lambdas.shared.contract import manifest_key, not_due_key
from lambdas.shared.items import entry_of_item
from lambdas.shared.planning import NEVER_ASKED, Known, Plan, calls_granted, known_of, plan

EXAMPLES = """examples:
  traffic plan          on this machine
  traffic plan --aws    in AWS

Reads what the last run listed, and what is known of those repositories; GitHub is not asked, and nothing is started.
"""

SCHEDULED = 9  # o'clock UTC
RUN_HOURS = 20  # that a run may take
LATEST = 20  # runs that are looked at for a listing


@dataclass(frozen=True)
class Listed:
    """What a run listed.

    Attributes:
        run: Its name.
        ids: All repositories that were wanted, those that were not due among them.
        limit: Calls that GitHub grants an hour; None where it sets no limit, or did not say.
    """

    run: str
    ids: frozenset[int]
    limit: int | None


def add_parser(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    """Add `traffic plan` to the commands."""
    parser = commands.add_parser(
        "plan",
        help="show what the next run would do",
        description="Show whom the next run would ask, and how many calls to GitHub that takes.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=parents,
    )
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Print the plan."""
    with opened(arguments) as deployment:
        show_plan(deployment, next_run(datetime.now(UTC)))
    return 0


def next_run(now: datetime) -> date:
    """Name the day of the next scheduled run."""
    return now.date() if now.hour < SCHEDULED else now.date() + timedelta(days=1)


def show_plan(deployment: Deployment, day: date) -> None:
    """Print what a run on a day would do."""
    listed = last_listing(deployment)
    known = known_repositories(deployment, listed, day.toordinal())
    budget = calls_granted(listed.limit, None, RUN_HOURS)
    planned = plan(known, day.toordinal(), budget)
    say(f"The run of {day}, by what {listed.run} listed:")
    table(("WHAT", "HOW MANY"), plan_rows(planned, len(known), budget))


def plan_rows(planned: Plan, repositories: int, budget: int | None) -> list[tuple[str, object]]:
    """Say what a plan does, in rows."""
    waiting = sum(map(len, planned.not_due.values()))
    rows: list[tuple[str, object]] = [
        ("repositories", repositories),
        ("asked", len(planned.asked)),
        ("calls to GitHub, about", planned.calls),
        ("calls granted, less the reserve", "unknown" if budget is None else budget),
        ("not due", waiting),
    ]
    return rows + [
        (f"  due on {date.fromordinal(on)}", len(positions)) for on, positions in sorted(planned.not_due.items())
    ]


def last_listing(deployment: Deployment) -> Listed:
    """Read what the last run listed.

    Raises:
        CommandError: No run has listed anything.
    """
    for execution in newest_executions(deployment, LATEST):
        reader = RunReader(deployment, execution["executionArn"])
        batches = reader.note(manifest_key(reader.run_id))
        if batches:
            asked = {repository["id"] for batch in batches for repository in batch["repositories"]}
            not_due = reader.note(not_due_key(reader.run_id)) or {}
            ids = frozenset(asked.union(*not_due.values()))
            if ids:  # a date that was stored again from the archive lists objects, not repositories
                return Listed(reader.run_id, ids, limit_told(deployment, reader.execution_arn))
    raise CommandError("No run has listed any repositories yet: `traffic run` does.")


def limit_told(deployment: Deployment, arn: str) -> int | None:
    """Read from a run's history what GitHub granted when it listed."""
    pages = deployment.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    told = None
    for page in pages:
        for event in page["events"]:
            output = event.get("stateExitedEventDetails", {}).get("output", "{}")
            told = _limit_in(output) or told
    return told


def _limit_in(output: str) -> int | None:
    state = json.loads(output)
    listing = state.get("listing") if isinstance(state, Mapping) else None
    return listing.get("limit") if isinstance(listing, Mapping) else None


def known_repositories(deployment: Deployment, listed: Listed, today: int) -> list[Known]:
    """Read what is known of all that were listed."""
    known = {
        int(item["repo-id"]): known_of(entry_of_item(item), today)
        for item in items(deployment, "RepositoriesTable")
        if item["repo-id"].isdecimal() and int(item["repo-id"]) in listed.ids
    }
    return [known.get(id_, NEVER_ASKED) for id_ in sorted(listed.ids)]

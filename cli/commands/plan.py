"""`traffic plan`: shows what the next run would do, and how many calls to GitHub that takes."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from cli.command import Target, command
from cli.pager import paged
from cli.runs.executions import events_of, newest_executions
from cli.runs.progress import RunReader
from cli.stack.deployment import Deployment, opened
from cli.terminal import CommandError, say, table
from traffic.contract import manifest_key, not_due_key
from traffic.github.tokens import ANYONE, token_owner
from traffic.planning import NEVER_ASKED, Known, Plan, calls_granted, known_of, plan
from traffic.record.reading import Record

EXAMPLES = """examples:
  traffic plan          on this machine
  traffic plan --aws    in AWS

The command reads what the last run listed, and what the tables hold of those repositories. It sends nothing to GitHub,
and starts nothing.
"""

RUN_HOURS = 20  # a run's deadline
LATEST = 20  # runs among which the last listing is looked for


@dataclass(frozen=True)
class Listed:
    """What a run listed.

    Attributes:
        run: The run's name.
        owners: The owner whose token is used, by the id of each selected repository; None for those not due.
        limits: Calls that GitHub grants an hour, by the owner whose token is used; None if GitHub sets no limit.
    """

    run: str
    owners: Mapping[int, str | None]
    limits: Mapping[str, int | None]


@command(EXAMPLES)
def execute(target: Target) -> int:
    """Show which repositories the next run would ask for, and how many calls to GitHub that takes."""
    with paged(), opened(target) as deployment:
        show_plan(deployment, next_run(datetime.now(UTC), deployment.run_hour))
    return 0


def next_run(now: datetime, hour: int) -> date:
    """Return the day of the next run that the rule starts, every day at an hour in UTC."""
    return now.date() if now.hour < hour else now.date() + timedelta(days=1)


def show_plan(deployment: Deployment, day: date) -> None:
    """Print what a run on a day would do."""
    listed = last_listing(deployment)
    plans, budgets = [], []
    known = known_repositories(deployment.record, listed, day.toordinal())
    for owner, repositories in known.items():
        budgets.append(calls_granted(listed.limits.get(owner), None, RUN_HOURS))
        plans.append(plan(repositories, day.toordinal(), budgets[-1]))
    say(f"The run of {day}, based on what {listed.run} listed:")
    table(("WHAT", "HOW MANY"), plan_rows(plans, sum(map(len, known.values())), budgets))


def plan_rows(plans: Sequence[Plan], repositories: int, budgets: Sequence[int | None]) -> list[tuple[str, object]]:
    """Add up the plans, one for each token, and return them as rows."""
    waiting = Counter[int]()
    for planned in plans:
        waiting.update({day: len(positions) for day, positions in planned.not_due.items()})
    rows: list[tuple[str, object]] = [
        ("repositories", repositories),
        ("asked", sum(len(planned.asked) for planned in plans)),
        ("calls to GitHub, about", sum(planned.calls for planned in plans)),
        ("calls granted, less the reserve", "unknown" if None in budgets else sum(filter(None, budgets))),
        ("not due", waiting.total()),
    ]
    return rows + [(f"  due on {date.fromordinal(on)}", number) for on, number in sorted(waiting.items())]


def last_listing(deployment: Deployment) -> Listed:
    """Read what the last run listed.

    Raises:
        CommandError: No run has listed anything.
    """
    for execution in newest_executions(deployment, LATEST):
        reader = RunReader(deployment, execution["executionArn"])
        batches = reader.read_json(manifest_key(reader.run_id))
        if batches:
            owners: dict[int, str | None] = {
                repository["id"]: batch.get("owner", ANYONE)
                for batch in batches
                for repository in batch["repositories"]
            }
            not_due = reader.read_json(not_due_key(reader.run_id)) or {}
            owners |= {id_: None for ids in not_due.values() for id_ in ids}
            if owners:  # a run that stores a date again from the archive lists objects, not repositories
                return Listed(reader.run_id, owners, limits_of(deployment, reader.execution_arn))
    raise CommandError("No run has listed repositories yet: `traffic run` starts one.")


def limits_of(deployment: Deployment, arn: str) -> dict[str, int | None]:
    """Read from a run's history how many calls GitHub granted each token when the run listed repositories."""
    limits: dict[str, int | None] = {}
    for event in events_of(deployment, arn):
        limits |= _limits_in(event.get("stateExitedEventDetails", {}).get("output", "{}"))
    return limits


def _limits_in(output: str) -> dict[str, int | None]:
    state = json.loads(output)
    listing = state.get("listing") if isinstance(state, Mapping) else None
    tokens = listing.get("tokens", {}) if isinstance(listing, Mapping) else {}
    return {owner: token.get("limit") for owner, token in tokens.items()}


def known_repositories(record: Record, listed: Listed, today: int) -> dict[str, list[Known]]:
    """Read what the tables hold of all listed repositories, by the owner whose token is used."""
    entries = {each.id: each.entry for each in record.every_repository() if each.id in listed.owners}
    known: dict[str, list[Known]] = {}
    for id_, asks in sorted(listed.owners.items()):
        entry = entries.get(id_)
        owner = asks or (token_owner(entry.name, listed.limits) if entry and entry.names else None) or ANYONE
        known.setdefault(owner, []).append(known_of(entry, today) if entry else NEVER_ASKED)
    return known

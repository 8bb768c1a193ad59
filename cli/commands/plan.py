"""`traffic plan`: shows what the next run would do within GitHub's limits, and when it would be over."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from cli.command import Target, command
from cli.pager import paged
from cli.runs.executions import events_of, newest_executions
from cli.runs.progress import RunReader
from cli.stack.deployment import Deployment, opened
from cli.terminal import CommandError, say, table
from traffic.contract import TokenSaid, manifest_key, not_due_key
from traffic.github.pace import POINTS, SECONDS
from traffic.github.tokens import ANYONE, token_owner
from traffic.planning import (
    NEVER_ASKED,
    RESPONSE_SECONDS,
    Known,
    Plan,
    by_user,
    calls_a_minute,
    calls_an_hour,
    calls_granted,
    known_of,
    limit_of,
    listing_calls,
    plan,
    run_seconds,
)
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
        tokens: What GitHub reported about each token, by its owner.
    """

    run: str
    owners: Mapping[int, str | None]
    tokens: Mapping[str, TokenSaid]


@dataclass(frozen=True)
class UserPlan:
    """A user's part of a run.

    Attributes:
        repositories: How many are selected.
        planned: Those that are asked for, and the others.
        calls: The expected number of calls, those of the listing included.
        limit: Calls that GitHub grants the user an hour; None if it sets no limit.
        granted: Calls that the run may make; None if there is no limit of an hour.
    """

    repositories: int
    planned: Plan
    calls: int
    limit: int | None
    granted: int | None


@command(EXAMPLES)
def execute(target: Target) -> int:
    """Show which repositories the next run would ask for, and how long that takes within GitHub's limits."""
    with paged(), opened(target) as deployment:
        show_plan(deployment, next_run(datetime.now(UTC), deployment.run_hour))
    return 0


def next_run(now: datetime, hour: int) -> date:
    """Return the day of the next run that the rule starts, every day at an hour in UTC."""
    return now.date() if now.hour < hour else now.date() + timedelta(days=1)


def show_plan(deployment: Deployment, day: date) -> None:
    """Print what the rule's run on a day would do."""
    listed = last_listing(deployment)
    known = known_repositories(deployment.record, listed, day.toordinal())
    plans = [plan_user(owners, known, listed.tokens, day) for owners in by_user(known, listed.tokens).values()]
    start = datetime.combine(day, time(deployment.run_hour))
    say(f"The run of {day}, based on what {listed.run} listed:")
    table(("WHAT", "HOW MANY"), plan_rows(plans, start))
    say(f"GitHub is assumed to answer a call in {RESPONSE_SECONDS:g} s.")
    if len(plans) > 1:
        say(f"The limits of an hour and of a minute are for each of {len(plans)} users: here, the one with most calls.")


def plan_user(
    owners: Sequence[str], known: Mapping[str, Sequence[Known]], tokens: Mapping[str, TokenSaid], day: date
) -> UserPlan:
    """Plan a user's part of a run as the run itself does.

    Args:
        owners: The owners of the user's tokens.
        known: What is known about all repositories, by the owner whose token is used.
        tokens: What GitHub reported about each token, by its owner.
        day: The day of the run.
    """
    limit, repositories = limit_of(owners, tokens), [each for owner in owners for each in known[owner]]
    listing = sum(listing_calls(len(known[owner])) for owner in owners)
    granted = calls_granted(limit, None if limit is None else limit - listing, RUN_HOURS)
    planned = plan(repositories, day.toordinal(), granted)
    return UserPlan(len(repositories), planned, listing + planned.calls, limit, granted)


def plan_rows(plans: Sequence[UserPlan], start: datetime) -> list[tuple[str, object]]:
    """Add up the plans, one for each user, and return them as rows."""
    waiting = Counter[int]()
    for each in plans:
        waiting.update({day: len(positions) for day, positions in each.planned.not_due.items()})
    granted = [each.granted for each in plans]
    durations = [run_seconds(each.calls, each.limit) for each in plans]
    rows: list[tuple[str, object]] = [
        ("repositories", sum(each.repositories for each in plans)),
        ("asked", sum(len(each.planned.asked) for each in plans)),
        ("calls to GitHub, about", sum(each.calls for each in plans)),
        ("calls granted, less the reserve", "unknown" if None in granted else sum(filter(None, granted))),
        *limit_rows(max(plans, key=lambda each: each.calls)),
        ("over at about", "unknown" if None in durations else over_at(start, max(filter(None, durations), default=0))),
        ("not due", waiting.total()),
    ]
    return rows + [(f"  due on {date.fromordinal(on)}", number) for on, number in sorted(waiting.items())]


def limit_rows(user: UserPlan) -> list[tuple[str, object]]:
    """Return how much a user's calls take of each of GitHub's limits, less the reserve."""
    if user.limit is None:
        return []
    minute, hour = calls_a_minute(), int(calls_an_hour(user.limit))
    points = min(user.calls, int(minute))
    return [
        ("calls an hour, at most", f"{min(user.calls, hour)} of {hour}"),
        ("points a minute, at most", f"{points} of {POINTS}"),
        ("seconds of response time a minute, at most", f"{points * RESPONSE_SECONDS:g} of {SECONDS:g}"),
    ]


def over_at(start: datetime, seconds: float) -> str:
    """Return when a run is over, as `2026-11-20 09:01 UTC`: never too early a minute."""
    end = start + timedelta(minutes=math.ceil(seconds / 60))
    return f"{end:%Y-%m-%d %H:%M} UTC"


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
                return Listed(reader.run_id, owners, tokens_of(deployment, reader.execution_arn))
    raise CommandError("No run has listed repositories yet: `traffic run` starts one.")


def tokens_of(deployment: Deployment, arn: str) -> dict[str, TokenSaid]:
    """Read from a run's history what GitHub reported about each token when the run listed repositories."""
    tokens: dict[str, TokenSaid] = {}
    for event in events_of(deployment, arn):
        tokens |= _tokens_in(event.get("stateExitedEventDetails", {}).get("output", "{}"))
    return tokens


def _tokens_in(output: str) -> Mapping[str, TokenSaid]:
    state = json.loads(output)
    listing = state.get("listing") if isinstance(state, Mapping) else None
    tokens: Mapping[str, TokenSaid] = listing.get("tokens", {}) if isinstance(listing, Mapping) else {}
    return tokens


def known_repositories(record: Record, listed: Listed, today: int) -> dict[str, list[Known]]:
    """Read what the tables hold of all listed repositories, by the owner whose token is used."""
    entries = {each.id: each.entry for each in record.every_repository() if each.id in listed.owners}
    known: dict[str, list[Known]] = {}
    for id_, asks in sorted(listed.owners.items()):
        entry = entries.get(id_)
        owner = asks or (token_owner(entry.name, listed.tokens) if entry and entry.names else None) or ANYONE
        known.setdefault(owner, []).append(known_of(entry, today) if entry else NEVER_ASKED)
    return known

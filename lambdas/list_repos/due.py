"""Chooses the repositories that are asked for today, and divides them among the children of the Map.

GitHub's limits of a minute belong to a user. 200 repositories take at most 800 calls, so each can have a child of its
own, without a common pace. Beyond that, one child, a lane, asks for all repositories of a user and keeps the pace by
itself: no other child of the user runs at the same time, and while it waits it takes no other user's place. Where
GitHub sets no limits, there is no pace to keep: several lanes share the batches.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import boto3

from lambdas.shared.environment import setting
from traffic.contract import Batch, Lane, Listing, MinuteOfCalls, Repository, Share, TokenSaid, lanes_key, manifest_key
from traffic.github.pace import POINTS, SPARE
from traffic.github.tokens import ANYONE
from traffic.planning import (
    AT_ONCE,
    MOST_CALLS,
    NEVER_ASKED,
    Known,
    budget_of,
    by_user,
    known_of,
    limit_of,
    minute_of,
    ordinal,
    plan,
)
from traffic.record.archive import Archive
from traffic.record.item_table import ItemTable
from traffic.record.merge import entry_of_item

SINGLES = 200  # up to so many repositories, each has its own child execution, so that the console shows it
BATCH = 50  # repositories in a batch of a lane
# An execution has at most 25,000 events. A batch of a lane takes 16, as does each wait, and a run has 1,200 minutes.
# That leaves room for 160 batches that have to be asked for again in part.
# Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MOST_BATCHES = 200

READ = ("repo-id", "captured-on", "refusals", "covered", "active")  # attributes of each entry

Asked = Mapping[str, Sequence[tuple[str, Repository]]]  # by user: repositories, each after the owner whose token asks


def choose(
    wanted: Mapping[str, Sequence[Repository]], listing: Listing, *, today: str, hours: int
) -> tuple[Asked, dict[str, list[int]]]:
    """Choose the repositories that are asked for.

    Args:
        wanted: All selected repositories, by the owner whose token asks.
        listing: The listing, with each token's limit and user.
        today: The day of the run.
        hours: How long the run may take.

    Returns:
        The repositories that are asked for, by user and the most urgent first if there is no budget for all, and the
        ids of the others by the day on which they are due.

    Raises:
        TableBusyError: DynamoDB is throttled, or failed in passing.
    """
    tokens = listing.get("tokens", {})
    users = by_user(wanted, tokens)
    asked = {user: [(owner, each) for owner in owners for each in wanted[owner]] for user, owners in users.items()}
    budgets = {user: budget_of(owners, tokens, hours) for user, owners in users.items()}
    tight = {
        user: repositories
        for user, repositories in asked.items()
        if (budget := budgets[user]) is not None and len(repositories) * MOST_CALLS > budget
    }
    if not tight:
        return asked, {}  # without reading the table
    ids = {repository["id"] for repositories in tight.values() for _, repository in repositories}
    table = ItemTable(boto3.client("dynamodb"), setting("REPOSITORIES_TABLE"))
    known = read_known(table, ids, ordinal(today))
    not_due = defaultdict[str, list[int]](list)
    for user, repositories in tight.items():
        planned = plan(
            [known.get(repository["id"], NEVER_ASKED) for _, repository in repositories], ordinal(today), budgets[user]
        )
        asked[user] = [repositories[position] for position in planned.asked]
        for day, positions in planned.not_due.items():
            not_due[date.fromordinal(day).isoformat()] += [repositories[position][1]["id"] for position in positions]
    return asked, dict(not_due)


def read_known(table: ItemTable, wanted: set[int], today: int) -> Mapping[int, Known]:
    """Read what is known about some repositories, item by item: 100,000 entries at once would fill the memory."""
    return {
        id_: known_of(entry_of_item(item), today)
        for item in table.every_item(READ, having="repo-name")  # items without it are names that point to ids
        if (id_ := int(item["repo-id"])) in wanted
    }


class MapItems(NamedTuple):
    """What was written for the Map.

    Attributes:
        key: The key of its items in the bucket.
        at_once: How many children run at once.
        batches: How many batches the manifest has.
    """

    key: str
    at_once: int
    batches: int


def write_items(archive: Archive, run_id: str, asked: Asked, tokens: Mapping[str, TokenSaid], now: float) -> MapItems:
    """Write the run's manifest and, if there are too many repositories for a child each, the lanes.

    Args:
        archive: The bucket.
        run_id: The run.
        asked: The repositories that are asked for.
        tokens: What GitHub reported about each token.
        now: The time as Unix time in seconds.

    Raises:
        ArchiveBusyError: S3 is throttled, or failed in passing.
    """
    minutes = {user: minute_of(owners, tokens, now) for user, owners in by_user(tokens, tokens).items()}
    if are_few(asked, tokens, minutes):
        batches = plan_singles(asked)
        archive.put_manifest(manifest_key(run_id), batches)
        return MapItems(manifest_key(run_id), AT_ONCE, len(batches))
    divided = plan_lanes(asked, tokens)
    width = archive.put_manifest(manifest_key(run_id), [batch for _, batches in divided for batch in batches])
    lanes: list[Batch] = []
    first = 0
    for user, batches in divided:
        lane: Batch = {
            "repositories": [],
            "lane": Lane(last=first + len(batches) - 1, width=width),
            "at": {"part": first},
        }
        if user is not None and minutes.get(user):
            lane["minute"] = minutes[user]
        lanes.append(lane)
        first += len(batches)
    archive.put_note(lanes_key(run_id), lanes)
    return MapItems(lanes_key(run_id), len(lanes), first)


def are_few(asked: Asked, tokens: Mapping[str, TokenSaid], minutes: Mapping[str, MinuteOfCalls]) -> bool:
    """Return whether each repository can have a child: GitHub's limits of a minute allow all calls of each user.

    The children keep the limit of response time by themselves, but do not know what the listing took of it. That may be
    no more than the tenth in reserve.
    """
    users = by_user(tokens, tokens)
    return sum(map(len, asked.values())) <= SINGLES and all(
        MOST_CALLS * len(repositories) + sum(calls for _, calls, _ in minutes.get(user, [])) <= POINTS
        and sum(seconds for _, _, seconds in minutes.get(user, [])) <= SPARE
        for user, repositories in asked.items()
        if limit_of(users.get(user, []), tokens) is not None
    )


def plan_singles(asked: Asked) -> list[Batch]:
    """Return a batch for each repository.

    Those of several users alternate, so that the limits of all users are used at the same time: otherwise the few
    children that run at once would wait for one user's limit while the others are idle.
    """
    placed: list[tuple[float, Batch]] = []
    for repositories in asked.values():
        many = len(repositories)
        share: Share = {"children": min(AT_ONCE, many), "calls": MOST_CALLS * many}
        for position, (owner, repository) in enumerate(repositories):
            placed.append((position / many, {**batch_of(owner, [repository]), "share": share}))
    return [batch for _, batch in sorted(placed, key=lambda each: each[0])]


def plan_lanes(asked: Asked, tokens: Mapping[str, TokenSaid]) -> list[tuple[str | None, list[Batch]]]:
    """Return the batches of each lane, after the user who has it alone: one lane for each user with limits.

    Users without limits, such as those of an Enterprise Server, need no pace: they share as many lanes as children run
    at once for few repositories.
    """
    users = by_user(tokens, tokens)
    limited = [user for user in asked if limit_of(users.get(user, []), tokens) is not None]
    free = plan_lane([each for user in asked if user not in limited for each in asked[user]], AT_ONCE * MOST_BATCHES)
    lanes: list[tuple[str | None, list[Batch]]] = [(user, plan_lane(asked[user])) for user in limited]
    lanes += [(None, free[number::AT_ONCE]) for number in range(AT_ONCE)]
    return [lane for lane in lanes if lane[1]]


def plan_lane(repositories: Sequence[tuple[str, Repository]], most: int = MOST_BATCHES) -> list[Batch]:
    """Divide repositories into the batches of a lane, as far as possible in their order.

    A batch has one owner's repositories, because it uses one token.
    """
    size = max(BATCH, math.ceil(len(repositories) / most))
    batches: list[Batch] = []
    open_: dict[str, list[Repository]] = {}  # by owner, the repositories of a batch that has room
    for owner, repository in repositories:
        if len(open_.get(owner, ())) in (0, size):
            open_[owner] = []
            batches.append(batch_of(owner, open_[owner]))
        open_[owner].append(repository)
    return batches


def batch_of(owner: str, repositories: list[Repository]) -> Batch:
    """Return a batch of one owner's repositories."""
    return {"repositories": repositories} if owner == ANYONE else {"repositories": repositories, "owner": owner}

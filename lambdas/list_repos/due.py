"""Chooses the repositories that are asked for today: all, or as many as GitHub's limits allow."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from lambdas.shared.deployed import entries
from traffic.contract import Batch, Listing, Repository
from traffic.github.tokens import ANYONE
from traffic.planning import (
    MOST_CALLS,
    NEVER_ASKED,
    Known,
    budget_of,
    by_user,
    known_of,
    ordinal,
    plan,
)
from traffic.record.item_table import ItemTable
from traffic.record.merge import entry_of_item

SINGLES = 200  # up to so many repositories, each has its own child execution, so that the console shows it
BATCH = 25  # repositories in a child execution if there are more

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
    known = read_known(entries(), ids, ordinal(today))
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


def plan_batches(asked: Asked) -> list[Batch]:
    """Divide the repositories into the items of the Map: one each, or 25 each if there are more than 200.

    A batch uses one token. Batches of several tokens alternate, so that all of their limits are used at the same time.
    Otherwise the few children that run at a time would wait for one token while the others are idle.
    """
    size = 1 if sum(map(len, asked.values())) <= SINGLES else BATCH
    placed: list[tuple[float, Batch]] = []
    by_owner = defaultdict[str, list[Repository]](list)
    for pairs in asked.values():
        for owner, repository in pairs:
            by_owner[owner].append(repository)
    for owner, repositories in by_owner.items():
        for start in range(0, len(repositories), size):
            batch: Batch = {"repositories": repositories[start : start + size]}
            placed.append((start / len(repositories), batch if owner == ANYONE else {**batch, "owner": owner}))
    return [batch for _, batch in sorted(placed, key=lambda each: each[0])]

"""Chooses the repositories that are asked for today: all, or as many as GitHub's limit allows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from lambdas.shared.deployed import entries
from traffic.contract import Batch, Listing, Repository
from traffic.github.tokens import ANYONE
from traffic.planning import MOST_CALLS, NEVER_ASKED, Known, calls_granted, known_of, ordinal, plan
from traffic.record.item_table import ItemTable
from traffic.record.merge import entry_of_item

READ = ("repo-id", "captured-on", "refusals", "covered", "active")  # attributes of each entry
SINGLES = 200  # up to so many repositories, each has its own child execution, so that the console shows it
BATCH = 25  # repositories in a child execution if there are more


def choose(
    wanted: Mapping[str, Sequence[Repository]], listing: Listing, *, today: str, hours: int
) -> tuple[dict[str, Sequence[Repository]], dict[str, list[int]]]:
    """Choose the repositories that are asked for.

    Args:
        wanted: All selected repositories, by the owner whose token asks.
        listing: The listing, with each token's limit.
        today: The day of the run.
        hours: How long the run may take.

    Returns:
        The repositories that are asked for, and the ids of the others by the day on which they are due.

    Raises:
        TableBusyError: DynamoDB is throttled, or failed in passing.
    """
    tokens = listing.get("tokens", {})
    budgets = {
        owner: calls_granted(token.get("limit"), token.get("remaining"), hours)
        for owner in wanted
        if (token := tokens.get(owner)) is not None
    }
    tight = {
        owner: repositories
        for owner, repositories in wanted.items()
        if (budget := budgets.get(owner)) is not None and len(repositories) * MOST_CALLS > budget
    }
    if not tight:
        return dict(wanted), {}  # without reading the table
    ids = {repository["id"] for repositories in tight.values() for repository in repositories}
    known = read_known(entries(), ids, ordinal(today))
    asked, not_due = dict(wanted), defaultdict[str, list[int]](list)
    for owner, repositories in tight.items():
        planned = plan(
            [known.get(repository["id"], NEVER_ASKED) for repository in repositories], ordinal(today), budgets[owner]
        )
        asked[owner] = [repositories[position] for position in planned.asked]
        for day, positions in planned.not_due.items():
            not_due[date.fromordinal(day).isoformat()] += [repositories[position]["id"] for position in positions]
    return asked, dict(not_due)


def read_known(table: ItemTable, wanted: set[int], today: int) -> Mapping[int, Known]:
    """Read what is known about some repositories, item by item: 100,000 entries at once would fill the memory."""
    return {
        id_: known_of(entry_of_item(item), today)
        for item in table.every_item(READ, having="repo-name")  # items without it are names that point to ids
        if (id_ := int(item["repo-id"])) in wanted
    }


def plan_batches(asked: Mapping[str, Sequence[Repository]]) -> list[Batch]:
    """Divide the repositories into the items of the Map: one each, or 25 each if there are more than 200.

    A batch uses one token. Batches of several tokens alternate, so that all of their limits are used at the same time.
    Otherwise the few children that run at a time would wait for one token while the others are idle.

    Args:
        asked: Repositories by the owner whose token asks.
    """
    size = 1 if sum(map(len, asked.values())) <= SINGLES else BATCH
    placed: list[tuple[float, Batch]] = []
    for owner, repositories in asked.items():
        for start in range(0, len(repositories), size):
            batch: Batch = {"repositories": list(repositories[start : start + size])}
            placed.append((start / len(repositories), batch if owner == ANYONE else {**batch, "owner": owner}))
    return [batch for _, batch in sorted(placed, key=lambda each: each[0])]

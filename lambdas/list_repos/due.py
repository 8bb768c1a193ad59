"""Who is asked today: everybody, or as many as GitHub's limit allows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from lambdas.shared.deployed import entries
from traffic.contract import Batch, Listing, Repository
from traffic.github.tokens import ANYONE
from traffic.planning import MOST_CALLS, NEVER_ASKED, Known, calls_granted, known_of, ordinal, plan
from traffic.record.item_table import ItemTable
from traffic.record.items import entry_of_item

READ = ("repo-id", "captured-on", "refusals", "covered", "active")  # of each entry

SINGLES = 200  # up to so many repositories each has a child execution of its own, to be seen in the console
BATCH = 25


def choose(
    wanted: Mapping[str, Sequence[Repository]], listing: Listing, *, today: str, hours: int
) -> tuple[dict[str, Sequence[Repository]], dict[str, list[int]]]:
    """Choose who is asked.

    Args:
        wanted: All that are wanted, by the owner whose token asks.
        listing: What GitHub said of each token's limit.
        today: The day of the run.
        hours: How long the run may take.

    Returns:
        Those that are asked, and the ids of the others by the day on which they are due.

    Raises:
        TableBusyError: DynamoDB is throttled, or failed in passing.
    """
    said = listing.get("tokens", {})
    budgets = {
        owner: calls_granted(said[owner].get("limit"), said[owner].get("remaining"), hours) if owner in said else None
        for owner in wanted
    }
    tight = {
        owner: repositories
        for owner, repositories in wanted.items()
        if (budget := budgets[owner]) is not None and len(repositories) * MOST_CALLS > budget
    }
    if not tight:
        return dict(wanted), {}  # without a look at the table
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
    """Read what is known of some repositories. Item by item: 100,000 entries at once would fill the memory."""
    return {
        id_: known_of(entry_of_item(item), today)
        for item in table.every_item(READ, having="repo-name")  # the items without lead from a name to ids
        if (id_ := int(item["repo-id"])) in wanted
    }


def plan_batches(asked: Mapping[str, Sequence[Repository]]) -> list[Batch]:
    """Cut the run into the items of the Map: one repository each, or 25 where they are more than 200.

    A batch is asked for with one token. Those of several alternate, so that all of their limits are used at once: the
    few children that run at a time would else wait for one token while the others lie idle.

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

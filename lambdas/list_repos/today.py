"""Who is asked today: everybody, or as many as GitHub's limit allows."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache

import boto3

from lambdas.shared.contract import Listing, Repository
from lambdas.shared.item_table import ItemTable
from lambdas.shared.items import entry_of_item
from lambdas.shared.planning import MOST_CALLS, NEVER_ASKED, Known, calls_granted, known_of, ordinal, plan
from lambdas.shared.settings import setting

READ = ("repo-id", "captured-on", "refusals", "covered", "active")  # of each entry


def choose(
    selected: Sequence[Repository], listing: Listing, *, today: str, hours: int
) -> tuple[list[Repository], dict[str, list[int]]]:
    """Choose who is asked.

    Args:
        selected: All that are wanted.
        listing: What GitHub said of its limit.
        today: The day of the run.
        hours: How long the run may take.

    Returns:
        Those that are asked, and the ids of the others by the day on which they are due.

    Raises:
        TableBusyError: DynamoDB is throttled, or failed in passing.
    """
    budget = calls_granted(listing.get("limit"), listing.get("remaining"), hours)
    if budget is None or len(selected) * MOST_CALLS <= budget:
        return list(selected), {}  # without a look at the table
    known = read_known(entries(), {repository["id"] for repository in selected}, ordinal(today))
    planned = plan([known.get(repository["id"], NEVER_ASKED) for repository in selected], ordinal(today), budget)
    not_due = {
        date.fromordinal(day).isoformat(): [selected[position]["id"] for position in positions]
        for day, positions in planned.not_due.items()
    }
    return [selected[position] for position in planned.asked], not_due


def read_known(table: ItemTable, wanted: set[int], today: int) -> Mapping[int, Known]:
    """Read what is known of some repositories. Item by item: 100,000 entries at once would fill the memory."""
    return {
        id_: known_of(entry_of_item(item), today)
        for item in table.every_item(READ, having="repo-name")  # the items without lead from a name to ids
        if (id_ := int(item["repo-id"])) in wanted
    }


@cache
def entries() -> ItemTable:
    """Give the table of repositories that the deployment set."""
    return ItemTable(boto3.client("dynamodb"), setting("REPOSITORIES_TABLE"))

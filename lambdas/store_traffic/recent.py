"""What an answer says of a repository's newest days: enough for Summarize run to choose what it looks at. Pure."""

from collections.abc import Mapping, Sequence

from traffic.clock import days_before
from traffic.contract import Recent
from traffic.record.merge import Day

WEEK = 7  # days
WEEKLY = ("views-count", "clones-count")  # counts alone: uniques of several days are never added


def recent(days: Mapping[str, Day]) -> Recent | None:
    """Sum up the newest day that was told whole, and the two weeks that end with it.

    Returns:
        None where no day was told whole. Without `weeks` where one of their 14 days was not.
    """
    whole = [day for day, seen in days.items() if "views" in seen.complete]
    if not whole:
        return None
    newest = max(whole)
    said: Recent = {"day": newest, "views": days[newest].metrics["views-count"]}
    before = days.get(days_before(newest, WEEK), Day())
    if "views" in before.complete:
        said["before"] = before.metrics["views-count"]
    fortnight = [days.get(days_before(newest, age), Day()) for age in range(2 * WEEK)]
    if all(day.complete == {"views", "clones"} for day in fortnight):
        said["weeks"] = [_sums(fortnight[:WEEK]), _sums(fortnight[WEEK:])]
    return said


def _sums(days: Sequence[Day]) -> list[int]:
    return [sum(day.metrics[metric] for day in days) for metric in WEEKLY]

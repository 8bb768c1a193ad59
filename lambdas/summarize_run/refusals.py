"""Lasting refusals: reported on their first day, on Mondays, and in the last days before something is lost. Pure.

A fine-grained token lists repositories whose traffic it may not read, and so does a token of a free plan with private
repositories. Nobody will ever change that, and people stop reading a warning that comes every day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from traffic.github.answers import FAILED
from traffic.record.merge import Entry
from traffic.wording import and_more, repositories

LAST_DAYS = 3  # days until days are lost for good, from which on a refusal is reported every day


@dataclass(frozen=True)
class Refusals:
    """The repositories that GitHub refuses as before.

    Attributes:
        known: Ids of repositories of this run whose refusal was reported before.
        waiting: Repositories that were refused the last time and were not due today: names and outcomes.
    """

    known: frozenset[int] = frozenset()
    waiting: Sequence[tuple[str, str]] = field(default_factory=tuple)


def is_known(entry: Entry, outcome: str, days_left: int | None) -> bool:
    """Return whether a refusal was reported on an earlier day, and no day is about to be lost because of it.

    Args:
        entry: The entry of the repository; it includes this run's refusal.
        outcome: The outcome of this run.
        days_left: Days until days of the repository are lost for good; None if nothing was ever captured.
    """
    before = entry.refused_before.get(outcome, "")
    urgent = days_left is not None and 0 <= days_left <= LAST_DAYS
    return outcome != FAILED and before > (entry.captured_on or "") and not urgent


def lasting_refusal(entry: Entry) -> str | None:
    """Return the outcome of the last time that a repository was asked for, if that was a refusal."""
    refused = {day: outcome for outcome, day in sorted(entry.refusals.items()) if outcome != FAILED}
    last = max(refused, default="")
    return refused[last] if last > (entry.captured_on or "") else None


def waiting_lines(waiting: Sequence[tuple[str, str]], most: int) -> list[str]:
    """List the repositories that stay refused and were not asked for today."""
    if not waiting:
        return []
    lines = [f"{repositories(len(waiting))} refused last time, not due today:"]
    lines += [f"  {name}: {outcome}" for name, outcome in sorted(waiting)[:most]]
    return lines + and_more(len(waiting), most)

"""Refusals that last: reported on their first day, on Mondays, and in the last days before something is lost. Pure.

A fine-grained token lists repositories whose traffic it may not read, a free plan has private ones. Nobody will ever
change that, and whoever reads the same warning every day reads none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from traffic.github.answers import FAILED
from traffic.record.merge import Entry

LAST_DAYS = 3  # days until days are lost for good, from which on a refusal is reported every day


@dataclass(frozen=True)
class Refusals:
    """What GitHub refuses as it did before.

    Attributes:
        known: The ids of repositories of this run, whose refusal was reported before.
        waiting: Those that were refused when they were last asked and were not due today: names and outcomes.
    """

    known: frozenset[int] = frozenset()
    waiting: Sequence[tuple[str, str]] = field(default_factory=tuple)


def is_known(entry: Entry, outcome: str, days_left: int | None) -> bool:
    """Return whether a refusal was reported on an earlier day, and no day is about to be lost because of it.

    Args:
        entry: What is kept of the repository, this run's refusal included.
        outcome: This run's.
        days_left: Until days of the repository are lost for good; None where none was ever captured.
    """
    before = entry.refused_before.get(outcome, "")
    urgent = days_left is not None and 0 <= days_left <= LAST_DAYS
    return outcome != FAILED and before > (entry.captured_on or "") and not urgent


def lasting_refusal(entry: Entry) -> str | None:
    """Return the outcome of the last time that a repository was asked, if that was a refusal."""
    refused = {day: outcome for outcome, day in sorted(entry.refusals.items()) if outcome != FAILED}
    last = max(refused, default="")
    return refused[last] if last > (entry.captured_on or "") else None


def waiting_lines(waiting: Sequence[tuple[str, str]], most: int) -> list[str]:
    """Name the repositories that stay refused and were not asked today."""
    if not waiting:
        return []
    many = "1 repository was" if len(waiting) == 1 else f"{len(waiting)} repositories were"
    lines = [f"{many} refused when last asked, and not due today:"]
    lines += [f"  {name}: {outcome}" for name, outcome in sorted(waiting)[:most]]
    return lines + ([f"  and {len(waiting) - most} more"] if len(waiting) > most else [])

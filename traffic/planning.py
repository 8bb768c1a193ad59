"""Which repositories are asked today, where GitHub's limit does not allow all of them every day. Pure.

Nothing is lost by waiting: GitHub returns 14 days, so two calls every 13 days keep views and clones whole. Whatever is
not asked today comes before it is too late, with days to spare for runs that fail.

Days are ordinals (`date.toordinal`): a run plans for 100,000 repositories in seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from traffic.clock import start_of
from traffic.github.answers import FAILED
from traffic.github.rate_limit import RESERVE
from traffic.record.merge import Entry
from traffic.record.spans import holes, meet
from traffic.record.traffic_answers import SAFE_DAYS, WINDOW_DAYS

EVERY = 7  # days after which a repository without traffic is asked again, where the budget allows
SLACK = 3  # days before it is too late, from which on a repository comes before all others
MOST_CALLS, LEAST_CALLS = 4, 2  # of a repository that was viewed lately, and of one that nobody viewed
# Calls that GitHub grants an hour at the least. Fewer are those of a shorter window, whose length no header tells: then
# all are asked, with waits.
# Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
LEAST_LIMIT = 1_000


class Known(NamedTuple):
    """What is known of a repository.

    Attributes:
        asked_on: The last day that it was captured, or refused; None before the first.
        missing: The first day that is not captured whole and can still be, or the next; None where none ever was.
        viewed_on: The newest day with views.
        cloned_on: The newest day with clones.
    """

    asked_on: int | None = None
    missing: int | None = None
    viewed_on: int = 0
    cloned_on: int = 0


NEVER_ASKED = Known()


@dataclass
class Plan:
    """What a run does.

    Attributes:
        asked: Who is asked, as positions in what was given; the most urgent first.
        calls: How many calls that takes, as far as can be told.
        not_due: Who is not, by the day on which they are due.
    """

    asked: list[int] = field(default_factory=list)
    calls: int = 0
    not_due: dict[int, list[int]] = field(default_factory=dict)


def calls_granted(limit: int | None, remaining: int | None, hours: int) -> int | None:
    """Say how many calls a run may plan with.

    Args:
        limit: What GitHub grants an hour, by `x-ratelimit-limit`; None where it sets no limit.
        remaining: What is left of it now, by `x-ratelimit-remaining`.
        hours: How long the run may take.

    Returns:
        What is left now and the following hours grant, less the reserve; None for as many as it likes, also where the
        limit is that of a shorter window.
    """
    if limit is None or limit < LEAST_LIMIT:
        return None
    left = limit if remaining is None else min(remaining, limit)
    return max(left + limit * (hours - 1) - int(limit * hours * RESERVE), 0)


def known_of(entry: Entry, today: int) -> Known:
    """Read from a repository's entry what decides when it is asked."""
    whole = meet(entry.covered.get("views", ()), entry.covered.get("clones", ()))
    # A failure in passing is no answer: who failed has waited since the last one.
    answered = [day for outcome, day in entry.refusals.items() if outcome != FAILED]
    asked = max([*answered, entry.captured_on or ""])
    missing = None
    if whole:
        within_reach = (
            max(ordinal(first), today - SAFE_DAYS) for first, last in holes(whole) if ordinal(last) >= today - SAFE_DAYS
        )
        missing = min([*within_reach, ordinal(whole[-1][1]) + 1])
    return Known(
        ordinal(asked) if asked else None,
        missing,
        ordinal(entry.active["views"]) if "views" in entry.active else 0,
        ordinal(entry.active["clones"]) if "clones" in entry.active else 0,
    )


@lru_cache(maxsize=4096)  # 100,000 entries name few days
def ordinal(day: str) -> int:
    """Write a day such as `2026-11-20` as a number."""
    return start_of(day).toordinal()


def calls_of(known: Known, today: int) -> int:
    """Say how many calls a repository takes, as far as can be told. The window may lag a day behind."""
    return LEAST_CALLS if known.asked_on is not None and known.viewed_on < today - WINDOW_DAYS - 1 else MOST_CALLS


def is_active(known: Known, today: int) -> bool:
    """Tell whether there was traffic within GitHub's window."""
    return max(known.viewed_on, known.cloned_on) >= today - WINDOW_DAYS


def due_on(known: Known) -> int:
    """Name the day on which a repository is due at the latest, active or not; 0 where it was never asked."""
    if known.asked_on is None:
        return 0
    due = known.asked_on + EVERY
    if known.missing is None or known.missing + SAFE_DAYS <= known.asked_on:
        return due  # nothing that waiting less could save
    return min(due, max(known.asked_on + 1, known.missing + SAFE_DAYS - SLACK))


def plan(repositories: Sequence[Known], today: int, budget: int | None) -> Plan:
    """Choose who is asked today.

    Everybody, where the budget allows. Else, as far as it reaches: who is about to lose a day; who was never asked;
    who had traffic lately; and who has waited for a week. In each of these groups who has waited longest comes first.
    """
    calls = [calls_of(known, today) for known in repositories]
    if budget is None or sum(calls) <= budget:
        return Plan(list(range(len(repositories))), sum(calls))
    groups: tuple[list[tuple[int, int]], ...] = ([], [], [], [])
    planned = Plan()
    for position, known in enumerate(repositories):
        due = due_on(known)
        if known.asked_on is None:
            groups[1].append((0, position))
        elif due <= today and known.missing is not None and known.missing + SAFE_DAYS - SLACK <= today:
            groups[0].append((known.missing, position))
        elif is_active(known, today):
            groups[2].append((known.asked_on, position))
        elif due <= today:
            groups[3].append((known.asked_on, position))
        else:
            planned.not_due.setdefault(due, []).append(position)
    in_order = [position for group in groups for _, position in sorted(group)]
    for taken, position in enumerate(in_order):
        if planned.calls + calls[position] > budget:
            planned.not_due.setdefault(today + 1, []).extend(in_order[taken:])
            break
        planned.asked.append(position)
        planned.calls += calls[position]
    return planned


def not_due_text(not_due: Mapping[str, int]) -> str:
    """Say how many repositories wait, and until when, by the day on which so many are due."""
    waiting = sum(not_due.values())
    if not waiting:
        return ""
    return (
        f"{waiting} more were not due: GitHub's limit does not allow all every day, and none of them loses any."
        f" Next are {not_due[min(not_due)]} on {min(not_due)}."
    )

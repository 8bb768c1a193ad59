"""Plans a run: how long it takes, and the repositories it asks for if GitHub's limits do not allow all. Pure.

Waiting loses nothing: GitHub returns 14 days, so two calls every 13 days keep views and clones complete. A repository
that is not asked for today is asked for before it is too late, with days to spare for runs that fail.

Days are ordinals (`date.toordinal`), so that a run plans for 100,000 repositories in seconds.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from traffic.clock import start_of
from traffic.contract import MinuteOfCalls, TokenSaid
from traffic.github.answers import FAILED
from traffic.github.bodies import SAFE_DAYS, WINDOW_DAYS
from traffic.github.pace import MINUTE, POINTS, SECONDS
from traffic.github.rate_limit import RESERVE
from traffic.record.spans import holes, meet

if TYPE_CHECKING:  # Fetch traffic plans nothing, and starts faster without the rules of the record
    from traffic.record.merge import Entry

EVERY = 7  # days after which a repository without traffic is asked for again, if the budget allows
SLACK = 3  # days before it is too late: from then on a repository comes before all others
AT_ONCE = 4  # children that run at once if each has one repository, or an archive object to store again
MOST_CALLS, LEAST_CALLS = 4, 2  # for a repository that was viewed lately, and for one that nobody viewed
# The fewest calls that GitHub grants an hour. A smaller number belongs to a shorter window, and no header has its
# length: then all repositories are asked for, with waits.
# Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
LEAST_LIMIT = 1_000
HOUR = 3_600.0  # seconds
# Seconds that GitHub takes to answer a call for traffic, as far as a plan needs to know: the pace of a run goes by the
# times that it measures. GitHub answers most calls for traffic in 0.06 to 0.15 s; no header says how long it took.
RESPONSE_SECONDS = 0.15


class Known(NamedTuple):
    """What is known about a repository.

    Attributes:
        asked_on: The last day on which it was captured or refused; None if it never was.
        missing: The first day that is not captured completely but still can be; otherwise the day after the last
            complete one; None if no day is complete.
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
        asked: Positions of the repositories that are asked for, the most urgent first.
        calls: The expected number of calls.
        not_due: Positions of the others, by the day on which they are due.
    """

    asked: list[int] = field(default_factory=list)
    calls: int = 0
    not_due: dict[int, list[int]] = field(default_factory=dict)


def by_user(owners: Iterable[str], tokens: Mapping[str, TokenSaid]) -> dict[str, list[str]]:
    """Group the owners of tokens by the user whose tokens they are: all tokens of a user share GitHub's limits.

    Args:
        owners: The owners, as in the secret.
        tokens: What GitHub reported about each token.

    Returns:
        The owners of each user's tokens. A user is `@` and a login; a token without a login (an installation of an App)
        is its own user, named as its owner.
    """
    users: dict[str, list[str]] = {}
    for owner in owners:
        login = tokens.get(owner, {}).get("login")
        users.setdefault(f"@{login}" if login else owner, []).append(owner)
    return users


def budget_of(owners: Iterable[str], tokens: Mapping[str, TokenSaid], hours: int) -> int | None:
    """Return how many calls a run may plan for a user, by the lowest number of any token; None without a limit."""
    limit = limit_of(owners, tokens)
    remaining = [tokens[owner]["remaining"] for owner in owners if "remaining" in tokens.get(owner, {})]
    return calls_granted(limit, min(remaining, default=None), hours)


def limit_of(owners: Iterable[str], tokens: Mapping[str, TokenSaid]) -> int | None:
    """Return the calls that GitHub grants a user an hour; None if it sets no limit."""
    return min((tokens[owner]["limit"] for owner in owners if "limit" in tokens.get(owner, {})), default=None)


def minute_of(owners: Iterable[str], tokens: Mapping[str, TokenSaid], now: float) -> MinuteOfCalls:
    """Return a user's calls of the last minute, with any of the user's tokens. `now` is Unix time in seconds."""
    calls = (each for owner in owners for each in tokens.get(owner, {}).get("minute", []))
    return sorted(each for each in calls if each[0] > now - MINUTE)


def calls_granted(
    limit: int | None, remaining: int | None, hours: int, seconds: float = RESPONSE_SECONDS
) -> int | None:
    """Return how many calls a run may plan.

    Args:
        limit: The calls that GitHub grants an hour, by `x-ratelimit-limit`; None if there is no limit.
        remaining: The calls that are left now, by `x-ratelimit-remaining`.
        hours: How long the run may take.
        seconds: How long GitHub takes to answer a call.

    Returns:
        The calls of each hour within GitHub's limits, less the reserve, and less those that are used up now. None if
        there is no limit, or the limit is that of a shorter window.
    """
    if limit is None or limit < LEAST_LIMIT:
        return None
    used = 0 if remaining is None else max(limit - remaining, 0)
    return max(int(calls_an_hour(limit, seconds) * hours) - used, 0)


def calls_a_minute(seconds: float = RESPONSE_SECONDS) -> float:
    """Return how many calls GitHub's limits of a minute allow, less the reserve, if each takes this many seconds."""
    return min(POINTS, SECONDS / seconds)


def calls_an_hour(limit: int, seconds: float = RESPONSE_SECONDS) -> float:
    """Return how many calls GitHub's limits of an hour and of a minute allow, less the reserve."""
    return min(limit * (1 - RESERVE), 60 * calls_a_minute(seconds))


def listing_calls(repositories: int) -> int:
    """Return how many calls list a token's repositories, 100 a call, after one that asks whose token it is."""
    return max(math.ceil(repositories / 100), 1) + 1


def run_seconds(calls: int, limit: int | None, seconds: float = RESPONSE_SECONDS) -> float | None:
    """Return how long a user's calls take, in seconds; None if GitHub sets no limit: then there is no pace.

    Args:
        calls: The number of the calls, those of the listing included.
        limit: The calls that GitHub grants an hour. A limit that belongs to a shorter window does not count.
        seconds: How long GitHub takes to answer a call.
    """
    if limit is None:
        return None
    minute = calls_a_minute(seconds)
    hourly = calls_an_hour(limit, seconds) if limit >= LEAST_LIMIT else 60 * minute
    waits = max(math.ceil(calls / hourly) - 1, 0)  # for the next hour, each after a full one
    return waits * HOUR + (calls - waits * hourly) / minute * 60


def known_of(entry: "Entry", today: int) -> Known:
    """Read from a repository's entry what decides when it is asked for."""
    complete = meet(entry.covered.get("views", ()), entry.covered.get("clones", ()))
    # A temporary failure is not an answer: the repository has waited since the last answer.
    answered = [day for outcome, day in entry.refusals.items() if outcome != FAILED]
    asked = max([*answered, entry.captured_on or ""])
    missing = None
    if complete:
        oldest = today - SAFE_DAYS
        within_reach = (max(ordinal(first), oldest) for first, last in holes(complete) if ordinal(last) >= oldest)
        missing = min([*within_reach, ordinal(complete[-1][1]) + 1])
    return Known(
        ordinal(asked) if asked else None,
        missing,
        ordinal(entry.active["views"]) if "views" in entry.active else 0,
        ordinal(entry.active["clones"]) if "clones" in entry.active else 0,
    )


@lru_cache(maxsize=4096)  # 100,000 entries have few different days
def ordinal(day: str) -> int:
    """Write a day such as `2026-11-20` as a number."""
    return start_of(day).toordinal()


def calls_of(known: Known, today: int) -> int:
    """Return how many calls a repository is expected to take. The window may lag a day behind."""
    return LEAST_CALLS if known.asked_on is not None and known.viewed_on < today - WINDOW_DAYS - 1 else MOST_CALLS


def is_active(known: Known, today: int) -> bool:
    """Return whether there was traffic within GitHub's window."""
    return max(known.viewed_on, known.cloned_on) >= today - WINDOW_DAYS


def due_on(known: Known) -> int:
    """Return the latest day on which a repository is due, active or not; 0 if it was never asked for."""
    if known.asked_on is None:
        return 0
    due = known.asked_on + EVERY
    if known.missing is None or known.missing + SAFE_DAYS <= known.asked_on:
        return due  # asking earlier would save no day
    return min(due, max(known.asked_on + 1, known.missing + SAFE_DAYS - SLACK))


def plan(repositories: Sequence[Known], today: int, budget: int | None) -> Plan:
    """Choose the repositories that are asked for today.

    All of them, if the budget allows. Otherwise, as far as the budget goes: first repositories about to lose a day,
    then those never asked for, then those with traffic lately, then those that have waited for a week. In each of these
    groups, the repository that has waited longest comes first.
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
    """Write how many repositories wait and until when, given the number of repositories due on each day."""
    waiting = sum(not_due.values())
    if not waiting:
        return ""
    return (
        f"{waiting} more were not due: GitHub's limit does not allow asking for all of them every day."
        f" None of them loses a day. The next {not_due[min(not_due)]} are due on {min(not_due)}."
    )

"""Simulates a year of many repositories with one token: `make simulate-year`.

`traffic.planning.plan` plans every day's run from earlier answers. The run then asks a GitHub that returns 14 complete
days, and that sometimes stalls or fails. Some runs do not take place.
"""

import argparse
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from traffic.deadline import LONGEST_RUN
from traffic.github.bodies import WINDOW_DAYS
from traffic.planning import (
    LEAST_CALLS,
    MOST_CALLS,
    NEVER_ASKED,
    RESPONSE_SECONDS,
    Known,
    calls_a_minute,
    calls_granted,
    is_active,
    listing_calls,
    plan,
    run_seconds,
)

REPOSITORIES = 100_000
DAYS = 365
LIMIT = 5000  # calls an hour, of one token
HOURS = int(LONGEST_RUN.total_seconds() / 3600)  # of a run
BEGIN = 739_000  # the first day, as an ordinal
FLOOR = LEAST_CALLS / 13  # calls a day: the least that loses no views and clones of a repository

# For each kind of repository: its share, and how likely a repository is viewed and cloned on a day.
KINDS = {
    "busy": (0.10, 1.0, 0.7),
    "now and then": (0.08, 0.15, 0.05),
    "cloned by CI": (0.04, 0.0, 0.7),
    "dormant": (0.78, 0.0005, 0.0005),
}
NEW = 0.05  # the share of repositories that are created during the year
WAKES = 0.0002  # the share of dormant repositories that become busy on a day
AWAKE = 28  # days that such a repository stays busy
FAILS = 0.002  # the share of repositories that fail in a run
STALLS = (2, 4, 3)  # days without a new day of GitHub, three times a year
OUTAGES = (1, 1, 2, 3, 1)  # days without a run, five times a year


@dataclass
class Year:
    """The result of a year.

    Attributes:
        lost: Days of repositories that were not captured while GitHub returned them.
        captured: Repositories that were captured at least once.
        calls: The number of calls, by day, those of the listing included.
        hours: The most hours that a run took within GitHub's limits of an hour and a minute.
        asked: The number of calls, of captures and of days, for active and for dormant repositories.
        longest: The most days between two captures, for active and for dormant repositories.
        planning: The most seconds for a day's plan.
    """

    lost: int = 0
    captured: int = 0
    calls: list[int] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    longest: Counter[str] = field(default_factory=Counter)
    hours: float = 0.0
    planning: float = 0.0

    def a_day(self, what: str, kind: str) -> float:
        """Return how often something happened for a repository of a kind on a day, on average."""
        return self.asked[what, kind] / max(self.asked["days", kind], 1)  # type: ignore[index]


@dataclass
class World:
    """GitHub and its repositories: the kind of each, its first day, until when it is busy, what runs know."""

    kinds: list[str]
    since: list[int]
    awake: dict[int, int]
    dice: random.Random
    stalled: dict[int, int]
    without_run: set[int]
    known: list[Known]

    def newest(self, today: int) -> int:
        """Return the newest day that GitHub reports."""
        return self.stalled.get(today, today - 1)

    def chances(self, repository: int, day: int) -> tuple[float, float]:
        """Return how likely a repository is viewed and cloned on a day."""
        kind = "busy" if self.awake.get(repository, 0) > day else self.kinds[repository]
        return KINDS[kind][1:]

    def wake(self, today: int) -> None:
        """Let some dormant repositories become busy."""
        for _ in range(sum(self.dice.random() < WAKES * 1000 for _ in range(len(self.kinds) // 1000 or 1))):
            self.awake[self.dice.randrange(len(self.kinds))] = today + AWAKE


def world(repositories: int, days: int, seed: int) -> World:
    """Make the repositories, and choose the days of stalls and missing runs."""
    dice = random.Random(seed)  # noqa: S311 - seeded numbers are wanted
    kinds = dice.choices(list(KINDS), [share for share, *_ in KINDS.values()], k=repositories)
    since = [BEGIN + dice.randrange(days) if dice.random() < NEW else BEGIN - 30 for _ in range(repositories)]
    stalled: dict[int, int] = {}
    for length in STALLS:
        first = BEGIN + dice.randrange(days)
        stalled |= {first + n: first - 1 for n in range(length)}
    without_run = {BEGIN + dice.randrange(20, max(days, 21)) + n for length in OUTAGES for n in range(length)}
    without_run = {day for day in without_run if day + 1 not in without_run or day + 3 not in without_run}
    return World(kinds, since, {}, dice, stalled, without_run, [NEVER_ASKED] * repositories)


def simulate(
    repositories: int = REPOSITORIES,
    days: int = DAYS,
    *,
    limit: int = LIMIT,
    seconds: float = RESPONSE_SECONDS,
    seed: int = 0,
) -> Year:
    """Simulate a year with a token of so many calls an hour, at a GitHub that takes so many seconds for each."""
    played = world(repositories, days, seed)
    year = Year()
    for today in range(BEGIN, BEGIN + days):
        played.wake(today)
        calls = 0
        if today not in played.without_run:
            calls = run(played, year, today, limit, seconds)
        year.calls.append(calls)
        for one, since in zip(played.known, played.since, strict=True):
            if since <= today and one.asked_on is not None:
                year.asked["days", kind_of(one, today)] += 1  # type: ignore[index]
    year.lost += sum(
        max(0, played.newest(BEGIN + days - 1) - WINDOW_DAYS - one.missing + 1)
        for one in played.known
        if one.missing is not None
    )
    year.captured = sum(one.asked_on is not None for one in played.known)
    return year


def run(played: World, year: Year, today: int, limit: int, seconds: float) -> int:
    """Simulate a day's run, and return the number of its calls. What its time does not allow is not reached."""
    known = played.known
    there = [each for each, since in enumerate(played.since) if since <= today]
    begun = time.perf_counter()
    calls = listing_calls(len(there))
    planned = plan([known[each] for each in there], today, calls_granted(limit, limit - calls, HOURS, seconds))
    year.planning = max(year.planning, time.perf_counter() - begun)
    for position in planned.asked:
        each = there[position]
        if (run_seconds(calls + MOST_CALLS, limit, seconds) or 0) > LONGEST_RUN.total_seconds():
            break  # not reached
        if played.dice.random() < FAILS:
            calls += 1
            continue
        before = known[each]
        known[each] = after = captured(played, each, before, today)
        lost = (played.newest(today) - WINDOW_DAYS + 1 - before.missing) if before.missing is not None else 0
        year.lost += max(lost, 0)
        made = MOST_CALLS if after.viewed_on > played.newest(today) - WINDOW_DAYS else LEAST_CALLS
        calls += made
        kind = kind_of(before, today)
        if before.asked_on is not None:
            year.asked["calls", kind] += made  # type: ignore[index]
            year.asked["captures", kind] += 1  # type: ignore[index]
            year.longest[kind] = max(year.longest[kind], today - before.asked_on)
    year.hours = max(year.hours, (run_seconds(calls, limit, seconds) or 0) / 3600)
    return calls


def captured(played: World, repository: int, before: Known, today: int) -> Known:
    """Return what is known of a repository after a capture."""
    newest = played.newest(today)
    viewed, cloned = before.viewed_on, before.cloned_on
    first = max(before.missing or 0, newest - WINDOW_DAYS + 1)
    for day in range(first, newest + 1):
        view, clone = played.chances(repository, day)
        viewed = day if played.dice.random() < view else viewed
        cloned = day if played.dice.random() < clone else cloned
    return Known(today, max(before.missing or 0, newest + 1), viewed, cloned)


def kind_of(known: Known, today: int) -> str:
    """Return `active` if a repository is known to have had traffic lately, otherwise `dormant`."""
    return "active" if is_active(known, today) else "dormant"


def main() -> None:
    """Simulate a year, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", type=int, nargs="?", default=REPOSITORIES)
    parser.add_argument("--days", type=int, default=DAYS)
    given = parser.parse_args()
    begun = time.monotonic()
    year = simulate(given.repositories, given.days)
    print("\n".join(report(year, given.repositories, given.days)))  # noqa: T201
    print(f"Simulated in {time.monotonic() - begun:.0f} s.")  # noqa: T201


def report(year: Year, repositories: int, days: int) -> list[str]:
    """Return the results of a year as lines."""
    return [
        f"{repositories} repositories, {days} days, one token of {LIMIT} calls an hour, runs of {HOURS} h",
        f"days lost\t{year.lost}",
        f"repositories captured\t{year.captured}",
        f"calls a day, at most\t{max(year.calls)} of {LIMIT * HOURS}",
        f"calls a minute, at most\t{calls_a_minute():.0f} at {RESPONSE_SECONDS:g} s a call",
        f"hours of a run, at most\t{year.hours:.1f} of {HOURS}",
        f"dormant: calls for a repository and day\t{year.a_day('calls', 'dormant'):.3f} (floor {FLOOR:.3f})",
        f"dormant: days between captures, at most\t{year.longest['dormant']}",
        f"active: captures for a repository and day\t{year.a_day('captures', 'active'):.2f}",
        f"active: days between captures, at most\t{year.longest['active']}",
        f"seconds to plan a day, at most\t{year.planning:.2f}",
    ]


if __name__ == "__main__":
    main()

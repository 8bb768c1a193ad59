"""The part of the true traffic that GitHub returns at a time: its two window regimes, lags and stalls.

Source: recorded series of successive answers for 13 repositories, 2021 to 2026, with the change of regime on
2025-12-30.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple

from simulated_github.true_traffic import Tally, uniforms

Regime = Literal["by-date", "rolling", "whole-days"]

REGIME_CHANGE = datetime(2025, 12, 30, tzinfo=UTC)
ROLLING = timedelta(hours=336)
WHOLE_DAYS = 14
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Stall:
    """A time in which GitHub's newest day does not change."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class WindowRules:
    """The rules by which GitHub chooses the days that it returns."""

    regime: Regime = "by-date"
    lag: int = 0  # days by which the newest day is older than usual
    stalls: tuple[Stall, ...] = ()
    seed: int = 0  # of the time at which yesterday appears


class Window(NamedTuple):
    """The returned time, from `start` up to `end`, and whether days without traffic are zeros or absent."""

    start: datetime
    end: datetime
    zeros: bool

    def days(self) -> Iterator[date]:
        """Yield the UTC days that the window touches, oldest first."""
        first = self.start.date()
        return (first + timedelta(days=n) for n in range(math.ceil((self.end - midnight(first)) / DAY)))


class AnsweredDay(NamedTuple):
    """One day of an answer."""

    day: date
    tally: Tally


def midnight(day: date) -> datetime:
    """Return the time at which a UTC day begins."""
    return datetime.combine(day, time(), UTC)


def window(now: datetime, rules: WindowRules) -> Window:
    """Return the window of the traffic that GitHub returns at `now`."""
    regime = rules.regime
    if regime == "by-date":
        regime = "rolling" if now < REGIME_CHANGE else "whole-days"
    known = min([now, *(stall.since for stall in rules.stalls if stall.since <= now < stall.until)])
    return _rolling(now, known, rules) if regime == "rolling" else _whole_days(known, rules)


def _rolling(now: datetime, known: datetime, rules: WindowRules) -> Window:
    """Return the last 336 hours, rounded to hours: the oldest day shrinks until midnight, the current one grows."""
    start = now - ROLLING
    hour = start.replace(minute=0, second=0, microsecond=0)
    start = hour if hour == start else hour + timedelta(hours=1)
    end = known - rules.lag * DAY
    return Window(start, max(start, end), zeros=False)


def _whole_days(known: datetime, rules: WindowRules) -> Window:
    """Return a block of 14 complete days; the newest is yesterday, once it has appeared."""
    end = midnight(known.date())
    if known < appearance(rules.seed, known.date()):
        end -= DAY
    end -= rules.lag * DAY
    return Window(end - WHOLE_DAYS * DAY, end, zeros=True)


def appearance(seed: int, day: date) -> datetime:
    """Return when, on a day, the numbers of the day before appear: between 05:00 and 07:00 UTC.

    Source: recorded answers had them never at 00-04h, half of the time at 05h, three quarters at 06h, always from 07h.
    """
    return midnight(day) + timedelta(hours=5 + 2 * uniforms(seed, "appearance", day)[0])


def part_of_day(complete: Tally, begin: float, end: float) -> Tally:
    """Return the traffic between two fractions (0 to 1) of a day.

    From 0 on it never falls as `end` grows; up to 1 it never grows as `begin` does. Many visitors return on the same
    day, so at first uniques grow faster than visits.
    """
    count = int(complete.count * end) - int(complete.count * begin)
    return Tally(count, min(count, math.ceil(complete.uniques * (end - begin) ** 0.8)))


def rows(complete_day: Callable[[date], Tally], seen: Window) -> list[AnsweredDay]:
    """Return the days of an answer, oldest first.

    Args:
        complete_day: Returns the true traffic of a complete day.
        seen: The window that GitHub returns.
    """
    answered = []
    for day in seen.days():
        begin = max(0.0, (seen.start - midnight(day)) / DAY)
        end = min(1.0, (seen.end - midnight(day)) / DAY)
        tally = part_of_day(complete_day(day), begin, end)
        if tally.count or seen.zeros:
            answered.append(AnsweredDay(day, tally))
    return answered


def window_uniques(answered: Sequence[AnsweredDay], overlap: float) -> int:
    """Return the number of different visitors in the window: at least those of its best day, at most the sum.

    Args:
        answered: The window's days.
        overlap: The share of new visitors on each further day, between 0 and 1.
    """
    daily = [row.tally.uniques for row in answered]
    most = max(daily, default=0)
    return most + int((sum(daily) - most) * overlap)

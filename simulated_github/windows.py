"""Which part of the true traffic GitHub returns at a moment: its two window regimes, lags and stalls.

Source: recorded series of successive answers for 13 repositories, 2021 to 2026, among them the change of regime on
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
    """A time in which GitHub's newest day stands still."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class WindowRules:
    """How GitHub chooses what it returns."""

    regime: Regime = "by-date"
    lag: int = 0  # days by which the newest day is older than usual
    stalls: tuple[Stall, ...] = ()
    seed: int = 0  # of the hour at which yesterday appears


class Window(NamedTuple):
    """What is returned: the time from `start` up to `end`, days without traffic as zeros or not at all."""

    start: datetime
    end: datetime
    zeros: bool

    def days(self) -> Iterator[date]:
        """List the UTC days that the window touches, oldest first."""
        first = self.start.date()
        return (first + timedelta(days=n) for n in range(math.ceil((self.end - midnight(first)) / DAY)))


class AnsweredDay(NamedTuple):
    """One day of an answer."""

    day: date
    tally: Tally


def midnight(day: date) -> datetime:
    """Give the time at which a UTC day begins."""
    return datetime.combine(day, time(), UTC)


def window(now: datetime, rules: WindowRules) -> Window:
    """Tell which part of the traffic GitHub returns at `now`."""
    regime = rules.regime
    if regime == "by-date":
        regime = "rolling" if now < REGIME_CHANGE else "whole-days"
    known = min([now, *(stall.since for stall in rules.stalls if stall.since <= now < stall.until)])
    return _rolling(now, known, rules) if regime == "rolling" else _whole_days(known, rules)


def _rolling(now: datetime, known: datetime, rules: WindowRules) -> Window:
    """336 hours back from now, by the hour: the oldest day shrinks until midnight, the current one grows."""
    start = now - ROLLING
    hour = start.replace(minute=0, second=0, microsecond=0)
    start = hour if hour == start else hour + timedelta(hours=1)
    end = known - rules.lag * DAY
    return Window(start, max(start, end), zeros=False)


def _whole_days(known: datetime, rules: WindowRules) -> Window:
    """14 whole days moved as a block, the newest being yesterday once it has appeared."""
    end = midnight(known.date())
    if known < appearance(rules.seed, known.date()):
        end -= DAY
    end -= rules.lag * DAY
    return Window(end - WHOLE_DAYS * DAY, end, zeros=True)


def appearance(seed: int, day: date) -> datetime:
    """Tell when, on a day, the numbers of the day before appear: between 05:00 and 07:00 UTC.

    Source: of fetches at 00-04h none had them, at 05h half, at 06h three quarters, from 07h on all.
    """
    return midnight(day) + timedelta(hours=5 + 2 * uniforms(seed, "appearance", day)[0])


def part_of_day(whole: Tally, begin: float, end: float) -> Tally:
    """Tell what of a day's traffic fell between two fractions (0 to 1) of the day.

    From 0 on it never falls as `end` grows; up to 1 it never grows as `begin` does. Visitors come early
    and return, so uniques grow faster at first than visits do.
    """
    count = int(whole.count * end) - int(whole.count * begin)
    return Tally(count, min(count, math.ceil(whole.uniques * (end - begin) ** 0.8)))


def rows(whole_day: Callable[[date], Tally], seen: Window) -> list[AnsweredDay]:
    """List the days of an answer, oldest first.

    Args:
        whole_day: Tells the true traffic of a whole day.
        seen: The part of the traffic that GitHub returns.
    """
    answered = []
    for day in seen.days():
        begin = max(0.0, (seen.start - midnight(day)) / DAY)
        end = min(1.0, (seen.end - midnight(day)) / DAY)
        tally = part_of_day(whole_day(day), begin, end)
        if tally.count or seen.zeros:
            answered.append(AnsweredDay(day, tally))
    return answered


def window_uniques(answered: Sequence[AnsweredDay], overlap: float) -> int:
    """Tell how many different visitors came within the window: at least its best day's, fewer than the sum.

    Args:
        answered: The window's days.
        overlap: The share of a further day's visitors that are new, between 0 and 1.
    """
    daily = [row.tally.uniques for row in answered]
    most = max(daily, default=0)
    return most + int((sum(daily) - most) * overlap)

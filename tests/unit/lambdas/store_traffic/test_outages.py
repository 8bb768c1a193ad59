"""Outages of 1 to 20 days anywhere in a quarter: nothing that GitHub returned is lost, and every hole is reported."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache

import pytest

from lambdas.summarize_run.deadlines import watermark_of
from simulated_github.windows import Regime, WindowRules, midnight, window
from tests.unit.simulated_answers import Truth, answers, busy, nine_o_clock, quiet, returned_complete
from traffic.contract import METRICS
from traffic.record.merge import Day, Entry, merge_days, merge_entries
from traffic.record.reports import Report, read_reports
from traffic.record.spans import days_in

QUARTER = 92  # days
OLD, NEW, CHANGE = date(2025, 7, 1), date(2026, 7, 1), date(2025, 11, 15)
LENGTHS = range(1, 21)  # days of an outage
PLACES = (33,)  # days of the quarter on which an outage begins; the slow test takes all


@dataclass(frozen=True)
class World:
    """A GitHub, a repository and a quarter."""

    regime: Regime
    lag: int
    first: date
    truth: Truth = busy

    @property
    def rules(self) -> WindowRules:
        """Return how GitHub chooses the days it returns."""
        return WindowRules(regime=self.regime, lag=self.lag)

    def __str__(self) -> str:
        return f"{self.regime}, lag {self.lag}, {self.truth.__name__}, {self.first}"


WORLDS = [
    *(World("rolling", lag, OLD) for lag in range(4)),
    *(World("whole-days", lag, NEW, truth) for lag in range(4) for truth in (busy, quiet)),
    # Each regime also in the other's time, if the answers show which one it is.
    *(World("rolling", lag, NEW) for lag in range(4)),
    *(World("whole-days", lag, OLD) for lag in (1, 2, 3)),
    World("by-date", 0, CHANGE),
]


@cache
def report(world: World, day: date) -> Report:
    """Return GitHub's answers at nine o'clock, read once for all outages."""
    (found,) = read_reports(answers(nine_o_clock(day), world.rules, world.truth))
    return found


@cache
def entry(world: World, day: date) -> Entry:
    """Return what these answers add to the repository's entry."""
    return report(world, day).entry


@dataclass
class Record:
    """What is kept, and what the summaries reported about it."""

    days: dict[str, Day] = field(default_factory=dict)
    entry: Entry = field(default_factory=Entry)
    named: dict[str, str] = field(default_factory=dict)

    def run(self, world: World, day: date) -> None:
        """Store a day's answers, and read the summary."""
        seen = report(world, day)
        self.entry = merge_entries(self.entry, entry(world, day))
        for each, reported in seen.days.items():
            self.days[each] = merge_days(self.days.get(each, Day()), reported)
        for lost in days_in(watermark_of("octo/docs", self.entry).lost(str(day))):
            self.named[lost] = "partial" if self.days.get(lost, Day()).metrics else "lost"


def interrupted(world: World, begins: Iterable[int]) -> Iterator[tuple[int, int, Record]]:
    """Yield what is kept at the quarter's end, for outages of 1 to 20 days that begin on these days."""
    days, until = days_of_runs(world, 0, 0), Record()
    for begin, today in enumerate(days):
        for length in LENGTHS if begin in begins else ():
            record = Record(dict(until.days), until.entry, dict(until.named))
            for day in days[begin + length :]:
                record.run(world, day)
            yield begin, length, record
        until.run(world, today)


def days_of_runs(world: World, begins: int, length: int) -> list[date]:
    """Return the quarter's days without those of the outage."""
    days = [world.first + timedelta(days=n) for n in range(QUARTER)]
    return days[:begins] + days[begins + length :]


@cache
def days_returned(world: World, run: date) -> tuple[frozenset[str], frozenset[str]]:
    """Return the days that a run's window contained completely, and all of its days."""
    seen = window(nine_o_clock(run), world.rules)
    days = frozenset(map(str, seen.days()))
    return frozenset(day for day in days if returned_complete(day, seen)), days


def holes_in_truth(world: World, runs: list[date]) -> dict[str, str]:
    """Return the days between the first and the last complete day that no window contained completely."""
    returned = [days_returned(world, run) for run in runs]
    complete = frozenset().union(*(days for days, _ in returned))
    part = frozenset().union(*(days for _, days in returned))
    between = (date.fromisoformat(min(complete)) + timedelta(days=n) for n in range(QUARTER + 20))
    return {
        str(day): "partial" if str(day) in part else "lost"
        for day in between
        if str(day) < max(complete) and str(day) not in complete
    }


Cells = dict[str, dict[str, int]]


def highest_of(one: Cells, other: Cells) -> Cells:
    """Return the highest value for each cell."""
    return {
        day: {
            metric: max(cells.get(day, {}).get(metric, 0) for cells in (one, other))
            for metric in one.get(day, {}).keys() | other.get(day, {}).keys()
        }
        for day in one.keys() | other.keys()
    }


def returned_on(world: World, number: int) -> Cells:
    """Return the answers on a day of the quarter."""
    days = report(world, world.first + timedelta(days=number)).days
    return {day: dict(reported.metrics) for day, reported in days.items()}


# The answers before and after an outage are those before and after many others: each is searched once.
@cache
def highest_before(world: World, end: int) -> Cells:
    """Return the highest value of the answers before a day of the quarter."""
    return highest_of(highest_before(world, end - 1), returned_on(world, end - 1)) if end else {}


@cache
def highest_from(world: World, begin: int) -> Cells:
    """Return the highest value of the answers from a day of the quarter on."""
    return highest_of(highest_from(world, begin + 1), returned_on(world, begin)) if begin < QUARTER else {}


def check_outages(world: World, begins: Iterable[int]) -> None:
    """Compare what is kept and reported with what the windows contained."""
    for begin, length, record in interrupted(world, begins):
        runs = days_of_runs(world, begin, length)
        highest = highest_of(highest_before(world, begin), highest_from(world, min(begin + length, QUARTER)))
        assert {day: dict(kept.metrics) for day, kept in record.days.items()} == highest
        assert record.named == holes_in_truth(world, runs), f"outage of {length} days from day {begin}"


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_after_any_outage_each_cell_is_the_highest_returned_and_exactly_the_holes_are_named(world: World) -> None:
    """People ignore reports after a false one, and without a report they lose days without noticing."""
    check_outages(world, PLACES)


@pytest.mark.slow
@pytest.mark.side_by_side
@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_after_an_outage_on_any_day_of_the_quarter_the_same_holds(world: World) -> None:
    """The few days that the quick test tries could be exceptions."""
    check_outages(world, range(1, QUARTER))


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_row_is_complete_only_if_a_window_contained_the_complete_day(world: World) -> None:
    """A truncated number that looks like a day's total stays wrong for good."""
    for day in (world.first + timedelta(days=n) for n in range(QUARTER)):
        seen = window(nine_o_clock(day), world.rules)
        for reported, kept in report(world, day).days.items():
            assert not kept.complete or returned_complete(reported, seen)


@pytest.mark.parametrize("world", [World("rolling", lag, OLD, quiet) for lag in range(4)], ids=str)
def test_a_quiet_repository_in_a_rolling_window_has_no_holes_while_runs_go_on(world: World) -> None:
    """Such a window leaves out empty days: the summary must not report them as lost."""
    record = Record()
    for day in days_of_runs(world, 0, 0):
        record.run(world, day)

    assert record.named == {}


@pytest.mark.parametrize("hour", range(24))
def test_the_hour_of_the_run_decides_where_a_rolling_window_begins(hour: int) -> None:
    """At midnight sharp the fourteenth day back is complete; an hour later it is not."""
    at = midnight(OLD) + timedelta(hours=hour)
    rules = WindowRules(regime="rolling")
    (found,) = read_reports(answers(at, rules, busy))
    expected = {day for day in found.days if returned_complete(day, window(at, rules))}

    complete = {day for day, kept in found.days.items() if kept.complete == {"views", "clones"}}
    if hour == 0:  # today has no traffic yet, so yesterday may be unfinished
        expected.discard(str(OLD - timedelta(days=1)))
    assert complete == expected
    assert set(found.days[min(found.days)].metrics) == set(METRICS)

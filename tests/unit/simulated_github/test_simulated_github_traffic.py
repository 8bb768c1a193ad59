"""The simulated GitHub's numbers and windows, without a network."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulated_github.sources import counts_answer
from simulated_github.true_traffic import Tally, day_traffic, launch_factor
from simulated_github.windows import (
    AnsweredDay,
    Stall,
    Window,
    WindowRules,
    appearance,
    part_of_day,
    rows,
    window,
    window_uniques,
)

TALLIES = st.integers(0, 5000).flatmap(
    lambda count: st.builds(Tally, st.just(count), st.integers(min(count, 1), count))
)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone


def at(text: str) -> datetime:
    """Parse a time in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def days_of(seen: Window) -> list[str]:
    """Return a window's days."""
    return [day.isoformat() for day in seen.days()]


def test_the_same_seed_results_in_the_same_numbers_in_any_order() -> None:
    """A test that reads one day gets the same numbers as a run over a year."""
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(60)]
    forward = {day: day_traffic(7, 42, day) for day in days}
    day_traffic.cache_clear()

    backward = {day: day_traffic(7, 42, day) for day in reversed(days)}

    assert forward == backward
    assert forward != {day: day_traffic(8, 42, day) for day in days}
    assert forward != {day: day_traffic(7, 43, day) for day in days}


@given(st.integers(0, 99), st.integers(1, 10**9), st.dates(date(2015, 1, 1), date(2035, 1, 1)))
def test_visitors_never_outnumber_visits(seed: int, repo_id: int, day: date) -> None:
    """Tests with impossible answers would be worthless."""
    truth = day_traffic(seed, repo_id, day)

    for tally in (truth.views, truth.clones):
        assert 0 <= tally.uniques <= tally.count
        assert (tally.uniques == 0) == (tally.count == 0)


def test_weekends_have_less_traffic_and_launches_more() -> None:
    """The demo's report should look like a real repository's."""
    days = [date(2026, 1, 5) + timedelta(days=n) for n in range(7 * 50)]
    views = dict.fromkeys((False, True), 0)
    for repo_id in range(60):
        for day in days:
            views[day.weekday() >= 5] += day_traffic(1, repo_id, day).views_count

    assert views[True] / 2 < 0.7 * views[False] / 5
    assert max(launch_factor(1, 3, day) for day in days) > 3 or max(launch_factor(1, 4, day) for day in days) > 3


def test_the_rolling_window_has_a_shrinking_oldest_and_a_growing_current_day() -> None:
    """Until 2025-12-29 the first and the last day of an answer were incomplete."""
    seen = window(at("2025-12-20T13:20:00Z"), WindowRules())

    assert seen.start == at("2025-12-06T14:00:00Z")
    assert seen.end == at("2025-12-20T13:20:00Z")
    assert (days_of(seen)[0], days_of(seen)[-1], len(days_of(seen))) == ("2025-12-06", "2025-12-20", 15)


def test_the_window_in_the_last_hour_of_a_day_has_fourteen_days() -> None:
    """Recorded at 2021-09-14T23:17:13Z: 14 rows, from 09-01 to 09-14."""
    seen = window(at("2021-09-14T23:17:13Z"), WindowRules())

    assert (days_of(seen)[0], days_of(seen)[-1], len(days_of(seen))) == ("2021-09-01", "2021-09-14", 14)


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        ("2026-11-20T09:00:00Z", "2026-11-06", "2026-11-19"),
        ("2026-11-20T23:59:59Z", "2026-11-06", "2026-11-19"),
        ("2026-11-20T04:59:00Z", "2026-11-05", "2026-11-18"),
        ("2025-12-30T09:00:00Z", "2025-12-16", "2025-12-29"),
    ],
)
def test_the_new_window_is_fourteen_complete_days_up_to_yesterday(now: str, first: str, last: str) -> None:
    """Since 2025-12-30 the block moves once a day, between 05:00 and 07:00 UTC."""
    days = days_of(window(at(now), WindowRules()))

    assert (days[0], days[-1], len(days)) == (first, last, 14)


def test_yesterday_appears_between_five_and_seven() -> None:
    """A run at 09:00 always gets it, a run at 06:00 half of the time."""
    hours = {appearance(3, date(2026, 1, 1) + timedelta(days=n)).hour for n in range(100)}

    assert hours == {5, 6}


def test_a_lag_and_a_stall_delay_the_newest_day() -> None:
    """In June 2026 the same block was returned for two days."""
    stall = Stall(at("2026-06-08T12:00:00Z"), at("2026-06-10T12:00:00Z"))

    assert days_of(window(at("2026-06-09T23:00:00Z"), WindowRules(stalls=(stall,))))[-1] == "2026-06-07"
    assert days_of(window(at("2026-06-10T13:00:00Z"), WindowRules(stalls=(stall,))))[-1] == "2026-06-09"
    assert days_of(window(at("2026-06-09T09:00:00Z"), WindowRules(lag=2)))[-1] == "2026-06-06"


@given(TALLIES, st.floats(0, 1), st.floats(0, 1))
def test_the_current_day_only_grows_and_the_oldest_only_shrinks(day: Tally, one: float, other: float) -> None:
    """The record keeps the highest value, which must finally be the true one."""
    earlier, later = sorted((one, other))
    grown = part_of_day(day, 0, earlier), part_of_day(day, 0, later)
    shrunk = part_of_day(day, earlier, 1), part_of_day(day, later, 1)

    assert grown[0].count <= grown[1].count <= day.count
    assert grown[0].uniques <= grown[1].uniques <= day.uniques
    assert shrunk[1].count <= shrunk[0].count <= day.count
    assert shrunk[1].uniques <= shrunk[0].uniques <= day.uniques
    assert part_of_day(day, 0, 1) == day


@given(MOMENTS, st.sampled_from(["rolling", "whole-days"]))
def test_days_without_traffic_are_zero_in_one_regime_and_absent_in_the_other(now: datetime, regime: str) -> None:
    """The record must distinguish a day that is not returned from a zero."""
    answered = rows(lambda _: Tally(0, 0), window(now, WindowRules(regime=regime)))  # type: ignore[arg-type]

    assert len(answered) == (14 if regime == "whole-days" else 0)


@given(st.lists(TALLIES, max_size=15), st.floats(0.01, 0.99))
def test_uniques_of_the_window_lie_between_the_best_day_and_the_sum(daily: list[Tally], overlap: float) -> None:
    """GitHub's own number is never the sum of days, so nobody may add them up."""
    answered = [AnsweredDay(date(2026, 1, 1) + timedelta(days=n), tally) for n, tally in enumerate(daily)]
    uniques = [tally.uniques for tally in daily]

    total = window_uniques(answered, overlap)

    assert max(uniques, default=0) <= total <= sum(uniques)
    assert total < sum(uniques) or sum(value > 0 for value in uniques) <= 1


def test_weeks_begin_on_monday_and_keep_the_count() -> None:
    """GitHub also answers `per=week`."""
    answered = [AnsweredDay(date(2026, 11, 6) + timedelta(days=n), Tally(10, 4)) for n in range(14)]

    weeks = counts_answer("views", answered, 0.5, "week")

    assert [week["timestamp"][:10] for week in weeks["views"]] == ["2026-11-02", "2026-11-09", "2026-11-16"]
    assert sum(week["count"] for week in weeks["views"]) == weeks["count"] == 140

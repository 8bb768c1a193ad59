"""Which days one capture covers completely, in both of GitHub's regimes and if the regime is unclear."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from traffic.clock import from_text
from traffic.contract import Endpoint
from traffic.record.reports import WindowAnswer, complete_days, read_days, read_window
from traffic.record.spans import Spans, day_after, days_in

OLD, NEW = from_text("2025-08-20T09:00:00Z"), from_text("2026-06-20T09:00:00Z")


def answer_with(at: datetime, ages: Iterable[int], *, zeros: Iterable[int] = ()) -> WindowAnswer:
    """Return an answer with rows for the days so many days before the capture, with or without traffic."""
    rows = {(at - timedelta(days=age)).date().isoformat(): (9, 3) for age in ages}
    return WindowAnswer(rows | {(at - timedelta(days=age)).date().isoformat(): (0, 0) for age in zeros}, at)


def covered(views: WindowAnswer, clones: WindowAnswer | None = None) -> dict[str, list[int]]:
    """Return the ages of the completely covered days, for each metric."""
    capture: dict[Endpoint, WindowAnswer] = {"views": views}
    if clones is not None:
        capture["clones"] = clones
    return {kind: sorted(ages(spans, capture[kind])) for kind, spans in complete_days(capture).items()}


def ages(spans: Spans, answered: WindowAnswer) -> Iterable[int]:
    """Convert days to ages: days before the capture."""
    return ((from_text(f"{answered.today}T00:00:00Z") - from_text(f"{day}T00:00:00Z")).days for day in days_in(spans))


def test_a_rolling_window_is_complete_except_at_its_ends() -> None:
    """The oldest day shrinks every hour, and the current day grows."""
    assert covered(answer_with(OLD, range(15)), answer_with(OLD, range(15))) == {
        "views": [*range(1, 14)],
        "clones": [*range(1, 14)],
    }


def test_the_newest_day_of_a_rolling_window_may_be_unfinished() -> None:
    """In August 2025 clones stalled for days and views did not: neither proves anything about the other."""
    assert covered(answer_with(OLD, range(15)), answer_with(OLD, range(4, 15))) == {
        "views": [*range(1, 14)],
        "clones": [*range(5, 14)],
    }


def test_an_empty_day_between_others_of_a_rolling_window_is_known_to_be_empty() -> None:
    """Such a window leaves it out; treating it as lost would raise an alarm for every quiet day."""
    assert covered(answer_with(OLD, [0, 6, 12]))["views"] == [*range(1, 14)]


def test_an_empty_rolling_window_proves_only_days_that_are_too_old_to_be_late() -> None:
    """GitHub has been up to a week late; older days without a row had no traffic."""
    assert covered(answer_with(OLD, []))["views"] == [*range(8, 14)]


@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_a_block_of_days_is_complete_wherever_it_ends(first: int) -> None:
    """Since 2025-12-30 the newest day is one to three days back, and every day in the block is complete."""
    block = answer_with(NEW, range(first, first + 14))

    assert covered(block, block) == {kind: [*range(first, first + 14)] for kind in ("views", "clones")}


@pytest.mark.parametrize("at", [OLD, NEW])
def test_a_zero_proves_that_every_listed_day_is_complete(at: datetime) -> None:
    """A rolling window leaves out empty days: one zero among views proves a block for the capture's clones too."""
    views = answer_with(at, range(1, 14), zeros=[14])

    assert covered(views, answer_with(at, range(1, 15)))["clones"] == [*range(1, 15)]


@pytest.mark.parametrize("at", [OLD, NEW])
def test_a_day_beyond_336_hours_proves_a_block(at: datetime) -> None:
    """No rolling window goes back that far, so the regime is known without the date."""
    assert covered(answer_with(at, range(2, 16)))["views"] == [*range(2, 16)]


def test_a_day_that_a_block_leaves_out_is_not_complete() -> None:
    """If GitHub writes zeros, a day without a row is missing: GitHub has lost it, perhaps temporarily."""
    assert covered(answer_with(NEW, [1, 2, 3, 5, 6], zeros=[7, 8]))["views"] == [1, 2, 3, 5, 6, 7, 8]


def test_a_block_without_a_zero_up_to_yesterday_is_judged_by_the_day_of_the_change() -> None:
    """A rolling window looks the same if today has no traffic yet; before the change there was no other."""
    before, after = from_text("2025-12-29T23:59:59Z"), from_text("2025-12-30T00:00:00Z")

    assert covered(answer_with(before, range(1, 15)))["views"] == [*range(2, 14)]
    assert covered(answer_with(after, range(1, 15)))["views"] == [*range(1, 15)]


def test_an_enterprise_servers_block_without_a_zero_is_taken_for_a_rolling_window() -> None:
    """Its window may still be of the older kind; only its answers have this header."""
    days = [(NEW - timedelta(days=age)).date() for age in range(1, 15)]
    body = {"views": [{"timestamp": f"{day}T00:00:00Z", "count": 9, "uniques": 3} for day in days]}
    headers = {"x-github-enterprise-version": "3.18.0"}

    assert covered(read_window("views", body, NEW, {"date": "..."}))["views"] == [*range(1, 15)]
    assert covered(read_window("views", body, NEW))["views"] == [*range(1, 15)]
    assert covered(read_window("views", body, NEW, headers))["views"] == [*range(2, 14)]


def test_a_gap_in_one_metric_shows_that_the_other_metric_has_a_rolling_window_too() -> None:
    """GitHub Enterprise Server may still have rolling windows: views without a gap are not always complete there."""
    assert covered(answer_with(NEW, range(1, 15)), answer_with(NEW, [1, 5]))["views"] == [*range(2, 14)]


def test_the_current_day_shows_a_rolling_window_even_beside_a_zero() -> None:
    """If signs contradict each other, the regime with fewer complete days is assumed."""
    assert covered(answer_with(NEW, range(1, 15), zeros=[0]))["views"] == [*range(1, 14)]


def test_at_exactly_midnight_the_fourteenth_day_is_complete() -> None:
    """336 hours before midnight, it is midnight too."""
    midnight = datetime(2025, 8, 20, tzinfo=UTC)

    assert covered(answer_with(midnight, range(15)))["views"] == [*range(1, 15)]
    assert covered(answer_with(midnight + timedelta(seconds=1), range(15)))["views"] == [*range(1, 14)]


def test_a_row_is_complete_only_for_what_was_covered() -> None:
    """A day's views may be complete although its clones are not."""
    days = read_days({"views": answer_with(OLD, range(15)), "clones": answer_with(OLD, range(4, 15))})
    newest_first = [sorted(days[day].complete) for day in sorted(days, reverse=True)]

    assert newest_first == [[], *[["views"]] * 4, *[["clones", "views"]] * 9, []]


def test_days_follow_each_other_over_month_and_leap_year() -> None:
    """Spans use the days of the calendar."""
    assert [day_after(day) for day in ("2028-02-28", "2028-02-29", "2026-12-31")] == [
        "2028-02-29",
        "2028-03-01",
        "2027-01-01",
    ]

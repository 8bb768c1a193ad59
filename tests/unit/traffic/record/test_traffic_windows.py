"""Which days one capture says everything about, in both of GitHub's regimes and where it cannot be told."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from traffic.clock import from_text
from traffic.contract import Endpoint
from traffic.record.spans import Spans, day_after, days_in
from traffic.record.traffic_answers import REGIME_CHANGE, WindowAnswer, check_body, complete_days, read_days

OLD, NEW = from_text("2025-08-20T09:00:00Z"), from_text("2026-06-20T09:00:00Z")


def said(at: datetime, ages: Iterable[int], *, zeros: Iterable[int] = ()) -> WindowAnswer:
    """Make an answer that names the days so many days before the capture, with traffic or with none."""
    rows = {(at - timedelta(days=age)).date().isoformat(): (9, 3) for age in ages}
    return WindowAnswer(rows | {(at - timedelta(days=age)).date().isoformat(): (0, 0) for age in zeros}, at)


def whole(views: WindowAnswer, clones: WindowAnswer | None = None) -> dict[str, list[int]]:
    """Tell by age which days were covered whole."""
    capture: dict[Endpoint, WindowAnswer] = {"views": views}
    if clones is not None:
        capture["clones"] = clones
    return {kind: sorted(ages(spans, capture[kind])) for kind, spans in complete_days(capture).items()}


def ages(spans: Spans, answered: WindowAnswer) -> Iterable[int]:
    """Turn days into days before the capture."""
    return ((from_text(f"{answered.today}T00:00:00Z") - from_text(f"{day}T00:00:00Z")).days for day in days_in(spans))


def test_a_rolling_window_is_whole_but_for_its_ends() -> None:
    """The oldest day shrinks by the hour, the current one grows."""
    assert whole(said(OLD, range(15)), said(OLD, range(15))) == {"views": [*range(1, 14)], "clones": [*range(1, 14)]}


def test_the_newest_day_of_a_rolling_window_may_be_unfinished() -> None:
    """In August 2025 clones stood still for days while views went on: neither says anything about the other."""
    assert whole(said(OLD, range(15)), said(OLD, range(4, 15))) == {"views": [*range(1, 14)], "clones": [*range(5, 14)]}


def test_an_empty_day_between_others_of_a_rolling_window_is_known_to_be_empty() -> None:
    """It is left out there; calling it lost would raise an alarm for every quiet day."""
    assert whole(said(OLD, [0, 6, 12]))["views"] == [*range(1, 14)]


def test_of_a_silent_rolling_window_only_what_is_too_old_to_be_late_is_known() -> None:
    """GitHub has been up to a week late; after that, silence means nothing happened."""
    assert whole(said(OLD, []))["views"] == [*range(8, 14)]


@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_a_block_of_days_is_whole_wherever_it_ends(first: int) -> None:
    """Since 2025-12-30 the newest day is yesterday, or two or three days back, and every day in the block is whole."""
    block = said(NEW, range(first, first + 14))

    assert whole(block, block) == {kind: [*range(first, first + 14)] for kind in ("views", "clones")}


@pytest.mark.parametrize("at", [OLD, NEW])
def test_a_zero_proves_that_every_listed_day_is_whole(at: datetime) -> None:
    """A rolling window leaves empty days out: one zero among views tells of the clones of the same capture too."""
    views = said(at, range(1, 14), zeros=[14])

    assert whole(views, said(at, range(1, 15)))["clones"] == [*range(1, 15)]


@pytest.mark.parametrize("at", [OLD, NEW])
def test_a_day_beyond_336_hours_proves_a_block(at: datetime) -> None:
    """No rolling window reaches that far, so no date is needed to know the regime."""
    assert whole(said(at, range(2, 16)))["views"] == [*range(2, 16)]


def test_a_day_that_a_block_leaves_out_is_not_whole() -> None:
    """Where zeros are written, a missing day is missing: GitHub has lost it, for now."""
    assert whole(said(NEW, [1, 2, 3, 5, 6], zeros=[7, 8]))["views"] == [1, 2, 3, 5, 6, 7, 8]


def test_a_block_without_a_zero_up_to_yesterday_is_judged_by_the_day_of_the_change() -> None:
    """A rolling window on a day without traffic yet looks the same; before the change nothing else existed."""
    before, after = REGIME_CHANGE - timedelta(hours=15), REGIME_CHANGE + timedelta(hours=9)

    assert whole(said(before, range(1, 15)))["views"] == [*range(2, 14)]
    assert whole(said(after, range(1, 15)))["views"] == [*range(1, 15)]


def test_one_metric_in_pieces_shows_that_the_others_block_is_a_rolling_window() -> None:
    """GitHub Enterprise Server may still roll: views without a gap must not pass for whole days there."""
    assert whole(said(NEW, range(1, 15)), said(NEW, [1, 5]))["views"] == [*range(2, 14)]


def test_the_current_day_shows_a_rolling_window_even_beside_a_zero() -> None:
    """What contradicts itself is taken for what promises less."""
    assert whole(said(NEW, range(1, 15), zeros=[0]))["views"] == [*range(1, 14)]


def test_midnight_sharp_keeps_the_fourteenth_day_whole() -> None:
    """336 hours before midnight is a midnight."""
    midnight = datetime(2025, 8, 20, tzinfo=UTC)

    assert whole(said(midnight, range(15)))["views"] == [*range(1, 15)]
    assert whole(said(midnight + timedelta(seconds=1), range(15)))["views"] == [*range(1, 14)]


def test_a_row_is_complete_only_for_what_was_covered() -> None:
    """Views of a day may be whole while its clones are not."""
    days = read_days({"views": said(OLD, range(15)), "clones": said(OLD, range(4, 15))})
    newest_first = [sorted(days[day].complete) for day in sorted(days, reverse=True)]

    assert newest_first == [[], *[["views"]] * 4, *[["clones", "views"]] * 9, []]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"views": None},
        {"views": [{"timestamp": "2026-11-20T00:00:00Z", "count": -1, "uniques": 0}]},
        {"views": [{"timestamp": "2026-11-20T00:00:00Z", "count": True, "uniques": 0}]},
        {"views": [{"timestamp": "2026-11-20T00:00:00Z", "count": 1.5, "uniques": 0}]},
        {"views": [{"timestamp": "yesterday", "count": 1, "uniques": 1}]},
        {"views": [{"count": 1, "uniques": 1}]},
    ],
)
def test_a_body_of_another_shape_is_refused(body: object) -> None:
    """Half an answer, or a proxy's page, must not become numbers."""
    with pytest.raises(ValueError, match=r"views|timestamp"):
        check_body("views", body)


def test_days_follow_each_other_over_month_and_leap_year() -> None:
    """Spans are counted in days of the calendar."""
    assert [day_after(day) for day in ("2028-02-28", "2028-02-29", "2026-12-31")] == [
        "2028-02-29",
        "2028-03-01",
        "2027-01-01",
    ]

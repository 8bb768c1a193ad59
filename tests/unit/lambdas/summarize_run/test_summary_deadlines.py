"""When days are lost for good: a table of cases, because a warning one day late loses a day."""

from datetime import UTC, datetime

import pytest

from lambdas.summarize_run.deadlines import (
    Watermark,
    days_left,
    fewest_days_left,
    is_recent,
    token_days_left,
    watermark_of,
)
from traffic.record.merge import Entry, Name
from traffic.record.spans import Spans

TODAY = "2026-11-20"


def mark(*complete: tuple[str, str], captured_on: str | None = "2026-11-20") -> Watermark:
    """Return the watermark of a repository that was captured completely in some spans of days."""
    return Watermark("octo/docs", "octo/docs", complete[-1][1] if complete else None, captured_on, complete)


@pytest.mark.parametrize(
    ("day", "left"),
    [
        ("2026-11-20", 13),
        ("2026-11-19", 12),
        ("2026-11-08", 1),
        ("2026-11-07", 0),  # today at nine a rolling window begins on 2026-11-06 at nine: the 7th is still complete
        ("2026-11-06", -1),
    ],
)
def test_a_day_can_be_captured_completely_for_thirteen_days(day: str, left: int) -> None:
    """Thirteen, not fourteen: on the fourteenth day a rolling window contains only a part of it."""
    assert days_left(day, TODAY) == left


@pytest.mark.parametrize(
    ("complete", "left"),
    [
        ([("2026-10-01", "2026-11-19")], 13),  # no problem
        ([("2026-10-01", "2026-11-16")], 10),  # GitHub is three days late, or the repository failed for three days
        ([("2026-10-01", "2026-11-06")], 0),
        ([("2026-10-01", "2026-11-05")], -1),  # the first day is being lost
        ([("2026-10-01", "2026-10-20"), ("2026-11-07", "2026-11-19")], 13),  # a hole that is already lost
        ([("2026-10-01", "2026-11-11"), ("2026-11-14", "2026-11-19")], 5),  # a hole that can still be filled
    ],
)
def test_the_deadline_is_that_of_the_first_day_that_can_still_be_captured(
    complete: list[tuple[str, str]], left: int
) -> None:
    """A lost day is no longer urgent; a day that can still be captured is."""
    assert mark(*complete).days_left(TODAY) == left


@pytest.mark.parametrize(
    ("complete", "lost"),
    [
        ([("2026-10-01", "2026-11-19")], []),
        ([("2026-10-01", "2026-10-30"), ("2026-11-03", "2026-11-19")], [("2026-10-31", "2026-11-02")]),
        # Until GitHub's window has passed, a hole is not lost.
        ([("2026-10-01", "2026-11-04"), ("2026-11-09", "2026-11-19")], [("2026-11-05", "2026-11-06")]),
        ([("2026-10-01", "2026-11-09"), ("2026-11-11", "2026-11-19")], []),
        # A hole is reported for four weeks after its end, whatever its length; an older one only by `traffic show`.
        ([("2026-01-01", "2026-02-01"), ("2026-10-24", "2026-11-19")], [("2026-02-02", "2026-10-23")]),
        ([("2026-01-01", "2026-02-01"), ("2026-10-23", "2026-11-19")], []),
        # Days before the first capture were never promised.
        ([("2026-11-15", "2026-11-19")], []),
    ],
)
def test_a_day_is_lost_if_no_later_answer_can_contain_it(
    complete: list[tuple[str, str]], lost: list[tuple[str, str]]
) -> None:
    """A hole is reported when it is final, and only for some weeks."""
    assert mark(*complete).lost(TODAY) == tuple(lost)


def test_a_day_is_complete_only_if_both_views_and_clones_are() -> None:
    """GitHub can stall for one of them alone."""
    covered: dict[str, Spans] = {
        "views": (("2026-11-01", "2026-11-19"),),
        "clones": (("2026-11-01", "2026-11-10"), ("2026-11-13", "2026-11-19")),
    }
    entry = Entry({"octo/docs": Name("2026-11-01T09:00:00Z", "2026-11-20")}, "2026-11-19", "2026-11-20", {}, covered)

    assert watermark_of("octo/docs", entry).complete == (("2026-11-01", "2026-11-10"), ("2026-11-13", "2026-11-19"))


def test_without_any_complete_day_the_last_capture_counts_and_without_that_nothing_is_known() -> None:
    """An entry from before completeness was stored must not look as if all days were lost."""
    assert mark(captured_on="2026-11-18").days_left(TODAY) == 11
    assert mark(captured_on=None).days_left(TODAY) is None
    assert fewest_days_left([mark(captured_on=None)], TODAY) is None
    assert fewest_days_left([mark(captured_on=None), mark(captured_on="2026-11-18"), mark()], TODAY) == 11


def test_a_repository_that_is_long_gone_is_no_longer_reported() -> None:
    """Four weeks of warnings are enough for a repository that was deleted on purpose."""
    assert is_recent(mark(captured_on="2026-10-23"), TODAY)
    assert not is_recent(mark(captured_on="2026-10-22"), TODAY)
    assert not is_recent(mark(captured_on=None), TODAY)


@pytest.mark.parametrize(
    ("expires", "left"),
    [
        ("2026-12-04 09:00:00 UTC", 14),
        ("2026-12-04 11:00:00 +0200", 14),
        ("2026-12-04 08:59:59 UTC", 13),
        ("2026-11-20 09:00:00 UTC", 0),
        ("2026-11-20 08:59:59 UTC", -1),
        ("some day", None),
        ("2026-12-04T09:00:00Z", None),
    ],
)
def test_the_tokens_expiry_is_read_in_both_of_githubs_forms(expires: str, left: int | None) -> None:
    """GitHub writes it in the time zone of the token's creator, or in UTC."""
    assert token_days_left(expires, datetime(2026, 11, 20, 9, tzinfo=UTC)) == left

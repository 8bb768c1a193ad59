"""Sets of days as spans behave like Python's sets, and stay small."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from traffic.record.spans import days_in, holes, join, meet, span_text, spans_of, within

START = date(2027, 12, 20)
DAYS = st.sets(st.integers(0, 90).map(lambda n: (START + timedelta(days=n)).isoformat()))


@given(DAYS, DAYS)
def test_spans_behave_like_sets_of_days(one: set[str], other: set[str]) -> None:
    """The record stores in them which days are complete."""
    assert list(days_in(spans_of(one))) == sorted(one)
    assert join(spans_of(one), spans_of(other)) == spans_of(one | other)
    assert meet(spans_of(one), spans_of(other)) == spans_of(one & other)
    assert {day for day in one | other if within(day, spans_of(one))} == one


@given(DAYS)
def test_holes_are_the_days_missing_between_first_and_last(days: set[str]) -> None:
    """Days before the first were never promised, and days after the last are not lost yet."""
    missing = set(days_in(holes(spans_of(days))))
    between = set(days_in(((min(days), max(days)),))) if days else set()

    assert missing == between - days


def test_a_span_is_written_for_people() -> None:
    """A single day is not written as a range."""
    assert span_text(("2026-11-06", "2026-11-06")) == "2026-11-06"
    assert span_text(("2026-11-06", "2026-11-19")) == "2026-11-06 to 2026-11-19"

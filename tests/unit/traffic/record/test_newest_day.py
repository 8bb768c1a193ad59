"""What is unusual starts from the newest complete day of a repository, and from two complete weeks."""

import pytest

from traffic.record.merge import Day
from traffic.record.reports import recent

COMPLETE = frozenset({"views", "clones"})


def test_the_newest_complete_day_is_compared_with_the_week_before() -> None:
    """It is not the newest day, if that one is incomplete."""
    days = {
        "2026-11-19": Day({"views-count": 1}),
        "2026-11-18": Day({"views-count": 7}, COMPLETE),
        "2026-11-11": Day({"views-count": 5}, frozenset({"views"})),
        "2026-11-12": Day({"views-count": 99}, COMPLETE),
    }

    assert recent(days) == {"day": "2026-11-18", "views": 7, "before": 5}
    assert recent({**days, "2026-11-11": Day({"views-count": 5})}) == {"day": "2026-11-18", "views": 7}


@pytest.mark.parametrize(
    ("missing", "weeks"), [(None, [[70, 7], [35, 14]]), ("2026-11-06", None), ("2026-11-05", [[70, 7], [35, 14]])]
)
def test_two_weeks_are_added_up_if_every_day_is_complete(missing: str | None, weeks: list[list[int]] | None) -> None:
    """A week with a hole would look like a bad week."""
    days = {f"2026-11-{day:02}": Day({"views-count": 10, "clones-count": 1}, COMPLETE) for day in range(13, 20)} | {
        f"2026-11-{day:02}": Day({"views-count": 5, "clones-count": 2}, COMPLETE) for day in range(5, 13)
    }
    if missing:
        days[missing] = Day({"views-count": 5, "clones-count": 2}, frozenset({"views"}))

    found = recent(days)

    assert found
    assert found.get("weeks") == weeks

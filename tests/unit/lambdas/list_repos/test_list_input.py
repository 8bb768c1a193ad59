"""What an execution may be started with, and what a date in it means."""

from datetime import UTC, datetime

import pytest

from lambdas.list_repos.past_date import describe_dates, is_beyond_github
from lambdas.list_repos.run_input import read_date
from traffic.clock import event_day
from traffic.errors import InvalidInputError

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
EVENT = {"detail-type": "Scheduled Event", "source": "aws.events", "time": "2021-09-14T23:17:13Z", "detail": {}}


@pytest.mark.parametrize(
    ("given", "date"),
    [
        ({}, None),
        ({"Comment": "Insert your JSON here"}, None),
        (EVENT, None),
        ({"date": "2026-11-20"}, "2026-11-20"),
        ({"date": "2020-02-29"}, "2020-02-29"),
        ({**EVENT, "date": "2021-09-14"}, "2021-09-14"),
    ],
)
def test_an_input_asks_for_a_day_or_for_an_ordinary_run(given: object, date: str | None) -> None:
    """The console's comment and the schedule's event are valid inputs."""
    assert read_date(given, NOW) == date


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"date": "2026-11-21"}, "in the future"),
        ({**EVENT, "date": "2021-09-15"}, "in the future"),
        ({"date": "2026-02-30"}, "expected a day"),
        ({"date": "20261120"}, "expected a day"),
        ({"date": "2026-11-20T00:00:00Z"}, "expected a day"),
        ({"date": None}, "expected a day"),
        ({"date": ["2026-11-20"]}, "expected a day"),
        ({"dates": "2026-11-20"}, "unknown field"),
        ([], "The input is"),
        ("2026-11-20", "The input is"),
    ],
)
def test_an_invalid_date_and_a_future_day_are_refused(given: object, complaint: str) -> None:
    """A typing error must not start a run of another kind, and GitHub must not be asked before."""
    with pytest.raises(InvalidInputError, match=complaint):
        read_date(given, NOW)


def test_a_run_uses_the_time_of_its_event() -> None:
    """A late event, or a replay of the past, must not be judged by our clock."""
    assert event_day(EVENT, NOW) == "2021-09-14"
    assert event_day({}, NOW) == "2026-11-20"
    assert event_day({"time": "soon"}, NOW) == "2026-11-20"


def test_github_returns_a_day_for_fourteen_days() -> None:
    """On the fourteenth day a block of complete days still contains it, and a rolling window contains a part of it."""
    assert not is_beyond_github("2026-11-06", "2026-11-20")
    assert is_beyond_github("2026-11-05", "2026-11-20")


def test_available_dates_are_written_as_ranges() -> None:
    """Someone who asked for a wrong date needs the right ones, and the list may span years."""
    captured = ["2025-01-20", "2025-01-21", "2025-02-10"]

    assert describe_dates(captured, "2026-11-20") == (
        "2025-01-06 to 2025-01-21, 2025-01-27 to 2025-02-10, 2026-11-06 to 2026-11-20"
    )
    assert describe_dates([], "2026-11-20") == "2026-11-06 to 2026-11-20"

"""What GitHub's traffic answers say, checked: days with their numbers, and nothing else.

Source:
    https://docs.github.com/en/rest/metrics/traffic
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from lambdas.shared.clock import day_of, days_before, from_text, start_of
from lambdas.shared.contract import Endpoint
from lambdas.shared.merge import Day

WINDOW = timedelta(hours=336)
WINDOW_DAYS = 14


def check_body(endpoint: Endpoint, body: Any) -> None:
    """Check that a body has the shape that GitHub documents for an endpoint.

    Raises:
        ValueError: It has not. The message says what is wrong, and quotes nothing of the body.
    """
    if endpoint in ("views", "clones"):
        rows = body.get(endpoint) if isinstance(body, dict) else None
        fields: tuple[str, ...] = ("count", "uniques")
    else:
        rows, fields = body, ("count", "uniques")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"the answer for {endpoint} holds no list of rows")
    for row in rows:
        if not all(_is_count(row.get(field)) for field in fields):
            raise ValueError(f"a row for {endpoint} has no whole numbers `count` and `uniques`")
        if endpoint in ("views", "clones"):
            _day(row)
        elif not isinstance(row.get("path" if endpoint == "paths" else "referrer"), str):
            raise ValueError(f"a row for {endpoint} has no name")


def read_days(endpoint: Endpoint, body: Mapping[str, Any], captured_at: datetime) -> dict[str, Day]:
    """Read the days of a views or clones answer that `check_body` accepted.

    Returns:
        For each day that GitHub named, its two metrics, and whether the day was returned whole.
    """
    seen = {_day(row): (row["count"], row["uniques"]) for row in body[endpoint]}
    whole = complete_days(set(seen), captured_at)
    return {
        day: Day(
            {f"{endpoint}-count": count, f"{endpoint}-uniques": uniques},
            complete=frozenset({endpoint}) if day in whole else frozenset(),
        )
        for day, (count, uniques) in seen.items()
    }


def complete_days(days: set[str], captured_at: datetime) -> set[str]:
    """Tell which of the days of one answer were returned whole.

    A day is whole when it is over and began inside the 336 hours before the capture. Since 2025-12-30 GitHub answers
    with a block of 14 whole days that may reach further back; such a block is known by its length and by the absence
    of the current day.
    """
    today = day_of(captured_at)
    ended = {day for day in days if day < today}
    if today not in days and len(ended) == WINDOW_DAYS and min(ended) == days_before(max(ended), WINDOW_DAYS - 1):
        return ended
    return {day for day in ended if start_of(day) >= captured_at - WINDOW}


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15


def _day(row: Mapping[str, Any]) -> str:
    try:
        return day_of(from_text(str(row.get("timestamp"))))
    except ValueError as exc:
        raise ValueError("a row has no `timestamp` of the form 2026-11-20T00:00:00Z") from exc

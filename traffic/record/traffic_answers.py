"""What GitHub's traffic answers say, checked: days with their numbers, and nothing else.

Source:
    https://docs.github.com/en/rest/metrics/traffic
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from traffic.clock import day_of, days_before, from_text, start_of
from traffic.contract import Endpoint
from traffic.record.merge import Day, merge_days
from traffic.record.spans import Spans, spans_of, within

WINDOW = timedelta(hours=336)
WINDOW_DAYS = 14
SAFE_DAYS = 13  # days after a day on which it can still be captured whole: then a rolling window truncates it

# From then on GitHub lists 14 whole UTC days, zeros too, moved as a block; an older GitHub Enterprise Server may not.
# Source: recorded answers before and after. https://docs.github.com/en/rest/metrics/traffic tells of neither.
REGIME_CHANGE = datetime(2025, 12, 30, tzinfo=UTC)

# A header of GitHub Enterprise Server's answers alone.
# Source: https://docs.github.com/en/enterprise-server@3.8/rest/enterprise-admin ("Version information")
ENTERPRISE = "x-github-enterprise-version"

MOST_DAYS = 100  # GitHub lists at most 15; the bound keeps a broken server's answer from becoming ten thousand items

READY = 7  # o'clock UTC: until then GitHub may not have counted yesterday

LATEST = 7  # days after which a rolling window that still leaves a day out means: nothing happened on it


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
    if len(rows) > MOST_DAYS:
        raise ValueError(f"the answer for {endpoint} holds {len(rows)} rows")
    for row in rows:
        if not all(_is_count(row.get(field)) for field in fields):
            raise ValueError(f"a row for {endpoint} has no whole numbers `count` and `uniques`")
        if endpoint in ("views", "clones"):
            _day(row)
        elif not isinstance(row.get("path" if endpoint == "paths" else "referrer"), str):
            raise ValueError(f"a row for {endpoint} has no name")


def nobody_viewed(endpoint: Endpoint, body: Any) -> bool:
    """Tell whether an answer that `check_body` accepted says, in GitHub's own total, that nobody viewed anything.

    Then there are no referrers and paths to ask for. An answer without that total says nothing of the kind.
    """
    if endpoint != "views" or not _is_count(body.get("count")):
        return False
    return not body["count"] and not any(row["count"] for row in body["views"])


@dataclass(frozen=True)
class Said:
    """What one views or clones answer says.

    Attributes:
        rows: For each day that GitHub named, `count` and `uniques`.
        captured_at: When GitHub said so.
        enterprise: Whether it was an Enterprise Server that said so, which may still have the older window.
    """

    rows: Mapping[str, tuple[int, int]]
    captured_at: datetime
    enterprise: bool = False

    @property
    def today(self) -> str:
        """The UTC day of the capture."""
        return day_of(self.captured_at)


def read_rows(
    endpoint: Endpoint, body: Mapping[str, Any], captured_at: datetime, headers: Mapping[str, str] | None = None
) -> Said:
    """Read a views or clones answer that `check_body` accepted."""
    rows = {_day(row): (row["count"], row["uniques"]) for row in body[endpoint]}
    return Said(rows, captured_at, enterprise=ENTERPRISE in (headers or {}))


def read_days(capture: Mapping[Endpoint, Said]) -> dict[str, Day]:
    """Read the days of one capture.

    Args:
        capture: Views and clones of the same capture; or the one of them that was answered.

    Returns:
        For each day that GitHub named, its metrics, and which of them were returned for the whole day.
    """
    whole = whole_days(capture)
    days: dict[str, Day] = {}
    for endpoint, said in capture.items():
        for day, (count, uniques) in said.rows.items():
            complete = frozenset({endpoint}) if within(day, whole[endpoint]) else frozenset()
            seen = Day({f"{endpoint}-count": count, f"{endpoint}-uniques": uniques}, complete)
            days[day] = merge_days(days.get(day, Day()), seen)
    return days


def whole_days(capture: Mapping[Endpoint, Said]) -> dict[Endpoint, Spans]:
    """Tell for which days one capture says everything: those returned whole, and in a rolling window the empty ones.

    Where every day is listed, zeros too, each day that is listed is whole. Where empty days are left out, the oldest
    day is truncated and the newest may be unfinished: GitHub's newest day stalls, for views and clones apart.
    """
    listed = _lists_whole_days(capture)
    return {
        endpoint: spans_of(day for day in said.rows if day < said.today) if listed else _rolling(said)
        for endpoint, said in capture.items()
    }


def last_days(capture: Mapping[Endpoint, Said]) -> dict[Endpoint, str]:
    """Name the last day of each window, where GitHub lists every day of it, zeros too.

    Where empty days are left out nothing is returned: that the newest days are missing is no sign there.
    """
    whole = whole_days(capture) if _lists_whole_days(capture) else {}
    return {endpoint: spans[-1][1] for endpoint, spans in whole.items() if spans}


def days_behind(day: str, captured_at: datetime) -> int:
    """Count the days by which a window that ends on a day ends too early for the time of its capture.

    Source: recorded answers since March 2026. The newest day is two days old before 05:00 UTC, and yesterday in all of
    249 samples after 07:00.
    """
    usual = 1 if captured_at.hour >= READY else 2
    return max((start_of(day_of(captured_at)) - start_of(day)).days - usual, 0)


def _lists_whole_days(capture: Mapping[Endpoint, Said]) -> bool:
    """Tell in which of GitHub's two regimes a capture was made: blocks of whole days, or a rolling window.

    A zero, or a day that a rolling window had left, prove whole days; the current day proves the contrary. A block of
    14 days up to yesterday without a zero can be either: then the day on which GitHub changed decides, and whether it
    is GitHub itself. Of an Enterprise Server it is taken for rolling: a truncated day must not pass for a whole one.
    """
    answers = capture.values()
    if any(said.today in said.rows for said in answers):
        return False
    if any(count == 0 or _beyond(day, said) for said in answers for day, (count, _) in said.rows.items()):
        return True
    return all(_is_block(said) and said.captured_at >= REGIME_CHANGE and not said.enterprise for said in answers)


def _beyond(day: str, said: Said) -> bool:
    """Tell whether a day had left a rolling window, with an hour's grace for answers that GitHub has cached."""
    return start_of(day) + timedelta(hours=24 + 1) <= said.captured_at - WINDOW


def _is_block(said: Said) -> bool:
    return len(said.rows) == WINDOW_DAYS and len(spans_of(said.rows)) == 1


def _rolling(said: Said) -> Spans:
    """Give the days between the truncated one and the newest, and those too old for GitHub to be late with."""
    oldest = day_of(said.captured_at - WINDOW - timedelta(microseconds=1) + timedelta(days=1))
    newest = max((day for day in said.rows if day <= said.today), default="")
    last = days_before(said.today, LATEST + 1)
    if newest:
        last = max(last, days_before(newest, 1))
    return ((oldest, last),) if oldest <= last else ()


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15


def _day(row: Mapping[str, Any]) -> str:
    try:
        return day_of(from_text(str(row.get("timestamp"))))
    except (ValueError, OverflowError) as exc:
        raise ValueError("a row has no `timestamp` of the form 2026-11-20T00:00:00Z") from exc

"""The shape of GitHub's traffic answers, and what Fetch traffic must know of them. Pure.

How they are read into the record is in traffic/record/reports.py.

Source:
    https://docs.github.com/en/rest/metrics/traffic
"""

from collections.abc import Mapping
from typing import Any

from traffic.clock import day_of, from_text
from traffic.contract import Endpoint

WINDOW_DAYS = 14
SAFE_DAYS = 13  # days after a day on which GitHub still reports it completely: then a rolling window truncates it

MOST_DAYS = 100  # GitHub lists at most 15; the limit keeps a broken server's answer from becoming ten thousand items


def check_body(endpoint: Endpoint, body: Any) -> None:
    """Check that a body has the shape that GitHub documents for an endpoint.

    Raises:
        ValueError: It has another shape. The message says what is wrong, and quotes nothing of the body.
    """
    rows = body
    if endpoint in ("views", "clones"):
        rows = body.get(endpoint) if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"the answer for {endpoint} holds no list of rows")
    if len(rows) > MOST_DAYS:
        raise ValueError(f"the answer for {endpoint} holds {len(rows)} rows")
    for row in rows:
        if not all(_is_count(row.get(field)) for field in ("count", "uniques")):
            raise ValueError(f"a row for {endpoint} has no integers `count` and `uniques`")
        if endpoint in ("views", "clones"):
            day_of_row(row)
        elif not isinstance(row.get("path" if endpoint == "paths" else "referrer"), str):
            raise ValueError(f"a row for {endpoint} has no name")


def nobody_viewed(endpoint: Endpoint, body: Any) -> bool:
    """Return whether an answer that `check_body` accepted reports zero views in GitHub's own total.

    If so, there are no referrers and paths to ask for. An answer without that total proves nothing.
    """
    if endpoint != "views" or not _is_count(body.get("count")):
        return False
    return not body["count"] and not any(row["count"] for row in body["views"])


def day_of_row(row: Mapping[str, Any]) -> str:
    """Return the day of a row.

    Raises:
        ValueError: It has no day. The message quotes nothing of the row.
    """
    try:
        return day_of(from_text(str(row.get("timestamp"))))
    except (ValueError, OverflowError) as exc:
        raise ValueError("a row has no `timestamp` of the form 2026-11-20T00:00:00Z") from exc


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15

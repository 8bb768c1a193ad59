"""How long GitHub wants to be left alone."""

from collections.abc import Mapping
from datetime import datetime

from traffic.clock import from_http
from traffic.github.answers import Answer

FIRST_PAUSE = 60.0  # seconds
LONGEST_PAUSE = 900.0  # seconds
RESERVE = 0.1  # of what GitHub grants, for other tools of the token's owner
AFTER_RESET = 2.0  # seconds; at the exact second of the reset GitHub still refuses


def rate_limit_pause(answer: Answer, now: datetime, *, attempt: int) -> float:
    """Say how long GitHub wants to be left alone after a refused call.

    Args:
        answer: A 403 or 429 that `classify` found to be a rate limit.
        now: The time to count from where the answer carries no `Date`.
        attempt: How many pauses this batch has made since its last good answer, from 0.

    Returns:
        Seconds: `retry-after`, else, where nothing remains, `x-ratelimit-reset` minus the answer's own `date` plus 2,
        else 60 doubling with each attempt, at most 900. At least 1, doubling likewise: a time that is over already must
        not have the state machine turn in circles.

    Source:
        https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    said_at = from_http(answer.headers.get("date")) or now
    asked = _retry_after(answer.headers, said_at)
    if asked is None and answer.headers.get("x-ratelimit-remaining") == "0":
        asked = _until_reset(answer.headers, said_at)
    doubled = 2.0 ** min(attempt, 10)
    if asked is None:
        asked = min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
    return max(asked, min(doubled, LONGEST_PAUSE))


def reserve_pause(answer: Answer, now: datetime) -> float | None:
    """Say how long to leave GitHub alone so that something is left for other tools of the token's owner.

    Args:
        answer: A good one.
        now: The time to count from where the answer carries no `Date`.

    Returns:
        Seconds until the limit's reset, as for a refused call; None where more than a tenth of the limit is left, or
        the answer does not tell.
    """
    limit, left = (header_number(answer.headers, f"x-ratelimit-{name}") for name in ("limit", "remaining"))
    if limit is None or left is None or left >= limit * RESERVE:
        return None
    until_reset = _until_reset(answer.headers, from_http(answer.headers.get("date")) or now)
    return None if until_reset is None else max(until_reset, 1.0)


def header_number(headers: Mapping[str, str], name: str) -> int | None:
    """Read a header that is a number of ASCII digits; None if it is anything else or absent."""
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None


def _retry_after(headers: Mapping[str, str], said_at: datetime) -> float | None:
    """Read `retry-after`: seconds by GitHub's documentation, an HTTP date by RFC 9110; None where it is neither."""
    text = headers.get("retry-after", "")
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    moment = from_http(text)
    return (moment - said_at).total_seconds() if moment else None


def _until_reset(headers: Mapping[str, str], said_at: datetime) -> float | None:
    """Read `x-ratelimit-reset`, in epoch seconds; None where it is not a number."""
    reset = header_number(headers, "x-ratelimit-reset")
    return None if reset is None else float(min(reset, 2**62)) - said_at.timestamp() + AFTER_RESET

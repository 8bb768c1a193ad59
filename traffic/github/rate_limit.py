"""How long to wait before the next call to GitHub."""

from collections.abc import Mapping
from datetime import datetime

from traffic.clock import from_http
from traffic.github.answers import Answer

FIRST_PAUSE = 60.0  # seconds
LONGEST_PAUSE = 900.0  # seconds
RESERVE = 0.1  # part of GitHub's limit that is left to other tools of the token's owner
AFTER_RESET = 2.0  # seconds; GitHub still refuses in the second of the reset


def rate_limit_pause(answer: Answer, now: datetime, *, attempt: int) -> float:
    """Return how long to wait before calling GitHub again after a refused call.

    Args:
        answer: A 403 or 429 that `classify` found to be a rate limit.
        now: The time to count from if the answer has no `Date`.
        attempt: How many pauses this batch has made since its last good answer, from 0.

    Returns:
        Seconds: `retry-after` if present; otherwise, if no call is left, `x-ratelimit-reset` minus the answer's own
        `date` plus 2; otherwise 60, doubled with each attempt, at most 900. At least 1, doubled likewise: otherwise a
        time in the past would make the state machine ask without a pause.

    Source:
        https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    sent_at = from_http(answer.headers.get("date")) or now
    asked = _retry_after(answer.headers, sent_at)
    if asked is None and answer.headers.get("x-ratelimit-remaining") == "0":
        asked = _until_reset(answer.headers, sent_at)
    doubled = 2.0 ** min(attempt, 10)
    if asked is None:
        asked = min(FIRST_PAUSE * doubled, LONGEST_PAUSE)
    return max(asked, min(doubled, LONGEST_PAUSE))


def reserve_pause(answer: Answer, now: datetime) -> float | None:
    """Return how long to wait so that some calls are left for other tools of the token's owner.

    Args:
        answer: An answer that was not refused.
        now: The time to count from if the answer has no `Date`.

    Returns:
        Seconds until the limit's reset, as for a refused call; None if at least a tenth of the limit is left, or if the
        answer has no such headers.
    """
    limit, left = (header_number(answer.headers, f"x-ratelimit-{name}") for name in ("limit", "remaining"))
    if limit is None or left is None or left >= limit * RESERVE:
        return None
    until_reset = _until_reset(answer.headers, from_http(answer.headers.get("date")) or now)
    return None if until_reset is None else max(until_reset, 1.0)


def header_number(headers: Mapping[str, str], name: str) -> int | None:
    """Read a header that is a number; None if it is absent or anything else."""
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None


def _retry_after(headers: Mapping[str, str], sent_at: datetime) -> float | None:
    """Read `retry-after`: seconds by GitHub's documentation, or an HTTP date by RFC 9110; None if it is neither."""
    text = headers.get("retry-after", "")
    if text.strip().isascii() and text.strip().isdigit():
        return float(text)
    moment = from_http(text)
    return (moment - sent_at).total_seconds() if moment else None


def _until_reset(headers: Mapping[str, str], sent_at: datetime) -> float | None:
    """Read `x-ratelimit-reset`, in epoch seconds, as seconds from `sent_at`; None if it is not a number."""
    reset = header_number(headers, "x-ratelimit-reset")
    return None if reset is None else float(min(reset, 2**62)) - sent_at.timestamp() + AFTER_RESET

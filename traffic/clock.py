"""Times as this system writes them: `2026-11-20T09:00:00Z`. Pure."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 172_800.0  # seconds: longer than any run; without it an absurd header would be no valid date


def to_text(moment: datetime) -> str:
    """Write a moment, as `2026-11-20T09:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def not_before(moment: datetime) -> str:
    """Write a time, in complete seconds, that is not before a moment."""
    return to_text(moment + timedelta(seconds=1))


def from_text(text: str) -> datetime:
    """Read an ISO 8601 moment.

    Raises:
        ValueError: It is not one, or has no offset from UTC.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)


def from_http(text: str | None) -> datetime | None:
    """Read an HTTP date, `Fri, 20 Nov 2026 09:00:00 GMT`; None if the text is not one."""
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)  # naive: written with -0000


def day_of(moment: datetime) -> str:
    """Return the UTC day of a moment, as `2026-11-20`."""
    return moment.astimezone(UTC).date().isoformat()


def start_of(day: str) -> datetime:
    """Return the first moment of a UTC day.

    Raises:
        ValueError: It is not a day of the form `2026-11-20`.
    """
    if len(day) != len("2026-11-20"):  # fromisoformat alone would also take 20261120 and 2026-W47-5
        raise ValueError(f"{day!r} is not a day of the form 2026-11-20")
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)


def days_before(day: str, count: int) -> str:
    """Return the day that is `count` days before another."""
    return day_of(start_of(day) - timedelta(days=count))


def event_day(given: object, started: datetime) -> str:
    """Return the day of a run: that of EventBridge's event if one started it, otherwise that of its start."""
    time = given.get("time") if isinstance(given, Mapping) else None
    try:
        return day_of(from_text(time))  # type: ignore[arg-type]  # from_text refuses any other type
    except (TypeError, ValueError):
        return day_of(started)

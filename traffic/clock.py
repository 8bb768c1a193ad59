"""Times as this system writes them: UTC, ISO 8601, whole seconds, with a `Z`."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

from traffic.contract import Redriven, Run

LONGEST_RUN = timedelta(hours=20)  # what is not captured by then is reported; the next day's run comes after 24


def to_text(moment: datetime) -> str:
    """Write a moment, as `2026-11-20T09:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
    """Read an HTTP date, `Fri, 20 Nov 2026 09:00:00 GMT`; None where it is none."""
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)  # naive: written with -0000


def day_of(moment: datetime) -> str:
    """Name the UTC day of a moment, as `2026-11-20`."""
    return moment.astimezone(UTC).date().isoformat()


def start_of(day: str) -> datetime:
    """Give the first moment of a UTC day.

    Raises:
        ValueError: It is not a day of the form `2026-11-20`.
    """
    if len(day) != len("2026-11-20"):  # fromisoformat alone would also take 20261120 and 2026-W47-5
        raise ValueError(f"{day!r} is not a day of the form 2026-11-20")
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)


def days_before(day: str, count: int) -> str:
    """Name the day that lies `count` days before another."""
    return day_of(start_of(day) - timedelta(days=count))


def event_day(given: object, started: datetime) -> str:
    """Name the day of a run by its own time: that of EventBridge's event where it came by one, else its start."""
    time = given.get("time") if isinstance(given, Mapping) else None
    try:
        return day_of(from_text(time))  # type: ignore[arg-type]  # whatever stands there, from_text refuses it
    except (TypeError, ValueError):
        return day_of(started)


def extended(run: Run, *executions: Redriven) -> Run:
    """Return a run with the latest deadline of its own and those that redrives give it.

    A redriven state gets the input that it had the first time, so the run's own deadline may be long past.

    Args:
        run: The run.
        executions: The executions that a call is a part of: the run's own, a child's.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html (same input)
        https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html (RedriveTime is there only
        in a redriven execution)
    """
    given = [from_text(each["RedriveTime"]) + LONGEST_RUN for each in executions if "RedriveTime" in each]
    if "deadline" not in run or not given:
        return run
    return {**run, "deadline": to_text(max(from_text(run["deadline"]), *given))}

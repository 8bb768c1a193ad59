"""When days will be lost for good, and which days were lost: GitHub deletes a day after 14 days. Pure.

A day can be captured completely until the 13th day after it. On the 14th a rolling window has begun to truncate it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from traffic.clock import days_before, start_of
from traffic.github.bodies import SAFE_DAYS
from traffic.record.merge import Entry
from traffic.record.spans import Span, Spans, day_after, days_in, holes, meet
from traffic.wording import counted

ANNOUNCED = 28  # days for which a hole is reported: one e-mail is easily missed
TOKEN_WARNING = 14  # days before the token expires


@dataclass(frozen=True)
class Watermark:
    """How far a repository is captured.

    Attributes:
        name: Its current name.
        repo_name: The partition key of its days.
        newest_day: The newest day that GitHub ever reported; None if it never reported one.
        captured_on: The last day on which all endpoints answered; None if they never did.
        complete: The days that were captured completely, both views and clones.
    """

    name: str
    repo_name: str
    newest_day: str | None
    captured_on: str | None
    complete: Spans

    def first_missing(self, today: str) -> str | None:
        """Return the first day that is not captured completely and that GitHub still has.

        Returns:
            The day after the last complete one if there is no such hole; it may be too late for that day. The day of
            the last capture if no day is complete.
        """
        if not self.complete:
            return self.captured_on
        within_reach = (day for day in days_in(holes(self.complete)) if days_left(day, today) >= 0)
        return next(within_reach, day_after(self.complete[-1][1]))

    def days_left(self, today: str) -> int | None:
        """Count the days until days are lost for good; negative if they are being lost, None if unknown."""
        first = self.first_missing(today)
        return None if first is None else days_left(first, today)

    def lost(self, today: str) -> Spans:
        """Return the days that were never captured completely and no longer can be, if the hole ended lately."""
        ended = [(first, min(last, days_before(today, SAFE_DAYS + 1))) for first, last in holes(self.complete)]
        recently = days_before(today, ANNOUNCED)
        return tuple((first, last) for first, last in ended if first <= last and last >= recently)


def watermark_of(repo_name: str, entry: Entry) -> Watermark:
    """Read from a repository's entry how far it is captured."""
    complete = meet(entry.covered.get("views", ()), entry.covered.get("clones", ()))
    return Watermark(entry.name, repo_name, entry.newest_day, entry.captured_on, complete)


def days_left(day: str, today: str) -> int:
    """Count the days that remain to capture a day completely: 0 on the last one, negative once it is too late."""
    return SAFE_DAYS - age(day, today)


def age(day: str, today: str) -> int:
    """Count the days from one day to another."""
    return (start_of(today) - start_of(day)).days


def is_recent(mark: Watermark, today: str) -> bool:
    """Return whether a repository was captured lately; otherwise a deleted one would be reported forever."""
    return mark.captured_on is not None and age(mark.captured_on, today) <= ANNOUNCED


def fewest_days_left(marks: Iterable[Watermark], today: str) -> int | None:
    """Count the days that remain for the most urgent repository; None if nothing is known."""
    return min((left for mark in marks if (left := mark.days_left(today)) is not None), default=None)


def token_days_left(expires: str, now: datetime) -> int | None:
    """Count the days until the token expires, rounded down; negative once it has expired.

    Args:
        expires: GitHub's header: `2026-07-31 10:13:04 +0200` or `2026-07-31 08:13:04 UTC`.
        now: GitHub's own time.

    Returns:
        None if the header has neither form.
    """
    try:
        moment = datetime.strptime(expires.strip().replace(" UTC", " +0000"), "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None
    return (moment.astimezone(UTC) - now).days


def lost_since(first: str, today: str) -> Span:
    """Return the days that are lost if nothing was captured from `first` on."""
    return first, days_before(today, SAFE_DAYS + 1)


def remaining(left: int) -> str:
    """Write how many days remain until days are lost for good."""
    if left < 0:
        return "Days are being lost for good"
    return (
        f"{count(left)} until days are lost for good" if left else "Today is the last day before days are lost for good"
    )


def count(days: int) -> str:
    """Write a number of days."""
    return counted(days, "day", "days")

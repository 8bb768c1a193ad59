"""The days and numbers in other tools' files, as texts, as JSON has them, or in a database. Pure."""

import re
from datetime import UTC, datetime

from traffic.clock import to_text

NUMBER = re.compile(r"(\d{1,15})(\.0+)?")  # pandas writes 3.0 in a column that has an empty cell
MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})([ T]00:00(:00(\.0+)?)?(Z|\+00:?00)?)?")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}.*")
MONTH = re.compile(r"\d{4}-\d{2}")
NO_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}\.?")

A_DAY = "a UTC day, 2026-11-20"


class WrongCellError(ValueError):
    """A file has a value that cannot be right; the message names the value and what was expected."""


def is_month(text: object) -> bool:
    """Whether a text stands for a month: some tools add old days together."""
    return isinstance(text, str) and MONTH.fullmatch(text.strip()) is not None


def is_day(text: object) -> bool:
    """Whether a text looks like a day, a month or a moment, as a key of JSON."""
    return isinstance(text, str) and any(form.fullmatch(text.strip()) for form in (MIDNIGHT, MONTH, MOMENT))


def read_utc_day(text: object) -> str:
    """Read a UTC day, which some tools write as its midnight.

    Raises:
        WrongCellError: It is not a day, or it lies in the future.
    """
    if not isinstance(text, str):
        raise WrongCellError(f"{text!r}, expected {A_DAY}")
    written = text.strip()
    found = MIDNIGHT.fullmatch(written)
    try:
        day = datetime.fromisoformat(found[1]).date().isoformat() if found else ""
    except ValueError:
        day = ""
    if not day:
        hint = ""
        if NO_YEAR.fullmatch(written):
            hint = ": without a year it could be any year's"
        elif MOMENT.fullmatch(written):
            hint = ": the numbers at a time of day are totals of 14 days, and no day's"
        raise WrongCellError(f"{text!r}, expected {A_DAY}{hint}")
    if day > datetime.now(UTC).date().isoformat():
        raise WrongCellError(f"{text!r}, expected a day that has begun")
    return day


def read_utc_moment(text: object) -> str:
    """Read a time, or the midnight of a day; without a zone it is in UTC, as days are.

    Returns:
        The time in UTC, `2026-11-20T09:00:00Z`.

    Raises:
        WrongCellError: It is not a time, or it lies in the future.
    """
    written = text.strip() if isinstance(text, str) else ""
    try:
        moment = datetime.fromisoformat(written if MIDNIGHT.match(written) else "")
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise WrongCellError(f"{text!r}, expected a time, 2026-11-20 09:00:00+00:00") from exc
    if moment > datetime.now(UTC):
        raise WrongCellError(f"{text!r}, expected a time that has come")
    return to_text(moment)


def read_count(value: object) -> int | None:
    """Read a count; None if it is empty, which is how pandas writes an unknown number, and JSON null.

    Raises:
        WrongCellError: It is not an integer from 0.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15:
        return value
    text = "" if value is None else str(value).strip()
    if not text and value is not False:
        return None
    found = NUMBER.fullmatch(text)
    if not found or isinstance(value, bool):
        raise WrongCellError(f"{value!r}, expected an integer from 0, or nothing")
    return int(found[1])

"""The input that an execution is started with."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from traffic.clock import event_day, start_of
from traffic.errors import InvalidInputError

# What EventBridge's scheduled event holds; https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html
EVENT_FIELDS = {
    "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name"
}  # fmt: skip

EXPECTED = 'expected {}, EventBridge\'s scheduled event, or {"date": "2026-11-20"} to capture for one day again'


def read_date(given: Any, now: datetime) -> str | None:
    """Check an execution's input, and read the one day that it asks for.

    Args:
        given: The input. The `Comment` that the console fills in is ignored.
        now: The time of the start. A later day is refused.

    Returns:
        The day, as `2026-11-20`; None for an ordinary run.

    Raises:
        InvalidInputError: The state machine does not take this input.
    """
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"The input is {_quoted(given)}; {EXPECTED}.")
    is_event = given.get("detail-type") == "Scheduled Event"
    unknown = given.keys() - {"Comment", "date"} - (EVENT_FIELDS if is_event else set())
    if unknown:
        raise InvalidInputError(f"The input has the unknown field {_quoted(min(unknown))}; {EXPECTED}.")
    return _day(given["date"], event_day(given, now)) if "date" in given else None


def _day(given: Any, today: str) -> str:
    try:
        start_of(given)
    except (TypeError, ValueError) as exc:
        raise InvalidInputError(f"The date is {_quoted(given)}; expected a day such as 2026-11-20.") from exc
    if given > today:
        raise InvalidInputError(f"The date {given} is in the future; expected {today} or an earlier day.")
    return str(given)


def _quoted(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."

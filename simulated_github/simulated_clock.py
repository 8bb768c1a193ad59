"""Time as the simulated GitHub sees it."""

from datetime import UTC, datetime, timedelta


class SimulatedClock:
    """Goes on with real speed from wherever it was set; the real time until then."""

    def __init__(self, at: datetime | None = None) -> None:
        self._ahead = timedelta(0)
        if at is not None:
            self.set(at)

    def now(self) -> datetime:
        """Tell the simulated time, in UTC."""
        return datetime.now(UTC) + self._ahead

    def set(self, at: datetime) -> None:
        """Make `at` the present."""
        self._ahead = at - datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time or day (`2026-11-20T09:00:00Z`, `2026-11-20`); without a zone it is UTC.

    Raises:
        ValueError: The text is no such time.
    """
    time = datetime.fromisoformat(text)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def format_time(time: datetime) -> str:
    """Write a time as GitHub does: `2026-11-20T09:00:00Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""The time of the simulated GitHub."""

from datetime import UTC, datetime, timedelta


class SimulatedClock:
    """Shows the real time until it is set; then goes on with real speed from there."""

    def __init__(self, at: datetime | None = None) -> None:
        self._ahead = timedelta(0)
        if at is not None:
            self.set(at)

    def now(self) -> datetime:
        """Return the simulated time, in UTC."""
        return datetime.now(UTC) + self._ahead

    def set(self, at: datetime) -> None:
        """Set the simulated time."""
        self._ahead = at - datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """Parse an ISO 8601 time or day (`2026-11-20T09:00:00Z`, `2026-11-20`); without a zone it is UTC.

    Raises:
        ValueError: The text is not such a time.
    """
    time = datetime.fromisoformat(text)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def format_time(time: datetime) -> str:
    """Format a time as GitHub does: `2026-11-20T09:00:00Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

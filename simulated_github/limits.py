"""GitHub's primary rate limit: so many calls in a window, told in every answer."""

from datetime import datetime, timedelta


class PrimaryLimit:
    """Counts an account's calls in windows that begin with the first call after the last one ended.

    Args:
        limit: Calls granted in a window.
        window: Length of a window, in seconds.
    """

    def __init__(self, limit: int = 5000, window: float = 3600) -> None:
        self.limit = limit
        self.window = timedelta(seconds=window)
        self._used = 0
        self._begin: datetime | None = None

    def exhausted(self, now: datetime) -> bool:
        """Tell whether a call at `now` has to be refused."""
        # Also where the clock was set back: a window that begins in the future would never end.
        if self._begin is None or not self._begin <= now < self._begin + self.window:
            self._begin, self._used = now, 0
        return self._used >= self.limit

    def count(self) -> None:
        """Count a call; a refused one or a 304 is not counted."""
        self._used += 1

    def reset(self, now: datetime) -> int:
        """Tell the second, in Unix time, in which the window ends.

        The fraction is cut off, so a call at exactly that second may still be too early, as at GitHub.
        """
        return int(((self._begin or now) + self.window).timestamp())

    def figures(self, now: datetime) -> dict[str, int]:
        """Tell limit, used, remaining and reset, as `/rate_limit` does."""
        return {
            "limit": self.limit,
            "used": self._used,
            "remaining": self.limit - self._used,
            "reset": self.reset(now),
        }

    def headers(self, now: datetime) -> dict[str, str]:
        """Tell the same in the headers that every answer carries."""
        figures = {f"x-ratelimit-{name}": str(value) for name, value in self.figures(now).items()}
        return {**figures, "x-ratelimit-resource": "core"}

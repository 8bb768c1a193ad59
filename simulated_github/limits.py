"""GitHub's primary limit of calls in a window, and its secondary limits of their rate."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil
from time import monotonic

from simulated_github.simulated_clock import SimulatedClock


class PrimaryLimit:
    """Counts an account's calls in windows. A window begins with the first call after the last one ended.

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
        """Return whether a call at `now` is refused."""
        # A window that begins in the future, because the clock was set back, would never end.
        if self._begin is None or not self._begin <= now < self._begin + self.window:
            self._begin, self._used = now, 0
        return self._used >= self.limit

    def count(self) -> None:
        """Count a call; the caller omits refused calls and a 304."""
        self._used += 1

    def reset(self, now: datetime) -> int:
        """Return the second, in Unix time, in which the window ends.

        The fraction is cut off, so a call at exactly that second may still be too early, as on GitHub.
        """
        return int(((self._begin or now) + self.window).timestamp())

    def figures(self, now: datetime) -> dict[str, int]:
        """Return limit, used, remaining and reset, as in `/rate_limit`."""
        return {
            "limit": self.limit,
            "used": self._used,
            "remaining": self.limit - self._used,
            "reset": self.reset(now),
        }

    def headers(self, now: datetime) -> dict[str, str]:
        """Return the same numbers as the headers of every answer."""
        figures = {f"x-ratelimit-{name}": str(value) for name, value in self.figures(now).items()}
        return {**figures, "x-ratelimit-resource": "core"}


class SecondaryLimits:
    """Counts an account's calls of the last minute, its calls under way, and the time of its answers.

    A refused call does not count, so a caller that waits for the time in `retry-after` is answered.

    Args:
        clock: The simulated time.
        points: Calls granted in a minute; a GET is one point.
        at_once: Calls granted at the same time.
        seconds: Processor time granted in a minute. GitHub recommends the sum of response times as an estimate.
        scale: Length of a minute, as a share of a real one, for tests with shortened waits.

    Source:
        https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
    """

    def __init__(
        self, clock: SimulatedClock, *, points: int = 900, at_once: int = 100, seconds: float = 90, scale: float = 1
    ) -> None:
        self._clock = clock
        self._points = points
        self._at_once = at_once
        self._seconds = seconds * scale
        self._scale = scale
        self._minute = timedelta(seconds=60 * scale)
        self._granted: deque[datetime] = deque()
        self._answered: deque[tuple[datetime, float]] = deque()  # its end, and its seconds
        self._under_way = 0

    @contextmanager
    def call(self) -> Iterator[int | None]:
        """Count a call while it is answered.

        Yields:
            None if the call is granted; otherwise the seconds to send in `retry-after`.
        """
        wait, begin = self._wait(self._clock.now()), monotonic()
        if wait is not None:
            yield max(1, ceil(wait / timedelta(seconds=self._scale)))
            return
        self._granted.append(self._clock.now())
        self._under_way += 1
        try:
            yield None
        finally:
            self._under_way -= 1
            self._answered.append((self._clock.now(), monotonic() - begin))

    def _wait(self, now: datetime) -> timedelta | None:
        """Return how long a call has to wait, or None if it is granted."""
        self._forget(now)
        if self._under_way >= self._at_once:
            return timedelta(0)
        if len(self._granted) >= self._points:
            return self._granted[-self._points] + self._minute - now
        left = sum(seconds for _, seconds in self._answered)
        end = None
        for time, seconds in self._answered:  # until enough of the oldest are a minute old
            if left < self._seconds:
                break
            left, end = left - seconds, time + self._minute
        return None if end is None else end - now

    def _forget(self, now: datetime) -> None:
        """Forget calls older than a minute, and calls in the future, after the clock was set back."""
        self._granted = deque(time for time in self._granted if now - self._minute < time <= now)
        self._answered = deque(each for each in self._answered if now - self._minute < each[0] <= now)

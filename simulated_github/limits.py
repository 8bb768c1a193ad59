"""GitHub's limits: the primary one, of calls in a window, and the secondary ones, of how fast they come."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil
from time import monotonic

from simulated_github.simulated_clock import SimulatedClock


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


class SecondaryLimits:
    """Counts an account's calls of the last minute, those under way, and the time that answering them took.

    A refused call counts for none of the three, so a caller who waits as long as `retry-after` says is answered.

    Args:
        clock: Says what time it is.
        points: Calls granted in a minute; a GET is one point.
        at_once: Calls granted at the same time.
        seconds: Processor time granted in a minute. GitHub says to estimate it by the response times, added up.
        scale: Length of a minute, as a share of a real one: tests whose waits are shortened shorten it as well.

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
        self._answered: deque[tuple[datetime, float]] = deque()  # when, and the seconds that it took
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
        """Return how long a call has to wait; None if it does not."""
        self._forget(now)
        if self._under_way >= self._at_once:
            return timedelta(0)
        if len(self._granted) >= self._points:
            return self._granted[-self._points] + self._minute - now
        left = sum(seconds for _, seconds in self._answered)
        end = None
        for time, seconds in self._answered:  # the oldest first: enough of them must be a minute old
            if left < self._seconds:
                break
            left, end = left - seconds, time + self._minute
        return None if end is None else end - now

    def _forget(self, now: datetime) -> None:
        """Forget what is older than a minute, and, where the clock was set back, what lies in the future."""
        self._granted = deque(time for time in self._granted if now - self._minute < time <= now)
        self._answered = deque(each for each in self._answered if now - self._minute < each[0] <= now)

"""GitHub's primary limit of calls in a window, and its secondary limits of their rate."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, inf
from time import monotonic
from typing import NamedTuple

from simulated_github.simulated_clock import SimulatedClock


class PrimaryLimit:
    """Counts a user's calls in windows. A window begins with the first call after the last one ended.

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


@dataclass
class Peaks:
    """The most that a user did in any minute, refused calls left out.

    Attributes:
        calls: Calls that began in a minute.
        at_once: Calls under way at the same time.
        seconds: The sum of the response times of the calls that ended in a minute.
    """

    calls: int = 0
    at_once: int = 0
    seconds: float = 0.0


class Ceilings(NamedTuple):
    """What GitHub grants a user beside the calls of an hour.

    Attributes:
        points: Calls in a minute; a GET is one point.
        at_once: Calls at the same time.
        seconds: Processor time in a minute. GitHub recommends the sum of response times as an estimate.

    Source:
        https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
    """

    points: float = 900
    at_once: float = 100
    seconds: float = 90


GITHUBS_CEILINGS = Ceilings()
NO_CEILINGS = Ceilings(inf, inf, inf)


class SecondaryLimits:
    """Counts a user's calls of the last minute, the calls under way, and the time of the answers.

    A refused call does not count, so a caller that waits for the time in `retry-after` is answered.

    Args:
        clock: The simulated time.
        ceilings: What is granted; calls are counted without any ceiling, too.
        scale: Length of a minute, as a share of a real one, for tests with shortened waits.
    """

    def __init__(self, clock: SimulatedClock, ceilings: Ceilings = GITHUBS_CEILINGS, *, scale: float = 1) -> None:
        self.peaks = Peaks()
        self._clock = clock
        self._ceilings = ceilings._replace(seconds=ceilings.seconds * scale)
        self._scale = scale
        self._minute = timedelta(seconds=60 * scale)
        self._granted: deque[datetime] = deque()
        self._answered: deque[tuple[datetime, float]] = deque()  # its end, and its seconds
        self._sum = 0.0  # of these seconds
        self._under_way = 0

    @contextmanager
    def call(self) -> Iterator[int | None]:
        """Count a call while it is answered.

        Yields:
            None if the call is granted; otherwise the seconds to send in `retry-after`.
        """
        now, begin = self._clock.now(), monotonic()
        self._forget(now)
        wait = self._wait(now)
        if wait is not None:
            yield max(1, ceil(wait / timedelta(seconds=self._scale)))
            return
        self._granted.append(now)
        self._under_way += 1
        self.peaks.calls = max(self.peaks.calls, len(self._granted))
        self.peaks.at_once = max(self.peaks.at_once, self._under_way)
        try:
            yield None
        finally:
            self._under_way -= 1
            ended, took = self._clock.now(), monotonic() - begin
            self._forget(ended)
            self._answered.append((ended, took))
            self._sum += took
            self.peaks.seconds = max(self.peaks.seconds, self._sum)

    def _wait(self, now: datetime) -> timedelta | None:
        """Return how long a call has to wait, or None if it is granted."""
        if self._under_way >= self._ceilings.at_once:
            return timedelta(0)
        if len(self._granted) >= self._ceilings.points:
            return self._granted[0] + self._minute - now
        left, end = self._sum, None
        for time, seconds in self._answered:  # until enough of the oldest are a minute old
            if left < self._ceilings.seconds:
                break
            left, end = left - seconds, time + self._minute
        return None if end is None else end - now

    def _forget(self, now: datetime) -> None:
        """Forget calls older than a minute, and calls in the future, after the clock was set back."""
        begin = now - self._minute
        while self._granted and self._granted[-1] > now:
            self._granted.pop()
        while self._granted and self._granted[0] <= begin:
            self._granted.popleft()
        while self._answered and self._answered[-1][0] > now:
            self._sum -= self._answered.pop()[1]
        while self._answered and self._answered[0][0] <= begin:
            self._sum -= self._answered.popleft()[1]
        if not self._answered:
            self._sum = 0.0  # without the error of rounding


@dataclass
class UserLimits:
    """The limits of a user, which all tokens of the user share.

    Attributes:
        hour: The primary limit; None for an Enterprise Server without limits.
        minute: The secondary limits.
    """

    hour: PrimaryLimit | None
    minute: SecondaryLimits

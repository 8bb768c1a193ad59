"""Keeps a user's calls below GitHub's limits of a minute, so that none is refused. Pure.

For a user, or an installation of an App, GitHub allows 900 points a minute (a GET is one), 100 calls at once, and 90
seconds of processor time in 60, which it says to estimate by the response times. A tenth of each is left to the
owner's other tools.

Source:
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""

from collections import deque
from collections.abc import Iterable

from traffic.contract import MinuteOfCalls

MINUTE = 60.0  # seconds
POINTS = 810  # calls in a minute
SECONDS = 81.0  # of response time in a minute
SPARE = 9.0  # of response time in a minute: the tenth in reserve
AT_ONCE = 90  # calls

# Seconds up to which a pause is slept in the function, because that is cheaper than a Wait state. A transition costs
# $25 / 1,000,000: as much as 7.5 s of an arm64 function with 256 MB (7.5 s x 0.25 GB x $0.0000133334), or 3.7 s with
# 512 MB. A Wait state means three more transitions in the listing (All listed?, Wait to list, List repositories): 11 s
# with 512 MB. In the middle of a batch it means five (Anything fetched?, Store traffic, All fetched?, Wait for rate
# limit, Fetch traffic): 18 s with 512 MB, 37 s with 256 MB.
LONGEST_SLEEP = 10.0

# Seconds after which a caller looks again if only the end of calls under way makes room: nobody knows when they end.
LOOK_AGAIN = 0.05


class Pace:
    """The calls of one user in the last minute, and those under way.

    A call counts from its start until a minute after its end. GitHub counts it for a minute at most within this time.

    Args:
        calls: The calls of the last minute, from `minute` of an earlier pace of the user.
        length: Seconds of a minute, for tests with a shorter one; the response time in it is shorter, too.
    """

    def __init__(self, calls: Iterable[tuple[float, int, float]] = (), *, length: float = MINUTE) -> None:
        self._ended = deque((time, number, seconds) for time, number, seconds in calls)
        self._under_way = 0
        self._length = length
        self._tick = length / 60  # one entry for all calls that end within it: few entries travel between states
        self._seconds = SECONDS * length / MINUTE

    def pause(self, calls: int, now: float) -> float:
        """Return how long to wait before some calls may be sent.

        Args:
            calls: Their number.
            now: Unix time in seconds.

        Returns:
            Seconds; 0 if there is room now.
        """
        self._forget(now)
        number = sum(each[1] for each in self._ended)
        seconds = sum(each[2] for each in self._ended)
        mean = seconds / number if number else 0.0
        wanted = self._under_way + calls
        pause = 0.0
        for time, ended, took in self._ended:
            if number + wanted <= POINTS and seconds + wanted * mean <= self._seconds:
                return pause
            number, seconds, pause = number - ended, seconds - took, time + self._length - now
        fits = wanted <= POINTS and wanted * mean <= self._seconds
        return pause if fits or not self._under_way else LOOK_AGAIN

    def begin(self, calls: int) -> None:
        """Count calls that are sent now."""
        self._under_way += calls

    def end(self, now: float, seconds: Iterable[float]) -> None:
        """Count calls that have ended, each with its response time in seconds."""
        took = list(seconds)
        self._under_way -= len(took)
        number, total = len(took), sum(took)
        if self._ended and self._ended[-1][0] // self._tick == now // self._tick:
            _, before, took_before = self._ended.pop()
            number, total = number + before, total + took_before
        self._ended.append((now, number, total))

    def minute(self, now: float) -> MinuteOfCalls:
        """Return the calls of the last minute, rounded to milliseconds, for a later pace of the same user."""
        self._forget(now)
        return [(round(time, 3), number, round(seconds, 3)) for time, number, seconds in self._ended]

    def _forget(self, now: float) -> None:
        """Remove calls that ended a minute ago; or in the future, by a clock that was wrong."""
        self._ended = deque(each for each in self._ended if now - self._length < each[0] <= now + self._length)

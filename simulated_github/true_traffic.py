"""The true traffic of every repository on every day: a pure function of seed, repository id and day.

No number depends on an earlier one, so the order and number of calls do not matter, and nothing is computed for
repositories without a call.
"""

import struct
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

WEEKEND_SHARE = {5: 0.55, 6: 0.5}  # of a working day's traffic, by date.weekday()
LAUNCH_PERIOD = 90  # days with at most one launch of a repository
LAUNCH_DAYS = 14  # during which a launch has an effect


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of views or clones, and of the different visitors."""

    count: int
    uniques: int


class DayTraffic(NamedTuple):
    """The four true numbers of one repository on one UTC day."""

    views_count: int
    views_uniques: int
    clones_count: int
    clones_uniques: int

    @property
    def views(self) -> Tally:
        """The day's page views."""
        return Tally(self.views_count, self.views_uniques)

    @property
    def clones(self) -> Tally:
        """The day's git clones."""
        return Tally(self.clones_count, self.clones_uniques)


@dataclass(frozen=True)
class Profile:
    """The kind of a repository; means are those of a working day."""

    views: float  # mean a day
    clones: float  # mean a day by people
    ci_clones: float  # mean a day by CI, which pauses at the weekend
    views_by_visitor: float  # page views of one visitor in a day
    overlap: float  # share of new visitors on each further day, 0 to 1


def uniforms(*key: object) -> tuple[float, ...]:
    """Return eight numbers in [0, 1), always the same for a key."""
    digest = blake2b("/".join(map(str, key)).encode(), digest_size=64).digest()
    return tuple(number / 2**64 for number in struct.unpack("<8Q", digest))


@lru_cache(maxsize=65536)
def profile(seed: int, repo_id: int) -> Profile:
    """Return the kind of a repository: most are quiet, a few are famous."""
    fame, clones, has_ci, ci, pages, overlap, *_ = uniforms(seed, repo_id, "profile")
    views = 10 ** (fame * 3.2 - 0.7)
    return Profile(
        views=views,
        clones=views * (0.05 + 0.25 * clones),
        ci_clones=5 + 75 * ci if has_ci < 0.4 else 0.0,
        views_by_visitor=1.5 + 4 * pages,
        overlap=0.2 + 0.6 * overlap,
    )


@lru_cache(maxsize=65536)
def _launch(seed: int, repo_id: int, period: int) -> tuple[int, float]:
    """Return the day (as an ordinal) of a repository's launch in a period, and the height of its wave."""
    happens, day, height, *_ = uniforms(seed, repo_id, "launch", period)
    return period * LAUNCH_PERIOD + int(day * LAUNCH_PERIOD), (3 + 15 * height if happens < 0.5 else 0.0)


def launch_factor(seed: int, repo_id: int, day: date) -> float:
    """Return a repository's traffic as a multiple of the usual, 1 or more: a launch's wave halves every day."""
    number = day.toordinal()
    period = number // LAUNCH_PERIOD
    launches = (_launch(seed, repo_id, earlier) for earlier in (period - 1, period))
    return 1.0 + sum(
        height * 0.5 ** (number - first) for first, height in launches if 0 <= number - first < LAUNCH_DAYS
    )


@lru_cache(maxsize=65536)
def day_traffic(seed: int, repo_id: int, day: date) -> DayTraffic:
    """Return the true traffic of a repository on a complete UTC day."""
    kind = profile(seed, repo_id)
    noise, views_up, visitors, clone_noise, clones_up, ci_noise, cloners, _ = uniforms(seed, repo_id, day)
    factor = WEEKEND_SHARE.get(day.weekday(), 1.0) * launch_factor(seed, repo_id, day)
    ci = kind.ci_clones * (0.5 + ci_noise) if day.weekday() not in WEEKEND_SHARE else 0.0
    # A random fraction, added before rounding down, preserves the mean; quiet repositories then have days of zero.
    views = int(kind.views * factor * (0.6 + 0.8 * noise) + views_up)
    clones = int(kind.clones * factor * (0.6 + 0.8 * clone_noise) + ci + clones_up)
    return DayTraffic(
        views_count=views,
        views_uniques=_visitors(views, kind.views_by_visitor, visitors),
        clones_count=clones,
        clones_uniques=_visitors(clones, 2.2, cloners),
    )


def _visitors(count: int, count_by_visitor: float, luck: float) -> int:
    """Return the number of visitors of `count` visits: at least one if there was a visit, at most one a visit."""
    return min(count, max(1, int(count / count_by_visitor * (0.8 + 0.4 * luck) + luck)))

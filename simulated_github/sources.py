"""Answers of the four traffic endpoints, from seeded numbers."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Literal, Protocol, TypedDict

from simulated_github.account import SimulatedRepository
from simulated_github.true_traffic import DayTraffic, Tally, day_traffic, profile, uniforms
from simulated_github.windows import AnsweredDay, WindowRules, midnight, rows, window, window_uniques

Metric = Literal["views", "clones"]
Period = Literal["day", "week"]


class TrafficSource(Protocol):
    """A source of numbers: made up from a seed, or recorded."""

    def counts(self, repository: SimulatedRepository, metric: Metric, now: datetime, per: Period) -> dict[str, Any]:
        """Answer `/traffic/views` or `/traffic/clones`."""

    def paths(self, repository: SimulatedRepository, now: datetime) -> Sequence[Any]:
        """Answer `/traffic/popular/paths`."""

    def referrers(self, repository: SimulatedRepository, now: datetime) -> Sequence[Any]:
        """Answer `/traffic/popular/referrers`."""

    def truth(self, repository: SimulatedRepository, day: date) -> DayTraffic | None:
        """Return a complete day's true numbers; None if they are unknown."""


class SeededTraffic:
    """Numbers made up from a seed, seen through GitHub's windows."""

    def __init__(self, seed: int, rules: WindowRules) -> None:
        self.seed = seed
        self.rules = rules

    def counts(self, repository: SimulatedRepository, metric: Metric, now: datetime, per: Period) -> dict[str, Any]:
        """Answer `/traffic/views` or `/traffic/clones`."""
        answered = self._rows(repository, metric, now)
        return counts_answer(metric, answered, profile(self.seed, repository.id).overlap, per)

    def paths(self, repository: SimulatedRepository, now: datetime) -> Sequence[Any]:
        """Answer `/traffic/popular/paths`, which changes once a day."""
        day = window(now, self.rules).end.date()
        return popular_paths(repository.name, self._total(repository, now), self.seed, repository.id, day)

    def referrers(self, repository: SimulatedRepository, now: datetime) -> Sequence[Any]:
        """Answer `/traffic/popular/referrers`, which changes once a day."""
        day = window(now, self.rules).end.date()
        return popular_referrers(self._total(repository, now), self.seed, repository.id, day)

    def truth(self, repository: SimulatedRepository, day: date) -> DayTraffic:
        """Return a complete day's true numbers."""
        return day_traffic(self.seed, repository.id, day)

    def _rows(self, repository: SimulatedRepository, metric: Metric, now: datetime) -> list[AnsweredDay]:
        """Return the days that GitHub returns now."""
        return rows(lambda day: getattr(self.truth(repository, day), metric), window(now, self.rules))

    def _total(self, repository: SimulatedRepository, now: datetime) -> Tally:
        """Return the window's views and visitors, since midnight if the window moves with the clock."""
        seen = window(now, self.rules)
        answered = self._rows(repository, "views", now if seen.zeros else midnight(now.date()))
        uniques = window_uniques(answered, profile(self.seed, repository.id).overlap)
        return Tally(sum(row.tally.count for row in answered), uniques)


def counts_answer(
    metric: Metric, answered: Sequence[AnsweredDay], overlap: float, per: Period = "day"
) -> dict[str, Any]:
    """Return the answer of `/traffic/views` or `/traffic/clones`.

    Args:
        metric: `views` or `clones`.
        answered: The days, oldest first.
        overlap: The share of new visitors on each further day, between 0 and 1.
        per: Whether to list days, or weeks that begin on Monday.
    """
    listed = answered if per == "day" else _by_week(answered, overlap)
    return {
        "count": sum(row.tally.count for row in answered),
        "uniques": window_uniques(answered, overlap),
        metric: [
            {"timestamp": f"{row.day}T00:00:00Z", "count": row.tally.count, "uniques": row.tally.uniques}
            for row in listed
        ],
    }


def _by_week(answered: Sequence[AnsweredDay], overlap: float) -> list[AnsweredDay]:
    """Combine days into weeks."""
    weeks = groupby(answered, key=lambda row: row.day - timedelta(days=row.day.weekday()))
    gathered = [(monday, list(week)) for monday, week in weeks]
    return [
        AnsweredDay(monday, Tally(sum(row.tally.count for row in week), window_uniques(week, overlap)))
        for monday, week in gathered
    ]


MOST = 10

PATHS = (
    ("", "{name}: what {short} is for"),
    ("/blob/main/README.md", "{short}/README.md at main · {name}"),
    ("/issues", "Issues · {name}"),
    ("/releases", "Releases · {name}"),
    ("/pulls", "Pull requests · {name}"),
    ("/tree/main/docs", "{short}/docs at main · {name}"),
    ("/tree/main/src", "{short}/src at main · {name}"),
    ("/actions", "Actions · {name}"),
    ("/wiki", "Home · {name} Wiki"),
    ("/commits/main", "Commits · {name}"),
    ("/network/dependents", "Network Dependents · {name}"),
    ("/blob/main/CHANGELOG.md", "{short}/CHANGELOG.md at main · {name}"),
)

REFERRERS = (
    "Google", "github.com", "Bing", "DuckDuckGo", "news.ycombinator.com", "reddit.com", "stackoverflow.com", "pypi.org",
    "t.co", "linkedin.com", "chatgpt.com", "lobste.rs",
)  # fmt: skip


class PathTraffic(TypedDict):
    """One row of `/traffic/popular/paths`."""

    path: str
    title: str
    count: int
    uniques: int


class ReferrerTraffic(TypedDict):
    """One row of `/traffic/popular/referrers`."""

    referrer: str
    count: int
    uniques: int


def popular_paths(name: str, total: Tally, *key: object) -> list[PathTraffic]:
    """Return the most viewed pages of the repository `owner/name`.

    Args:
        name: The repository's current `owner/name`.
        total: Views and visitors of the window.
        key: The seed of the shares; the same key results in the same shares.
    """
    short = name.partition("/")[2]
    return [
        {
            "path": f"/{name}{PATHS[place][0]}",
            "title": PATHS[place][1].format(name=name, short=short),
            "count": tally.count,
            "uniques": tally.uniques,
        }
        for place, tally in _shares(total, len(PATHS), *key, "paths")
    ]


def popular_referrers(total: Tally, *key: object) -> list[ReferrerTraffic]:
    """Return the sites that most visitors came from; half of all views have no referrer."""
    referred = Tally(total.count // 2, total.uniques // 2)
    return [
        {"referrer": REFERRERS[place], "count": tally.count, "uniques": tally.uniques}
        for place, tally in _shares(referred, len(REFERRERS), *key, "referrers")
    ]


def _shares(total: Tally, places: int, *key: object) -> Sequence[tuple[int, Tally]]:
    """Divide a total among places: shares halve from place to place, in a partly random order."""
    luck = uniforms(*key) + uniforms(*key, "more")
    weights = [(0.5 + luck[place]) / 2 ** (place + 1) for place in range(places)]
    divided = [
        (place, Tally(int(total.count * weight / sum(weights)), int(total.uniques * weight / sum(weights)) or 1))
        for place, weight in enumerate(weights)
    ]
    seen = [(place, Tally(tally.count, min(tally.count, tally.uniques))) for place, tally in divided if tally.count]
    return sorted(seen, key=lambda entry: -entry[1].count)[:MOST]

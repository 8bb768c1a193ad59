"""What GitHub answers to the four traffic endpoints, from seeded numbers."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Literal, Protocol

from simulated_github.account import Repository
from simulated_github.popular import popular_paths, popular_referrers
from simulated_github.traffic import DayTraffic, Tally, day_traffic, profile
from simulated_github.windows import Row, WindowRules, midnight, rows, window, window_uniques

Metric = Literal["views", "clones"]
Period = Literal["day", "week"]


class TrafficSource(Protocol):
    """Where the numbers come from: made up by a seed, or recorded."""

    def counts(self, repository: Repository, metric: Metric, now: datetime, per: Period) -> dict[str, Any]:
        """Answer `/traffic/views` or `/traffic/clones`."""

    def paths(self, repository: Repository, now: datetime) -> Sequence[Any]:
        """Answer `/traffic/popular/paths`."""

    def referrers(self, repository: Repository, now: datetime) -> Sequence[Any]:
        """Answer `/traffic/popular/referrers`."""

    def truth(self, repository: Repository, day: date) -> DayTraffic | None:
        """Tell a whole day's true numbers; None where nobody knows them."""


class SeededTraffic:
    """Numbers made up by a seed, seen through GitHub's windows."""

    def __init__(self, seed: int, rules: WindowRules) -> None:
        self.seed = seed
        self.rules = rules

    def counts(self, repository: Repository, metric: Metric, now: datetime, per: Period) -> dict[str, Any]:
        """Answer `/traffic/views` or `/traffic/clones`."""
        answered = self._rows(repository, metric, now)
        return counts_answer(metric, answered, profile(self.seed, repository.id).overlap, per)

    def paths(self, repository: Repository, now: datetime) -> Sequence[Any]:
        """Answer `/traffic/popular/paths`: the same all day long."""
        day = window(now, self.rules).end.date()
        return popular_paths(repository.name, self._total(repository, now), self.seed, repository.id, day)

    def referrers(self, repository: Repository, now: datetime) -> Sequence[Any]:
        """Answer `/traffic/popular/referrers`: the same all day long."""
        day = window(now, self.rules).end.date()
        return popular_referrers(self._total(repository, now), self.seed, repository.id, day)

    def truth(self, repository: Repository, day: date) -> DayTraffic:
        """Tell a whole day's true numbers."""
        return day_traffic(self.seed, repository.id, day)

    def _rows(self, repository: Repository, metric: Metric, now: datetime) -> list[Row]:
        """List the days that GitHub returns now."""
        return rows(lambda day: getattr(self.truth(repository, day), metric), window(now, self.rules))

    def _total(self, repository: Repository, now: datetime) -> Tally:
        """Tell the window's views and visitors; those of midnight where the window moves with the clock."""
        seen = window(now, self.rules)
        answered = self._rows(repository, "views", now if seen.zeros else midnight(now.date()))
        uniques = window_uniques(answered, profile(self.seed, repository.id).overlap)
        return Tally(sum(row.tally.count for row in answered), uniques)


def counts_answer(metric: Metric, answered: Sequence[Row], overlap: float, per: Period = "day") -> dict[str, Any]:
    """Write the answer to `/traffic/views` or `/traffic/clones`.

    Args:
        metric: Which of them.
        answered: The days, oldest first.
        overlap: The share of a further day's visitors that are new, between 0 and 1.
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


def _by_week(answered: Sequence[Row], overlap: float) -> list[Row]:
    """Gather days into weeks."""
    weeks = groupby(answered, key=lambda row: row.day - timedelta(days=row.day.weekday()))
    gathered = [(monday, list(week)) for monday, week in weeks]
    return [
        Row(monday, Tally(sum(row.tally.count for row in week), window_uniques(week, overlap)))
        for monday, week in gathered
    ]

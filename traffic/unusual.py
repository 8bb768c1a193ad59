"""What changed: the newest complete day of each repository, compared with its usual numbers. Pure.

A summary compares only a few of thousands of repositories: those with the most views, and those whose receipts show the
largest change within a week. So its reads, its time and its cost are bounded, however many repositories there are.
`traffic news` compares all of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Protocol

from traffic.clock import days_before, start_of
from traffic.contract import Recent

TOP = 10  # repositories listed with the most views
LOOKED_AT = 20  # repositories whose views rose most, and as many whose views fell most
NAMED = 5  # repositories listed for each kind of news
WEEKS = 8  # the same weekday of these weeks shows the usual number
KNOWN = 3  # weekdays that must be known for a usual number
SPARK = 14  # days of a sparkline

LEAST = 20  # views below which a change is chance
REFERRED = 10  # views in 14 days below which a referrer is chance
SPIKE = 3  # times the usual
DROP = 0.2  # of the usual
RECORD_AFTER = 28  # days that must be known before a record is reported
REFERRERS_KNOWN = 56  # days of captures that must lack a referrer for it to be new


class Counted(Protocol):
    """A captured repository with GitHub's numbers for its newest complete day.

    Attributes:
        id: GitHub's id.
        name: Its current name.
        repo_name: The partition key of its days.
        recent: The numbers; None if no day is complete.
    """

    id: int
    name: str
    repo_name: str
    recent: Recent | None


@dataclass(frozen=True)
class Story:
    """A repository's newest complete day.

    Attributes:
        result: The repository.
        views: The views on that day.
        usual: The median of the same weekday over 8 weeks; None if too little is known.
        spark: The views of the last 14 days; None for a day that GitHub did not report.
        record: The day and the views of the previous record, if the day is a new record; otherwise None.
        referrers: Referrers that were in no list of the weeks before, with their views in 14 days.
    """

    result: Counted
    views: int
    usual: float | None = None
    spark: tuple[int | None, ...] = ()
    record: tuple[str, int] | None = None
    referrers: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_spike(self) -> bool:
        """Whether there were far more views than usual."""
        return self.usual is not None and self.views >= max(SPIKE * self.usual, self.usual + LEAST)

    @property
    def is_drop(self) -> bool:
        """Whether there were far fewer views than usual."""
        return self.usual is not None and self.usual >= LEAST and self.views <= DROP * self.usual


@dataclass(frozen=True)
class Week:
    """The totals `(views, clones)` of the 7 days up to the newest one, and of the 7 days before."""

    now: tuple[int, int]
    before: tuple[int, int]
    repositories: int


@dataclass(frozen=True)
class News:
    """What changed.

    Attributes:
        day: The newest day that GitHub returned completely.
        repositories: The number of repositories with that day.
        views: Their views on that day.
        before: Their views a week before; None if they are not known for every repository.
        stories: The repositories that were compared, most views first.
        week: The last week's totals; None if they are not known.
        newest: Whether the day is the newest one.
    """

    day: str
    repositories: int
    views: int
    before: int | None
    stories: Sequence[Story]
    week: Week | None
    newest: bool = True

    @property
    def spikes(self) -> Sequence[Story]:
        """Repositories with far more views than usual, the most unusual first."""
        return sorted((each for each in self.stories if each.is_spike), key=lambda each: (each.usual or 1) / each.views)

    @property
    def drops(self) -> Sequence[Story]:
        """Repositories with far fewer views than usual, the largest loss first."""
        return sorted((each for each in self.stories if each.is_drop), key=lambda each: -(each.usual or 0))

    @property
    def records(self) -> Sequence[Story]:
        """Repositories that never had as many views."""
        return [story for story in self.stories if story.record]

    @property
    def referred(self) -> Sequence[Story]:
        """Repositories with new referrers, the referrer with the most views first."""
        return sorted((each for each in self.stories if each.referrers), key=lambda each: -max(each.referrers.values()))


def newest_days(results: Iterable[Counted]) -> dict[int, Recent]:
    """Return the numbers of the newest complete day, by id. Repositories for which GitHub is late are left out."""
    known = {result.id: result.recent for result in results if result.recent}
    newest = max((recent["day"] for recent in known.values()), default="")
    return {id_: recent for id_, recent in known.items() if recent["day"] == newest}


def choose_stories(results: Sequence[Counted]) -> list[Counted]:
    """Choose the repositories to compare: the most views, the largest rise and the largest fall within a week."""
    day = newest_days(results)
    by_views = sorted((result for result in results if result.id in day), key=lambda each: -day[each.id]["views"])
    rise = {id_: recent["views"] - recent["before"] for id_, recent in day.items() if "before" in recent}
    by_rise = sorted((result for result in by_views if rise.get(result.id)), key=lambda each: -rise[each.id])
    fell = [result for result in reversed(by_rise) if rise[result.id] < 0]
    rose = [result for result in by_rise if rise[result.id] > 0]
    few = {result.id: result for result in [*by_views[:TOP], *rose[:LOOKED_AT], *fell[:LOOKED_AT]]}
    return sorted(few.values(), key=lambda each: -day[each.id]["views"])


def first_read(day: str) -> str:
    """Return the first day whose views are read to find the usual number of another day."""
    return days_before(day, 7 * WEEKS)


def compare(result: Counted, day: str, views: Mapping[str, int]) -> Story:
    """Compare a repository's day with the weeks before.

    Args:
        result: The repository; it has `recent`.
        day: The newest complete day.
        views: The recorded views by day, from `first_read` on.
    """
    reported = result.recent["views"] if result.recent else 0
    same = [views[past] for week in range(1, WEEKS + 1) if (past := days_before(day, 7 * week)) in views]
    return Story(
        result,
        max(reported, views.get(day, reported)),
        median(same) if len(same) >= KNOWN else None,
        tuple(views.get(days_before(day, age)) for age in reversed(range(SPARK))),
    )


def may_be_record(seen: Story, day: str, views: Mapping[str, int]) -> bool:
    """Return whether no earlier day that was read had as many views, so that reading all days is worth it."""
    return seen.views >= LEAST and all(kept < seen.views for past, kept in views.items() if past < day)


def with_record(seen: Story, day: str, views: Mapping[str, int]) -> Story:
    """Add the previous record if the day is a new one, given the views of all recorded days."""
    before = {past: kept for past, kept in views.items() if past < day}
    if len(before) < RECORD_AFTER or max(before.values()) >= seen.views:
        return seen
    most = max(before, key=lambda past: before[past])
    return replace(seen, record=(most, before[most]))


def with_referrers(seen: Story, captures: Mapping[str, Mapping[str, int]]) -> Story:
    """Add the referrers that sent enough views and are only in the last capture; none if it is the only capture."""
    if len(captures) < 2:
        return seen
    *earlier, last = [captures[day] for day in sorted(captures)]
    known = {referrer for capture in earlier for referrer in capture}
    return replace(
        seen, referrers={name: count for name, count in last.items() if name not in known and count >= REFERRED}
    )


def sum_up(results: Sequence[Counted], stories: Sequence[Story], *, newest: bool = True) -> News | None:
    """Sum up what changed; None if GitHub returned no day completely."""
    day = newest_days(results)
    if not day:
        return None
    before = [recent["before"] for recent in day.values() if "before" in recent]
    return News(
        max(recent["day"] for recent in day.values()),
        len(day),
        sum(recent["views"] for recent in day.values()),
        sum(before) if len(before) == len(day) else None,
        sorted(stories, key=lambda each: -each.views),
        _week(day.values()),
        newest,
    )


def _week(days: Iterable[Recent]) -> Week | None:
    weeks = [recent["weeks"] for recent in days if "weeks" in recent]
    if not weeks:
        return None
    now, before = ((sum(each[at][0] for each in weeks), sum(each[at][1] for each in weeks)) for at in (0, 1))
    return Week(now, before, len(weeks))


def weekday(day: str) -> str:
    """Return the name of a day's weekday."""
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return names[start_of(day).weekday()]

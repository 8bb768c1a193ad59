"""What changed: the newest whole day of each repository against what is usual for it. Pure.

Of thousands of repositories only a few are looked at: those with the most views, and those that changed most within a
week, by what their receipts say. So what is read, and the time and money it takes, is bounded at any size.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from lambdas.summarize_run.outcome import Result
from traffic.clock import days_before, start_of
from traffic.contract import Recent

TOP = 10  # repositories listed with the most views
LOOKED_AT = 20  # of those that rose most, and as many of those that fell most
NAMED = 5  # of each kind of news
WEEKS = 8  # of which the same weekday tells what is usual
KNOWN = 3  # weekdays that must be known for that
SPARK = 14  # days of a sparkline

LEAST = 20  # views below which a change is chance
REFERRED = 10  # views in 14 days below which a referrer is chance
SPIKE = 3  # times the usual
SILENCE = 0.2  # of the usual
RECORD_AFTER = 28  # days that must be known before the most ever is worth a word


@dataclass(frozen=True)
class Story:
    """A repository's newest whole day.

    Attributes:
        result: The repository.
        views: On that day.
        usual: The median of the same weekday over 8 weeks; None where too little is known.
        spark: The views of the last 14 days; None where none were reported.
        record: Where it is the most ever, the day and the views of the most before.
        referrers: Those that were in no list of the weeks before, with their views of 14 days.
    """

    result: Result
    views: int
    usual: float | None = None
    spark: tuple[int | None, ...] = ()
    record: tuple[str, int] | None = None
    referrers: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_spike(self) -> bool:
        """Whether there were many more views than usual."""
        return self.usual is not None and self.views >= max(SPIKE * self.usual, self.usual + LEAST)

    @property
    def is_silence(self) -> bool:
        """Whether there were hardly any views where there usually are."""
        return self.usual is not None and self.usual >= LEAST and self.views <= SILENCE * self.usual


@dataclass(frozen=True)
class Week:
    """The 7 days up to the newest one, and the 7 before: `(views, clones)` of so many repositories."""

    now: tuple[int, int]
    before: tuple[int, int]
    repositories: int


@dataclass(frozen=True)
class News:
    """What changed.

    Attributes:
        day: The newest day that GitHub told whole.
        repositories: How many it was told of.
        views: Of all of them.
        before: Of all of them a week before; None where it is not known of each.
        stories: Those that were looked at, the most views first.
        week: The last week's totals; None where they are not known.
    """

    day: str
    repositories: int
    views: int
    before: int | None
    stories: Sequence[Story]
    week: Week | None

    @property
    def top(self) -> Sequence[Story]:
        """Those with the most views."""
        return [story for story in self.stories[:TOP] if story.views]

    @property
    def spikes(self) -> Sequence[Story]:
        """Those with many more views than usual, the most unusual first."""
        return sorted((each for each in self.stories if each.is_spike), key=lambda each: (each.usual or 1) / each.views)

    @property
    def silences(self) -> Sequence[Story]:
        """Those with hardly any views, the largest loss first."""
        return sorted((each for each in self.stories if each.is_silence), key=lambda each: -(each.usual or 0))

    @property
    def records(self) -> Sequence[Story]:
        """Those that never had as many views."""
        return [story for story in self.stories if story.record]

    @property
    def referred(self) -> Sequence[Story]:
        """Those with new referrers, the most views of a referrer first."""
        return sorted((each for each in self.stories if each.referrers), key=lambda each: -max(each.referrers.values()))


def newest_days(results: Iterable[Result]) -> dict[int, Recent]:
    """Give what GitHub said of the newest day that it told whole, by id; those it is late for are left out."""
    known = {result.id: result.recent for result in results if result.recent}
    newest = max((recent["day"] for recent in known.values()), default="")
    return {id_: recent for id_, recent in known.items() if recent["day"] == newest}


def choose_stories(results: Sequence[Result]) -> list[Result]:
    """Choose what is looked at: the most views, the largest rise and the largest fall within a week."""
    day = newest_days(results)
    by_views = sorted((result for result in results if result.id in day), key=lambda each: -day[each.id]["views"])
    rise = {id_: recent["views"] - recent["before"] for id_, recent in day.items() if "before" in recent}
    by_rise = sorted((result for result in by_views if rise.get(result.id)), key=lambda each: -rise[each.id])
    fell = [result for result in reversed(by_rise) if rise[result.id] < 0]
    rose = [result for result in by_rise if rise[result.id] > 0]
    few = {result.id: result for result in [*by_views[:TOP], *rose[:LOOKED_AT], *fell[:LOOKED_AT]]}
    return sorted(few.values(), key=lambda each: -day[each.id]["views"])


def first_read(day: str) -> str:
    """Name the first day whose views are read to tell what is usual on another."""
    return days_before(day, 7 * WEEKS)


def compare(result: Result, day: str, views: Mapping[str, int]) -> Story:
    """Compare a repository's day with what is kept of the weeks before.

    Args:
        result: The repository; it has `recent`.
        day: The newest whole day.
        views: By day, from `first_read` on.
    """
    said = result.recent["views"] if result.recent else 0
    same = [views[past] for week in range(1, WEEKS + 1) if (past := days_before(day, 7 * week)) in views]
    return Story(
        result,
        max(said, views.get(day, said)),
        median(same) if len(same) >= KNOWN else None,
        tuple(views.get(days_before(day, age)) for age in reversed(range(SPARK))),
    )


def may_be_record(seen: Story, day: str, views: Mapping[str, int]) -> bool:
    """Tell whether no day that was read had as many views, so that it is worth to read the others."""
    return seen.views >= LEAST and all(kept < seen.views for past, kept in views.items() if past < day)


def with_record(seen: Story, day: str, views: Mapping[str, int]) -> Story:
    """Say whether a day is the most ever, by all the days that are kept."""
    before = {past: kept for past, kept in views.items() if past < day}
    if len(before) < RECORD_AFTER or max(before.values()) >= seen.views:
        return seen
    most = max(before, key=lambda past: before[past])
    return replace(seen, record=(most, before[most]))


def with_referrers(seen: Story, captures: Mapping[str, Mapping[str, int]]) -> Story:
    """Name those that sent at least some views and are in no capture but the last; nothing where it is the first."""
    if len(captures) < 2:
        return seen
    *earlier, last = [captures[day] for day in sorted(captures)]
    known = {referrer for capture in earlier for referrer in capture}
    return replace(
        seen, referrers={name: count for name, count in last.items() if name not in known and count >= REFERRED}
    )


def sum_up(results: Sequence[Result], stories: Sequence[Story]) -> News | None:
    """Sum up what changed; None where GitHub told no day whole."""
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
    )


def _week(said: Iterable[Recent]) -> Week | None:
    weeks = [recent["weeks"] for recent in said if "weeks" in recent]
    if not weeks:
        return None
    now, before = ((sum(each[at][0] for each in weeks), sum(each[at][1] for each in weeks)) for at in (0, 1))
    return Week(now, before, len(weeks))


def weekday(day: str) -> str:
    """Name a day's weekday."""
    names = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return names[start_of(day).weekday()]

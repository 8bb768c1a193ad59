"""What changed, in short lines for a phone. Pure."""

from collections.abc import Callable, Iterable, Sequence

from traffic.clock import days_before
from traffic.unusual import NAMED, TOP, News, Story, weekday
from traffic.wording import and_more, plural

BLOCKS = "▁▂▃▄▅▆▇█"  # Unicode's block elements: every phone has them, and SNS sends UTF-8
UNKNOWN = "·"  # a day that GitHub did not report, which is not zero


def sparkline(views: Sequence[int | None]) -> str:
    """Draw days as blocks; the day with the most views has the full height."""
    most = max((count for count in views if count), default=0)
    return "".join(
        UNKNOWN if count is None else BLOCKS[min(count * len(BLOCKS) // most, len(BLOCKS) - 1) if most else 0]
        for count in views
    )


def news_sections(seen: News | None, *, digest: bool, every: bool = False) -> list[list[str]]:
    """Write what changed, the most unusual first.

    Args:
        seen: What changed; None if nothing is known.
        digest: Whether to sum up the week.
        every: Whether to list everything. Otherwise a few of each kind are listed, and the others counted.
    """
    if seen is None:
        return []
    named, top = (len(seen.stories),) * 2 if every else (NAMED, TOP)
    return [
        _totals(seen),
        _week(seen) if digest else [],
        _named("Far above usual:", seen.spikes, _spike, named),
        _named("Far below usual:", seen.drops, _drop, named),
        _named("Most views ever on a day:", seen.records, _record, named),
        _named("New referrers (views in 14 days):", seen.referred, _referrers, named),
        _top(seen, top),
    ]


def highlight(seen: News | None, *, digest: bool) -> tuple[str, str]:
    """Return the most important fact for the subject: a repository's name and what is unusual about it.

    Returns:
        An empty name if the fact concerns all repositories; two empty texts if nothing is unusual.
    """
    if seen is None:
        return "", ""
    for stories, fact in ((seen.spikes, _above), (seen.records, _most_ever), (seen.drops, _few)):
        if stories:
            return stories[0].result.name, fact(stories[0])
    return "", f"{_views(seen.week.now[0])} in 7 days" if digest and seen.week else ""


def number(count: float) -> str:
    """Write a rounded number with a comma after the thousands."""
    return f"{round(count):,}"


def change(now: int, before: int) -> str:
    """Write how two numbers differ: `+12 %`; without a sign if that rounds to nothing."""
    if not before:
        return "from nothing"
    percent = round((now - before) / before * 100)
    return f"{percent:+} %" if percent else "0 %"


def _views(count: int) -> str:
    return f"{number(count)} {plural(count, 'view', 'views')}"


def _totals(seen: News) -> list[str]:
    before = "" if seen.before is None else f", {number(seen.before)} a week before"
    where = f"{number(seen.repositories)} {plural(seen.repositories, 'repository', 'repositories')}"
    return [
        f"{weekday(seen.day)} {seen.day}{', the newest complete day' if seen.newest else ''}:",
        f"{_views(seen.views)} in {where}{before}.",
    ]


def _week(seen: News) -> list[str]:
    if seen.week is None:
        return []
    now, before = seen.week.now, seen.week.before
    return [
        f"The week {days_before(seen.day, 6)} to {seen.day}:",
        *(
            f"  {number(now[at])} {plural(now[at], what, f'{what}s')}, {change(now[at], before[at])}"
            f" ({number(before[at])} the week before)"
            for at, what in enumerate(("view", "clone"))
        ),
    ]


def _named(title: str, stories: Sequence[Story], write: Callable[[Story], Iterable[str]], most: int) -> list[str]:
    if not stories:
        return []
    return [
        title,
        *(line for story in stories[:most] for line in write(story)),
        *and_more(len(stories), most),
    ]


def _spike(story: Story) -> Iterable[str]:
    times = f" ({_times(story)} as many)" if story.usual else ""
    return f"  {story.result.name}", f"    {_views(story.views)}, usual {_usual(story)}{times}"


def _drop(story: Story) -> Iterable[str]:
    return f"  {story.result.name}", f"    {_few(story)}"


def _record(story: Story) -> Iterable[str]:
    day, most = story.record or ("", 0)
    return f"  {story.result.name}", f"    {_views(story.views)}; before, {number(most)} on {day}"


def _referrers(story: Story) -> Iterable[str]:
    ordered = sorted(story.referrers.items(), key=lambda each: -each[1])
    return f"  {story.result.name}", *(f"    {referrer}: {number(views)}" for referrer, views in ordered)


def _top(seen: News, most: int) -> list[str]:
    listed = [story for story in seen.stories[:most] if story.views]
    if not listed:
        return []
    known = any(story.usual is not None for story in listed)
    lines = [f"Most views, and the usual number on a {weekday(seen.day)}:" if known else "Most views:"]
    for story in listed:
        usual = "" if story.usual is None else f", usual {_usual(story)}"
        lines += [f"  {story.result.name}", f"    {sparkline(story.spark)} {number(story.views)}{usual}"]
    rest = seen.repositories - len(listed)
    views = seen.views - sum(story.result.recent["views"] for story in listed if story.result.recent)
    return lines + ([f"  and {number(rest)} more with {_views(views)}"] if rest else [])


def _usual(story: Story) -> str:
    return number(story.usual or 0)


def _above(story: Story) -> str:
    return f"{_times(story)} its usual views" if story.usual else f"{_views(story.views)}, usually none"


def _most_ever(_story: Story) -> str:
    return "most views ever"


def _few(story: Story) -> str:
    return f"{_views(story.views)}, usual {_usual(story)}"


def _times(story: Story) -> str:
    times = story.views / (story.usual or 1)
    return f"{times:.1f} times" if times < 10 else f"{number(times)} times"

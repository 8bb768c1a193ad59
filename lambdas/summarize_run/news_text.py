"""What changed, in short lines for a phone. Pure."""

from collections.abc import Callable, Iterable, Sequence

from lambdas.summarize_run.news import NAMED, News, Story, weekday
from lambdas.summarize_run.outcome import and_more
from traffic.clock import days_before

BLOCKS = "▁▂▃▄▅▆▇█"  # Unicode's block elements: every phone has them, and SNS sends UTF-8
UNKNOWN = "·"  # a day that GitHub did not report, which is not zero


def sparkline(views: Sequence[int | None]) -> str:
    """Draw days as blocks; the day with the most views has the full height."""
    most = max((count for count in views if count), default=0)
    return "".join(
        UNKNOWN if count is None else BLOCKS[min(count * len(BLOCKS) // most, len(BLOCKS) - 1) if most else 0]
        for count in views
    )


def news_sections(seen: News | None, *, digest: bool) -> list[list[str]]:
    """Write what changed, the most unusual first.

    Args:
        seen: What changed; None if nothing is known.
        digest: Whether to sum up the week.
    """
    if seen is None:
        return []
    return [
        _totals(seen),
        _week(seen) if digest else [],
        _named("Far above usual:", seen.spikes, _spike),
        _named("Far below usual:", seen.silences, _silence),
        _named("Most views ever on a day:", seen.records, _record),
        _named("New referrers (views in 14 days):", seen.referred, _referrers),
        _top(seen),
    ]


def highlight(seen: News | None, *, digest: bool) -> tuple[str, str]:
    """Return the most important fact for the subject: a repository's name and what is unusual about it.

    Returns:
        An empty name if the fact concerns all repositories; two empty texts if nothing is unusual.
    """
    if seen is None:
        return "", ""
    for stories, fact in ((seen.spikes, _above), (seen.records, _most_ever), (seen.silences, _silent)):
        if stories:
            return stories[0].result.name, fact(stories[0])
    return "", f"{number(seen.week.now[0])} views in 7 days" if digest and seen.week else ""


def number(count: float) -> str:
    """Write a rounded number with a comma after the thousands."""
    return f"{round(count):,}"


def change(now: int, before: int) -> str:
    """Write how two numbers differ: `+12 %`."""
    return f"{(now - before) / before:+.0%}".replace("%", " %") if before else "from nothing"


def _totals(seen: News) -> list[str]:
    before = "" if seen.before is None else f", {number(seen.before)} a week before"
    where = "1 repository" if seen.repositories == 1 else f"{number(seen.repositories)} repositories"
    return [
        f"{weekday(seen.day)} {seen.day}, the newest complete day:",
        f"{number(seen.views)} views in {where}{before}.",
    ]


def _week(seen: News) -> list[str]:
    if seen.week is None:
        return []
    now, before = seen.week.now, seen.week.before
    return [
        f"The week {days_before(seen.day, 6)} to {seen.day}:",
        *(
            f"  {number(now[at])} {what}, {change(now[at], before[at])} ({number(before[at])} the week before)"
            for at, what in enumerate(("views", "clones"))
        ),
    ]


def _named(title: str, stories: Sequence[Story], write: Callable[[Story], Iterable[str]]) -> list[str]:
    if not stories:
        return []
    return [
        title,
        *(line for story in stories[:NAMED] for line in write(story)),
        *and_more(len(stories), NAMED),
    ]


def _spike(story: Story) -> Iterable[str]:
    times = f" ({_times(story)} as many)" if story.usual else ""
    return f"  {story.result.name}", f"    {number(story.views)} views, usual {_usual(story)}{times}"


def _silence(story: Story) -> Iterable[str]:
    return f"  {story.result.name}", f"    {number(story.views)} views, usual {_usual(story)}"


def _record(story: Story) -> Iterable[str]:
    day, most = story.record or ("", 0)
    return f"  {story.result.name}", f"    {number(story.views)} views; before, {number(most)} on {day}"


def _referrers(story: Story) -> Iterable[str]:
    ordered = sorted(story.referrers.items(), key=lambda each: -each[1])
    return f"  {story.result.name}", *(f"    {referrer}: {number(views)}" for referrer, views in ordered)


def _top(seen: News) -> list[str]:
    if not seen.top:
        return []
    known = any(story.usual is not None for story in seen.top)
    lines = [f"Most views, and the usual number on a {weekday(seen.day)}:" if known else "Most views:"]
    for story in seen.top:
        usual = "" if story.usual is None else f", usual {_usual(story)}"
        lines += [f"  {story.result.name}", f"    {sparkline(story.spark)} {number(story.views)}{usual}"]
    rest = seen.repositories - len(seen.top)
    views = seen.views - sum(story.result.recent["views"] for story in seen.top if story.result.recent)
    return lines + ([f"  and {number(rest)} more with {number(views)} views"] if rest else [])


def _usual(story: Story) -> str:
    return number(story.usual or 0)


def _above(story: Story) -> str:
    return f"{_times(story)} its usual views" if story.usual else f"{number(story.views)} views, usually none"


def _most_ever(_story: Story) -> str:
    return "most views ever"


def _silent(story: Story) -> str:
    return f"{number(story.views)} views, usual {_usual(story)}"


def _times(story: Story) -> str:
    times = story.views / (story.usual or 1)
    return f"{times:.1f} times" if times < 10 else f"{number(times)} times"

"""Reads what is kept of the few repositories that the news are about.

A query for each: 57 days are 3 read units, three years about 60. At most 50 repositories are looked at, and of 10 each
all days or the referrers are read: about 1,300 read units a run, $0.005 a month, whatever the number of repositories.
"""

from collections.abc import Sequence

from lambdas.shared.deployed import snapshots, tables
from lambdas.summarize_run.news import (
    TOP,
    News,
    Story,
    chosen,
    first_read,
    may_be_record,
    news,
    story,
    told,
    with_record,
    with_referrers,
)
from lambdas.summarize_run.outcome import Result
from traffic.clock import days_before

EVER = "0"  # before every day
REFERRED = 56  # days of captures in which a referrer that is new must be missing


def read_news(results: Sequence[Result], today: str) -> News | None:
    """Compare what GitHub said with what is kept.

    Args:
        results: What came of each repository.
        today: The run's day.
    """
    recent = told(results)
    stories: list[Story] = []
    records = TOP
    for result in chosen(results):
        day = recent[result.id]["day"]
        views = tables().views(result.repo_name, first_read(day))
        seen = story(result, day, views)
        if records and may_be_record(seen, day, views):
            seen = with_record(seen, day, tables().views(result.repo_name, EVER))
            records -= 1
        stories.append(seen)
    stories.sort(key=lambda each: -each.views)
    since = days_before(today, REFERRED)
    referred = [with_referrers(each, snapshots().referrers(each.result.id, since)) for each in stories[:TOP]]
    return news(results, [*referred, *stories[TOP:]])

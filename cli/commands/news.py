"""`traffic news`: everything that is unusual about a day, without the limits of an e-mail."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import click

from cli.command import Target, command, read_day, read_execution
from cli.pager import paged
from cli.runs.executions import execution_arn
from cli.runs.progress import RunReader
from cli.stack.deployment import Deployment, opened
from cli.terminal import CommandError, UsageError, plain, say
from traffic.clock import days_before
from traffic.contract import Recent
from traffic.news_text import news_sections
from traffic.record.reading import KeptRepository, Record
from traffic.record.reports import recent
from traffic.record.spans import Spans, day_after
from traffic.unusual import (
    REFERRED,
    REFERRERS_KNOWN,
    Story,
    compare,
    first_read,
    may_be_record,
    sum_up,
    with_record,
    with_referrers,
)

EXAMPLES = """examples:
  traffic news                                    the newest complete day, and the week that ends with it
  traffic news --date 2026-11-01                  another day
  traffic news manual-20261120T090000Z-1f3a       the day of which a run brought the news
  traffic news --aws                              of the stack in AWS

A summary by e-mail lists a few repositories of each kind and counts the others; this command lists all of them. It
reads what is kept, and asks GitHub nothing.
"""


@dataclass
class DayOfRepository:
    """A repository, and its numbers on the day of the news."""

    id: int
    name: str
    repo_name: str
    recent: Recent | None


READERS = 10  # repositories read at the same time: boto3 opens as many connections


@command(EXAMPLES)
@click.argument("name", required=False, type=read_execution, metavar="[RUN]", help="a run, by name or ARN")
@click.option("--date", "day", type=read_day, metavar="DAY", help="the UTC day, as 2026-11-20")
def execute(target: Target, name: str | None, day: str | None) -> int:
    """List everything that is unusual about a day: all repositories, not only those that the e-mail lists."""
    if name and day:
        raise UsageError("A run and --date cannot go together: leave one of them out.")
    with paged(), opened(target) as deployment:
        show_news(deployment.record, day_of_run(deployment, name) if name else day)
    return 0


def day_of_run(deployment: Deployment, name: str) -> str:
    """Return the newest complete day that a run stored.

    Raises:
        CommandError: There is no such run, or it stored no complete day.
    """
    reader = RunReader(deployment, execution_arn(deployment, name))
    reader.execution()
    day = max((receipt["recent"]["day"] for receipt in reader.receipts() if "recent" in receipt), default=None)
    if day is None:
        raise CommandError(f"The run {reader.run_id} stored no complete day: leave its name out for the newest day.")
    return day


def show_news(record: Record, day: str | None) -> None:
    """Print all news of a day; of the newest complete day if none is given.

    Raises:
        CommandError: Nothing complete is kept of that day.
    """
    kept = list(record.every_repository())
    newest = max((spans[-1][1] for each in kept if (spans := _complete(each))), default=None)
    if newest is None:
        raise CommandError("No complete day is kept yet: `traffic run` captures one.")
    chosen = day or newest
    covered = [each for each in kept if any(first <= chosen <= last for first, last in _complete(each))]
    if not covered:
        raise CommandError(f"No complete day {chosen} is kept: the newest one is {newest}.")
    with ThreadPoolExecutor(READERS) as readers:
        compared = list(readers.map(partial(story_of, record, day=chosen), covered))
    stories = [story for story in compared if story.result.recent and story.result.recent["day"] == chosen]
    news = sum_up([story.result for story in stories], stories, newest=chosen == newest)
    sections = news_sections(news, digest=True, every=True)
    say("\n\n".join("\n".join(plain(line) for line in section) for section in sections if section))


def story_of(record: Record, kept: KeptRepository, *, day: str) -> Story:
    """Compare a repository's day with the weeks before it, with all earlier days, and with earlier referrers."""
    rows = {row.day: row for row in record.days(kept.repo_name, since=first_read(day)) if row.day <= day}
    repository = DayOfRepository(
        kept.id, kept.name, kept.repo_name, recent({each: row.known for each, row in rows.items()})
    )
    views = {each: row.metrics[0] for each, row in rows.items() if row.metrics[0] is not None}
    story = compare(repository, day, views)
    if may_be_record(story, day, views):
        ever = {row.day: row.metrics[0] for row in record.days(kept.repo_name) if row.metrics[0] is not None}
        story = with_record(story, day, ever)
    if sum(views.get(days_before(day, age), 0) for age in range(14)) < REFERRED:
        return story
    return with_referrers(story, _referrers(record, kept.id, day_after(day)))


def _complete(kept: KeptRepository) -> Spans:
    return kept.entry.covered.get("views", ())


def _referrers(record: Record, repo_id: int, captured: str) -> Mapping[str, Mapping[str, int]]:
    """Read views by referrer and by day of capture, up to the day on which a run captured the day of the news."""
    captures = record.captures(repo_id, since=days_before(captured, REFERRERS_KNOWN), until=captured)
    listed = {capture.day: capture.listed("referrers") for capture in captures}
    return {day: {row.name: row.views for row in rows} for day, rows in listed.items() if rows is not None}

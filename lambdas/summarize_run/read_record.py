"""Reads what a summary needs to know: the run's notes, the entries of all repositories, the days of a few.

The news take one query for each repository: 57 days are 3 read units, three years about 60. At most 50 repositories
are compared. For 10 of them all days are read, and for 10 the referrers. So a run takes about 1,300 read units, $0.005
a month, however many repositories there are.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Any

from botocore.endpoint import MAX_POOL_CONNECTIONS

from lambdas.shared.deployed_archive import archive
from lambdas.shared.deployed_tables import snapshots, tables
from lambdas.summarize_run.dangers import Dangers, find_dangers
from lambdas.summarize_run.deadlines import Watermark, is_recent, watermark_of
from lambdas.summarize_run.headline import is_digest
from lambdas.summarize_run.outcome import NAMED, Result, today_of
from lambdas.summarize_run.refusals import Refusals, is_known, lasting_refusal
from lambdas.summarize_run.stale import Stale, stale_ends
from traffic.clock import days_before
from traffic.contract import PUSH, TOKEN, RunState, excluded_prefix, not_due_key
from traffic.github.answers import CAPTURED
from traffic.record.merge import day_of_item
from traffic.record.spans import Spans, days_in
from traffic.unusual import (
    REFERRERS_KNOWN,
    TOP,
    News,
    Story,
    choose_stories,
    compare,
    first_read,
    may_be_record,
    newest_days,
    sum_up,
    with_record,
    with_referrers,
)

READERS = MAX_POOL_CONNECTIONS  # objects read at once, of at most 4,000: each reader keeps its connection
EVER = "0"  # sorts before every day


def read_notes(prefix: str) -> Iterator[Any]:
    """Read the lists in all objects below a prefix, a few objects at once: one after another takes too long."""
    keys = archive().keys(prefix)
    with ThreadPoolExecutor(READERS) as readers:
        while some := list(islice(keys, READERS)):
            for note in readers.map(archive().read_note, some):
                yield from note or []


def read_day(event: RunState, results: Sequence[Result]) -> dict[str, dict[str, int]]:
    """Read the metrics that are kept of the day that a re-run asks for, by repository; empty for an ordinary run."""
    date = event["run"].get("date")
    if date is None:
        return {}
    return {
        result.name: dict(day_of_item(tables().days(result.repo_name, [date]).get(date, {})).metrics)
        for result in results
        if result.repo_name
    }


def read_dangers(event: RunState, results: Sequence[Result]) -> Dangers:
    """Read the entry of every repository, and find what is in danger."""
    today = today_of(event)
    outcomes, digest = {result.id: result.outcome for result in results}, is_digest(today)
    not_due, left_out, excluded = _not_due(event), _left_out(event), 0
    reached, ends = stale_ends(results)
    marks: dict[int, Watermark] = {}
    known: set[int] = set()
    waiting: list[tuple[str, str]] = []
    for id_, repo_name, entry in tables().entries():
        if id_ in not_due:  # it has neither failed nor fallen silent
            waiting += [(entry.name, outcome)] if digest and (outcome := lasting_refusal(entry)) else []
            continue
        mark, outcome = watermark_of(repo_name, entry), outcomes.get(id_)
        if id_ in left_out and not outcome:
            excluded += is_recent(mark, today)
            continue
        # Skip completely captured repositories: 100,000 marks need too much memory.
        if outcome != CAPTURED or id_ in ends or mark.lost(today):
            marks[id_] = mark
        if outcome and outcome in entry.refusals and is_known(entry, outcome, mark.days_left(today)):
            known.add(id_)
    dangers = find_dangers(event, today, results, marks)
    named = dict(sorted(dangers.lost.items())[:NAMED])
    return replace(
        dangers,
        excluded=excluded,
        partial={name: _partial_days(name, spans) for name, spans in named.items()},
        stale=Stale(reached, ends, marks, today),
        refusals=Refusals(frozenset(known), waiting),
    )


def read_news(results: Sequence[Result], today: str) -> News | None:
    """Compare the newest day with the record.

    Args:
        results: The repositories that were captured.
        today: The run's day.
    """
    newest = newest_days(results)
    stories: list[Story] = []
    full_reads = TOP
    for result in choose_stories(results):
        day = newest[result.id]["day"]
        views = tables().views(result.repo_name, first_read(day))
        story = compare(result, day, views)
        if full_reads and may_be_record(story, day, views):
            story = with_record(story, day, tables().views(result.repo_name, EVER))
            full_reads -= 1
        stories.append(story)
    stories.sort(key=lambda each: -each.views)
    since = days_before(today, REFERRERS_KNOWN)
    referred = [with_referrers(each, snapshots().referrers(each.result.id, since)) for each in stories[:TOP]]
    return sum_up(results, [*referred, *stories[TOP:]])


def _not_due(event: RunState) -> frozenset[int]:
    """Read the ids of the repositories that were listed and deliberately not asked for."""
    if not event.get("manifest", {}).get("not_due"):
        return frozenset()
    note = archive().read_note(not_due_key(event["run"]["id"])) or {}
    return frozenset(id_ for ids in note.values() for id_ in ids)


def _left_out(event: RunState) -> frozenset[int]:
    """Read the ids of the repositories that were listed and that a setting leaves out."""
    reasons = event.get("listing", {}).get("found", {}).get("left_out", {})
    if not reasons.keys() - {PUSH, TOKEN}:
        return frozenset()  # without a request to S3
    return frozenset(read_notes(excluded_prefix(event["run"]["id"])))


def _partial_days(repo_name: str, lost: Spans) -> frozenset[str]:
    """Return those of the lost days for which the table has some metrics."""
    kept = tables().days(repo_name, days_in(lost))
    return frozenset(day for day, item in kept.items() if day_of_item(item).metrics)

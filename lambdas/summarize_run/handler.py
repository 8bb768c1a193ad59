"""Summarize run: says what was captured and what was not, and why."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.endpoint import MAX_POOL_CONNECTIONS

from lambdas.shared.deployed import archive, tables
from lambdas.shared.settings import console_url, summary_mail
from lambdas.summarize_run.dangers import Watch, watch
from lambdas.summarize_run.deadlines import Watermark, watermark_of
from lambdas.summarize_run.facts import Account
from lambdas.summarize_run.headline import WANTED, Kind, concerns_of, is_digest, kind_of, subject
from lambdas.summarize_run.links import links
from lambdas.summarize_run.message import NAMED, cause_text, message
from lambdas.summarize_run.outcome import Result, error_of, gather
from lambdas.summarize_run.past_summary import is_replay, stored_again, verdict
from lambdas.summarize_run.read_news import read_news
from lambdas.summarize_run.refusals import Refusals, is_known, lasting_refusal
from lambdas.summarize_run.run_metrics import publish, publish_refusal, publish_subscriptions
from lambdas.summarize_run.stale import Stale, stale_ends
from lambdas.summarize_run.subscriptions import confirmed_emails
from traffic.clock import event_day, from_text
from traffic.contract import (
    RunState,
    Summary,
    manifest_key,
    not_due_key,
    problems_prefix,
    receipts_prefix,
    stopped_prefix,
    summary_key,
)
from traffic.errors import GitHubAuthError
from traffic.github.answers import CAPTURED
from traffic.record.items import day_of_item
from traffic.record.spans import Spans, days_in
from traffic.record.transient import FAILURES

READERS = MAX_POOL_CONNECTIONS  # objects read at once, of 4,000 at most: each reader keeps its connection

STATE = "Summarize run"  # in the definition

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: RunState, context: LambdaContext) -> Summary:  # noqa: ARG001 (Lambda's signature)
    """Compare what was listed with what was stored, and write the summary that is published.

    Returns:
        The summary, with `outcome` "failed" where everything failed or the run was stopped.
    """
    run = event["run"]
    logger.append_keys(run=run["id"], state=STATE)
    results = gather(
        archive().read_note(manifest_key(run["id"])) or [],
        read_notes(receipts_prefix(run["id"])),
        read_notes(problems_prefix(run["id"])),
    )
    summary = summarize_replay(event, results) if is_replay(event) else summarize_capture(event, results)
    archive().put_note(summary_key(run["id"]), summary)
    log(summary, results)
    return summary


def log(summary: Summary, results: Sequence[Result]) -> None:
    """Log each repository that was not captured, and how the run ended."""
    missing = [result for result in results if result.outcome != CAPTURED]
    for result in missing:
        logger.warning("did not capture repository", repository=result.name, outcome=result.outcome)
    captured = len(results) - len(missing)
    logger.info("summarized run", outcome=summary["outcome"], captured=captured, listed=len(results))


def summarize_capture(event: RunState, results: Sequence[Result]) -> Summary:
    """Summarize a run that asked GitHub, and publish its metrics."""
    stopped = stopped_by(event)
    error = error_of(event, stopped, results)
    seen = observe(event, results)
    if "manifest" in event:  # an input that was refused captures nothing either, and is no reason for an alarm
        publish(results, seen, error)
    elif error == GitHubAuthError.__name__:
        publish_refusal()
    count_subscriptions()
    told = Account(
        event,
        results,
        error,
        cause_text(event, stopped),
        concerns_of(event, results, seen),
        seen,
        read_news([result for result in results if result.outcome == CAPTURED], seen.today),
        is_digest(seen.today),
        one_day(event, results),
    )
    return written(told, kind_of(error, told.concerns, digest=told.digest))


def count_subscriptions() -> None:
    """Write how many addresses get the summaries by e-mail. A count that fails must not fail the summary."""
    try:
        confirmed = confirmed_emails()
    except FAILURES as exc:
        logger.warning("did not count subscriptions", reason=str(exc))
    else:
        publish_subscriptions(confirmed)


def stopped_by(event: RunState) -> Mapping[str, str] | None:
    """Read what ended the run, or the part of it that one token asks for; None where nothing did."""
    refused = [said["refused"] for said in event.get("listing", {}).get("tokens", {}).values() if "refused" in said]
    notes = [{"error": GitHubAuthError.__name__, "cause": cause} for cause in refused]
    notes += [note for key in archive().keys(stopped_prefix(event["run"]["id"])) if (note := archive().read_note(key))]
    if not notes:
        return None
    return {"error": notes[0]["error"], "cause": "; ".join(note["cause"] for note in notes[:NAMED])}


def summarize_replay(event: RunState, results: Sequence[Result]) -> Summary:
    """Summarize a run that stored a date again from the archive; of today it knows nothing."""
    again = stored_again(results)
    day_items = one_day(event, again)
    stored = sum(1 for _ in archive().keys(receipts_prefix(event["run"]["id"])))
    error, cause = verdict(event, again, stored=stored, day_items=day_items)
    told = Account(event, again, error, cause or cause_text(event, None), day_items=day_items)
    return written(told, kind_of(error, (), digest=False))


def written(told: Account, kind: Kind) -> Summary:
    """Write the summary that is published."""
    run = told.state["run"]
    return {
        "run": run,
        "outcome": "failed" if told.error else "succeeded",
        "error": told.error,
        "kind": kind,
        "wanted": kind in WANTED[summary_mail()],
        "subject": subject(told, day_of_run(told.state)),
        "message": message(told, links(run.get("arn"), console=console_url())),
    }


def observe(event: RunState, results: Sequence[Result]) -> Watch:
    """Look for what is in danger, in what is kept of every repository."""
    today = today_of(event)
    outcomes, digest = {result.id: result.outcome for result in results}, is_digest(today)
    not_due = not_due_ids(event)  # neither failed nor fallen silent
    reached, ends = stale_ends(results)
    marks: dict[int, Watermark] = {}
    known: set[int] = set()
    waiting: list[tuple[str, str]] = []
    for id_, repo_name, entry in tables().entries():
        if id_ in not_due:
            waiting += [(entry.name, outcome)] if digest and (outcome := lasting_refusal(entry)) else []
            continue
        mark, outcome = watermark_of(repo_name, entry), outcomes.get(id_)
        # Skip completely captured repositories: 100,000 marks need too much memory.
        if outcome != CAPTURED or id_ in ends or mark.lost(today):
            marks[id_] = mark
        if outcome and outcome in entry.refusals and is_known(entry, outcome, mark.days_left(today)):
            known.add(id_)
    seen = watch(event, today, results, marks)
    named = dict(sorted(seen.lost.items())[:NAMED])
    return replace(
        seen,
        partial={name: returned_in_part(name, spans) for name, spans in named.items()},
        stale=Stale(reached, ends, marks, today),
        refusals=Refusals(frozenset(known), waiting),
    )


def not_due_ids(event: RunState) -> frozenset[int]:
    """Read who was listed and deliberately not asked."""
    if not event.get("manifest", {}).get("not_due"):
        return frozenset()
    note = archive().read_note(not_due_key(event["run"]["id"])) or {}
    return frozenset(id_ for ids in note.values() for id_ in ids)


def returned_in_part(repo_name: str, lost: Spans) -> frozenset[str]:
    """Name those of the days for which something is kept."""
    kept = tables().days(repo_name, days_in(lost))
    return frozenset(day for day, item in kept.items() if day_of_item(item).metrics)


def today_of(event: RunState) -> str:
    """Name the day of the run: GitHub's own, else that of EventBridge's event, else that of the start."""
    listed_at = event.get("listing", {}).get("listed_at")
    return listed_at[:10] if listed_at else event_day(event.get("input"), from_text(event["run"]["started"]))


def day_of_run(event: RunState) -> str:
    """Name the day that the run is about: the one asked for, else today."""
    return event["run"].get("date", today_of(event))


def read_notes(prefix: str) -> Iterator[Any]:
    """Read the lists in all objects below a prefix, a few objects at once: the caller is slower, and all are many."""
    keys = archive().keys(prefix)
    with ThreadPoolExecutor(READERS) as readers:
        while some := list(islice(keys, READERS)):
            for note in readers.map(archive().read_note, some):
                yield from note or []


def one_day(event: RunState, results: Sequence[Result]) -> dict[str, dict[str, int]]:
    """Read the day that a re-run was asked for, as it is kept now; nothing for an ordinary run."""
    date = event["run"].get("date")
    if date is None:
        return {}
    return {
        result.name: dict(day_of_item(tables().days(result.repo_name, [date]).get(date, {})).metrics)
        for result in results
        if result.repo_name
    }

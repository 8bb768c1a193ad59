"""Summarize run: reports what was captured and what was not, and why."""

from collections.abc import Mapping, Sequence

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.shared.deployed_archive import archive
from lambdas.shared.environment import console_url, summary_mail
from lambdas.summarize_run.headline import WANTED, Facts, Kind, concerns_of, is_digest, kind_of, subject
from lambdas.summarize_run.message import links, message
from lambdas.summarize_run.outcome import (
    NAMED,
    Result,
    cause_of,
    error_of,
    gather,
    is_replay,
    replay_error,
    stored_again,
    today_of,
)
from lambdas.summarize_run.read_record import read_dangers, read_day, read_news, read_notes
from lambdas.summarize_run.run_metrics import confirmed_emails, publish, publish_refusal, publish_subscriptions
from traffic.contract import (
    RunState,
    Summary,
    manifest_key,
    problems_prefix,
    receipts_prefix,
    stopped_prefix,
    summary_key,
)
from traffic.errors import GitHubAuthError
from traffic.github.answers import CAPTURED
from traffic.record.transient import FAILURES

STATE = "Summarize run"  # in the definition

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: RunState, context: LambdaContext) -> Summary:  # noqa: ARG001 (Lambda's signature)
    """Compare what was listed with what was stored, and write the summary that is published.

    Returns:
        The summary. Its `outcome` is "failed" if everything failed or the run was stopped.
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
    dangers = read_dangers(event, results)
    if "manifest" in event:  # a run with a refused input captures nothing either, and is no reason for an alarm
        publish(results, dangers, error)
    elif error == GitHubAuthError.__name__:
        publish_refusal()
    count_subscriptions()
    facts = Facts(
        event,
        results,
        error,
        cause_of(event, stopped, results) if error else "",
        concerns_of(event, results, dangers),
        dangers,
        read_news([result for result in results if result.outcome == CAPTURED], dangers.today),
        is_digest(dangers.today),
        read_day(event, results),
    )
    return write_summary(facts, kind_of(error, facts.concerns, digest=facts.digest))


def summarize_replay(event: RunState, results: Sequence[Result]) -> Summary:
    """Summarize a run that stored a past date again from the archive. It did not ask GitHub, and has no news."""
    again = stored_again(results)
    day_items = read_day(event, again)
    stored = sum(1 for _ in archive().keys(receipts_prefix(event["run"]["id"])))
    error, cause = replay_error(event, again, stored=stored, day_items=day_items)
    facts = Facts(event, again, error, cause, day_items=day_items)
    return write_summary(facts, kind_of(error, (), digest=False))


def count_subscriptions() -> None:
    """Publish how many addresses get the summaries by e-mail. A count that fails must not fail the summary."""
    try:
        confirmed = confirmed_emails()
    except FAILURES as exc:
        logger.warning("did not count subscriptions", reason=str(exc))
    else:
        publish_subscriptions(confirmed)


def stopped_by(event: RunState) -> Mapping[str, str] | None:
    """Read what ended the run, or one token's part of it; None if nothing did."""
    tokens = event.get("listing", {}).get("tokens", {}).values()
    notes = [{"error": GitHubAuthError.__name__, "cause": token["refused"]} for token in tokens if "refused" in token]
    notes += [note for key in archive().keys(stopped_prefix(event["run"]["id"])) if (note := archive().read_note(key))]
    if not notes:
        return None
    return {"error": notes[0]["error"], "cause": "; ".join(note["cause"] for note in notes[:NAMED])}


def write_summary(facts: Facts, kind: Kind) -> Summary:
    """Write the summary that is published."""
    run = facts.state["run"]
    return {
        "run": run,
        "outcome": "failed" if facts.error else "succeeded",
        "error": facts.error,
        "kind": kind,
        "wanted": kind in WANTED[summary_mail()],
        "subject": subject(facts, run.get("date", today_of(facts.state))),
        "cause": facts.cause,
        "message": message(facts, links(run.get("arn"), console=console_url())),
    }

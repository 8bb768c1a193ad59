"""Summarize run: says what was captured and what was not, and why."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.shared.answers import CAPTURED
from lambdas.shared.archive import archive
from lambdas.shared.contract import (
    RunState,
    Summary,
    manifest_key,
    problems_prefix,
    receipts_prefix,
    stopped_key,
    summary_key,
)
from lambdas.shared.tables import day_of_item, tables
from lambdas.summarize_run.message import cause_text, message, subject
from lambdas.summarize_run.outcome import Result, error_of, gather

READERS = 16  # objects read at once; a run of 100,000 repositories leaves 4,000 of them

logger = Logger()


@logger.inject_lambda_context
def lambda_handler(event: RunState, context: LambdaContext) -> Summary:  # noqa: ARG001 (Lambda's signature)
    """Compare what was listed with what was stored, and write the summary that is published.

    Returns:
        The summary, with `outcome` "failed" where everything failed or the run was stopped.
    """
    run = event["run"]
    stopped = archive().read_note(stopped_key(run["id"]))
    results = gather(
        archive().read_note(manifest_key(run["id"])) or [],
        read_notes(receipts_prefix(run["id"])),
        read_notes(problems_prefix(run["id"])),
    )
    error = error_of(event, stopped, results)
    summary: Summary = {
        "run": run,
        "outcome": "failed" if error else "succeeded",
        "error": error,
        "subject": subject(day_of_run(event), error, results),
        "message": message(event, error, cause_text(event, stopped), results, one_day(event, results)),
    }
    archive().put_note(summary_key(run["id"]), summary)
    captured = sum(result.outcome == CAPTURED for result in results)
    logger.info("summarized run", run=run["id"], outcome=summary["outcome"], captured=captured, listed=len(results))
    return summary


def day_of_run(event: RunState) -> str:
    """Name the day that the run is about: the one asked for, else GitHub's own, else that of the start."""
    run = event["run"]
    return run.get("date", event.get("listing", {}).get("listed_at", run["started"])[:10])


def read_notes(prefix: str) -> list[Any]:
    """Read the lists in all objects below a prefix, as one list."""
    with ThreadPoolExecutor(READERS) as readers:
        return [found for note in readers.map(archive().read_note, archive().keys(prefix)) for found in note or []]


def one_day(event: RunState, results: Sequence[Result]) -> dict[str, dict[str, int]] | None:
    """Read the day that a re-run was asked for, as it is kept now; None for an ordinary run."""
    date = event["run"].get("date")
    if date is None:
        return None
    return {
        result.name: dict(day_of_item(tables().days(result.repo_name, [date]).get(date, {})).metrics)
        for result in results
        if result.repo_name
    }

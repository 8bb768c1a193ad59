"""Fetch traffic: reads the traffic of a batch of repositories from GitHub into the archive."""

import time
from collections import Counter
from datetime import UTC, datetime

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.fetch_traffic.batch import FetchedBatch, fetch_batch
from lambdas.shared.deployed_archive import archive
from lambdas.shared.embedded_metrics import counted, write_wait
from lambdas.shared.github_access import github
from traffic.clock import to_text
from traffic.contract import Batch, ChildState, MinuteOfCalls, Run, manifest_key, problems_prefix, stopped_key
from traffic.deadline import extended
from traffic.errors import GitHubUnavailableError, RunStoppedError
from traffic.github.answers import CAPTURED
from traffic.github.pace import Pace
from traffic.github.tokens import ANYONE, token_text
from traffic.wording import repositories

STATE = "Fetch traffic"  # in the definition

logger = Logger()


# By run and lane: the calls with which the last state came to this process, and these with the calls of the try. A try
# that fails after its calls leaves them out of the state: the next try, also of the next batch, comes with the same.
_tried: dict[tuple[str, int], tuple[MinuteOfCalls, Pace]] = {}


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: ChildState, context: LambdaContext) -> ChildState:
    """Read the traffic of a batch's repositories from GitHub into the archive.

    Returns:
        The archive key, the repositories that remain and, at a rate limit, `resume_at`.

    Raises:
        GitHubUnavailableError: GitHub failed for every repository; the state machine retries.
        GitHubAuthError, GitHubRejectionError: The token or the request is refused; the run ends.
        RunStoppedError: Another child found that the run cannot go on.
    """
    run = extended(event["run"], event, event.get("parent", {}))
    batch = with_calls(run, read_batch(run, event["batch"]))
    owner = batch.get("owner", ANYONE)
    logger.append_keys(run=run["id"], state=STATE)
    refuse_if_stopped(run, owner)
    with counted(github(owner)):
        fetched = fetch_batch(
            github(owner),
            run,
            batch,
            now=lambda: datetime.now(UTC),
            seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
        )
    note_calls(run, event["batch"], fetched)
    key = archive().put_answers(fetched.answers) if fetched.answers else None
    log(fetched)
    report(run, owner, fetched)
    if fetched.resume_at:
        write_wait(fetched.resume_at, datetime.now(UTC))
    time.sleep(fetched.rest)
    state = fetched.next_state(run, batch, key, datetime.now(UTC))
    if "problem" in event:
        state["problem"] = event["problem"]
    return state


def read_batch(run: Run, batch: Batch) -> Batch:
    """Read the batch at which a lane is from the manifest, unless the state has it already.

    After a wait at the end of a batch, go on with the next batch.
    """
    lane = batch.get("lane")
    if lane is None:
        return batch
    number, is_read = batch["at"]["part"], lane.get("read") == batch["at"]["part"]
    if is_read and batch["repositories"]:
        return batch
    number += is_read
    found = archive().read_batch(manifest_key(run["id"]), number, lane["width"])
    read: Batch = {**found, "lane": {**lane, "read": number}, "at": {"part": number}}
    if "pauses" in batch:
        read["pauses"] = batch["pauses"]
    if "minute" in batch:
        read["minute"] = batch["minute"]
    return read


def with_calls(run: Run, batch: Batch) -> Batch:
    """Add the calls of a try that failed after them, if this process made it: GitHub counts them, too."""
    if "lane" in batch and (run["id"], batch["lane"]["last"]) in _tried:
        came_with, pace = _tried[run["id"], batch["lane"]["last"]]
        if came_with == batch.get("minute", []):
            return {**batch, "minute": pace.minute(datetime.now(UTC).timestamp())}
    return batch


def note_calls(run: Run, batch: Batch, fetched: FetchedBatch) -> None:
    """Note the calls of a try, before anything fails after it."""
    _tried.clear()
    if "lane" in batch and fetched.pace is not None:
        _tried[run["id"], batch["lane"]["last"]] = batch.get("minute", []), fetched.pace


def refuse_if_stopped(run: Run, owner: str) -> None:
    """Read the note that another child writes when the run cannot go on with an owner's token.

    Raises:
        RunStoppedError: There is such a note.
    """
    note = archive().read_note(stopped_key(run["id"], owner))
    if note is not None:
        raise RunStoppedError(f"The run was stopped: {note['cause']}")


def log(fetched: FetchedBatch) -> None:
    """Log the outcome of each repository and the progress of the batch. Counts and outcomes, no traffic."""
    answered = Counter(line["repo"] for line in fetched.answers if line["outcome"] == CAPTURED)
    for name, endpoints in answered.items():
        logger.info("fetched repository", repository=name, endpoints=endpoints)
    for line in [*fetched.answers, *fetched.unanswered]:
        if line["outcome"] != CAPTURED:
            logger.warning(
                "did not fetch repository",
                repository=line["repo"],
                endpoint=line["endpoint"],
                status=line["status"],
                outcome=line["outcome"],
            )
    if fetched.resume_at:
        logger.info("met GitHub's limit", resume_at=to_text(fetched.resume_at))
    logger.info("fetched traffic", answers=len(fetched.answers), remaining=len(fetched.remaining))


def report(run: Run, owner: str, fetched: FetchedBatch) -> None:
    """Write notes of failures for the other children and the summary, then raise an error if one is due.

    Raises:
        GitHubUnavailableError: GitHub failed for every repository.
        GitHubAuthError, GitHubRejectionError: The run ends.
    """
    if fetched.unanswered:
        first = fetched.unanswered[0]["repo_id"]
        archive().put_note(f"{problems_prefix(run['id'])}{first}.json", fetched.unanswered)
    if fetched.stop is not None:
        cause = str(fetched.stop) if owner == ANYONE else f"{token_text(owner)}: {fetched.stop}"
        note = {"error": type(fetched.stop).__name__, "cause": cause}
        archive().put_note(stopped_key(run["id"], owner), note)
        if not fetched.answers:
            raise fetched.stop  # otherwise the earlier answers are stored first, and the next Fetch finds the note
    if fetched.unavailable:
        names = ", ".join(line["repo"] for line in fetched.unanswered[:3])
        raise GitHubUnavailableError(f"GitHub answered for none of {repositories(len(fetched.unanswered))}: {names}")

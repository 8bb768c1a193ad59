"""List repositories: checks the input, lists what the token can push to, and writes the run's manifest.

For a date that GitHub no longer returns, the manifest lists archive objects to store again.
"""

from datetime import UTC, datetime, timedelta

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.list_repos.due import choose, write_items
from lambdas.list_repos.every_token import by_token, read_all
from lambdas.list_repos.page_archive import page_archive
from lambdas.list_repos.pages import Pages
from lambdas.list_repos.past_date import is_beyond_github, replay
from lambdas.list_repos.run_input import read_date
from lambdas.list_repos.selection import in_order, missing_names, why_nothing
from lambdas.shared.deployed_archive import archive
from lambdas.shared.embedded_metrics import write_wait
from lambdas.shared.environment import Selection, ineffective, selection
from traffic.clock import event_day, from_text, not_before, to_text
from traffic.contract import (
    Listing,
    Manifest,
    Run,
    RunState,
    excluded_key,
    listing_key,
    not_due_key,
)
from traffic.deadline import LONGEST_RUN, extended
from traffic.errors import GitHubLimitError

STATE = "List repositories"  # in the definition

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: RunState, context: LambdaContext) -> RunState:
    """Go on with the listing of the repositories that the token can push to.

    Returns:
        The run with its manifest. If the listing is not finished, the run with `listing.next` and, at a rate limit,
        `resume_at`.

    Raises:
        InvalidInputError, InvalidSettingError: The input or a setting is wrong, or something other than GitHub answers.
        GitHubUnavailableError: GitHub does not answer; the state machine retries.
        GitHubAuthError, GitHubRejectionError: The token or the request is refused; the run ends.
        GitHubLimitError: GitHub's limit outlasts the run; the run ends.
        TableBusyError, ArchiveBusyError: DynamoDB or S3 is throttled; the state machine retries.
    """
    logger.append_keys(run=event["run"]["id"], state=STATE)
    run, wanted = begin(event), selection()
    replayed = replay_of(event, run)
    if replayed is not None:
        return replayed
    with page_archive(archive(), run["id"]) as keep_page:
        pages = read_all(
            event.get("listing", Listing(parts=0, pauses=0)),
            wanted,
            lambda: context.get_remaining_time_in_millis() / 1000,
            keep_page,
        )
    if pages.resume_at:
        refuse_if_too_late(run, pages.resume_at)
        write_wait(pages.resume_at, datetime.now(UTC))
        logger.info("met GitHub's limit", resume_at=to_text(pages.resume_at))
    state = go_on(run, pages) if "next" in pages.listing else finish(run, pages, wanted)
    logger.info("listed repositories", listed=len(pages.repositories), parts=pages.listing["parts"])
    return state


def begin(event: RunState) -> Run:
    """Check what the run was started with, and set its deadline.

    Raises:
        InvalidInputError: The state machine does not take this input.
    """
    run = event["run"]
    if "listing" in event:
        return extended(run, event)
    started = from_text(run["started"])
    date = read_date(event.get("input"), started)
    begun: Run = {**run, "deadline": to_text(started + LONGEST_RUN)}
    if date is not None:
        begun["date"] = date
    return extended(begun, event)


def replay_of(event: RunState, run: Run) -> RunState | None:
    """Plan to store a day again from the archive, if GitHub no longer returns it; otherwise return None.

    Raises:
        InvalidInputError: The archive has no answer that could hold that day.
    """
    if "date" not in run or "listing" in event:
        return None
    today = event_day(event.get("input"), from_text(run["started"]))
    if not is_beyond_github(run["date"], today):
        return None
    state = replay(archive(), run, run["date"], today)
    logger.info("planned replay", date=run["date"], objects=state["manifest"]["batches"])
    return state


def refuse_if_too_late(run: Run, resume_at: datetime) -> None:
    """Stop a run that cannot ask GitHub again before its deadline: a run that waits forever reports nothing.

    Raises:
        GitHubLimitError: The limit lasts beyond the deadline.
    """
    if "deadline" in run and resume_at >= from_text(run["deadline"]):
        raise GitHubLimitError(
            f"GitHub's rate limit lasts until {to_text(resume_at)}, beyond the run's deadline {run['deadline']}: "
            "the repositories could not be listed."
        )


def go_on(run: Run, pages: Pages) -> RunState:
    """Write what was listed so far, and return where and when to go on."""
    listing = pages.listing
    if pages.repositories or pages.excluded:
        note_excluded(run, pages)
        listing["parts"] += 1
        archive().put_note(listing_key(run["id"], listing["parts"]), pages.repositories)
    state: RunState = {"run": run, "listing": listing}
    if pages.resume_at is not None:
        state["resume_at"] = not_before(pages.resume_at)
    return state


def note_excluded(run: Run, pages: Pages) -> None:
    """Write the ids of the repositories that the settings leave out, so that none of them is taken for deleted."""
    if pages.excluded:
        archive().put_note(excluded_key(run["id"], pages.listing["parts"] + 1), pages.excluded)


def finish(run: Run, pages: Pages, wanted: Selection) -> RunState:
    """Write the manifest of the selected repositories that are asked for today."""
    found = [
        repository
        for part in range(1, pages.listing["parts"] + 1)
        for repository in archive().read_note(listing_key(run["id"], part)) or []
    ]
    note_excluded(run, pages)
    selected = in_order([*found, *pages.repositories])
    if not selected:
        pages.listing["unselected"] = why_nothing(pages.listing, wanted)
    today = pages.listing.get("listed_at", run["started"])[:10]
    asked, not_due = choose(by_token(selected), pages.listing, today=today, hours=LONGEST_RUN // timedelta(hours=1))
    items = write_items(archive(), run["id"], asked, pages.listing.get("tokens", {}), datetime.now(UTC).timestamp())
    missing = missing_names(selected, wanted)
    if missing:
        pages.listing["missing"] = missing
    if globs := ineffective():
        pages.listing["globs"] = globs
    manifest: Manifest = {
        "bucket": archive().bucket,
        "key": items.key,
        "at_once": items.at_once,
        "batches": items.batches,
        "repositories": sum(map(len, asked.values())),
    }
    if not_due:
        archive().put_note(not_due_key(run["id"]), not_due)
        manifest["not_due"] = {day: len(ids) for day, ids in sorted(not_due.items())}
    return {"run": run, "listing": pages.listing, "manifest": manifest}

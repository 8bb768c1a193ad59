"""The demonstration's past: two years of the simulated GitHub.

Daily runs over two years would take hours. Instead, the code of Fetch traffic asks GitHub every 12 days for 14 days
each, and a rebuild writes what the archive then contains, each item once.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from cli.stack.deployment import Deployment, stack_of
from cli.terminal import CommandError, inform
from lambdas.fetch_traffic.batch import fetch_batch
from simulated_github import SimulatedGitHub
from traffic.contract import Repository, Run
from traffic.github.client import GitHub
from traffic.record.archive import Archive
from traffic.record.notes import Note, put_note
from traffic.record.rebuilding import rebuild

FORMER, NOW = "octo-org/http-client", "octo-org/api-client"  # this one was renamed

REPOSITORIES = ("octo/docs", "octo-org/docs", "octo/website", "octo-org/website", "octo/api-client", NOW)
SEED = 1  # the same numbers in every run, so that the demo's history continues
TOKEN = "simulated"  # noqa: S105 - a GitHub on loopback accepts any

EVERY = 12  # days between two captures of the past; at 13 a quiet day at the edge of a rolling window stays unknown
CAPTURES = 61  # two years
RENAMED = 420  # days ago
STALLED = (263, 241)  # days ago: longer than GitHub's 14 days, so days are lost

BEGUN = "runs/demo/begun.json"  # this object is written when the past is complete


def present_github() -> SimulatedGitHub:
    """Return the GitHub that the demonstration captures."""
    return SimulatedGitHub(repositories=REPOSITORIES, seed=SEED)


def demo_github(client: Callable[[str], Any], outlasting: ExitStack) -> str:
    """Return the address of the simulated GitHub that another command runs already, or of a new one.

    Args:
        client: Returns the boto3 client of a service of the engine.
        outlasting: Ends the new one.
    """
    try:
        running = stack_of(client, "", save=lambda: None).parameters.get("GitHubApiUrl", "")
        if requests.get(f"{running}/_calls", timeout=2).ok:
            return running
    except (CommandError, requests.RequestException):
        pass  # there is no stack yet, or its GitHub ended with the command that ran it
    return outlasting.enter_context(present_github()).url


def begin_history(deployment: Deployment, now: datetime, *, on_stored: Callable[[], None]) -> None:
    """Capture and store the past, once; after an interruption, from its beginning again.

    Args:
        deployment: The demonstration's. Its tables are read and written.
        now: The present.
        on_stored: Called when the tables contain what is archived.
    """
    archive = deployment.archive
    if archive.read_note(BEGUN) is not None:
        return
    inform("Simulating two years of history, once ...")
    with past_github(now) as github:
        for number, at in enumerate(past(now)):
            if number and number % (CAPTURES // 4) == 0:
                inform(f"Simulating {at:%B %Y} ...")
            capture(github, archive, at, renamed=at >= now - timedelta(days=RENAMED))
    rebuild(deployment.record, archive)
    on_stored()
    renamed = (now - timedelta(days=RENAMED)).date().isoformat()
    put_note(archive, Note(FORMER, renamed, f"renamed to {NOW}"))
    archive.put_note(BEGUN, {"begun": now.isoformat()})
    deployment.save()


def past(now: datetime) -> Sequence[datetime]:
    """Return the times of the captures in order, each at the hour of the daily run."""
    last = now.astimezone(UTC).replace(hour=9, minute=0, second=0, microsecond=0)
    return [last - timedelta(days=EVERY * number) for number in range(CAPTURES, 0, -1)]


def past_github(now: datetime) -> SimulatedGitHub:
    """Return the GitHub of the past: the same repositories under the names that they had then, and a stall."""
    since, until = ((now - timedelta(days=ago)).isoformat() for ago in STALLED)
    names = [FORMER if name == NOW else name for name in REPOSITORIES]
    return SimulatedGitHub(repositories=names, seed=SEED, stalls=[(since, until)])


def capture(github: SimulatedGitHub, archive: Archive, at: datetime, *, renamed: bool) -> None:
    """Ask GitHub at a time, and archive its answers."""
    if renamed and NOW not in github.names:
        github.rename(FORMER, NOW)
    github.at(at)
    run: Run = {"id": f"demo-{at:%Y%m%dT%H%M%SZ}", "started": at.isoformat()}
    asked: list[Repository] = [{"id": each.id, "name": each.name} for each in github.github.account]
    client = GitHub(github.url, lambda **_fresh: TOKEN)
    fetched = fetch_batch(client, run, {"repositories": asked}, now=lambda: at, seconds_left=lambda: float("inf"))
    archive.put_answers(fetched.answers)

"""What is asked of GitHub about a repository, what an answer means, and what is kept of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from traffic.clock import from_http, to_text
from traffic.contract import ArchivedAnswer, Endpoint, Repository, Run
from traffic.github.answers import FAILED, Answer, Meaning, Verdict, classify
from traffic.github.client import GitHub
from traffic.record.archive import kept_headers
from traffic.record.traffic_answers import check_body

MOST_BYTES = (
    1024 * 1024
)  # of an answer about traffic, of which GitHub's have some thousand; a batch of 25 keeps a hundred
MOST_SAID = 10_000  # characters that are kept of an answer that brings no traffic, such as a page of HTML

PATHS: dict[Endpoint, str] = {
    "views": "/traffic/views",
    "clones": "/traffic/clones",
    "referrers": "/traffic/popular/referrers",
    "paths": "/traffic/popular/paths",
}

_PARAMETERS: dict[Endpoint, dict[str, str]] = {"views": {"per": "day"}, "clones": {"per": "day"}}


class Asked(NamedTuple):
    """An endpoint, what GitHub answered, and what that means."""

    endpoint: Endpoint
    answer: Answer
    verdict: Verdict


def ask(github: GitHub, repository: Repository, endpoints: Sequence[Endpoint]) -> list[Asked]:
    """Ask for a few endpoints of a repository at once: GitHub takes its time for each."""
    wanted = [(_path(repository, endpoint), _PARAMETERS.get(endpoint)) for endpoint in endpoints]
    answers = github.get_all(wanted)
    return [
        Asked(endpoint, answer, _judge(endpoint, answer)) for endpoint, answer in zip(endpoints, answers, strict=True)
    ]


def archived(run: Run, repository: Repository, asked: Asked, now: datetime) -> ArchivedAnswer:
    """Write an answer as a line of the archive: a good one untouched, of another the beginning.

    Args:
        run: In which it was asked.
        repository: Of which it was asked.
        asked: The endpoint and the answer.
        now: When GitHub spoke, where the answer has no `date`.
    """
    answer, verdict = asked.answer, asked.verdict
    said_at = from_http(answer.headers.get("date")) or now
    body = answer.body.decode("utf-8", "replace")  # a good answer is UTF-8, so it is untouched
    return {
        "run": run["id"],
        "repo_id": repository["id"],
        "repo": repository["name"],
        "endpoint": asked.endpoint,
        "captured_at": to_text(said_at),
        "status": answer.status,
        "headers": kept_headers(answer.headers),
        "body": body if verdict.meaning is Meaning.FINE else body[:MOST_SAID],
        "outcome": verdict.outcome,
    }


def _path(repository: Repository, endpoint: Endpoint) -> str:
    parts = repository["name"].split("/", 1)
    if {"", ".", ".."} & set(parts):  # a client would take them for folders; GitHub itself redirects to ids
        return f"/repositories/{repository['id']}{PATHS[endpoint]}"
    return "/repos/" + "/".join(quote(part, safe="") for part in parts) + PATHS[endpoint]


def _judge(endpoint: Endpoint, answer: Answer) -> Verdict:
    """Classify, and look into what claims to be fine: a 200 that is no whole answer passes, as a 5xx does."""
    verdict = classify(answer)
    if verdict.meaning is Meaning.FINE:
        if len(answer.body) > MOST_BYTES:
            return Verdict(Meaning.TRANSIENT, FAILED)
        try:
            check_body(endpoint, answer.json())
        except ValueError:
            return Verdict(Meaning.TRANSIENT, FAILED)
    return verdict

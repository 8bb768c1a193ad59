"""Asks GitHub for the endpoints of a repository, judges the answers, and writes them as lines of the archive."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote

from traffic.clock import from_http, to_text
from traffic.contract import ArchivedAnswer, Endpoint, Repository, Run
from traffic.github.answers import FAILED, Answer, Meaning, Verdict, classify
from traffic.github.bodies import check_body
from traffic.github.client import GitHub
from traffic.record.archive import kept_headers

# Bytes of an answer with traffic. GitHub's answers have a few thousand; a batch of 50 keeps two hundred in memory.
MOST_BYTES = 1024 * 1024
MOST_KEPT = 10_000  # characters that are kept of an answer without traffic, such as a page of HTML

PATHS: dict[Endpoint, str] = {
    "views": "/traffic/views",
    "clones": "/traffic/clones",
    "referrers": "/traffic/popular/referrers",
    "paths": "/traffic/popular/paths",
}

_PARAMETERS: dict[Endpoint, dict[str, str]] = {"views": {"per": "day"}, "clones": {"per": "day"}}


class Asked(NamedTuple):
    """An endpoint, GitHub's answer, and what it means."""

    endpoint: Endpoint
    answer: Answer
    verdict: Verdict


def ask(
    github: GitHub, repository: Repository, endpoints: Sequence[Endpoint], heard: Callable[[Answer], None]
) -> list[Asked]:
    """Ask for some endpoints of a repository at once: one after another takes too long.

    Args:
        github: Where to ask.
        repository: The repository.
        endpoints: The endpoints.
        heard: Called with each answer as soon as it comes, in any thread.
    """
    wanted = [(_path(repository, endpoint), _PARAMETERS.get(endpoint)) for endpoint in endpoints]
    answers = github.get_all(wanted, heard)
    return [
        Asked(endpoint, answer, _judge(endpoint, answer)) for endpoint, answer in zip(endpoints, answers, strict=True)
    ]


def archived(run: Run, repository: Repository, asked: Asked, now: datetime) -> ArchivedAnswer:
    """Write an answer as a line of the archive: a good one unchanged, and the beginning of any other.

    Args:
        run: The run that asked.
        repository: The repository that was asked for.
        asked: The endpoint and the answer.
        now: The time of the answer if it has no `date` header.
    """
    answer, verdict = asked.answer, asked.verdict
    captured_at = from_http(answer.headers.get("date")) or now
    body = answer.body.decode("utf-8", "replace")  # a good answer is UTF-8, so it stays unchanged
    return {
        "run": run["id"],
        "repo_id": repository["id"],
        "repo": repository["name"],
        "endpoint": asked.endpoint,
        "captured_at": to_text(captured_at),
        "status": answer.status,
        "headers": kept_headers(answer.headers),
        "body": body if verdict.meaning is Meaning.FINE else body[:MOST_KEPT],
        "outcome": verdict.outcome,
    }


def _path(repository: Repository, endpoint: Endpoint) -> str:
    parts = repository["name"].split("/", 1)
    if {"", ".", ".."} & set(parts):  # a client would treat them as folders; GitHub itself redirects to ids
        return f"/repositories/{repository['id']}{PATHS[endpoint]}"
    return "/repos/" + "/".join(quote(part, safe="") for part in parts) + PATHS[endpoint]


def _judge(endpoint: Endpoint, answer: Answer) -> Verdict:
    """Classify an answer and check its body: an incomplete answer with status 200 is as temporary as a 5xx."""
    verdict = classify(answer)
    if verdict.meaning is Meaning.FINE:
        if len(answer.body) > MOST_BYTES:
            return Verdict(Meaning.TRANSIENT, FAILED)
        try:
            check_body(endpoint, answer.json())
        except ValueError:
            return Verdict(Meaning.TRANSIENT, FAILED)
    return verdict

"""Fetch traffic asks for several endpoints of a repository at once: one bad answer must not spoil the others."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from lambdas.fetch_traffic.batch import FetchedBatch, fetch_batch
from traffic.clock import to_text
from traffic.contract import Batch, Endpoint
from traffic.errors import GitHubAuthError
from traffic.github.answers import Answer
from traffic.github.client import GitHub, Wanted

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)

UNAVAILABLE = Answer(502, {}, b"Bad gateway")
REFUSED = Answer(403, {}, b'{"message": "Must have push access to repository"}')
LIMITED = Answer(403, {"retry-after": "60"}, b'{"message": "rate limit"}')
BAD_TOKEN = Answer(401, {}, b'{"message": "Bad credentials"}')


class PickyGitHub(GitHub):
    """Answers each endpoint as the test wants, otherwise well."""

    def __init__(self, answers: Mapping[Endpoint, Answer]) -> None:
        super().__init__("http://127.0.0.1", lambda **_: "token")
        self.answers = answers
        self.asked: list[list[str]] = []

    def get_all(self, wanted: Sequence[Wanted], heard: Callable[[Answer], None] = lambda _: None) -> list[Answer]:
        """Return an answer for each call."""
        kinds = [path.rpartition("/")[2] for path, _ in wanted]
        self.asked.append(kinds)
        answers = [self.answers.get(kind) or _fine(kind) for kind in kinds]  # type: ignore[call-overload]
        for answer in answers:
            heard(answer)
        return answers


def _fine(kind: str) -> Answer:
    rows = '[{"timestamp": "2026-11-19T00:00:00Z", "count": 1, "uniques": 1}]'
    body = f'{{"count": 1, "uniques": 1, "{kind}": {rows}}}' if kind in ("views", "clones") else "[]"
    return Answer(200, {}, body.encode())


def fetch(github: GitHub) -> FetchedBatch:
    """Fetch one repository."""
    batch: Batch = {"repositories": [{"id": 1, "name": "octo/docs"}]}
    run = {"id": "run", "started": to_text(NOW), "deadline": to_text(NOW + timedelta(hours=20))}
    return fetch_batch(github, run, batch, now=lambda: NOW, seconds_left=lambda: 300.0)  # type: ignore[arg-type]


def kept(fetched: FetchedBatch) -> list[tuple[str, str]]:
    """Return the archived endpoints with their outcomes."""
    return [(line["endpoint"], line["outcome"]) for line in fetched.answers]


def test_views_are_asked_first_then_all_the_rest_at_once() -> None:
    """A refusal costs one call. The order in the archive does not depend on which answer comes first."""
    github = PickyGitHub({})

    fetched = fetch(github)

    assert github.asked == [["views"], ["clones", "referrers", "paths"]]
    assert [endpoint for endpoint, _ in kept(fetched)] == ["views", "clones", "referrers", "paths"]


def test_both_calls_are_made_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call waits here until the other has begun."""
    both = threading.Barrier(2, timeout=10)

    def follow(self: GitHub, path: str, *_: object) -> Answer:  # noqa: ARG001 - GitHub's signature
        both.wait()
        return Answer(200, {}, path.encode())

    monkeypatch.setattr(GitHub, "_follow", follow)
    github = GitHub("http://127.0.0.1", lambda **_: "token")

    assert [answer.body for answer in github.get_all([("/one", None), ("/two", None)])] == [b"/one", b"/two"]


def test_good_answers_are_kept_if_another_one_failed() -> None:
    """No answer is lost: only the failed endpoint is asked for again, and `paths`, which marks a complete set."""
    fetched = fetch(PickyGitHub({"clones": UNAVAILABLE}))

    assert kept(fetched) == [("views", "captured"), ("referrers", "captured")]
    assert fetched.remaining == [{"id": 1, "name": "octo/docs", "endpoints": ["clones", "paths"], "passes": 1}]
    assert [line["endpoint"] for line in fetched.unanswered] == ["clones"]


def test_paths_without_referrers_are_not_kept() -> None:
    """Archived paths mean that all endpoints answered: the repository would count as captured without its referrers."""
    fetched = fetch(PickyGitHub({"referrers": LIMITED}))

    assert kept(fetched) == [("views", "captured"), ("clones", "captured")]
    assert fetched.remaining == [{"id": 1, "name": "octo/docs", "endpoints": ["referrers", "paths"]}]
    assert fetched.resume_at == NOW + timedelta(seconds=60)


def test_the_bad_answer_that_concerns_every_repository_counts_first() -> None:
    """GitHub locks out a token's owner who keeps asking at a limit or with a refused token."""
    limited = fetch(PickyGitHub({"clones": REFUSED, "referrers": LIMITED}))
    stopped = fetch(PickyGitHub({"clones": LIMITED, "paths": BAD_TOKEN}))
    refused = fetch(PickyGitHub({"clones": UNAVAILABLE, "paths": REFUSED}))

    assert limited.resume_at is not None
    assert kept(limited) == [("views", "captured")]
    assert isinstance(stopped.stop, GitHubAuthError)
    assert kept(refused) == [("views", "captured"), ("referrers", "captured"), ("paths", "no push access")]
    assert refused.remaining == []


def test_a_refused_token_is_read_again_once_for_both_calls() -> None:
    """Two refused calls are repeated only if the token has changed."""
    read: list[bool] = []

    def read_token(*, fresh: bool = False) -> str:
        read.append(fresh)
        return "new" if fresh else "old"

    github = GitHub("http://127.0.0.1:9", read_token)
    noted: list[str] = []

    def call(_url: str, _params: object, token: str, _seconds: float) -> Answer:
        noted.append(token)
        return BAD_TOKEN if token == "old" else Answer(200, {}, b"{}")

    github._call = call  # type: ignore[method-assign, assignment]

    assert [answer.status for answer in github.get_all([("/one", None), ("/two", None)])] == [200, 200]
    assert (read, sorted(noted)) == ([False, True], ["new", "new", "old", "old"])


@pytest.mark.parametrize("order", [1, -1])
def test_the_remaining_limit_is_the_lowest_that_github_reported(monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    """Calls made at once are answered in any order."""
    noted = dict(zip(["/one", "/two"], ["4990", "4989"][::order], strict=True))
    monkeypatch.setattr(
        GitHub, "_call", lambda _self, url, *_: Answer(200, {"x-ratelimit-remaining": noted[url[-4:]]}, b"{}")
    )
    github = GitHub("http://127.0.0.1:9", lambda **_: "token")

    github.get_all([("/one", None), ("/two", None)])

    assert github.remaining == 4989


@pytest.mark.parametrize(("size", "outcome"), [(1024 * 1024, "captured"), (1024 * 1024 + 1, None)])
def test_an_answer_with_traffic_has_up_to_a_megabyte(size: int, outcome: str | None) -> None:
    """A batch of 50 repositories keeps two hundred answers in memory; GitHub's own have a few thousand bytes."""
    large = Answer(200, {}, b"[]".ljust(size))

    fetched = fetch(PickyGitHub({"referrers": large}))

    assert dict(kept(fetched)).get("referrers") == outcome


def test_the_beginning_of_a_refusal_is_kept() -> None:
    """A page of HTML can have any size, and its beginning shows the reason."""
    refused = Answer(403, {}, b'{"message": "Must have push access to repository"}'.ljust(20_000))

    (line,) = fetch(PickyGitHub({"views": refused})).answers

    assert line["body"] == refused.body[:10_000].decode()
    assert line["outcome"] == "no push access"

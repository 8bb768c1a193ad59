"""Fetch traffic and the clock: its own time, and the run's."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from lambdas.fetch_traffic.batch import FetchedBatch, fetch_batch
from traffic.clock import to_text
from traffic.contract import Batch, Repository, Run
from traffic.github.answers import Answer
from traffic.github.client import GitHub, Wanted
from traffic.github.rate_limit import reserve_pause

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
REPOSITORIES: list[Repository] = [{"id": 1, "name": "octo/docs"}, {"id": 2, "name": "octo/cli"}]


class AnsweringGitHub(GitHub):
    """Answers every call well, or as the test wants."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__("http://127.0.0.1", lambda **_: "token")
        self.answer = answer
        self.asked: list[str] = []

    def get_all(self, wanted: Sequence[Wanted], heard: Callable[[Answer], None] = lambda _: None) -> list[Answer]:
        """Return answers of the right shape."""
        self.asked += [path for path, _ in wanted]
        answers = [self.answer or _answer(path.rpartition("/")[2]) for path, _ in wanted]
        for answer in answers:
            heard(answer)
        return answers


def _answer(kind: str) -> Answer:
    rows = '[{"timestamp": "2026-11-19T00:00:00Z", "count": 1, "uniques": 1}]'
    body = f'{{"count": 1, "uniques": 1, "{kind}": {rows}}}' if kind in ("views", "clones") else "[]"
    return Answer(200, {}, body.encode())


def fetch(
    github: GitHub, *, now: datetime = NOW, deadline: datetime = NOW + timedelta(hours=20), seconds: float = 300
) -> FetchedBatch:
    """Fetch two repositories."""
    batch: Batch = {"repositories": REPOSITORIES}
    run = {"id": "run", "started": to_text(NOW), "deadline": to_text(deadline)}
    return fetch_batch(github, run, batch, now=lambda: now, seconds_left=lambda: seconds)  # type: ignore[arg-type]


def test_it_stops_in_time_and_returns_what_is_left_to_ask() -> None:
    """A function that AWS ends loses the answers it already has."""
    github = AnsweringGitHub()
    batch: Batch = {"repositories": REPOSITORIES}
    run: Run = {"id": "run", "started": to_text(NOW)}

    fetched = fetch_batch(github, run, batch, now=lambda: NOW, seconds_left=lambda: 29.9 if github.asked else 30.0)

    assert [line["endpoint"] for line in fetched.answers] == ["views"]
    assert fetched.remaining == [{**REPOSITORIES[0], "endpoints": ["clones", "referrers", "paths"]}, REPOSITORIES[1]]
    assert fetched.resume_at is None


def test_after_the_runs_deadline_it_asks_nothing_and_ends() -> None:
    """A run that never ends reports nothing. Repositories without a receipt are reported."""
    github = AnsweringGitHub()

    fetched = fetch(github, now=NOW + timedelta(hours=20))

    assert (github.asked, fetched.answers, fetched.remaining) == ([], [], [])


def test_it_does_not_wait_beyond_the_runs_deadline() -> None:
    """The next day's run asks again; a child that still waits then would slow it down."""
    limited = Answer(403, {"retry-after": "7200"}, b'{"message": "rate limit"}')

    fetched = fetch(AnsweringGitHub(limited), deadline=NOW + timedelta(hours=1))

    assert (fetched.remaining, fetched.resume_at) == ([], None)


def test_a_wait_within_the_runs_deadline_keeps_both_repositories() -> None:
    """A rate limit is not a failure."""
    limited = Answer(403, {"retry-after": "60"}, b'{"message": "rate limit"}')

    fetched = fetch(AnsweringGitHub(limited))

    assert [repository["id"] for repository in fetched.remaining] == [1, 2]
    assert fetched.resume_at == NOW + timedelta(seconds=60)


def limited_answer(remaining: str, reset: str = "1795168800") -> Answer:
    """Return a good answer with how many of 5,000 calls remain; by default until an hour after `NOW`."""
    headers = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset}
    return Answer(200, headers, _answer("views").body)


def test_a_tenth_of_the_limit_is_left_for_the_owners_other_tools() -> None:
    """The answers so far are kept, and the run goes on after GitHub's reset."""
    fetched = fetch(AnsweringGitHub(limited_answer("499")))

    assert [line["endpoint"] for line in fetched.answers] == ["views"]
    assert fetched.remaining == [{**REPOSITORIES[0], "endpoints": ["clones", "referrers", "paths"]}, REPOSITORIES[1]]
    assert fetched.resume_at == NOW + timedelta(hours=1, seconds=2)
    assert fetched.pauses == 0


def test_it_does_not_wait_if_more_is_left() -> None:
    """Most runs never come near the limit."""
    github = AnsweringGitHub(limited_answer("500"))

    fetched = fetch(github)

    assert fetched.resume_at is None
    assert len(github.asked) > 1


def test_a_finished_batch_does_not_wait() -> None:
    """Its child execution ends at once, so that the next one can start."""
    one: Batch = {"repositories": [{**REPOSITORIES[0], "endpoints": ["views"]}]}
    run = {"id": "run", "started": to_text(NOW)}
    github = AnsweringGitHub(limited_answer("0"))

    fetched = fetch_batch(github, run, one, now=lambda: NOW, seconds_left=lambda: 300.0)  # type: ignore[arg-type]

    assert (fetched.remaining, fetched.resume_at) == ([], None)


@pytest.mark.parametrize("headers", [{}, {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "1"}])
def test_it_does_not_wait_if_github_reports_no_limit(headers: dict[str, str]) -> None:
    """A GitHub Enterprise Server may have no limit."""
    assert reserve_pause(Answer(200, headers, b"{}"), NOW) is None

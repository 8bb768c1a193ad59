"""Fetch traffic and the clock: its own time, and the run's."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from lambdas.fetch_traffic.batch import RESERVE, FetchedBatch, fetch_batch
from traffic.clock import to_text
from traffic.contract import Batch, Repository
from traffic.github.answers import Answer
from traffic.github.client import GitHub, Wanted
from traffic.github.rate_limit import reserve_pause

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
REPOSITORIES: list[Repository] = [{"id": 1, "name": "octo/docs"}, {"id": 2, "name": "octo/cli"}]


class AnsweringGitHub(GitHub):
    """Answers everything, or what the test wants."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__("http://127.0.0.1", lambda **_: "token")
        self.answer = answer
        self.asked: list[str] = []

    def get_all(self, wanted: Sequence[Wanted]) -> list[Answer]:
        """Give answers of the right shape."""
        self.asked += [path for path, _ in wanted]
        return [self.answer or _answer(path.rpartition("/")[2]) for path, _ in wanted]


def _answer(kind: str) -> Answer:
    rows = '[{"timestamp": "2026-11-19T00:00:00Z", "count": 1, "uniques": 1}]'
    body = f'{{"count": 1, "uniques": 1, "{kind}": {rows}}}' if kind in ("views", "clones") else "[]"
    return Answer(200, {}, body.encode())


def fetch(
    github: GitHub, *, now: datetime = NOW, deadline: datetime = NOW + timedelta(hours=20), seconds: Iterator[float]
) -> FetchedBatch:
    """Fetch two repositories."""
    batch: Batch = {"repositories": REPOSITORIES}
    run = {"id": "run", "started": to_text(NOW), "deadline": to_text(deadline)}
    return fetch_batch(github, run, batch, now=lambda: now, seconds_left=lambda: next(seconds))  # type: ignore[arg-type]


def plenty() -> Iterator[float]:
    """Have time for ever."""
    while True:
        yield 300.0


def test_it_stops_in_time_and_says_what_is_still_to_be_asked() -> None:
    """A function that is cut off loses what GitHub has answered already."""
    left = iter([200.0, 100.0, RESERVE - 1, RESERVE - 2])

    fetched = fetch(AnsweringGitHub(), seconds=left)

    assert [line["endpoint"] for line in fetched.answers] == ["views"]
    assert fetched.remaining == [{**REPOSITORIES[0], "endpoints": ["clones", "referrers", "paths"]}, REPOSITORIES[1]]
    assert fetched.resume_at is None


def test_after_the_runs_deadline_nothing_is_asked_and_nothing_goes_on() -> None:
    """A run that never ends reports nothing. The rest has no receipt, and is reported."""
    github = AnsweringGitHub()

    fetched = fetch(github, now=NOW + timedelta(hours=20), seconds=plenty())

    assert (github.asked, fetched.answers, fetched.remaining) == ([], [], [])


def test_a_wait_beyond_the_runs_deadline_is_not_begun() -> None:
    """The next day's run asks again; until then a child that waits would only be in its way."""
    limited = Answer(403, {"retry-after": "7200"}, b'{"message": "rate limit"}')

    fetched = fetch(AnsweringGitHub(limited), deadline=NOW + timedelta(hours=1), seconds=plenty())

    assert (fetched.remaining, fetched.resume_at) == ([], None)


def test_a_wait_within_the_runs_deadline_keeps_both_repositories() -> None:
    """A limit is no failure."""
    limited = Answer(403, {"retry-after": "60"}, b'{"message": "rate limit"}')

    fetched = fetch(AnsweringGitHub(limited), seconds=plenty())

    assert [repository["id"] for repository in fetched.remaining] == [1, 2]
    assert fetched.resume_at == NOW + timedelta(seconds=60)


def told_limit(remaining: str, reset: str = "1795168800") -> Answer:
    """A good answer that says what is left of 5,000 calls; by default until an hour after `NOW`."""
    headers = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset}
    return Answer(200, headers, _answer("views").body)


def test_a_tenth_of_the_limit_is_left_for_the_owners_other_tools() -> None:
    """What was answered is kept, and the run goes on after GitHub's reset."""
    fetched = fetch(AnsweringGitHub(told_limit("499")), seconds=plenty())

    assert [line["endpoint"] for line in fetched.answers] == ["views"]
    assert fetched.remaining == [{**REPOSITORIES[0], "endpoints": ["clones", "referrers", "paths"]}, REPOSITORIES[1]]
    assert fetched.resume_at == NOW + timedelta(hours=1, seconds=2)
    assert fetched.pauses == 0


def test_as_long_as_more_is_left_nothing_waits() -> None:
    """A limit that is far away does not matter."""
    github = AnsweringGitHub(told_limit("500"))

    fetched = fetch(github, seconds=plenty())

    assert fetched.resume_at is None
    assert len(github.asked) > 1


def test_a_batch_that_is_done_waits_for_nothing() -> None:
    """Its child execution ends at once, and leaves its place to the next."""
    one: Batch = {"repositories": [{**REPOSITORIES[0], "endpoints": ["views"]}]}
    run = {"id": "run", "started": to_text(NOW)}
    github = AnsweringGitHub(told_limit("0"))

    fetched = fetch_batch(github, run, one, now=lambda: NOW, seconds_left=lambda: 300.0)  # type: ignore[arg-type]

    assert (fetched.remaining, fetched.resume_at) == ([], None)


@pytest.mark.parametrize("headers", [{}, {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "1"}])
def test_what_github_does_not_tell_is_no_reason_to_wait(headers: dict[str, str]) -> None:
    """An Enterprise Server may have no limit at all."""
    assert reserve_pause(Answer(200, headers, b"{}"), NOW) is None

"""The simulated GitHub's secondary limits: points a minute, calls at once, processor time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

from simulated_github import SimulatedGitHub
from simulated_github.limits import Ceilings, SecondaryLimits
from simulated_github.simulated_clock import SimulatedClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class StandingClock(SimulatedClock):
    """A clock that shows the time to which it was set."""

    def __init__(self) -> None:
        super().__init__()
        self.time = NOON

    def now(self) -> datetime:
        """Return the time to which it was set."""
        return self.time


def call(limits: SecondaryLimits) -> int | None:
    """Make one call, and return the seconds that it has to wait, or None if it is granted."""
    with limits.call() as wait:
        return wait


def test_a_call_beyond_the_points_of_a_minute_waits_until_the_first_of_them_is_a_minute_old() -> None:
    """GitHub grants 900 points in a minute, and a GET is one."""
    clock = StandingClock()
    limits = SecondaryLimits(clock)
    assert [call(limits) for _ in range(450)] == [None] * 450
    clock.time = NOON + timedelta(seconds=20)
    assert [call(limits) for _ in range(450)] == [None] * 450

    assert call(limits) == 40
    clock.time = NOON + timedelta(seconds=59)
    assert call(limits) == 1
    clock.time = NOON + timedelta(seconds=60)
    assert [call(limits) for _ in range(451)] == [None] * 450 + [20]


def test_the_call_beyond_one_hundred_at_once_is_refused_until_another_has_ended() -> None:
    """GitHub grants 100 calls at once."""
    limits = SecondaryLimits(StandingClock())
    open_calls = [limits.call() for _ in range(100)]
    assert [each.__enter__() for each in open_calls] == [None] * 100

    assert call(limits) == 1
    open_calls.pop().__exit__(None, None, None)
    assert call(limits) is None


def test_response_times_of_more_than_ninety_seconds_in_a_minute_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub grants 90 seconds of processor time a minute, and recommends response times as an estimate."""
    clock = StandingClock()
    limits = SecondaryLimits(clock)
    ticks = iter(range(0, 100_000, 10))  # every call takes 10 seconds: it reads the clock twice
    monkeypatch.setattr("simulated_github.limits.monotonic", lambda: float(next(ticks)))

    assert [call(limits) for _ in range(9)] == [None] * 9
    assert call(limits) == 60


def test_a_caller_that_waits_for_the_announced_time_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub bans clients that continue during a limit, so the announced wait must be long enough."""
    clock = StandingClock()
    limits = SecondaryLimits(clock)
    took = iter([0, 1, 0, 50, 0, 50, 0, 0, 0])  # the oldest call took a second, the two after it 50 each
    monkeypatch.setattr("simulated_github.limits.monotonic", lambda: float(next(took)))
    assert call(limits) is None
    clock.time = NOON + timedelta(seconds=20)
    assert [call(limits), call(limits)] == [None, None]

    wait = call(limits)
    assert wait == 60
    clock.time += timedelta(seconds=wait)
    assert call(limits) is None


def test_the_minute_is_scaled_like_the_waits_of_the_tests() -> None:
    """A test that shortens waits of 60 s to 0.6 s still gets 60 in `retry-after`."""
    clock = StandingClock()
    limits = SecondaryLimits(clock, Ceilings(points=1), scale=0.01)

    assert [call(limits), call(limits)] == [None, 60]
    clock.time = NOON + timedelta(seconds=0.6)
    assert call(limits) is None


def test_a_clock_that_is_set_back_forgets_the_calls_of_its_future() -> None:
    """Tests set the clock; a minute in the future would never end."""
    clock = StandingClock()
    limits = SecondaryLimits(clock, Ceilings(points=1))
    assert call(limits) is None

    clock.time = NOON - timedelta(days=1)

    assert call(limits) is None


def test_over_http_a_refusal_has_githubs_words_and_does_not_count() -> None:
    """Recorded refusals have status 403 or 429, `retry-after`, and calls of the hour left."""
    with SimulatedGitHub(repositories=1, limit_status=429) as github, requests.Session() as session:
        session.headers["Authorization"] = "Bearer x"
        answers = [session.get(f"{github.url}/user", timeout=5) for _ in range(901)]

    assert {answer.status_code for answer in answers[:900]} == {200}
    refused = answers[900]
    assert (refused.status_code, 1 <= int(refused.headers["retry-after"]) <= 60) == (429, True)
    assert "secondary rate limit" in refused.json()["message"]
    assert refused.headers["x-ratelimit-remaining"] == "4100"


def test_over_http_slow_answers_use_all_processor_time() -> None:
    """A minute is a hundredth of a real one here, so it allows 0.9 s of answers."""
    with SimulatedGitHub(repositories=1, minute_scale=0.01, latency=0.2) as github:

        def ask(_: int) -> int:
            return requests.get(f"{github.url}/user", headers={"Authorization": "Bearer x"}, timeout=5).status_code

        with ThreadPoolExecutor(8) as callers:
            statuses = [*callers.map(ask, range(8)), *callers.map(ask, range(8))]

    assert statuses[:8] == [200] * 8
    assert 403 in statuses[8:]


def test_an_enterprise_server_without_limits_refuses_nothing_and_names_no_limit() -> None:
    """GitHub Enterprise Server has no limits unless its administrators enable them, so nobody has to wait there."""
    with SimulatedGitHub(repositories=1, limit=None) as github:
        waits = {granted(github, "x") for _ in range(901)}
        answers = [
            requests.get(f"{github.url}{path}", headers={"Authorization": "Bearer x"}, timeout=5)
            for path in ("/user", "/rate_limit")
        ]

    assert waits == {None}
    assert not [name for answer in answers for name in answer.headers if name.startswith("x-ratelimit")]
    assert [answer.status_code for answer in answers] == [200, 404]
    assert answers[1].json()["message"] == "Rate limiting is not enabled."
    assert github.peaks["octo"].calls == 903


def granted(github: SimulatedGitHub, token: str) -> int | None:
    """Make one call without HTTP, and return the seconds that it has to wait, or None if it is granted."""
    with github.github.paced(f"Bearer {token}") as wait:
        return wait


def statuses(github: SimulatedGitHub, token: str, number: int) -> list[int]:
    """Make some calls one after another with a token, and return their statuses."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        return [session.get(f"{github.url}/user", timeout=5).status_code for _ in range(number)]


SEEN = {"one": ["octo"], "two": ["acme"], "three": ["other"]}


def test_tokens_of_one_user_share_the_limits_of_the_minute_and_of_the_hour() -> None:
    """GitHub limits people, so a second token brings its owner no further call."""
    users = {"one": "mona", "two": "mona", "three": "hubot"}
    with SimulatedGitHub(repositories=1, token=SEEN, users=users, limit=5) as github:
        found = [statuses(github, token, 3) for token in SEEN]
    with SimulatedGitHub(repositories=1, token=SEEN, users=users) as github:
        minute = {granted(github, token) for token in ("one", "two") for _ in range(450)}
        last = [statuses(github, token, 1) for token in SEEN]

    assert found == [[200, 200, 200], [200, 200, 403], [200, 200, 200]]
    assert (minute, last) == ({None}, [[403], [403], [200]])
    assert {login: peaks.calls for login, peaks in github.peaks.items()} == {"mona": 900, "hubot": 1}


def test_each_token_with_owners_is_a_user_of_its_own_by_default() -> None:
    """A company has a token for each organization, each of another member."""
    with SimulatedGitHub(repositories=1, token=SEEN, limit=1) as github:
        answers = [
            requests.get(f"{github.url}/user", headers={"Authorization": f"Bearer {token}"}, timeout=5)
            for token in SEEN
        ]

    assert [answer.json()["login"] for answer in answers] == ["user-1", "user-2", "user-3"]
    assert len({answer.json()["id"] for answer in answers}) == 3


def test_the_most_that_a_user_did_in_a_minute_is_recorded() -> None:
    """Benchmarks compare it with the limits, and people read it while the server runs."""
    clock = StandingClock()
    limits = SecondaryLimits(clock)
    calls = [limits.call() for _ in range(3)]
    for each in calls:
        each.__enter__()
    for each in calls:
        each.__exit__(None, None, None)
    clock.time = NOON + timedelta(seconds=61)
    call(limits)

    assert (limits.peaks.calls, limits.peaks.at_once) == (3, 3)


def test_the_recorded_peaks_are_shown_over_http() -> None:
    """A GitHub in another process has no other way to show them."""
    with SimulatedGitHub(repositories=1, latency=0.05) as github:
        statuses(github, "x", 2)
        shown = requests.get(f"{github.url}/_limits", timeout=5).json()

    assert (shown["octo"]["calls"], shown["octo"]["at_once"]) == (2, 1)
    assert 0.1 <= shown["octo"]["seconds"] < 5

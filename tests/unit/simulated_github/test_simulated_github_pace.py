"""The simulated GitHub's secondary limits: points a minute, calls at once, processor time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

from simulated_github import SimulatedGitHub
from simulated_github.limits import SecondaryLimits
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
    limits = SecondaryLimits(clock, points=1, scale=0.01)

    assert [call(limits), call(limits)] == [None, 60]
    clock.time = NOON + timedelta(seconds=0.6)
    assert call(limits) is None


def test_a_clock_that_is_set_back_forgets_the_calls_of_its_future() -> None:
    """Tests set the clock; a minute in the future would never end."""
    clock = StandingClock()
    limits = SecondaryLimits(clock, points=1)
    assert call(limits) is None

    clock.time = NOON - timedelta(days=1)

    assert call(limits) is None


def test_over_http_a_refusal_has_githubs_words_and_does_not_count() -> None:
    """Recorded refusals have status 403 or 429, `retry-after`, and calls of the hour left."""
    with SimulatedGitHub(repositories=1, secondary=True, limit_status=429) as github, requests.Session() as session:
        session.headers["Authorization"] = "Bearer x"
        answers = [session.get(f"{github.url}/user", timeout=5) for _ in range(901)]

    assert {answer.status_code for answer in answers[:900]} == {200}
    refused = answers[900]
    assert (refused.status_code, 1 <= int(refused.headers["retry-after"]) <= 60) == (429, True)
    assert "secondary rate limit" in refused.json()["message"]
    assert refused.headers["x-ratelimit-remaining"] == "4100"


def test_over_http_slow_answers_use_all_processor_time() -> None:
    """A minute is a hundredth of a real one here, so it allows 0.9 s of answers."""
    with SimulatedGitHub(repositories=1, secondary=True, minute_scale=0.01, latency=0.2) as github:

        def ask(_: int) -> int:
            return requests.get(f"{github.url}/user", headers={"Authorization": "Bearer x"}, timeout=5).status_code

        with ThreadPoolExecutor(8) as callers:
            statuses = [*callers.map(ask, range(8)), *callers.map(ask, range(8))]

    assert statuses[:8] == [200] * 8
    assert 403 in statuses[8:]


def test_by_default_there_is_no_secondary_limit() -> None:
    """Most tests are faster than the limits allow."""
    with SimulatedGitHub(repositories=1) as github, requests.Session() as session:
        session.headers["Authorization"] = "Bearer x"
        assert {session.get(f"{github.url}/user", timeout=5).status_code for _ in range(901)} == {200}

"""The planner: which repositories are due today if GitHub's limit does not allow all, without losing a day."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.shared.deployed_archive import archive
from simulated_github import SimulatedGitHub
from tests.simulate_year import FLOOR, simulate
from tests.unit.handlers import Account, account
from traffic import planning
from traffic.contract import TokenSaid, not_due_key
from traffic.planning import (
    NEVER_ASKED,
    Known,
    by_user,
    calls_a_minute,
    calls_granted,
    due_on,
    known_of,
    ordinal,
    plan,
    run_seconds,
)
from traffic.record.merge import Entry

TODAY = date(2026, 11, 20).toordinal()


@pytest.fixture
def hourly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat the small limit of a small world as an hour's."""
    monkeypatch.setattr(planning, "LEAST_LIMIT", 1)


def dormant(asked: int, *, missing: int | None = None) -> Known:
    """Return a repository without traffic, asked for so many days ago."""
    return Known(TODAY - asked, TODAY - asked if missing is None else TODAY - missing)


def active(asked: int) -> Known:
    """Return a repository with views, asked for so many days ago."""
    return Known(TODAY - asked, TODAY - asked, TODAY - asked - 1, 0)


def test_with_enough_budget_all_repositories_are_asked_for_daily() -> None:
    """Repositories wait only if they must."""
    repositories = [NEVER_ASKED, dormant(1), active(1)]

    assert plan(repositories, TODAY, 10).asked == [0, 1, 2]
    assert plan(repositories, TODAY, None).asked == [0, 1, 2]
    assert plan(repositories, TODAY, 10).not_due == {}


def test_the_urgent_come_first_then_new_ones_then_the_active_then_the_dormant() -> None:
    """In each group the longest wait comes first: a small budget leaves out the least urgent."""
    repositories = [dormant(7), active(1), active(3), NEVER_ASKED, dormant(10), dormant(12), dormant(2)]

    planned = plan(repositories, TODAY, 18)

    assert planned.asked == [5, 4, 3, 2, 1, 0]
    assert planned.calls == 18
    assert planned.not_due == {TODAY + 5: [6]}
    assert plan(repositories, TODAY, 8).asked == [5, 4, 3]
    assert plan(repositories, TODAY, 8).not_due == {TODAY + 5: [6], TODAY + 1: [2, 1, 0]}


def test_a_github_that_was_late_makes_a_repository_due_earlier() -> None:
    """The first incomplete day counts, not the time of the last call."""
    assert due_on(dormant(0)) == TODAY + 7
    assert due_on(dormant(0, missing=5)) == TODAY + 13 - 5 - 3
    assert due_on(dormant(0, missing=12)) == TODAY + 1
    assert due_on(dormant(0, missing=40)) == TODAY + 7  # asking daily would save nothing


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_repository_asked_for_when_due_loses_nothing_that_could_be_saved(asked: int, missing: int) -> None:
    """A repository is due at the latest on the last day on which GitHub returns its first missing day."""
    one = dormant(asked, missing=missing + asked)
    last = TODAY - missing - asked + 13
    if last > TODAY - asked:
        assert TODAY - asked < due_on(one) <= last


def test_an_entry_shows_since_when_days_are_missing() -> None:
    """A hole that can still be filled counts, a lost one does not; a temporary failure is not an answer."""
    spans = (("2026-09-01", "2026-10-01"), ("2026-10-20", "2026-11-10"), ("2026-11-12", "2026-11-18"))
    entry = Entry(
        captured_on="2026-11-19",
        refusals={"failed": "2026-11-20", "gone or hidden": "2026-11-18"},
        covered={"views": spans, "clones": spans},
        active={"views": "2026-11-17"},
    )

    assert known_of(entry, TODAY) == Known(ordinal("2026-11-19"), ordinal("2026-11-11"), ordinal("2026-11-17"), 0)
    assert known_of(Entry(refusals={"failed": "2026-11-20"}), TODAY) == NEVER_ASKED


def test_the_budget_is_what_github_allows_in_the_run_minus_a_reserve() -> None:
    """The token's owner has other tools; a GitHub without limits sets no budget."""
    assert calls_granted(5000, 5000, 20) == 90_000
    assert calls_granted(5000, 0, 20) == 85_000
    assert calls_granted(None, None, 20) is None
    assert calls_granted(1000, 0, 1) == 0


def test_a_limit_too_small_to_be_an_hours_is_waited_out_and_not_planned_with() -> None:
    """100 calls in 5 seconds are 72,000 an hour: no header reports the window, and GitHub allows at least 1,000."""
    assert calls_granted(100, 90, 20) is None
    assert calls_granted(999, 0, 20) is None


@pytest.mark.usefixtures("hourly")
@pytest.mark.parametrize("seed", range(3))
def test_a_year_of_more_than_the_limit_allows_daily_loses_nothing(seed: int) -> None:
    """`make simulate-year` simulates it with 100,000 repositories and 5,000 calls an hour."""
    year = simulate(400, 365, limit=20, seed=seed)

    assert year.lost == 0
    assert year.captured == 400
    assert max(year.calls) <= 400
    assert 19 < year.hours <= 20
    assert FLOOR < year.a_day("calls", "dormant") < 0.3
    assert year.longest["dormant"] <= 13


@pytest.mark.usefixtures("hourly")
def test_a_year_at_a_slow_github_loses_nothing_and_no_run_takes_longer_than_it_may() -> None:
    """At 240 s a call, 81 s of response time a minute are 20.25 calls an hour, fewer than the limit of an hour."""
    year = simulate(400, 365, limit=60, seconds=240)

    assert year.lost == 0
    assert year.captured == 400
    assert max(year.calls) <= 405
    assert 19 < year.hours <= 20


def test_the_limits_of_a_minute_bound_what_a_run_may_plan() -> None:
    """Nine tenths of 900 points and of 90 s of response time. With quick answers the limit of an hour is lower."""
    assert calls_a_minute(0.06) == 810
    assert calls_a_minute(0.15) == 540
    assert calls_granted(5000, 5000, 20, seconds=0.15) == 90_000
    assert calls_granted(5000, 5000, 20, seconds=1.5) == 20 * 3_240
    assert calls_granted(5000, 4000, 20, seconds=1.5) == 20 * 3_240 - 1_000


@pytest.mark.parametrize(
    ("calls", "limit", "seconds", "minutes"),
    [
        (0, 5000, 0.15, 0),
        (540, 5000, 0.15, 1),
        (4_500, 5000, 0.15, 4_500 / 540),
        (5_040, 5000, 0.15, 60 + 1),  # the other calls wait for the next hour
        (90_000, 5000, 0.15, 19 * 60 + 4_500 / 540),
        (4_050, 5000, 1.2, 60),
        (8_100, 5000, 1.2, 120),  # too slow to reach the limit of an hour: no wait
        (810, 100, 0.06, 1),  # a limit of a shorter window, whose length is unknown
    ],
)
def test_the_duration_of_a_run_follows_from_its_calls(calls: int, limit: int, seconds: float, minutes: float) -> None:
    """Calls are spread over the minutes by GitHub's limits, and wait for the next hour when an hour's are used up."""
    duration = run_seconds(calls, limit, seconds)

    assert duration is not None
    assert duration / 60 == pytest.approx(minutes)


def test_without_a_limit_nothing_says_how_long_a_run_takes() -> None:
    """Nothing paces it then."""
    assert run_seconds(1_000, None) is None


def test_tokens_of_one_login_are_one_user() -> None:
    """A token without a login is its own user, also if its owner has the name of a login."""
    tokens: dict[str, TokenSaid] = {"octo": {}, "acme": {"login": "octo"}, "zoo": {"login": "octo"}}

    assert by_user(["octo", "acme", "zoo", "new"], tokens) == {
        "octo": ["octo"],
        "@octo": ["acme", "zoo"],
        "new": ["new"],
    }


@pytest.mark.usefixtures("hourly")
def test_a_run_with_a_small_limit_reports_waiting_repositories_and_none_as_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A repository that waits has not failed, is not stale and is not out of reach."""
    names = [f"octo/repository-{n}" for n in range(22)]
    # 4 calls an hour for 20 hours, less a reserve of 8 and the two calls of the listing: 70 calls.
    with SimulatedGitHub(repositories=names, limit=4) as github, account(monkeypatch, github.url) as aws:
        state = aws.list_repositories()
        assert state["manifest"]["repositories"] == 17
        assert list(state["manifest"]["not_due"].values()) == [5]

        captured_on = store_one_that_waits(aws)
        message = aws.summarize(state)["message"]
        again = aws.list_repositories(run_id="run-2")["manifest"]

    assert "5 more were not due" in message
    assert "not listed now" not in message
    assert "17 not reached" in message  # nothing was fetched here; repositories that wait are not reported
    assert again["not_due"][date.fromordinal(ordinal(captured_on) + 7).isoformat()] == 1, "the table was not read"


def store_one_that_waits(aws: Account) -> str:
    """Store the entry of a waiting, recently captured repository, which is missing if not listed. Return the day."""
    waiting = archive().read_note(not_due_key("run-1")) or {}
    captured_on = date.fromordinal(ordinal(next(iter(waiting))) - 3).isoformat()
    aws.dynamodb.Table("RepoTrafficRepositories").put_item(
        Item={
            "repo-id": str(waiting.popitem()[1][-1]),
            "repo-name": "octo/waiting",
            "names": {"octo/waiting": {"first": f"{captured_on}T09:00:00Z", "last": captured_on}},
            "captured-on": captured_on,
            "covered": {kind: [f"2026-01-01/{captured_on}"] for kind in ("views", "clones")},
        }
    )
    return captured_on

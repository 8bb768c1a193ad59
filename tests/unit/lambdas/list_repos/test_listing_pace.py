"""Promise: the listing keeps below GitHub's limits of a minute by itself, and what follows it knows its calls."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from simulated_github import SimulatedGitHub
from tests.unit.handlers import Account, account
from tests.unit.lambdas.test_several_tokens import hold
from traffic.clock import from_text, to_text
from traffic.contract import Listing, MinuteOfCalls, RunState, TokenSaid

FIRST = "/user/repos?per_page=100"


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """Serve a GitHub whose listing has three pages."""
    with SimulatedGitHub(repositories=250, owners=["octo"]) as simulated:
        yield simulated


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> Iterator[Account]:
    """Make an account whose functions ask that GitHub."""
    with account(monkeypatch, github.url) as made:
        yield made


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a list of the pauses that the listing sleeps, and skip them."""
    pauses: list[float] = []
    monkeypatch.setattr("lambdas.list_repos.pages.time.sleep", pauses.append)
    return pauses


def state(**tokens: TokenSaid) -> RunState:
    """Return the state of a listing before its first page, with what is known about each token; `_` stands for `*`."""
    now = to_text(datetime.now(UTC))
    known = {owner.replace("_", "*"): said for owner, said in tokens.items()}
    listing = Listing(owner="*", next=FIRST, parts=0, pauses=0, listed_at=now, tokens=known)
    return {"run": {"id": "run-1", "started": now}, "listing": listing}


def calls(number: int, ago: float) -> MinuteOfCalls:
    """Return so many calls of 0.01 s, so many seconds ago."""
    return [(datetime.now(UTC).timestamp() - ago, number, number / 100)]


def test_a_listing_that_made_all_calls_of_a_minute_waits_until_they_are_a_minute_old(
    aws: Account, github: SimulatedGitHub, slept: list[float]
) -> None:
    """GitHub would refuse the 901st, and bans clients that go on. A long pause is a state that costs nothing."""
    begun = datetime.now(UTC)
    after = aws.list_repositories_from(state(_={"limit": 5000, "minute": calls(810, 20)}))

    assert github.calls == []
    assert timedelta(seconds=39) <= from_text(after["resume_at"]) - begun <= timedelta(seconds=50)
    assert after["listing"]["next"] == FIRST
    assert sum(slept) == 0


def test_a_short_pause_is_slept(aws: Account, github: SimulatedGitHub, slept: list[float]) -> None:
    """It costs less than the transitions of a Wait state."""
    after = aws.list_repositories_from(state(_={"limit": 5000, "minute": calls(810, 54)}))

    assert "manifest" in after
    assert len(github.calls) == 3
    assert 3 < max(slept) <= 6


def test_a_pause_for_which_the_function_has_no_time_is_not_slept(aws: Account, slept: list[float]) -> None:
    """100 s of its time are left for planning."""
    after = aws.list_repositories_from(state(_={"limit": 5000, "minute": calls(810, 54)}), seconds=102)

    assert "resume_at" in after
    assert sum(slept) == 0


@pytest.mark.parametrize(
    ("token", "other", "waits"),
    [
        ({"limit": 5000, "login": "mona"}, {"login": "mona"}, True),
        ({"limit": 5000, "login": "lisa"}, {"login": "mona"}, False),
        ({"limit": 5000}, {}, False),
    ],
    ids=["another token of the user", "another user", "installations"],
)
def test_only_calls_of_the_same_user_count(
    aws: Account, slept: list[float], token: TokenSaid, other: TokenSaid, waits: bool
) -> None:
    """GitHub's limits belong to a user or an installation."""
    after = aws.list_repositories_from(state(_=token, acme={**other, "minute": calls(810, 5)}))

    assert ("resume_at" in after) is waits
    assert sum(slept) == 0


def test_an_enterprise_server_without_limits_is_listed_without_a_pause(
    monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    """Its answers have no header with a limit."""
    with SimulatedGitHub(repositories=250, limit=None) as github, account(monkeypatch, github.url) as aws:
        after = aws.list_repositories_from(state(_={"minute": calls(2_000, 5)}))

    assert "manifest" in after
    assert sum(slept) == 0


def test_the_calls_of_the_last_minute_follow_the_listing(aws: Account) -> None:
    """The run goes on with them: a lane begins where the listing ended. Older calls are forgotten."""
    hold(aws, {"*": "one", "octo": "two"})
    old: MinuteOfCalls = calls(700, 61)
    begun = state(_={"limit": 5000, "login": "octo", "minute": old}, acme={"minute": old})
    tokens = aws.list_repositories_from(begun)["listing"]["tokens"]
    made = {owner: sum(number for _, number, _ in said["minute"]) for owner, said in tokens.items()}

    assert made == {"*": 3, "octo": 4, "acme": 0}
    assert all(0 < seconds < 5 for owner in ("*", "octo") for _, _, seconds in tokens[owner]["minute"])
    assert len(json.dumps(tokens)) < 1_000


def test_a_tenth_of_the_hour_is_left_to_other_tools_also_by_the_listing(
    monkeypatch: pytest.MonkeyPatch, slept: list[float]
) -> None:
    """A listing of 100,000 repositories takes a thousand calls. The next page waits until GitHub's reset."""
    with (
        SimulatedGitHub(repositories=450, owners=["octo"], limit=20, limit_window=600) as github,
        account(monkeypatch, github.url) as aws,
    ):
        for _ in range(15):
            requests.get(f"{github.url}/user", headers={"Authorization": "token github_pat_made_up"}, timeout=5)
        begun = datetime.now(UTC)
        after = aws.list_repositories_from({"run": {"id": "run-1", "started": to_text(begun)}, "input": {}})
        listed = [call for call in github.calls if call.endpoint == "list"]

    assert [call.status for call in listed] == [200] * 3, "of twenty calls, one is left"
    assert "manifest" not in after
    assert after["listing"]["next"].endswith("page=4")
    assert timedelta(seconds=500) < from_text(after["resume_at"]) - begun < timedelta(seconds=620)
    assert sum(slept) == 0


def test_the_last_page_waits_for_nothing(monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    """The run can begin: each child waits by itself."""
    with SimulatedGitHub(repositories=50, limit=2, limit_window=600) as github, account(monkeypatch, github.url) as aws:
        after = aws.list_repositories_from({"run": {"id": "run-1", "started": to_text(datetime.now(UTC))}, "input": {}})

    assert after["manifest"]["repositories"] == 50
    assert sum(slept) == 0

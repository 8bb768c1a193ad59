"""Promise: tokens of one user share GitHub's limits, so the listing asks whose each token is, and a run plans so."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from lambdas.list_repos.due import choose
from simulated_github import SimulatedGitHub, faults
from simulated_github.faults import Fault
from simulated_github.replies import Reply
from tests.unit.handlers import account
from tests.unit.lambdas.test_several_tokens import REPOSITORIES, SEEN, hold
from traffic.clock import to_text
from traffic.contract import Listing, Repository, Run
from traffic.errors import GitHubUnavailableError

OF_AN_APP = {"message": "Resource not accessible by integration"}


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """Serve a GitHub with two tokens."""
    with SimulatedGitHub(repositories=REPOSITORIES, token=SEEN) as simulated:
        yield simulated


def logins(listing: Listing) -> dict[str, str | None]:
    """Return the login of each token's user, by the token's owner."""
    return {owner: token.get("login") for owner, token in listing["tokens"].items()}


def asked_for_user(github: SimulatedGitHub) -> int:
    """Return how often GitHub was asked whose token it is."""
    return sum(call.endpoint == "user" for call in github.calls)


def belongs_to(login: object) -> Fault:
    """Make GitHub answer that a token belongs to this user."""
    return Fault("user", lambda reply, _: Reply(200, json.dumps({"login": login}).encode(), dict(reply.headers)))


def test_each_token_is_asked_once_whose_it_is(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> None:
    """GitHub's limits belong to the user. The answer is kept, also over the pages and the headers that follow."""
    github.add_fault(belongs_to("mona"), endpoint="user")
    with account(monkeypatch, github.url) as aws:
        hold(aws, {"octo": "one", "*": "two"})
        listing = aws.list_repositories()["listing"]

    assert logins(listing) == {"octo": "mona", "*": "mona"}
    assert all("limit" in token for token in listing["tokens"].values())
    assert Counter(call.endpoint for call in github.calls) == {"user": 2, "list": 2}


def test_a_single_token_is_asked_once_whose_it_is(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> None:
    """The state of the run names the user in whose name everything was asked."""
    github.add_fault(belongs_to("mona"), endpoint="user")
    with account(monkeypatch, github.url) as aws:
        hold(aws, {"*": "two"})
        listing = aws.list_repositories()["listing"]

    assert logins(listing) == {"*": "mona"}
    assert asked_for_user(github) == 1


def test_an_installation_of_an_app_has_its_own_limits(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> None:
    """GitHub answers 403, because no user has this token. The installation's repositories are listed all the same."""
    refused = Fault("app", lambda reply, _: Reply(403, json.dumps(OF_AN_APP).encode(), dict(reply.headers)))
    github.add_fault(refused, endpoint="user")
    with account(monkeypatch, github.url) as aws:
        hold(aws, {"octo": "one", "*": "two"})
        state = aws.list_repositories()

    assert logins(state["listing"]) == {"octo": None, "*": None}
    assert state["manifest"]["repositories"] == len(REPOSITORIES)


@pytest.mark.parametrize("fault", [faults.server_error(), faults.malformed_json(), belongs_to(None)])
def test_without_an_answer_whose_token_it_is_the_listing_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub, fault: Fault
) -> None:
    """Otherwise two tokens of one user would take twice what GitHub grants."""
    github.add_fault(fault, endpoint="user")
    with account(monkeypatch, github.url) as aws:
        hold(aws, {"octo": "one", "*": "two"})
        with pytest.raises(GitHubUnavailableError):
            aws.list_repositories()


def test_a_continued_listing_does_not_ask_again_whose_token_it_is(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub
) -> None:
    """Limited before the answer, it asks again after the wait; limited at the page after it, it does not."""
    run: Run = {"id": "run-1", "started": to_text(datetime.now(UTC))}
    github.add_fault(faults.retry_after(1), endpoint="user", count=1)
    github.add_fault(faults.retry_after(1), endpoint="list", count=1)
    with account(monkeypatch, github.url) as aws:
        hold(aws, {"*": "one", "octo": "two"})
        state = aws.list_repositories_from({"run": run, "input": {}})
        asked = [asked_for_user(github)]
        for _ in range(2):
            assert "resume_at" in state
            state.pop("resume_at")
            state = aws.list_repositories_from(state)
            asked.append(asked_for_user(github))

    assert asked == [1, 2, 3]  # refused; answered, then refused at the page; only the next token's
    assert "manifest" in state
    assert set(logins(state["listing"])) == {"*", "octo"}


def test_tokens_of_one_user_share_one_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub counts the calls of all of them together. The lowest number that it reported is what is left."""
    limits: dict[str, int] = {"limit": 1000}
    many = {
        owner: [Repository(id=n + number, name=f"{owner}/r{n}") for n in range(3_000)]
        for number, owner in ((10_000, "octo"), (20_000, "acme"), (30_000, "zoo"))
    }
    listing = Listing(
        parts=0,
        pauses=0,
        tokens={
            "octo": {"limit": limits["limit"], "remaining": 900, "login": "mona"},
            "acme": {"limit": limits["limit"], "remaining": 600, "login": "mona"},
            "zoo": {"limit": limits["limit"], "remaining": 1000, "login": "lisa"},
        },
    )
    with account(monkeypatch, "http://127.0.0.1:9"):
        asked, not_due = choose(many, listing, today="2026-11-20", hours=20)

    assert {user: len(repositories) for user, repositories in asked.items()} == {
        "@mona": (18_000 - 400) // 4,
        "@lisa": 3_000,
    }
    assert sum(map(len, not_due.values())) == 6_000 - (18_000 - 400) // 4

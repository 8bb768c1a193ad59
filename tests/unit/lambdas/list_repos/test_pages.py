"""What List repositories reads from GitHub's headers, and when it goes on after a limit."""

from datetime import UTC, datetime, timedelta

import pytest

from lambdas.list_repos import every_token
from lambdas.list_repos.pages import _note_headers
from lambdas.shared.environment import read_selection
from simulated_github import SimulatedGitHub, faults
from tests.unit.handlers import account
from traffic.clock import from_text, not_before, to_text
from traffic.contract import Listing, Run, RunState
from traffic.errors import GitHubLimitError
from traffic.github.answers import Answer
from traffic.github.client import GitHub

NOW = datetime(2026, 11, 20, 9, 0, 0, 500_000, UTC)
LIMIT, REMAINING = "x-ratelimit-limit", "x-ratelimit-remaining"


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({LIMIT: "5000", REMAINING: "4321"}, {"limit": 5000, "remaining": 4321}),
        ({LIMIT: "5000"}, {}),
        ({REMAINING: "4321"}, {}),
        ({LIMIT: "5000", REMAINING: "many"}, {}),
        ({LIMIT: "-1", REMAINING: "4321"}, {}),
        ({LIMIT: "\u0665", REMAINING: "4321"}, {}),
        ({"github-authentication-token-expiration": "2026-12-01 09:00:00 UTC"}, {"expires": "2026-12-01 09:00:00 UTC"}),
    ],
)
def test_headers_that_are_absent_or_odd_are_ignored(headers: dict[str, str], token: dict[str, object]) -> None:
    """A server of another version must not end the listing."""
    listing: Listing = {"parts": 0, "pauses": 3}
    _note_headers(listing, Answer(200, headers, b"[]"), NOW)

    assert listing["tokens"] == {"*": token}
    assert (listing["pauses"], listing["listed_at"]) == (0, "2026-11-20T09:00:00Z")


def test_hidden_organizations_of_all_pages_are_noted_once() -> None:
    """GitHub names them on each page, for each token."""
    listing: Listing = {"parts": 0, "pauses": 0, "hidden_organizations": [7, 3]}
    _note_headers(listing, Answer(200, {"x-github-sso": "partial-results; organizations=9,3,x"}, b"[]"), NOW)
    _note_headers(listing, Answer(200, {"x-github-sso": "required; url=organizations=11"}, b"[]"), NOW)

    assert listing["hidden_organizations"] == [3, 7, 9]


def test_texts_of_headers_are_cut_in_the_listing() -> None:
    """The listing is passed from state to state, and a server can send headers of any size."""
    listing: Listing = {"parts": 0, "pauses": 0}
    headers = {
        "github-authentication-token-expiration": "9" * 41,
        "x-github-sso": "partial-results; organizations=" + ",".join(map(str, range(1_001))),
    }
    _note_headers(listing, Answer(200, headers, b"[]"), NOW)

    assert listing["tokens"] == {"*": {"expires": "9" * 40}}
    assert listing["hidden_organizations"] == [*range(1_000)]


def test_the_listing_goes_on_when_the_limit_ends_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub refuses a call that is a second early; waiting minutes too long wastes time."""
    with SimulatedGitHub(repositories=1) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(faults.retry_after(600), endpoint="list", count=1)
        started = datetime.now(UTC).replace(microsecond=0)
        monkeypatch.setattr("lambdas.list_repos.handler.refuse_if_too_late", lambda *_: None)
        state = aws.list_repositories()
        ended = datetime.now(UTC)

    assert started + timedelta(seconds=600) <= from_text(state["resume_at"]) <= ended + timedelta(seconds=601)


def test_the_listing_waits_longer_each_time_at_a_limit_without_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub prolongs the limit of those who ask too early."""
    with SimulatedGitHub(repositories=1) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(faults.secondary_limit("message"), endpoint="list")
        run: Run = {"id": "run-1", "started": to_text(datetime.now(UTC))}
        state, waits = RunState(run=run, input={}), []
        for _ in range(3):
            asked = datetime.now(UTC)
            state = aws.list_repositories_from(state)
            waits.append((from_text(state["resume_at"]) - asked).total_seconds())

    assert [round(wait / 10) * 10 for wait in waits] == [60, 120, 240]


@pytest.mark.parametrize(("owner", "pauses"), [("acme", 3), ("octo", 0)])
def test_the_limit_of_one_token_does_not_lengthen_the_next_ones_waits(
    monkeypatch: pytest.MonkeyPatch, owner: str, pauses: int
) -> None:
    """Each token has its own limit. The token that waited goes on counting."""
    begun: Listing = {"parts": 0, "pauses": 3, "owner": "acme"}
    read: list[Listing] = []
    monkeypatch.setattr(every_token, "github", lambda _owner: GitHub("http://127.0.0.1:9", lambda **_: "token"))
    monkeypatch.setattr(every_token, "read_pages", lambda _github, listing, *_others, **_named: read.append(listing))

    every_token.read_with(owner, ["acme", "octo"], begun, read_selection({}), lambda: 300.0, lambda *_: None)

    assert read == [{"parts": 0, "pauses": pauses, "owner": owner}]


def test_a_time_is_never_written_too_early() -> None:
    """Times are written in complete seconds."""
    assert not_before(NOW) == "2026-11-20T09:00:01Z"


def test_a_limit_beyond_the_deadline_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A header with an absurd number is not a valid date either."""
    with SimulatedGitHub(repositories=1) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(faults.retry_after(10**9), endpoint="list", count=1)
        with pytest.raises(GitHubLimitError, match=r"lasts until .*, beyond the run's deadline 2026-11-21T05"):
            aws.list_repositories()

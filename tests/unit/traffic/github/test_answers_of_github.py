"""Every row of the table of answers, through the real handlers and over real HTTP."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.shared.deployed_archive import archive
from simulated_github import SimulatedGitHub, faults
from simulated_github.faults import Fault
from simulated_github.replies import Reply
from tests.unit.handlers import account, child
from tests.unit.whole_run import run
from traffic.clock import from_text, to_text
from traffic.errors import (
    GitHubAuthError,
    GitHubLimitError,
    GitHubRejectionError,
    GitHubUnavailableError,
    RunStoppedError,
)
from traffic.github import client as github_module
from traffic.github.answers import cut_between_words

REPOSITORY = "octo/open"

TRANSIENT = [
    faults.connection_reset(),
    faults.truncated_body(),
    faults.malformed_json(),
    faults.html_200(),
    faults.deeply_nested(),
    faults.oversized_body(9_000_000),
    faults.server_error(500),
    faults.server_error(502),
    faults.server_error(503),
    faults.server_error(504),
    faults.unicorn(),
]

SKIPPED = [
    (faults.sso_required(), "token not authorized for the organization"),
    (faults.no_push_access(), "no push access"),
    (faults.admin_rights(), "no push access"),
    (faults.not_accessible_by_token(), "token lacks Administration (read)"),
    (faults.not_accessible_by_token("integration"), "token lacks Administration (read)"),
    (faults.lifetime_forbidden(), "token lives longer than the organization allows"),
    (faults.ip_allow_list(), "address not on the organization's IP allow list"),
    (faults.blocked(403), "access blocked by GitHub"),
    (faults.blocked(451), "access blocked by GitHub"),
    (faults.upgrade_to_pro(), "access blocked by GitHub"),
    (faults.not_found(), "gone or hidden"),
]

SECONDARY = [
    faults.secondary_limit("message"),
    faults.secondary_limit("abuse"),
    faults.secondary_limit("documentation"),
    faults.secondary_limit("header"),
    faults.secondary_limit("bare", 429),
    faults.secondary_limit("all", 429),
]


def assert_waits(monkeypatch: pytest.MonkeyPatch, fault: Fault, seconds: float, pauses: int = 0) -> None:
    """Check how many seconds Fetch traffic waits after a fault, to two seconds, however long the call itself takes."""
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.refuse(REPOSITORY, fault)
        state = child(REPOSITORY)
        state["batch"]["pauses"] = pauses
        began = datetime.now(UTC)
        answer = aws.fetch(state)
        ended = datetime.now(UTC)
    assert [found["name"] for found in answer["batch"]["repositories"]] == [REPOSITORY]
    assert "key" not in answer["batch"]
    resume_at = from_text(answer["resume_at"])
    assert (resume_at - ended).total_seconds() - 2 <= seconds <= (resume_at - began).total_seconds() + 2


@pytest.mark.parametrize("fault", TRANSIENT, ids=lambda fault: fault.name)
def test_a_failure_that_passes_raises_for_a_retry_if_nothing_was_answered(
    monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """The definition's Retry waits; the repository's days are captured when GitHub works again."""
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        rule = github.refuse(REPOSITORY, fault)
        with pytest.raises(GitHubUnavailableError, match="octo/open"):
            aws.capture(REPOSITORY)
        assert aws.days() == {}
        assert rule.matched == 1, "nothing may repeat a call by itself"
        github.clear_faults()
        aws.capture(REPOSITORY)
        assert aws.days()


@pytest.mark.parametrize("fault", [faults.hang(), faults.drip(60)], ids=lambda fault: fault.name)
def test_an_answer_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """A timeout of `requests` bounds only the silence between two bytes; our client bounds the complete call."""
    monkeypatch.setattr(github_module.GitHub.__init__, "__kwdefaults__", {"call_seconds": 0.4})
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.refuse(REPOSITORY, fault)
        begun = datetime.now(UTC)
        with pytest.raises(GitHubUnavailableError):
            aws.capture(REPOSITORY)
        assert datetime.now(UTC) - begun < timedelta(seconds=30), "the drip takes 60"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_renamed_repository_is_followed_on_the_same_host(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """A repository is identified by its id, so its history continues."""
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(faults.redirect(status), repository=REPOSITORY, endpoint="views", count=1)
        aws.capture(REPOSITORY)
        assert {name for name, _ in aws.days()} == {REPOSITORY}


def test_a_renamed_repository_is_followed_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server behind the proxy names a host that nobody outside can reach and that must not receive the token."""
    with (
        SimulatedGitHub() as other,
        SimulatedGitHub(repositories=[REPOSITORY]) as github,
        account(monkeypatch, github.url) as aws,
    ):
        id_ = github.github.account.get(REPOSITORY).id
        moved = faults.redirect(301, to=f"{other.url}/repositories/{id_}/traffic/views?per=day")
        github.add_fault(moved, repository=REPOSITORY, endpoint="views", count=1)
        aws.capture(REPOSITORY)
        assert {name for name, _ in aws.days()} == {REPOSITORY}
        assert other.calls == []


def test_a_redirect_to_another_host_never_gets_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other host may belong to anybody."""
    with (
        SimulatedGitHub() as other,
        SimulatedGitHub(repositories=[REPOSITORY]) as github,
        account(monkeypatch, github.url) as aws,
    ):
        github.refuse(REPOSITORY, faults.redirect_to_other_host(other.url))
        state = aws.capture(REPOSITORY)
        assert state["batch"]["repositories"] == []
        assert aws.repositories()["1"]["refusals"].keys() == {"refused"}
        assert other.calls == []


def test_more_than_three_redirects_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A circle of redirects must end."""
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(faults.redirect(301, to=f"{github.url}/repos/octo/open/traffic/views"), endpoint="views")
        aws.capture(REPOSITORY)
        assert aws.repositories()["1"]["refusals"].keys() == {"refused"}
        assert len(github.calls) == 4


def test_a_refused_token_ends_the_run_after_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub locks out the owner of a refused token that is repeated, so every later Fetch ends without asking."""
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(faults.bad_credentials())
        with pytest.raises(GitHubAuthError, match="Bad credentials"):
            aws.capture(REPOSITORY)
        with pytest.raises(RunStoppedError, match="Bad credentials"):
            aws.capture(REPOSITORY)
        assert len(github.calls) == 1


def test_a_token_that_was_replaced_during_the_run_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rotation works without a new deployment, and without waiting until the cache expires.

    The call that was refused is made once more. Then this Fetch traffic ends, and the next one asks for the rest.
    """
    with SimulatedGitHub(repositories=[REPOSITORY], token="old") as github, account(monkeypatch, github.url) as aws:
        aws.secrets.put_secret_value(SecretId="token", SecretString="old")
        aws.capture(REPOSITORY)
        aws.secrets.put_secret_value(SecretId="token", SecretString="new")
        github.revoke_token()
        github.accept_token("new")
        state = aws.capture(REPOSITORY, run_id="run-2")
        done = aws.fetch(state)
        assert [call.status for call in github.calls] == [200] * 4 + [401] + [200] * 4
        assert "resume_at" not in state
        assert done["batch"]["repositories"] == []


def test_what_was_answered_before_the_token_died_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer of GitHub is lost, whatever happens after it."""
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(faults.bad_credentials(), endpoint="clones")
        state = aws.capture(REPOSITORY)
        assert {metric for item in aws.days().values() for metric in item if "count" in metric} == {"views-count"}
        with pytest.raises(RunStoppedError):
            aws.fetch(state)


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (faults.retry_after(30), 30),
        (faults.retry_after(30, 429), 30),
        (faults.retry_after(30, 429, as_http_date=True), 30),
        (faults.primary_limit(45), 47),
        (faults.primary_limit(45, 429), 47),
    ],
    ids=["retry-after", "retry-after 429", "retry-after as date", "primary", "primary 429"],
)
def test_fetch_waits_at_a_limit_as_long_as_github_requires(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, seconds: float
) -> None:
    """GitHub still refuses in the second of the reset, so two seconds are added."""
    assert_waits(monkeypatch, fault, seconds)


@pytest.mark.parametrize("fault", SECONDARY, ids=lambda fault: fault.name)
@pytest.mark.parametrize(("pauses", "seconds"), [(0, 60), (1, 120), (2, 240), (3, 480), (4, 900), (9, 900)])
def test_fetch_waits_longer_each_time_at_a_secondary_limit_without_a_time(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, pauses: int, seconds: float
) -> None:
    """GitHub does not announce the end; asking too early prolongs the limit."""
    assert_waits(monkeypatch, fault, seconds, pauses)


@pytest.mark.parametrize(("fault", "outcome"), SKIPPED, ids=lambda value: getattr(value, "name", None))
def test_a_refused_repository_is_skipped_and_named(monkeypatch: pytest.MonkeyPatch, fault: Fault, outcome: str) -> None:
    """One refusal counts for all four endpoints; the run goes on, and the receipt contains the reason."""
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.refuse(REPOSITORY, fault)
        state = aws.capture(REPOSITORY)
        assert state["batch"]["repositories"] == []
        assert "resume_at" not in state
        assert aws.repositories()["1"]["refusals"].keys() == {outcome}
        assert len(github.calls) == 1


@pytest.mark.parametrize(("fault", "outcome"), SKIPPED, ids=lambda value: getattr(value, "name", None))
def test_a_refusal_of_the_last_call_of_the_hour_is_not_a_limit(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, outcome: str
) -> None:
    """No call is left then, but waiting for an hour would not change what GitHub refuses."""
    last = Fault(fault.name, lambda *call: fault.spoil(*call).with_headers(x_ratelimit_remaining="0"))
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.refuse(REPOSITORY, last)
        state = aws.capture(REPOSITORY)
        assert "resume_at" not in state
        assert aws.repositories()["1"]["refusals"].keys() == {outcome}


@pytest.mark.parametrize("owner", ["octo", "o" * 39])  # GitHub allows 39 characters
def test_receipt_and_mail_contain_the_complete_address_that_ends_a_forbidden_lifetime(
    monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    """Half an address leads nowhere: GitHub's message is cut after the address, or before it."""
    fault = faults.lifetime_forbidden(number=10**9)
    with SimulatedGitHub(repositories=[f"{owner}/open"]) as github, account(monkeypatch, github.url) as aws:
        github.refuse(f"{owner}/open", fault)
        summary = run(aws)
        receipts = [
            receipt for key in archive().keys("runs/run-1/receipts/") for receipt in archive().read_note(key) or []
        ]

    address = "https://github.com/settings/personal-access-tokens/1000000000"
    assert [receipt["detail"].split()[-1] for receipt in receipts] == [address]
    assert f"{address}\n" in summary["message"]
    assert "Shorten the token's lifetime at the address" in summary["message"]


def test_half_a_character_in_a_refusal_reaches_the_receipt_as_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON can contain half of a surrogate pair, which no file can: the complete batch would not be stored."""
    half = Fault("half", lambda *_: Reply(403, b'{"message": "Must have push access \\ud83d"}'))
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.refuse(REPOSITORY, half)
        summary = run(aws)
    assert "    403: Must have push access ?\n" in summary["message"]


@given(st.text(), st.integers(4, 40))
def test_a_text_is_cut_between_two_words(words: str, longest: int) -> None:
    """No address is cut in half, wherever it is in the message."""
    cut = cut_between_words(f"{words} https://github.com/settings {words}", longest)
    uncut = f"{words} https://github.com/settings {words}".split()
    assert len(cut) <= longest
    assert cut.removesuffix("...").split() == uncut[: len(cut.removesuffix("...").split())]


@pytest.mark.parametrize(
    "fault", [faults.bad_api_version(), faults.gone(), faults.unprocessable()], ids=lambda fault: fault.name
)
def test_a_request_that_github_finds_wrong_ends_the_run(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """It is our bug: repeating the request for every repository would help nobody."""
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.refuse(REPOSITORY, fault)
        with pytest.raises(GitHubRejectionError, match="views of octo/open"):
            aws.capture(REPOSITORY)
        with pytest.raises(RunStoppedError):
            aws.capture(REPOSITORY)


def test_a_repository_that_fails_in_three_passes_leaves_the_batch_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other repositories in its batch are captured, and its own good answers are kept."""
    with SimulatedGitHub(repositories=[REPOSITORY, "octo/sick"]) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(faults.server_error(), repository="octo/sick", endpoint="clones")
        state = child("octo/sick", 2)
        passes: list[int] = []
        for _ in range(3):
            state["batch"]["repositories"].append({"id": 1, "name": REPOSITORY})
            state = aws.fetch(state)
            aws.store(state)
            passes += [found["passes"] for found in state["batch"]["repositories"]]
        assert passes == [1, 2]
        assert aws.repositories()["2"]["refusals"].keys() == {"failed"}
        assert "views-count" in next(item for (name, _), item in aws.days().items() if name == "octo/sick")


LISTING: list[tuple[Fault, type[Exception]]] = [
    (faults.bad_credentials(), GitHubAuthError),
    (faults.not_accessible_by_token(), GitHubAuthError),
    (faults.server_error(), GitHubUnavailableError),
    (faults.malformed_json(), GitHubUnavailableError),
    (faults.connection_reset(), GitHubUnavailableError),
    (faults.unprocessable(), GitHubRejectionError),
]


@pytest.mark.parametrize(("fault", "error"), LISTING, ids=lambda value: getattr(value, "name", None))
def test_a_listing_that_fails_raises_what_the_definition_expects(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, error: type[Exception]
) -> None:
    """The definition retries failures that pass, and ends the run at once after the others."""
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(fault)
        with pytest.raises(error):
            aws.list_repositories()


@pytest.mark.parametrize("make", [lambda: faults.primary_limit(45), lambda: faults.secondary_limit("message")])
def test_a_listing_continues_after_a_limit_with_the_same_page(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Fault]
) -> None:
    """Pages that came before it are kept: a listing of 10,000 repositories does not begin again."""
    with SimulatedGitHub(repositories=230) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(make(), endpoint="list", first=3, count=1)
        state = aws.list_repositories_from({"run": {"id": "run-1", "started": to_text(datetime.now(UTC))}, "input": {}})
        assert "resume_at" in state
        assert "manifest" not in state
        assert state["listing"]["parts"] == 1
        again = aws.list_repositories_from(state)
        assert again["manifest"]["repositories"] == 230
        assert Counter(call.endpoint for call in github.calls) == {"user": 1, "list": 4}


def test_a_limit_during_the_listing_that_lasts_beyond_the_deadline_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that waits forever writes no summary, so it ends at its deadline with its own error."""
    begun = to_text(datetime.now(UTC) - timedelta(hours=19, minutes=59, seconds=30))
    with SimulatedGitHub(repositories=1) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(faults.retry_after(60), endpoint="list")
        with pytest.raises(GitHubLimitError, match="beyond the run's deadline"):
            aws.list_repositories_from({"run": {"id": "run-1", "started": begun}, "input": {}})

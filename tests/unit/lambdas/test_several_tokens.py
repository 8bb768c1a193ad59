"""Several tokens, each for its owners: a problem of one token does not affect other owners' repositories."""

import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from aws_lambda_powertools.utilities import parameters

from lambdas.list_repos.due import choose
from lambdas.shared.deployed_archive import archive
from lambdas.shared.github_access import read_token
from lambdas.summarize_run.dangers import find_dangers, token_lines
from lambdas.summarize_run.headline import Facts
from lambdas.summarize_run.message import message
from simulated_github import SimulatedGitHub
from simulated_github.faults import bad_credentials, retry_after
from tests.unit.handlers import Account, account
from tests.unit.whole_run import run
from traffic.clock import to_text
from traffic.contract import Batch, Listing, Repository, RunState, manifest_key
from traffic.errors import GitHubAuthError, RunStoppedError
from traffic.github.tokens import token_owner, tokens_in

REPOSITORIES = ["acme/site", "octo/a", "octo/b", "zoo/cage"]
SEEN = {"one": ["octo"], "two": ["acme", "zoo"]}


def hold(aws: Account, tokens: dict[str, str]) -> None:
    """Put tokens into the secret, and let the cache expire."""
    aws.secrets.put_secret_value(SecretId="token", SecretString=json.dumps(tokens))
    parameters.clear_caches()  # type: ignore[no-untyped-call]  # Powertools has no type for it


def owners_listed(aws: Account, state: RunState) -> list[str]:
    """Return the owner of the token that each batch uses."""
    assert aws
    return [batch.get("owner", "*") for batch in archive().read_note(manifest_key(state["run"]["id"])) or []]


def test_each_repository_is_asked_for_with_its_owners_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fine-grained tokens see the repositories of one owner; the token `*` is for owners without one."""
    with (
        SimulatedGitHub(repositories=REPOSITORIES, token=SEEN) as github,
        account(monkeypatch, github.url) as aws,
    ):
        hold(aws, {"Octo": "one", "*": "two"})
        summary = run(aws)
        found = {call.repository for call in github.calls if call.endpoint == "views" and call.status == 200}
        statuses = Counter(call.status for call in github.calls)

    assert "4 of 4 repositories captured" in summary["message"]
    assert found == set(REPOSITORIES)
    assert statuses.keys() == {200}


def test_a_repository_that_two_tokens_see_is_captured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner's own token asks for it, even if other tokens see it too."""
    everywhere = ["octo", "acme", "zoo"]
    with (
        SimulatedGitHub(repositories=REPOSITORIES, token={"one": everywhere, "two": everywhere}) as github,
        account(monkeypatch, github.url) as aws,
    ):
        hold(aws, {"octo": "one", "*": "two"})
        state = aws.list_repositories()

        assert Counter(owners_listed(aws, state)) == {"octo": 2, "*": 2}


def test_a_run_uses_owners_added_minutes_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warm function has cached the old secret: the new owners' repositories would be missing for a day."""
    with (
        SimulatedGitHub(repositories=REPOSITORIES, token={**SEEN, "github_pat_made_up": ["acme", "zoo"]}) as github,
        account(monkeypatch, github.url) as aws,
    ):
        aws.list_repositories(run_id="yesterday")
        aws.secrets.put_secret_value(SecretId="token", SecretString=json.dumps({"octo": "one", "*": "two"}))
        state = aws.list_repositories(run_id="today")

        assert Counter(owners_listed(aws, state)) == {"octo": 2, "*": 2}


def test_a_repository_whose_owner_has_no_token_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token is used only for the owners it is stored for."""
    with (
        SimulatedGitHub(repositories=REPOSITORIES, token={"one": ["octo", "zoo"]}) as github,
        account(monkeypatch, github.url) as aws,
    ):
        hold(aws, {"octo": "one"})
        state = aws.list_repositories()

        assert owners_listed(aws, state) == ["octo", "octo"]


def test_a_refused_token_fails_the_run_after_the_others_are_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody must replace it, and until then other owners lose no days. The report has its owner, never the token."""
    with (
        SimulatedGitHub(repositories=REPOSITORIES, token=SEEN) as github,
        account(monkeypatch, github.url) as aws,
    ):
        hold(aws, {"octo": "revoked", "*": "two"})
        summary = run(aws)
        refused = [call for call in github.calls if call.status == 401]
        stored = {name for name, _ in aws.days()}

    assert (summary["outcome"], summary["error"], summary["kind"]) == ("failed", "GitHubAuthError", "problem")
    assert "2 of 2 repositories captured" in summary["message"]
    assert "the token for octo" in summary["message"]
    assert "traffic token --owner" in summary["message"]
    assert stored == {"acme/site", "zoo/cage"}
    assert len(refused) == 1
    assert "revoked" not in json.dumps(summary)


def test_a_token_refused_in_the_middle_of_the_listing_still_belongs_to_its_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it listed is asked for together with the user's other repositories, within one user's limits."""
    everything = {"one": ["octo"], "two": ["acme", "zoo"]}
    names = [*REPOSITORIES, *(f"zoo/r{number:03}" for number in range(150))]
    with (
        SimulatedGitHub(repositories=names, token=everything, users={"one": "mona", "two": "mona"}) as github,
        account(monkeypatch, github.url) as aws,
    ):
        github.add_fault(retry_after(1), endpoint="list", first=2, count=1)
        hold(aws, {"*": "two", "octo": "one"})
        started = to_text(datetime.now(UTC))
        begun = aws.list_repositories_from({"run": {"id": "run-1", "started": started}, "input": {}})
        begun.pop("resume_at")
        github.add_fault(bad_credentials(), endpoint="list", count=1)
        tokens = aws.list_repositories_from(begun)["listing"]["tokens"]

    assert "refused" in tokens["*"]
    assert "refused" not in tokens["octo"]
    assert (tokens["*"]["login"], tokens["*"]["limit"]) == ("mona", 5000)
    assert tokens["*"]["minute"]


def test_the_listing_fails_if_all_tokens_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same with one token."""
    with (
        SimulatedGitHub(repositories=REPOSITORIES, token=SEEN) as github,
        account(monkeypatch, github.url) as aws,
    ):
        hold(aws, {"octo": "revoked", "*": "wrong"})
        with pytest.raises(GitHubAuthError, match="Bad credentials"):
            aws.list_repositories()


def test_a_token_revoked_in_the_run_stops_only_its_own_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The note that the other children look for is stored for its owner."""
    with (
        SimulatedGitHub(repositories=REPOSITORIES, token=SEEN) as github,
        account(monkeypatch, github.url) as aws,
    ):
        hold(aws, {"octo": "one", "*": "two"})
        state = aws.list_repositories()
        batches = archive().read_note(manifest_key("run-1")) or []
        hold(aws, {"octo": "revoked", "*": "two"})
        ended: Counter[str] = Counter()
        for batch in batches:
            try:
                aws.store(aws.fetch({"run": {"id": "run-1", "started": state["run"]["started"]}, "batch": batch}))
            except (GitHubAuthError, RunStoppedError) as exc:
                ended[type(exc).__name__] += 1
        summary = aws.summarize(state)

    assert ended == {"GitHubAuthError": 1, "RunStoppedError": 1}
    assert "2 of 4 repositories captured" in summary["message"]
    assert (summary["error"], "the token for octo: GitHub refuses" in summary["message"]) == ("GitHubAuthError", True)


def test_the_same_token_is_used_after_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another token may not see the repository, and GitHub would report it as gone."""
    with (
        SimulatedGitHub(repositories=REPOSITORIES, token=SEEN) as github,
        account(monkeypatch, github.url) as aws,
    ):
        hold(aws, {"octo": "one", "*": "two"})
        github.add_fault(retry_after(1), endpoint="clones", count=1)
        batch: Batch = {"repositories": [{"id": 2, "name": "octo/a"}], "owner": "octo"}
        waiting = aws.fetch({"run": {"id": "run-1", "started": "2026-11-20T09:00:00Z"}, "batch": batch})
        waiting.pop("resume_at")
        done = aws.fetch(waiting)
        statuses = Counter(call.status for call in github.calls)

    assert done["batch"]["repositories"] == []
    assert statuses.keys() == {200, 403}


def test_a_restarted_listing_reads_full_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the first page met the limit, or time was over before it: 100 repositories a page, not 30."""
    with (
        SimulatedGitHub(repositories=90, token={"one": ["octo", "octo-org"]}) as github,
        account(monkeypatch, github.url) as aws,
    ):
        hold(aws, {"*": "one"})
        begun = aws.list_repositories(seconds=10)
        aws.list_repositories_from(begun)

    assert [call.endpoint for call in github.calls] == ["user", "list"]


def test_each_token_has_a_budget_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner with too many repositories for the limit waits; the others are asked for every day."""
    listing = Listing(
        parts=0, pauses=0, tokens={"octo": {"limit": 1000, "remaining": 1000}, "*": {"limit": 1000, "remaining": 1000}}
    )
    many = [Repository(id=number, name=f"octo/r{number}") for number in range(6_000)]
    few = [Repository(id=10_000 + number, name=f"acme/r{number}") for number in range(10)]
    with account(monkeypatch, "http://127.0.0.1:9"):
        asked, not_due = choose({"octo": many, "*": few}, listing, today="2026-11-20", hours=20)

    assert len(asked["octo"]) == 18_000 // 4
    assert len(asked["*"]) == len(few)
    assert sum(map(len, not_due.values())) == 6_000 - 18_000 // 4


def test_the_token_that_expires_first_is_reported() -> None:
    """Each token has its own expiry."""
    listing = Listing(
        parts=0,
        pauses=0,
        listed_at="2026-11-20T09:00:00Z",
        tokens={"*": {"expires": "2027-07-31 10:13:04 UTC"}, "octo": {"expires": "2026-11-30 10:13:04 UTC"}},
    )
    state: RunState = {"run": {"id": "run", "started": "2026-11-20T09:00:00Z"}, "listing": listing}
    seen = find_dangers(state, "2026-11-20", [], {})

    assert seen.token_days_left == 10
    assert token_lines(seen)[0].startswith("The token for octo expires in 10 days")
    assert token_lines(seen)[1].endswith("traffic token --owner octo.")
    text = message(Facts(state, [], "", dangers=seen), [])
    assert "The token expires on 2027-07-31" in text
    assert "The token for octo expires on 2026-11-30" in text


def test_a_token_added_later_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warm function read the secret before an owner was added to it."""
    with account(monkeypatch, "http://127.0.0.1:9") as aws:
        assert read_token() == "github_pat_made_up"
        aws.secrets.put_secret_value(SecretId="token", SecretString='{"octo": "one"}')

        assert read_token("octo") == "one"
        with pytest.raises(GitHubAuthError, match="no longer has the token for acme"):
            read_token("acme")


@pytest.mark.parametrize(
    "secret", ["", "two words", "{", "{}", '{"octo": 1}', '{"octo": ""}', '{"octo": "a b"}', "[" * 9, '{"a": {}}']
)
def test_a_secret_without_a_token_is_refused_and_not_shown(secret: str) -> None:
    """The message appears in histories and e-mails."""
    if secret.startswith("["):
        assert tokens_in(secret) == {"*": secret}
        return
    with pytest.raises(GitHubAuthError) as refused:
        tokens_in(secret)

    assert str(refused.value) == "The secret holds no token. Replace it with `traffic token`."
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("name", "owners", "expected"),
    [("Octo/docs", {"octo", "*"}, "octo"), ("acme/docs", {"octo", "*"}, "*"), ("acme/docs", {"octo"}, None)],
)
def test_the_owners_name_decides_which_token_asks(name: str, owners: set[str], expected: str | None) -> None:
    """Upper and lower case do not matter: GitHub's names ignore case."""
    assert token_owner(name, owners) == expected

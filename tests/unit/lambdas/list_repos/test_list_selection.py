"""Promise: the settings choose the repositories that are captured, and the summary lists those that were not found."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lambdas.list_repos.selection import missing_names, select
from lambdas.shared.environment import read_selection
from simulated_github import SimulatedGitHub
from tests.infrastructure.conftest import template_at_hand
from tests.unit.handlers import account
from tests.unit.whole_run import run
from traffic.errors import InvalidSettingError
from traffic.settings import FILE_SETTINGS, WrongValueError


def repository(name: str, **fields: Any) -> dict[str, Any]:
    """Return a repository with push access, as GitHub lists it."""
    listed = {"id": len(name), "full_name": name, "permissions": {"push": True}, "topics": [], "visibility": "public"}
    return {**listed, "private": fields.get("visibility", "public") != "public", **fields}


FOUND = [
    repository("octo/docs", topics=["documentation"]),
    repository("octo/secret-plan", visibility="private"),
    repository("Octo-Org/api", topics=["Python", "api"]),
    repository("octo-org/handbook", visibility="internal", topics=["documentation"]),
    repository("acme/mirror-of-x", fork=True),
    repository("acme/attic-stuff", archived=True, topics=["python"]),
]


def chosen(**settings: str) -> set[str]:
    """Return the repositories that the settings choose, without their owner."""
    selection = read_selection({f"TRAFFIC_{name.upper()}": value for name, value in settings.items()})
    return {each["name"].partition("/")[2] for each in select(FOUND, selection)}


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, "docs secret-plan api handbook mirror-of-x attic-stuff"),
        ({"owners": "OCTO-org"}, "api handbook"),
        ({"owners": "octo-org, acme"}, "api handbook mirror-of-x attic-stuff"),
        ({"owners": "octo-org", "repositories": "Octo/Docs"}, "api handbook docs"),
        ({"repositories": "octo/docs"}, "docs"),
        ({"topics": "python"}, "api attic-stuff"),
        ({"topics": "PYTHON,documentation"}, "docs api handbook attic-stuff"),
        ({"visibility": "internal"}, "handbook"),
        ({"visibility": "Private,Internal"}, "secret-plan handbook"),
        ({"visibility": "public"}, "docs api mirror-of-x attic-stuff"),
        ({"owners": "octo-org,octo", "topics": "documentation", "visibility": "public"}, "docs"),
        ({"owners": "acme", "forks": "exclude"}, "attic-stuff"),
        ({"owners": "acme", "archived": "exclude", "forks": "only"}, "mirror-of-x"),
        ({"owners": "octo", "exclude": "*/secret-*"}, "docs"),
        ({"repositories": "octo/docs,octo/secret-plan", "topics": "documentation"}, "docs"),
    ],
)
def test_owners_and_names_together_are_narrowed_by_the_rest(settings: dict[str, str], names: str) -> None:
    """Upper and lower case do not matter, as at GitHub."""
    assert chosen(**settings) == set(names.split())


@pytest.mark.parametrize(
    ("fields", "visibility"), [({"private": True}, "private"), ({"private": False}, "public"), ({}, "public")]
)
def test_a_server_without_visibility_reports_whether_a_repository_is_private(
    fields: Mapping[str, Any], visibility: str
) -> None:
    """GitHub Enterprise Server before 2.21 reports no visibility, and may report no topics."""
    old = {"id": 1, "full_name": "octo/docs", "permissions": {"push": True}, **fields}

    for each in ("public", "private", "internal"):
        assert bool(select([old], read_selection({"TRAFFIC_VISIBILITY": each}))) is (each == visibility)
    assert select([old], read_selection({"TRAFFIC_TOPICS": "python"})) == []
    assert select([{**old, "topics": None}], read_selection({"TRAFFIC_TOPICS": "python"})) == []


def test_names_and_owners_without_repositories_are_missing() -> None:
    """A typing error in a setting must not look like a small account."""
    selection = read_selection({"TRAFFIC_OWNERS": "Octo-ORG,initech", "TRAFFIC_REPOSITORIES": "octo/docs,octo/gone"})

    assert missing_names(select(FOUND, selection), selection) == ["octo/gone", "initech"]


WRONG = [
    ("TRAFFIC_OWNERS", "octo/docs", "organizations and users"),
    ("TRAFFIC_OWNERS", "octo,-org", "organizations and users"),
    ("TRAFFIC_TOPICS", "machine learning", "topics"),
    ("TRAFFIC_VISIBILITY", "public,secret", "one of public, private, internal"),
    ("TRAFFIC_REPOSITORIES", "octo/docs,octo", "owner/name"),
]


@pytest.mark.parametrize(("name", "value", "expected"), WRONG)
def test_an_impossible_value_is_reported(name: str, value: str, expected: str) -> None:
    """The summary shows the person who deployed it what to correct."""
    with pytest.raises(InvalidSettingError, match=rf"{name} holds .*; expected {expected}"):
        read_selection({name: value})


@pytest.fixture(scope="module")
def patterns() -> Mapping[str, str]:
    """Return the patterns that CloudFormation checks, by variable."""
    found = template_at_hand()["Parameters"]
    return {f"TRAFFIC_{name.upper()}": each.get("AllowedPattern", "") for name, each in found.items()}


def test_cloudformation_refuses_what_the_function_would_refuse(patterns: Mapping[str, str]) -> None:
    """It does so before anything changes; and no value that it or `traffic` accepts is refused by the run."""
    here = {each.variable: each for each in FILE_SETTINGS}
    right = {
        "TRAFFIC_OWNERS": ["", "octo", "octo-org , acme_corp"],
        "TRAFFIC_TOPICS": ["", "python,machine-learning"],
        "TRAFFIC_VISIBILITY": ["", "internal", "public, private"],
        "TRAFFIC_REPOSITORIES": ["", "octo/docs", "octo/.github,octo-org/a_b"],
    }
    for name, value, _ in WRONG:
        assert not re.fullmatch(patterns[name], value), value
        with pytest.raises(WrongValueError):
            here[name].check_text(value)
    for name, values in right.items():
        for value in values:
            assert re.fullmatch(patterns[name], value), value
            assert re.fullmatch(patterns[name], here[name].check_text(value)), value
            read_selection({name: value})


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """Serve a GitHub with topics and an internal repository."""
    with SimulatedGitHub(repositories=8, owners=["octo", "octo-org"]) as simulated:
        simulated.change("octo-org/docs", internal=True)
        yield simulated


def test_a_run_lists_what_the_settings_choose(github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the real handler and GitHub's listing; names that were not found are passed to the summary."""
    settings = {
        "TRAFFIC_OWNERS": "octo-org,initech",
        "TRAFFIC_TOPICS": "documentation",
        "TRAFFIC_VISIBILITY": "internal",
    }
    with account(monkeypatch, github.url, **settings) as aws:
        state = aws.list_repositories()

    assert state["manifest"]["repositories"] == 1
    assert state["listing"]["missing"] == ["initech"]


def test_a_glob_of_a_deployed_stack_that_matches_nothing_is_in_the_mail(
    github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier version took it. The run captures as before, and the mail names what was typed and what to write."""
    settings = {"TRAFFIC_INCLUDE": "octo/*,*-org/docs,*docs", "TRAFFIC_EXCLUDE": "playground"}
    with account(monkeypatch, github.url, **settings) as aws:
        written = run(aws)["message"]

    assert "5 of 5 repositories captured" in written
    assert "1 glob of the settings without any effect" in written.splitlines()[0]
    assert (
        "Include holds '*docs', but a repository's name is owner/name: write '*/*docs'.\n"
        "Exclude holds 'playground', but a repository's name is owner/name: write '*/playground'.\n"
    ) in written


EIGHT = "GitHub lists 8 repositories for the token"
NONE = f"{EIGHT}, but the settings select none of them"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"owners": "sol"}, f"{NONE}: owners = 'sol' leaves out all"),
        (
            {"owners": "sol", "repositories": "octo/gone"},
            f"{NONE}: owners = 'sol' with repositories = 'octo/gone' leaves out all",
        ),
        ({"exclude": "octo*/*"}, f"{NONE}: exclude = 'octo*/*' leaves out all"),
        ({"forks": "only"}, f"{NONE}: forks = 'only' leaves out all"),
        (
            {"owners": "octo-org", "exclude": "octo-org/*"},
            (f"{NONE}: owners = 'octo-org' leaves out 4, exclude = 'octo-org/*' leaves out 4"),
        ),
    ],
)
def test_settings_that_select_nothing_fail_the_run(
    github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], reason: str
) -> None:
    """A typing error must not pass for an account without repositories: the reason has the setting and its value."""
    with account(monkeypatch, github.url, **{f"TRAFFIC_{key.upper()}": text for key, text in settings.items()}) as aws:
        summary = run(aws)

    assert (summary["outcome"], summary["error"], summary["kind"]) == ("failed", "NothingSelectedError", "problem")
    assert summary["subject"].endswith(": FAILED, NothingSelectedError")
    assert summary["cause"] == reason
    assert summary["message"].startswith(f"The run failed: {reason} (NothingSelectedError).\nWhat to do: Correct the")


@pytest.mark.parametrize(
    ("repositories", "reason"),
    [
        ([], "GitHub lists no repository for the token"),
        (["octo/docs"], "GitHub lists 1 repository for the token, but it can push to none of them"),
    ],
)
def test_a_token_without_a_repository_that_it_can_push_to_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, repositories: list[str], reason: str
) -> None:
    """Nothing would be captured, day after day, and no settings are wrong."""
    with SimulatedGitHub(repositories=repositories) as github, account(monkeypatch, github.url) as aws:
        for name in repositories:
            github.change(name, push=False)
        summary = run(aws)

    assert (summary["error"], summary["cause"]) == ("NothingSelectedError", reason)


@pytest.mark.parametrize(
    ("owners", "settings", "reason"),
    [
        (
            ("octo", "*"),
            {"owners": "sol"},
            ", but the settings select none of them: owners = 'sol' leaves out all",
        ),
        (("sol", "luna"), {}, ", but none of them has an owner for whom there is a token"),
    ],
)
def test_with_several_tokens_each_repository_counts_once(
    github: SimulatedGitHub,
    monkeypatch: pytest.MonkeyPatch,
    owners: tuple[str, ...],
    settings: dict[str, str],
    reason: str,
) -> None:
    """Each token may list all repositories, and is used for those of its owner."""
    environment = {f"TRAFFIC_{key.upper()}": text for key, text in settings.items()}
    with account(monkeypatch, github.url, **environment) as aws:
        aws.secrets.put_secret_value(SecretId="token", SecretString=json.dumps(dict.fromkeys(owners, "ghp_made_up")))
        summary = run(aws)

    assert (summary["error"], summary["cause"]) == ("NothingSelectedError", f"{EIGHT}s{reason}")


def test_a_run_for_which_nothing_is_due_succeeds(github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is selected is asked for on another day: nothing is wrong."""
    with account(monkeypatch, github.url) as aws:
        monkeypatch.setattr(
            "lambdas.list_repos.handler.choose", lambda *_, **__: ({}, {"2026-11-22": list(range(1, 9))})
        )
        summary = run(aws)

    assert (summary["outcome"], summary["kind"]) == ("succeeded", "healthy")


def test_a_summary_separates_missing_owners_from_missing_names(
    github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People look for their mistakes in different places."""
    settings = {"TRAFFIC_OWNERS": "octo,initech", "TRAFFIC_REPOSITORIES": "octo-org/gone"}
    with account(monkeypatch, github.url, **settings) as aws:
        written = aws.summarize(aws.list_repositories())["message"]

    assert "Repositories in the settings that were not found (1): octo-org/gone" in written
    assert "Owners in the settings without repositories (1): initech" in written

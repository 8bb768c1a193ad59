"""GITHUB_API_URL leads to something else than GitHub's API: a setting error, which names the address that is right."""

import json
import re
from collections.abc import Iterator

import pytest

from cli.commands.doctor import tokens_findings
from cli.stack.token_access import first_pushable, github_with, identity, token_report, traffic_refusal
from cli.terminal import CommandError
from lambdas.shared.environment import api_url
from simulated_github import SimulatedGitHub, faults
from simulated_github.faults import Fault
from tests.unit.handlers import account
from traffic.errors import GitHubUnavailableError, InvalidSettingError
from traffic.settings import API_ADDRESSES, API_URL, WrongValueError, check_api_url

NAMES = [f"octo/{number:03}" for number in range(150)]  # two pages

RIGHT = [
    "https://api.github.com",
    "https://api.github.com/",
    "https://API.GitHub.com",
    "https://api.github.com.",
    "https://api.github.com:443",
    "https://api.acme.ghe.com",
    "https://api.acme-corp.ghe.com/",
    "https://github.example.com/api/v3",
    "https://mygithub.com/api/v3",
    "https://ghe.com.example/api/v3",
    "https://ghe.example:8443/api/v3",
    "https://ghe.example/proxy/github/api/v3/",
    "https://10.0.0.5/api/v3",
    "http://127.0.0.1:8080",
    "http://[::1]:8080/api/v3",
]

# Of GitHub's own hosts: what is wrong, and what is right in its place.
WRONG = {
    "https://github.com": "https://api.github.com",
    "https://github.com/api/v3": "https://api.github.com",
    "https://GitHub.com": "https://api.github.com",
    "https://www.github.com": "https://api.github.com",
    "https://github.com:443/octo": "https://api.github.com",
    "https://api.github.com/api/v3": "https://api.github.com",
    "https://api.github.com/user": "https://api.github.com",
    "https://uploads.github.com": "https://api.github.com",
    "https://acme.ghe.com": "https://api.acme.ghe.com",
    "https://acme.ghe.com/": "https://api.acme.ghe.com",
    "https://acme.ghe.com/api/v3": "https://api.acme.ghe.com",
    "https://Acme.GHE.com": "https://api.acme.ghe.com",
    "https://api.acme.ghe.com/api/v3": "https://api.acme.ghe.com",
    "https://uploads.acme.ghe.com": "https://api.acme.ghe.com",
    "https://ghe.com": "https://api.TENANT.ghe.com",
    "https://api.ghe.com": "https://api.TENANT.ghe.com",
}


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """A GitHub whose listing has two pages."""
    with SimulatedGitHub(repositories=NAMES) as simulated:
        yield simulated


@pytest.mark.parametrize("url", RIGHT)
def test_the_address_of_an_api_is_taken(url: str) -> None:
    """By the functions, the stack and this machine alike."""
    assert api_url({"GITHUB_API_URL": url}) == check_api_url(url) == url.rstrip("/")
    assert re.fullmatch(API_URL, url)


@pytest.mark.parametrize(("url", "right"), WRONG.items())
def test_the_address_of_a_web_site_is_refused_with_the_right_one(url: str, right: str) -> None:
    """A person copies the address from the browser; the API of their tenant has another one."""
    with pytest.raises(InvalidSettingError) as deployed:
        api_url({"GITHUB_API_URL": url})
    with pytest.raises(WrongValueError) as written:
        check_api_url(url)

    assert re.search(rf"'{re.escape(url)}', .* expected {re.escape(right)}\.", str(deployed.value))
    assert str(written.value).endswith(f"expected {right}")
    assert not re.fullmatch(API_URL, url)


@pytest.mark.parametrize(
    "url",
    [
        "https://name:word@ghe.example/api/v3",
        "https://name:word@[::1",
        "name:word@ghe.example",
        "https://ghe.example/api/v3?a=b",
        "http://localhost/#a",
        "https://[::1",
    ],
)
def test_what_is_no_plain_address_is_refused_before_and_after_deployment(url: str) -> None:
    """A password would lie readable in the template's parameters; what the functions refuse fails every run."""
    with pytest.raises(InvalidSettingError) as deployed:
        api_url({"GITHUB_API_URL": url})
    with pytest.raises(WrongValueError) as written:
        check_api_url(url)

    assert "word" not in f"{deployed.value} {written.value}".replace("password", "")
    assert not re.fullmatch(API_URL, url) or url == "https://[::1"


def strangers(elsewhere: str) -> dict[str, Fault]:
    """Give what a web site answers to an API path."""
    return {
        "a page": faults.html_200(),
        "a page with 401": faults.html_refusal(401),
        "a page with 403": faults.html_refusal(403),
        "a page with 406": faults.html_refusal(406),
        "its login page": faults.login_redirect(),
        "another host's login page": faults.login_redirect(elsewhere),
        "a circle": faults.redirect(302),
        "nothing": faults.not_found(),
    }


@pytest.mark.parametrize("way", strangers(""))
def test_a_web_site_in_the_apis_place_is_a_setting_error(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub, way: str
) -> None:
    """A new token or waiting would not help: the mail names the setting, its host and the right addresses."""
    with SimulatedGitHub() as elsewhere, account(monkeypatch, github.url) as aws:
        github.add_fault(strangers(elsewhere.url)[way], endpoint="list")
        with pytest.raises(InvalidSettingError) as refused:
            aws.list_repositories()
        state = {
            "run": {"id": "run-1", "started": "2026-11-20T09:00:00Z"},
            "problem": {"Error": "InvalidSettingError", "Cause": json.dumps({"errorMessage": str(refused.value)})},
        }
        mail = aws.summarize(state)["message"]  # type: ignore[arg-type]

        assert elsewhere.calls == []
    assert re.match(r"GITHUB_API_URL is no address of GitHub's API: 127\.0\.0\.1 answers with", str(refused.value))
    assert API_ADDRESSES in str(refused.value)
    assert mail.startswith("The run failed: InvalidSettingError.\nGITHUB_API_URL is no address of GitHub's API")
    assert "What to do: Deploy again with a valid setting." in mail


@pytest.mark.parametrize(
    "fault", [faults.unicorn(), faults.truncated_body(), faults.malformed_json()], ids=lambda fault: fault.name
)
def test_a_github_that_fails_is_not_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub, fault: Fault
) -> None:
    """The Unicorn is a web page too, and half a page of JSON a 200: the state machine tries both again."""
    github.add_fault(fault, endpoint="list")
    with account(monkeypatch, github.url) as aws, pytest.raises(GitHubUnavailableError):
        aws.list_repositories()


@pytest.mark.parametrize("way", strangers(""))
def test_a_page_in_the_middle_of_a_listing_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub, way: str
) -> None:
    """An address that listed a page is right; a proxy got in between."""
    github.add_fault(strangers("https://elsewhere.example")[way], endpoint="list", first=2)
    with account(monkeypatch, github.url) as aws, pytest.raises(GitHubUnavailableError):
        aws.list_repositories()


@pytest.mark.parametrize("way", [way for way in strangers("") if way != "nothing"])
def test_each_command_that_asks_github_names_the_setting(github: SimulatedGitHub, way: str) -> None:
    """`traffic token`, `import` and `doctor` ask at the same address; a page must not pass for an App's token."""
    github.add_fault(strangers("https://elsewhere.example")[way])
    asked = github_with(github.url, "token")
    for question in (
        lambda: token_report(asked),
        lambda: first_pushable(asked),
        lambda: identity(asked, "elsewhere/gone"),
        lambda: traffic_refusal(asked, "elsewhere/gone"),
    ):
        with pytest.raises(CommandError, match=r"GITHUB_API_URL is no address .*: 127\.0\.0\.1") as told:
            question()
        assert API_ADDRESSES in str(told.value)

    (finding,) = tokens_findings(github.url, "token")
    assert (finding.state, finding.subject) == ("fail", "github")
    assert "GITHUB_API_URL is no address" in finding.found


@pytest.mark.parametrize(
    "fault",
    [faults.unicorn(), faults.malformed_json(), faults.retry_after(60, status=429), faults.html_refusal(429)],
    ids=lambda fault: fault.name,
)
def test_a_command_that_meets_a_failing_github_says_so(github: SimulatedGitHub, fault: Fault) -> None:
    """Who is sent to the settings then changes what was right."""
    github.add_fault(fault)
    asked = github_with(github.url, "token")
    with pytest.raises(CommandError, match="try again later") as told:
        token_report(asked)

    assert "GITHUB_API_URL" not in str(told.value)


def test_a_server_behind_a_proxy_is_listed_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It puts its own name into `Link`; path and query are right as it sees them, its `/api/v3` too."""
    with (
        SimulatedGitHub(repositories=NAMES, base_path="/api/v3", token="github_pat_made_up") as github,
        account(monkeypatch, github.url) as aws,
    ):
        github.add_fault(faults.links_of_a_proxied_server(), endpoint="list")
        manifest = aws.list_repositories()["manifest"]
        listed = [call.path for call in github.calls]

    assert listed == ["/user/repos?per_page=100", "/user/repos?per_page=100&page=2"]
    assert manifest["repositories"] == len(NAMES)

"""GITHUB_API_URL leads to something other than GitHub's API: a setting error that contains the right address."""

import json
import re
from collections.abc import Iterator

import pytest

from cli.commands.doctor import tokens_findings
from cli.stack.token_access import first_pushable, github_with, identity, token_report, traffic_refusal
from cli.terminal import CommandError
from lambdas.shared.environment import api_url
from simulated_github import SimulatedGitHub, faults
from simulated_github.fault_rules import Strikes
from simulated_github.faults import Fault
from simulated_github.replies import json_reply
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

# Wrong addresses on GitHub's own hosts, and the right ones.
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
def test_the_address_of_an_api_is_accepted(url: str) -> None:
    """By the functions, by the stack and on this machine."""
    assert api_url({"GITHUB_API_URL": url}) == check_api_url(url) == url.rstrip("/")
    assert re.fullmatch(API_URL, url)


@pytest.mark.parametrize(("url", "right"), WRONG.items())
def test_the_address_of_a_web_site_is_refused_with_the_right_one(url: str, right: str) -> None:
    """People copy the address from the browser, but the API of their tenant has another one."""
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
def test_an_invalid_address_is_refused_before_and_after_deployment(url: str) -> None:
    """A password would be readable in the stack's parameters; an address that the functions refuse fails every run."""
    with pytest.raises(InvalidSettingError) as deployed:
        api_url({"GITHUB_API_URL": url})
    with pytest.raises(WrongValueError) as written:
        check_api_url(url)

    assert "word" not in f"{deployed.value} {written.value}".replace("password", "")
    assert not re.fullmatch(API_URL, url) or url == "https://[::1"


def strangers(elsewhere: str) -> dict[str, Fault]:
    """Return the answers of a web site to an API path."""
    return {
        "a page": faults.html_200(),
        "a page with 401": faults.html_refusal(401),
        "a page with 403": faults.html_refusal(403),
        "a page with 406": faults.html_refusal(406),
        "a text": faults.text_instead(),
        "a text with 401": faults.text_instead(401),
        "a text with 403": faults.text_instead(403),
        "another JSON": Fault("another_json", lambda *_: json_reply(200, {"error": "login_required"})),
        "its login page": faults.login_redirect(),
        "another host's login page": faults.login_redirect(elsewhere),
        "a circle": faults.redirect(302),
        "nothing": faults.not_found(),
    }


@pytest.mark.parametrize("strikes", [{}, {"endpoint": "list"}], ids=["any call", "the list"])
@pytest.mark.parametrize("way", strangers(""))
def test_a_web_site_instead_of_the_api_is_a_setting_error(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub, way: str, strikes: Strikes
) -> None:
    """A new token or waiting would not help: the mail contains the setting, its host and the right addresses."""
    with SimulatedGitHub() as elsewhere, account(monkeypatch, github.url) as aws:
        github.add_fault(strangers(elsewhere.url)[way], **strikes)
        with pytest.raises(InvalidSettingError) as refused:
            aws.list_repositories()
        state = {
            "run": {"id": "run-1", "started": "2026-11-20T09:00:00Z"},
            "problem": {"Error": "InvalidSettingError", "Cause": json.dumps({"errorMessage": str(refused.value)})},
        }
        mail = aws.summarize(state)["message"]  # type: ignore[arg-type]

        assert elsewhere.calls == []
    assert re.match(r"GITHUB_API_URL is not an address of GitHub's API: 127\.0\.0\.1 answers with", str(refused.value))
    assert API_ADDRESSES in str(refused.value)
    assert mail.startswith("The run failed: GITHUB_API_URL is not an address of GitHub's API")
    assert "What to do: Deploy again with a valid setting." in mail


@pytest.mark.parametrize(
    "fault", [faults.unicorn(), faults.truncated_body(), faults.malformed_json()], ids=lambda fault: fault.name
)
def test_a_github_that_fails_is_not_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub, fault: Fault
) -> None:
    """GitHub's Unicorn is a web page, and half a page of JSON has status 200: the state machine retries both."""
    github.add_fault(fault, endpoint="list")
    with account(monkeypatch, github.url) as aws, pytest.raises(GitHubUnavailableError):
        aws.list_repositories()


@pytest.mark.parametrize("way", strangers(""))
def test_a_page_in_the_middle_of_a_listing_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub, way: str
) -> None:
    """An address that listed a page is right: a proxy answered for a moment."""
    github.add_fault(strangers("https://elsewhere.example")[way], endpoint="list", first=2)
    with account(monkeypatch, github.url) as aws, pytest.raises(GitHubUnavailableError):
        aws.list_repositories()


@pytest.mark.parametrize("way", [way for way in strangers("") if way not in ("nothing", "another JSON")])
def test_each_question_to_github_reports_the_wrong_setting(github: SimulatedGitHub, way: str) -> None:
    """`traffic token`, `import` and `doctor` ask them; a web page must not count as the answer to an App's token."""
    github.add_fault(strangers("https://elsewhere.example")[way])
    asked = github_with(github.url, "token")
    for question in (
        lambda: token_report(asked),
        lambda: first_pushable(asked),
        lambda: identity(asked, "elsewhere/gone"),
        lambda: traffic_refusal(asked, "elsewhere/gone"),
    ):
        with pytest.raises(CommandError, match=r"GITHUB_API_URL is not an address .*: 127\.0\.0\.1") as refused:
            question()
        assert API_ADDRESSES in str(refused.value)

    (finding,) = tokens_findings(github.url, "token")
    assert (finding.state, finding.subject) == ("fail", "github")
    assert "GITHUB_API_URL is not an address" in finding.found


@pytest.mark.parametrize(
    "fault",
    [faults.unicorn(), faults.malformed_json(), faults.retry_after(60, status=429), faults.html_refusal(429)],
    ids=lambda fault: fault.name,
)
def test_a_failure_of_github_is_reported_as_such(github: SimulatedGitHub, fault: Fault) -> None:
    """A person who looks for the error in the settings would change a right one."""
    github.add_fault(fault)
    asked = github_with(github.url, "token")
    with pytest.raises(CommandError, match="try again later") as refused:
        token_report(asked)

    assert "GITHUB_API_URL" not in str(refused.value)


def test_a_server_behind_a_proxy_is_listed_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes its own name into `Link`; path and query are right, with its `/api/v3`."""
    with (
        SimulatedGitHub(repositories=NAMES, base_path="/api/v3", token="github_pat_made_up") as github,
        account(monkeypatch, github.url) as aws,
    ):
        github.add_fault(faults.links_of_a_proxied_server(), endpoint="list")
        manifest = aws.list_repositories()["manifest"]
        listed = [call.path for call in github.calls if call.endpoint == "list"]

    assert listed == ["/user/repos?per_page=100", "/user/repos?per_page=100&page=2"]
    assert manifest["repositories"] == len(NAMES)

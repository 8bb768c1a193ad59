"""Hostile addresses: the token goes to the configured host only, wherever a redirect or a next link points."""

from contextlib import suppress

import pytest
import requests
from urllib3.util import parse_url

from lambdas.shared.environment import api_url
from simulated_github import SimulatedGitHub, faults
from simulated_github.faults import Fault
from simulated_github.replies import Reply
from tests.unit.handlers import TOKEN, account, child
from traffic.errors import GitHubRejectionError, GitHubUnavailableError, InvalidSettingError
from traffic.github.client import GitHub

REPOSITORY = "octo/open"

API = "https://api.github.com"

FOREIGN = [
    "https://evil.example/",
    "https://evil.example\\@api.github.com/",  # Python's own parser reads api.github.com, urllib3 evil.example
    "https://api.github.com@evil.example/",
    "https://api.github.com.evil.example/",
    "https://evil.example#@api.github.com/",
    "https://evil.example?@api.github.com/",
    "http://api.github.com/",  # in clear text
    "https://api.github.com:8443/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://2130706433/",  # 127.0.0.1, as some resolvers read it
    "https://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://169.254.170.2/v2/credentials/",
    "https://[fd00:ec2::254]/",
    "https://[::1/",
    "https://api.github.com:99999/",
    "//evil.example/",
    "file:///proc/self/environ",
    "ftp://api.github.com/",
    "",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_an_address_on_another_host_is_not_trusted(url: str) -> None:
    """Loopback and link-local addresses lead to the machine and its credentials, others to anybody."""
    assert not GitHub(API, lambda **_: TOKEN).is_own(url)


@pytest.mark.parametrize("url", [f"{API}/x", "HTTPS://API.GitHub.com/x", f"{API}:443/x", f"{API}/\\\\evil.example/x"])
def test_requests_connects_to_the_host_that_was_trusted(url: str) -> None:
    """The code that decides and the library that connects must find the same host in an address."""
    assert GitHub(API, lambda **_: TOKEN).is_own(url)
    sent = requests.Request("GET", url).prepare().url
    assert sent is not None
    assert parse_url(sent).host == "api.github.com"


@pytest.mark.parametrize("where", ["{other}/", "http://{host}\\@{own}/", "http://[::1/", "http://169.254.169.254/"])
def test_a_redirect_never_carries_the_token_elsewhere(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """The repository is reported as refused, and the other host is not asked."""
    with (
        SimulatedGitHub() as other,
        SimulatedGitHub(repositories=[REPOSITORY]) as github,
        account(monkeypatch, github.url) as aws,
    ):
        to = where.format(other=other.url, host=f"127.0.0.1:{other.port}", own=f"127.0.0.1:{github.port}")
        github.refuse(REPOSITORY, faults.redirect_to_other_host(to))
        state = aws.capture(REPOSITORY)

        assert state["batch"]["repositories"] == []
        assert aws.repositories()["1"]["refusals"].keys() == {"refused"}
        assert other.calls == []


@pytest.mark.parametrize("where", ["{other}/user/repos?page=2", "http://{host}\\@{own}/user/repos?page=2"])
def test_a_next_link_never_carries_the_token_elsewhere(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """A server behind a proxy names itself: its path and query are asked for at the configured host only."""
    with (
        SimulatedGitHub() as other,
        SimulatedGitHub(repositories=[REPOSITORY]) as github,
        account(monkeypatch, github.url) as aws,
    ):
        to = where.format(other=other.url, host=f"127.0.0.1:{other.port}", own=f"127.0.0.1:{github.port}")
        github.add_fault(next_page(to), endpoint="list", count=1)
        with suppress(GitHubUnavailableError):  # the second address has no such page
            aws.list_repositories()

        assert other.calls == []
        assert github.calls[-1].path.endswith("/user/repos?page=2")


@pytest.mark.parametrize("where", ["http://[::1/x", "https://api.github.com:99999/x"])
def test_an_invalid_next_link_ends_the_run(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """The repositories after that page are unknown, and must not be left out silently."""
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(next_page(where), endpoint="list")
        with pytest.raises(GitHubRejectionError, match="next page"):
            aws.list_repositories()


def test_the_body_of_a_redirect_is_never_read_completely(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default `requests` reads a redirect's body of any size before our code can check the size."""

    def read_completely(_response: requests.Response) -> bytes:
        raise AssertionError("requests read a complete body by itself")

    monkeypatch.setattr(requests.Response, "content", property(read_completely))
    with SimulatedGitHub(repositories=[REPOSITORY]) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(faults.redirect(302), repository=REPOSITORY, endpoint="views", count=1)
        aws.fetch(child(REPOSITORY))

        assert [call.status for call in github.calls] == [302, 200, 200, 200, 200]


def next_page(url: str) -> Fault:
    """Make a listing continue at another address."""

    def spoil(reply: Reply, _circumstances: object) -> Reply:
        return reply.with_headers(Link=f'<{url}>; rel="next"')

    return Fault("next page elsewhere", spoil)


def test_a_password_in_the_address_of_the_api_is_refused_and_never_shown() -> None:
    """The error reaches the log, the execution's history and the mail."""
    with pytest.raises(InvalidSettingError) as refused:
        api_url({"GITHUB_API_URL": "https://octo:ghp_secret@github.example/api/v3"})

    assert "ghp_secret" not in str(refused.value)
    assert "user name or password" in str(refused.value)

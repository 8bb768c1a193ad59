"""The version of GitHub's API: GitHub announces its end, and whoever runs this hears of it in time."""

import json
from collections.abc import Iterator

import pytest

from cli.commands.doctor import tokens_findings
from lambdas.list_repos.pages import _note_headers
from simulated_github import SimulatedGitHub, faults
from simulated_github.github import API_VERSIONS
from tests.unit.handlers import account
from tests.unit.whole_run import run
from traffic.clock import from_text
from traffic.contract import Listing
from traffic.github.answers import API_VERSION, SUPPORTED_UNTIL, Answer, ends_soon
from traffic.github.client import HEADERS

SUNSET = "Fri, 10 Mar 2028 00:00:00 GMT"
TEXT = (
    f"his program uses version {API_VERSION} of GitHub's API, supported until {SUPPORTED_UNTIL} at least;"
    " now GitHub deprecates it on 2027-03-10 and stops answering it on 2028-03-10"
)


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """A GitHub that announces the end of the version."""
    with SimulatedGitHub(repositories=["octo/docs"], at="2027-06-01T09:00:00Z") as simulated:
        simulated.add_fault(faults.version_closing_down())
        yield simulated


def test_the_mail_names_the_days_on_which_the_version_ends(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub
) -> None:
    """After the second day every call is refused, and days are lost two weeks later."""
    with account(monkeypatch, github.url) as aws:
        summary = run(aws)

    assert f"T{TEXT}. Update this program before that." in summary["message"]
    assert summary["message"].startswith("Healthy")
    assert summary["kind"] == "healthy"


def test_an_end_within_30_days_needs_attention(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> None:
    """People who receive mails about problems only must learn of it, too."""
    github.at("2028-02-10T09:00:00Z")
    with account(monkeypatch, github.url) as aws:
        summary = run(aws)

    assert "GitHub ends the API's version soon" in summary["message"].splitlines()[0]
    assert summary["kind"] == "problem"


@pytest.mark.parametrize(
    ("today", "sunset", "soon"),
    [
        ("2028-02-08", "2028-03-10", False),
        ("2028-02-09", "2028-03-10", True),
        ("2028-04-01", "2028-03-10", True),
        ("2028-04-01", "some day", False),
    ],
)
def test_soon_is_a_month_before_the_end(today: str, sunset: str, soon: bool) -> None:
    """Nobody reads a warning that comes daily for a year."""
    assert ends_soon({"sunset": sunset}, today) is soon


def test_nothing_is_reported_while_github_announces_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The constant alone is not news."""
    with SimulatedGitHub(repositories=["octo/docs"]) as github, account(monkeypatch, github.url) as aws:
        assert "GitHub's API" not in run(aws)["message"]
        assert "api version" not in {finding.subject for finding in tokens_findings(github.url, "token")}


def test_the_doctor_reports_the_days_too(github: SimulatedGitHub) -> None:
    """People who do not understand a mail run the doctor."""
    (finding,) = [each for each in tokens_findings(github.url, "token") if each.subject == "api version"]

    assert (finding.state, finding.found) == ("warn", f"t{TEXT}")
    assert finding.advice == "update this program before that"


def test_the_text_taken_from_headers_is_bounded() -> None:
    """The listing travels from state to state, and a server can send headers of any size."""
    listing = Listing(parts=0, pauses=0)
    headers = {"deprecation": "@1820275200", "sunset": "x" * 100_000}

    _note_headers(listing, Answer(200, headers, b"[]"), from_text("2026-11-20T09:00:00Z"))

    assert listing["version_end"] == {"deprecated": "@1820275200", "sunset": "x" * 40}
    assert len(json.dumps(listing)) < 400


def test_the_version_sent_is_one_that_github_serves() -> None:
    """The header contains the constant."""
    assert HEADERS["X-GitHub-Api-Version"] == API_VERSION == API_VERSIONS[0]

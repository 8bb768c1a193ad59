"""The summary separates dangers: GitHub late, a repository failing or gone, the token expiring, days lost."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from lambdas.shared.deployed_archive import archive
from lambdas.shared.environment import selection
from lambdas.summarize_run.dangers import find_dangers
from lambdas.summarize_run.deadlines import Watermark
from simulated_github import SimulatedGitHub, faults
from tests.unit.handlers import Account, account
from tests.unit.whole_run import metrics_in, values
from traffic.clock import from_text, to_text
from traffic.contract import ChildState, Listing, Manifest, Run, RunState, Summary
from traffic.errors import GitHubAuthError

START = from_text("2026-09-01T09:00:00Z")

_run_ids = (f"run-{number}" for number in count())


def run(aws: Account, github: SimulatedGitHub, at: datetime) -> Summary:
    """Run once at a simulated time, as the definition does."""
    github.at(at)
    event: RunState = {"run": {"id": next(_run_ids), "started": to_text(datetime.now(UTC))}, "input": {}}
    try:
        state = aws.list_repositories_from(event)
    except GitHubAuthError as exc:
        event["run"]["started"] = to_text(at)  # if GitHub does not answer, only the run's own time is known
        return aws.summarize(
            {**event, "problem": {"Error": "GitHubAuthError", "Cause": json.dumps({"errorMessage": str(exc)})}}
        )
    for batch in archive().read_note(state["manifest"]["key"]) or []:
        child: ChildState = {"run": state["run"], "batch": batch}
        fetched = aws.fetch(child)
        if "key" in fetched["batch"]:
            aws.store(fetched)
    return aws.summarize(state)


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """Serve a GitHub with two repositories that lists complete days."""
    with SimulatedGitHub(repositories=["octo/docs", "octo/site"], regime="whole-days") as simulated:
        yield simulated


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> Iterator[Account]:
    """Make an account whose functions ask that GitHub."""
    with account(monkeypatch, github.url) as made:
        yield made


def after(days: int) -> datetime:
    """Return the time of the run some days after the first."""
    return START + timedelta(days=days)


def test_a_summary_without_dangers_mentions_none(aws: Account, github: SimulatedGitHub) -> None:
    """People who get a warning every day stop reading them."""
    run(aws, github, START)
    message = run(aws, github, after(1))["message"]

    assert "2 of 2 repositories captured" in message
    assert not [word for word in ("late", "lost", "expires", "remain", "until") if word in message]


def test_a_failing_repository_is_listed_with_its_deadline(aws: Account, github: SimulatedGitHub) -> None:
    """Its owner must know how much time is left to repair it."""
    run(aws, github, START)
    github.refuse("octo/site", faults.no_push_access())
    message = run(aws, github, after(5))["message"]

    assert "  octo/site\n    403: Must have push access" in message
    assert "    newest day 2026-08-31, last captured on 2026-09-01; 8 days until days are lost for good\n" in message
    assert "8 days until days are lost for good, for the most urgent of the repositories that failed." in message


@pytest.mark.parametrize(
    ("days", "deadline"),
    [
        (12, "1 day until days are lost for good"),
        (13, "today is the last day before days are lost for good"),
        (14, "2026-09-01 lost for good"),
        (16, "2026-09-01 to 2026-09-03 lost for good"),
    ],
)
def test_the_deadline_of_a_failing_repository_runs_out(
    aws: Account, github: SimulatedGitHub, days: int, deadline: str
) -> None:
    """First the remaining days are counted, then the lost ones."""
    run(aws, github, START)
    github.refuse("octo/site", faults.not_found())

    assert f"last captured on 2026-09-01; {deadline}\n" in run(aws, github, after(days))["message"]


def test_a_repository_that_is_no_longer_listed_is_reported_with_its_deadline(
    aws: Account, github: SimulatedGitHub
) -> None:
    """Without push access it vanishes from the listing, and without this line from the summary too."""
    run(aws, github, START)
    github.change("octo/site", push=False)
    message = run(aws, github, after(3))["message"]

    assert "1 captured lately but not listed now (deleted, no push access, or hidden from the token):" in message
    assert "  octo/site: newest day 2026-08-31, last captured on 2026-09-01; 10 days until days are lost" in message


def test_a_repository_that_a_setting_leaves_out_is_not_gone(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub
) -> None:
    """Somebody decided so: nothing is in danger that a list of deadlines could save. A deleted one still is."""
    with account(monkeypatch, github.url) as aws:
        github.create("octo/old")
        run(aws, github, START)
        monkeypatch.setenv("TRAFFIC_EXCLUDE", "octo/si*")
        selection.cache_clear()
        excluded = run(aws, github, after(3))
        github.delete("octo/old")
        deleted = run(aws, github, after(4))["message"]
        forgotten = run(aws, github, after(40))["message"]

    assert excluded["kind"] == "healthy"
    assert excluded["message"].splitlines()[0] == "Healthy: everything was captured."
    assert "octo/site" not in excluded["message"] + deleted
    line = "1 repository captured lately is left out by the settings now; its history is kept."
    assert line in excluded["message"].splitlines()
    assert deleted.splitlines()[0] == "Needs attention: 1 repository not listed any more."
    assert "left out by the settings" not in forgotten


def test_a_refused_token_is_reported_with_the_time_left_to_replace_it(
    aws: Account, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is listed then, but the captured days are known; the token has its own alarm."""
    run(aws, github, START)
    github.revoke_token()
    summary = run(aws, github, after(4))

    assert values(capsys.readouterr().out, "TokenExpiring") == [0, 1]
    assert summary["error"] == "GitHubAuthError"
    refused = "GitHub does not let this token list its repositories (401: Bad credentials)"
    assert summary["message"].splitlines()[:2] == [
        f"The run failed: {refused} (GitHubAuthError).",
        "What to do: Replace the token: traffic token. If there are several: traffic token --owner OWNER.",
    ]
    assert (
        "\n2 repositories captured lately could not be listed."
        " 9 days until days are lost for good, for the most urgent of them.\n"
    ) in summary["message"]
    assert not [name for name in github.names if name in summary["message"]]


def test_with_several_tokens_only_those_of_a_refused_one_could_not_be_listed() -> None:
    """What another token would have listed is gone; what the refused one would have listed is not."""
    listing: Listing = {"parts": 0, "pauses": 0, "tokens": {"acme": {"refused": "401"}, "*": {}}}
    manifest: Manifest = {"bucket": "b", "key": "k", "batches": 0, "repositories": 0}
    state: RunState = {"run": {"id": "r", "started": "2026-11-20T09:00:00Z"}, "listing": listing, "manifest": manifest}
    names = {1: "acme/x", 2: "octo/y"}
    marks = {id_: Watermark(name, name, "2026-11-19", "2026-11-19", ()) for id_, name in names.items()}

    found = find_dangers(state, "2026-11-20", [], marks)

    assert [mark.name for mark in found.unreached] == ["acme/x"]
    assert [mark.name for mark in found.unlisted] == ["octo/y"]


@pytest.mark.parametrize("expires", ["2026-09-10 09:00:00 UTC", "2026-09-10 11:00:00 +0200"])
def test_a_token_that_expires_within_fourteen_days_is_in_subject_and_message(
    monkeypatch: pytest.MonkeyPatch, expires: str
) -> None:
    """The most common long outage is a token that nobody renewed."""
    with (
        SimulatedGitHub(repositories=1, token_expires=expires, regime="whole-days") as github,
        account(monkeypatch, github.url) as aws,
    ):
        early, late = run(aws, github, after(-20)), run(aws, github, START)

    assert "expires in" not in early["subject"] + early["message"]
    assert late["subject"].endswith("1 repository captured, token expires in 9 days") or late["subject"].endswith(
        "token expires in 8 days"  # the simulated clock continues
    )
    assert "Replace it in time: traffic token." in late["message"]


def test_a_github_that_is_late_for_all_repositories_is_not_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """People can only wait, but the remaining days are counted."""
    with (
        SimulatedGitHub(repositories=2, regime="whole-days", lag=3) as github,
        account(monkeypatch, github.url) as aws,
    ):
        message = run(aws, github, START)["message"]

    assert (
        "GitHub is late for all repositories: the newest day it reports is 2026-08-28, 4 days ago (usually 1 day)."
        " 10 days until days are lost for good." in message
    )
    assert "2 of 2 repositories captured" in message


def test_an_outage_names_the_days_that_are_lost(aws: Account, github: SimulatedGitHub) -> None:
    """A hole is reported with its days when it is first known, and again later: one e-mail is easily missed."""
    run(aws, github, START)
    first, again = run(aws, github, after(18))["message"], run(aws, github, after(19))["message"]

    assert "2 repositories have days that GitHub never returned completely and has deleted by now:" in first
    assert "  octo/docs: 2026-09-01 to 2026-09-04 lost" in first
    assert "  octo/docs: 2026-09-01 to 2026-09-04 lost" in again


def test_incomplete_days_are_listed_apart_from_lost_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A truncated number is better than none, but must not look complete."""
    old = from_text("2025-09-01T09:00:00Z")
    with SimulatedGitHub(repositories=["octo/docs"], seed=6) as github, account(monkeypatch, github.url) as aws:
        run(aws, github, old)
        message = run(aws, github, old + timedelta(days=16))["message"]

    assert "  octo/docs: 2025-09-01 partial, 2025-09-02 lost, 2025-09-03 partial" in message


@pytest.mark.parametrize("given", [[], "2026-11-20", None, {"time": "soon"}, {"date": 7}])
def test_an_input_that_was_refused_is_summarized_and_writes_no_numbers_of_a_capture(
    aws: Account, capsys: pytest.CaptureFixture[str], given: Any
) -> None:
    """A typing error captures nothing, and must not raise an alarm that lasts until the next run."""
    problem = {"Error": "InvalidInputError", "Cause": '{"errorMessage": "The input is wrong."}'}
    run = Run(id="run", started="2026-09-01T09:00:00Z")
    summary = aws.summarize({"run": run, "input": given, "problem": problem})

    assert summary["error"] == "InvalidInputError"
    assert summary["subject"].startswith("GitHub traffic 2026-09-01: FAILED")
    assert {metric.name for metric in metrics_in(capsys.readouterr().out)} <= {"EmailSubscriptions"}

"""A run's metrics in CloudWatch are true: each call, wait and repository counts once, and nothing is invented."""

from collections.abc import Iterator
from typing import Literal

import pytest

from simulated_github import SimulatedGitHub, faults
from tests.unit.handlers import Account, account, child
from tests.unit.whole_run import metrics_in, run, values
from traffic.errors import GitHubUnavailableError


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """Serve a GitHub with two repositories, at a fixed time."""
    with SimulatedGitHub(
        repositories=["octo/docs", "octo/site"], regime="whole-days", at="2026-09-01T09:00:00Z"
    ) as simulated:
        yield simulated


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> Iterator[Account]:
    """Make an account whose functions ask that GitHub."""
    with account(monkeypatch, github.url) as made:
        yield made


def test_each_call_to_github_is_counted_once_in_a_warm_function_too(
    aws: Account, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """A listing takes two calls, and each repository four. A warm function keeps the last run's counter."""
    run(aws, "first")
    run(aws, "second")
    counted = values(capsys.readouterr().out, "GitHubCalls")

    assert counted == [2, 4, 4] * 2
    assert sum(counted) == len(github.calls)


def test_calls_of_an_attempt_that_fails_are_counted_and_so_are_those_of_its_retry(
    aws: Account, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both use up GitHub's limit; a number written only on success would hide what an outage costs."""
    github.add_fault(faults.server_error(), endpoint="views", count=1)
    with pytest.raises(GitHubUnavailableError):
        aws.fetch(child("octo/docs"))
    aws.fetch(child("octo/docs"))

    assert values(capsys.readouterr().out, "GitHubCalls") == [1, 4]
    assert len(github.calls) == 5


def test_calls_of_a_listing_that_raises_are_counted(
    aws: Account, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """The error ends the function at once, but the call was made."""
    github.add_fault(faults.server_error(), endpoint="list", count=1)
    with pytest.raises(GitHubUnavailableError):
        aws.list_repositories()

    assert values(capsys.readouterr().out, "GitHubCalls") == [2]


def test_the_remaining_budget_is_the_last_one_github_reported(
    aws: Account, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """The minimum of a day shows how near the limit was."""
    run(aws)

    remaining = values(capsys.readouterr().out, "RemainingBudget")
    assert len(remaining) == 3
    assert remaining == sorted(remaining, reverse=True)
    assert remaining[0] - remaining[-1] == len(github.calls) - 2  # the first two are the listing's


def test_a_budget_that_github_does_not_report_is_not_written(
    aws: Account, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """An enterprise server without limits sends no header; a zero would look like a used-up limit."""
    github.add_fault(faults.connection_reset(), endpoint="views")
    with pytest.raises(GitHubUnavailableError):
        aws.fetch(child("octo/docs"))

    log = capsys.readouterr().out
    assert values(log, "GitHubCalls") == [1]
    assert values(log, "RemainingBudget") == []


@pytest.mark.parametrize("endpoint", ["list", "clones"])
def test_a_wait_for_githubs_limit_is_written_in_seconds(
    aws: Account, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str], endpoint: Literal["list", "clones"]
) -> None:
    """It is the time that GitHub asked for, minus the time that the function took."""
    github.add_fault(faults.retry_after(600), endpoint=endpoint, count=1)
    run(aws)

    (waited,) = [metric for metric in metrics_in(capsys.readouterr().out) if metric.name == "WaitedSeconds"]
    assert waited.unit == "Seconds"
    assert 500 < waited.values[0] <= 600


def test_a_run_without_waits_writes_no_wait(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """The dashboard then shows no data, which is true."""
    run(aws)

    assert values(capsys.readouterr().out, "WaitedSeconds") == []


def test_captured_and_failed_add_up_to_the_listed(
    aws: Account, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repository in neither number would be lost without a report."""
    github.refuse("octo/site", faults.not_found())
    run(aws)
    log = capsys.readouterr().out

    assert {name: values(log, name) for name in ("Captured", "Failed", "NewestDayAgeDays")} == {
        "Captured": [1],
        "Failed": [1],
        "NewestDayAgeDays": [1],
    }


@pytest.mark.parametrize(
    ("expires", "left", "ends_soon"),
    [("2026-09-10 12:00:00 UTC", [9], [1]), ("2027-09-01 12:00:00 UTC", [365], [0]), (None, [], [0])],
)
def test_a_token_that_never_expires_writes_that_it_does_not_expire_soon(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    expires: str | None,
    left: list[float],
    ends_soon: list[float],
) -> None:
    """Otherwise the alarm, which keeps its state without data, would outlive the token that raised it."""
    with (
        SimulatedGitHub(repositories=1, token_expires=expires, at="2026-09-01T09:00:00Z") as github,
        account(monkeypatch, github.url) as aws,
    ):
        run(aws)
    log = capsys.readouterr().out

    assert values(log, "TokenDaysLeft") == left
    assert values(log, "TokenExpiring") == ends_soon


def test_no_metric_has_a_dimension_that_grows_with_the_fleet(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Each set of dimensions is one more metric for $0.30 a month, too much for 100,000 repositories."""
    run(aws, "first")
    run(aws, "second")

    assert {metric.dimensions for metric in metrics_in(capsys.readouterr().out)} == {
        (("service", "github"),),
        (("service", "summarize_run"),),
    }

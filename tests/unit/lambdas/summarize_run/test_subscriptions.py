"""The addresses that get mail are counted from SNS's list; if counting fails, only the number is missing."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from lambdas.summarize_run import run_metrics
from lambdas.summarize_run.run_metrics import confirmed_emails, is_confirmed_email
from simulated_github import SimulatedGitHub
from tests.unit.handlers import TOPIC, Account, account
from tests.unit.whole_run import run, values

ENVIRONMENT = {"SUMMARY_TOPIC_ARN": TOPIC}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Make an account whose functions ask a GitHub with one repository."""
    with SimulatedGitHub(repositories=1) as github, account(monkeypatch, github.url) as made:
        yield made


class Refusing:
    """An SNS client whose every call fails."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    def get_paginator(self, _operation: str) -> Any:
        """Raise what a refused call raises."""
        raise self.failure


@pytest.mark.parametrize(
    ("protocol", "arn", "counts"),
    [
        ("email", f"{TOPIC}:1f3a", True),
        ("email-json", f"{TOPIC}:1f3b", True),
        ("email", "PendingConfirmation", False),
        ("email", "Deleted", False),
        ("sqs", f"{TOPIC}:1f3c", False),
    ],
)
def test_only_a_confirmed_address_counts(protocol: str, arn: str, counts: bool) -> None:
    """SNS lists unsubscribed addresses for three more days, and unconfirmed ones for two.

    Source:
        https://docs.aws.amazon.com/sns/latest/dg/sns-delete-subscription-topic.html
    """
    assert is_confirmed_email({"Protocol": protocol, "SubscriptionArn": arn}) is counts


@pytest.mark.usefixtures("aws")
def test_subscriptions_on_later_pages_are_counted_too() -> None:
    """SNS lists 100 at a time."""
    for number in range(101):
        boto3.client("sns").subscribe(TopicArn=TOPIC, Protocol="email", Endpoint=f"{number}@example.com")

    assert confirmed_emails(ENVIRONMENT) == 101


def test_each_run_writes_how_many_addresses_get_its_summary(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """Zero is a number, too: the alarm in the console needs it."""
    run(aws, "first")
    boto3.client("sns").subscribe(TopicArn=TOPIC, Protocol="email", Endpoint="you@example.com")
    run(aws, "second")

    assert values(capsys.readouterr().out, "EmailSubscriptions") == [0, 1]


def test_a_run_whose_token_is_refused_counts_all_the_same(aws: Account, capsys: pytest.CaptureFixture[str]) -> None:
    """The mail about it is the most important one."""
    aws.summarize(
        {
            "run": {"id": "run-1", "started": "2026-11-20T09:00:00Z"},
            "problem": {"Error": "GitHubAuthError", "Cause": "GitHub refuses the token"},
        }
    )

    assert values(capsys.readouterr().out, "EmailSubscriptions") == [0]


@pytest.mark.parametrize(
    "failure",
    [
        ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "ListSubscriptionsByTopic"),
        ClientError({"Error": {"Code": "AuthorizationError", "Message": "denied"}}, "ListSubscriptionsByTopic"),
        ReadTimeoutError(endpoint_url="https://sns.us-east-1.amazonaws.com"),
        ConnectionClosedError(endpoint_url="https://sns.us-east-1.amazonaws.com"),
    ],
    ids=["throttled", "denied", "hangs", "reset"],
)
def test_a_count_that_fails_does_not_fail_the_summary(
    aws: Account,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
) -> None:
    """The mail is more important: the number is missing once, and the log has the reason."""
    monkeypatch.setattr("lambdas.summarize_run.run_metrics.sns", lambda: Refusing(failure))
    summary = run(aws)

    assert summary["outcome"] == "succeeded"
    assert values(capsys.readouterr().out, "EmailSubscriptions") == []
    assert "did not count subscriptions" in caplog.messages


def test_the_summary_waits_a_few_seconds_at_most_for_the_count() -> None:
    """With boto3's defaults, five tries of a minute, an SNS that hangs would use up the function's time."""
    config: Any = run_metrics.IMPATIENT  # botocore's stubs declare no attributes
    tries = config.retries["total_max_attempts"]

    assert tries == 3, "a short disturbance of the network must not cost the number"
    assert tries * (config.connect_timeout + config.read_timeout) == 12


def test_an_environment_without_the_topic_counts_nothing() -> None:
    """During a deployment the new code runs for a moment with the old environment."""
    assert confirmed_emails({}) is None

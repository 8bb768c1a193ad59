"""The numbers that alarms and the dashboard show: what a run captured, how near deadlines are, who gets the mail."""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lambdas.shared.embedded_metrics import write
from lambdas.summarize_run.dangers import Dangers
from lambdas.summarize_run.outcome import Result
from traffic.errors import GitHubAuthError
from traffic.github.answers import CAPTURED

SERVICE = "summarize_run"  # the dimension `service`

E_MAIL = ("email", "email-json")  # SNS's protocols

# The summary must not wait long for a number that only the dashboard shows: three tries of at most four seconds.
IMPATIENT = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 3})


def publish(results: Sequence[Result], dangers: Dangers, error: str) -> None:
    """Write what a run captured, and how near the deadlines are. Unknown numbers are not written.

    `Failed` leaves out repositories that GitHub refuses as before: an alarm that never ends would hide the next
    failure.

    `TokenExpiring` is always written, as 1 or 0. If a token that expires is replaced by one that never does, GitHub
    reports no date any more, and an alarm on `TokenDaysLeft` would keep its state forever.
    """
    captured = sum(result.outcome == CAPTURED for result in results)
    write(
        SERVICE,
        {
            "Captured": captured,
            "Failed": len(results) - captured - len(dangers.refusals.known),
            "NewestDayAgeDays": dangers.newest_day_age,
            "TokenDaysLeft": dangers.token_days_left,
            "TokenExpiring": int(dangers.token_ends_soon or error == GitHubAuthError.__name__),
        },
    )


def publish_refusal() -> None:
    """Write that the token is refused, if the repositories could not even be listed."""
    write(SERVICE, {"TokenExpiring": 1})


def publish_subscriptions(confirmed: int | None) -> None:
    """Write how many e-mail addresses get the summaries. An unknown number is not written."""
    if confirmed is not None:
        write(SERVICE, {"EmailSubscriptions": confirmed})


def confirmed_emails(environment: Mapping[str, str] = os.environ) -> int | None:
    """Count the confirmed e-mail subscriptions to the topic of the summaries.

    Returns:
        None if the topic is not known: the code is deployed a moment before its environment.
    """
    topic = environment.get("SUMMARY_TOPIC_ARN")
    if not topic:
        return None
    pages = sns().get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    return sum(is_confirmed_email(each) for page in pages for each in page["Subscriptions"])


def is_confirmed_email(subscription: Mapping[str, str]) -> bool:
    """Return whether a subscription delivers e-mail now.

    SNS lists an address that has not confirmed as `PendingConfirmation`, and one that unsubscribed as `Deleted`, for
    days; only a confirmed one has an ARN.

    Source:
        https://docs.aws.amazon.com/sns/latest/dg/sns-delete-subscription-topic.html
    """
    return subscription["Protocol"] in E_MAIL and subscription["SubscriptionArn"].startswith("arn:")


@cache
def sns() -> Any:
    """Return the client of SNS."""
    return boto3.client("sns", config=IMPATIENT)

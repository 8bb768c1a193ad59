"""Counts who gets the summary by e-mail."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

E_MAIL = ("email", "email-json")  # SNS's protocols

# The summary does not wait long for a number that only the dashboard shows: three tries of at most four seconds.
IMPATIENT = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 3})


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

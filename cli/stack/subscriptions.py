"""Who receives the summaries and alarms by e-mail, and whether a link in a mail can end that.

Source:
    https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2548 (mail scanners open the link)
"""

import shlex
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from cli.stack.deployment import Deployment
from cli.stack.finding import Finding, unchecked

MAIL = ("email", "email-json")

# What SNS lists instead of an ARN: for an unconfirmed address, for 48 hours; for an unsubscribed one, for about 72.
UNCONFIRMED = {"PendingConfirmation": "it is not confirmed", "Deleted": "it was unsubscribed"}


def subscriptions(deployment: Deployment) -> list[dict[str, Any]]:
    """List all subscriptions of the topic, confirmed or not."""
    pages = deployment.client("sns").get_paginator("list_subscriptions_by_topic")
    topic = deployment.output("SummaryTopicArn")
    return [each for page in pages.paginate(TopicArn=topic) for each in page["Subscriptions"]]


def confirmed(subscription: dict[str, Any]) -> bool:
    """Return whether a subscription receives mail: only a confirmed one has an ARN."""
    return str(subscription["SubscriptionArn"]).startswith("arn:")


def same_address(one: str, other: str) -> bool:
    """Compare two e-mail addresses; SNS does not document that it keeps upper and lower case."""
    return one.casefold() == other.casefold()


def confirmed_with_signature(deployment: Deployment, arn: str) -> bool:
    """Return whether a signed request confirmed the subscription: then only a signed request ends it.

    SNS shows this in no other attribute.

    Source:
        https://docs.aws.amazon.com/sns/latest/api/API_GetSubscriptionAttributes.html (ConfirmationWasAuthenticated)
    """
    answer = deployment.client("sns").get_subscription_attributes(SubscriptionArn=arn)
    return str(answer["Attributes"].get("ConfirmationWasAuthenticated", "")).lower() == "true"


def subscription_findings(deployment: Deployment) -> Iterator[Finding]:
    """Check that somebody receives the summary by e-mail, and that no link in a mail can end that."""
    wanted = deployment.parameters.get("SummaryEmail", "")
    try:
        listed = subscriptions(deployment)
    except ClientError as exc:
        yield unchecked("subscription", exc, "not checked")
        return
    mails = [each for each in listed if each["Protocol"] in MAIL]
    reached = [each for each in mails if confirmed(each)]
    others = sum(confirmed(each) for each in listed) - len(reached)
    if wanted and not any(same_address(each["Endpoint"], wanted) for each in reached):
        missed = f"{wanted} receives no mail: {_why(mails, wanted)}"
        yield Finding("warn" if reached else "fail", "subscription", missed, subscribe_command(deployment, wanted))
    elif not reached and others:
        yield Finding("ok", "subscription", f"nobody receives the summary by e-mail, but {others} in another way")
    elif not reached:
        yield Finding("warn", "subscription", "nobody receives the summary", subscribe_command(deployment, "EMAIL"))
    if reached:
        yield Finding("ok", "subscription", f"{len(reached)} confirmed by e-mail")
    for each in reached:
        yield from _unsubscribe_findings(deployment, each)


def subscribe_command(deployment: Deployment, email: str) -> str:
    """Write the command that subscribes an address so that it stays subscribed."""
    return f"`traffic subscribe{deployment.options} {shlex.quote(email)}`"


def _why(mails: list[dict[str, Any]], wanted: str) -> str:
    """Return why the address receives no mail; SNS may list several subscriptions of it."""
    arns = {each["SubscriptionArn"] for each in mails if same_address(each["Endpoint"], wanted)}
    return next((why for arn, why in UNCONFIRMED.items() if arn in arns), "it is not subscribed any more")


def _unsubscribe_findings(deployment: Deployment, subscription: dict[str, Any]) -> Iterator[Finding]:
    email = subscription["Endpoint"]
    try:
        if confirmed_with_signature(deployment, subscription["SubscriptionArn"]):
            return
    except ClientError as exc:
        yield unchecked("unsubscribe link", exc, "not checked")
        return
    found = f"anybody who has a mail to {email}, and a mail scanner too, can end the subscription with its link"
    yield Finding("warn", "unsubscribe link", found, subscribe_command(deployment, email))

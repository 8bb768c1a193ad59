"""Who gets the summaries and alarms by e-mail, and whether a link in a mail can end that.

Source:
    https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2548 (mail scanners follow the link)
"""

import shlex
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from cli.stack.deployment import Deployment
from cli.stack.finding import Finding

MAIL = ("email", "email-json")

# What SNS lists in the place of an ARN: an address that has not confirmed yet, for 48 hours; one that was
# unsubscribed, for about 72.
UNCONFIRMED = {"PendingConfirmation": "it is not confirmed", "Deleted": "it was unsubscribed"}


def subscriptions(deployment: Deployment) -> list[dict[str, Any]]:
    """List all subscriptions of the topic, confirmed or not."""
    pages = deployment.client("sns").get_paginator("list_subscriptions_by_topic")
    topic = deployment.output("SummaryTopicArn")
    return [each for page in pages.paginate(TopicArn=topic) for each in page["Subscriptions"]]


def confirmed(subscription: dict[str, Any]) -> bool:
    """Return whether a subscription gets mail: only then it has an ARN."""
    return str(subscription["SubscriptionArn"]).startswith("arn:")


def same_address(one: str, other: str) -> bool:
    """Compare two e-mail addresses; SNS does not say that it keeps upper and lower case."""
    return one.casefold() == other.casefold()


def confirmed_with_signature(deployment: Deployment, arn: str) -> bool:
    """Return whether a signed request confirmed the subscription: then only a signed one ends it.

    This attribute is the only sign that SNS gives.

    Source:
        https://docs.aws.amazon.com/sns/latest/api/API_GetSubscriptionAttributes.html (ConfirmationWasAuthenticated)
    """
    answer = deployment.client("sns").get_subscription_attributes(SubscriptionArn=arn)
    return str(answer["Attributes"].get("ConfirmationWasAuthenticated", "")).lower() == "true"


def subscription_findings(deployment: Deployment) -> Iterator[Finding]:
    """Check that somebody gets the summary by e-mail, and that no link in a mail can end that."""
    wanted = deployment.parameters.get("SummaryEmail", "")
    try:
        listed = subscriptions(deployment)
    except ClientError as exc:
        yield _unreadable("subscription", exc)
        return
    mails = [each for each in listed if each["Protocol"] in MAIL]
    reached = [each for each in mails if confirmed(each)]
    others = sum(confirmed(each) for each in listed) - len(reached)
    if wanted and not any(same_address(each["Endpoint"], wanted) for each in reached):
        missed = f"{wanted} gets no mail: {_why(mails, wanted)}"
        yield Finding("warn" if reached else "fail", "subscription", missed, cure(deployment, wanted))
    elif not reached and others:
        yield Finding("ok", "subscription", f"nobody gets the summary by e-mail, {others} in another way")
    elif not reached:
        yield Finding("warn", "subscription", "nobody gets the summary", cure(deployment, "EMAIL"))
    if reached:
        yield Finding("ok", "subscription", f"{len(reached)} confirmed by e-mail")
    for each in reached:
        yield from _unsubscribe_findings(deployment, each)


def cure(deployment: Deployment, email: str) -> str:
    """Write the command that subscribes an address so that it stays subscribed."""
    return f"`traffic subscribe{deployment.options} {shlex.quote(email)}`"


def _why(mails: list[dict[str, Any]], wanted: str) -> str:
    """Return why the address gets no mail; several subscriptions of it may be listed."""
    arns = {each["SubscriptionArn"] for each in mails if same_address(each["Endpoint"], wanted)}
    return next((why for arn, why in UNCONFIRMED.items() if arn in arns), "it is not subscribed any longer")


def _unsubscribe_findings(deployment: Deployment, subscription: dict[str, Any]) -> Iterator[Finding]:
    email = subscription["Endpoint"]
    try:
        if confirmed_with_signature(deployment, subscription["SubscriptionArn"]):
            return
    except ClientError as exc:
        yield _unreadable("unsubscribe link", exc)
        return
    found = f"anybody who has a mail to {email}, also a mail scanner, can end the subscription by its link"
    yield Finding("warn", "unsubscribe link", found, cure(deployment, email))


def _unreadable(subject: str, exc: ClientError) -> Finding:
    missing = f"{exc.operation_name}: {exc.response['Error']['Code']}"
    return Finding("warn", subject, missing, "not checked: these credentials need that right")

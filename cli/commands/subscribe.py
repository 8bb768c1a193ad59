"""`traffic subscribe`: sends summaries and alarms to an address, and keeps mail scanners from ending this."""

import getpass
import html
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import SplitResult, parse_qs, urlsplit

import click
from botocore.exceptions import ClientError

from cli.command import Target, command, read_address
from cli.stack.deployment import Deployment, aws_deployment
from cli.stack.subscriptions import MAIL, confirmed, confirmed_with_signature, same_address, subscriptions
from cli.terminal import CommandError, UsageError, say

EXAMPLES = """examples:
  traffic subscribe --aws you@example.com             asks for the link in AWS's mail, without showing it
  pbpaste | traffic subscribe --aws you@example.com   or reads it from a pipe

AWS sends a mail with a link. Do not click it: copy its address, and paste it here. If a click confirms a subscription,
the unsubscribe link in any mail can end it, and mail scanners open such links. Only you can end this one.
The link is never an argument, because other users of a machine can read those.
"""

RUN_MISSING = "AlarmsRunMissing"  # how the alarm's logical id begins; a hash follows

REFUSALS = ("AuthorizationError", "AccessDenied", "AccessDeniedException")


@command(EXAMPLES)
@click.argument("email", type=read_address, metavar="EMAIL", help="the address")
def execute(target: Target, email: str) -> int:
    """Subscribe an e-mail address to the stack's summaries and alarms, so that no link in a mail can end that."""
    if not target.aws:
        raise UsageError("Mails are sent by the stack in AWS only: add --aws.")
    with aws_deployment(target) as deployment:
        subscribe(deployment, email, read_link)
    return 0


def read_link() -> str:
    """Read the link from standard input, without showing it: its token is a secret.

    Raises:
        UsageError: Nothing was pasted, or not a text.
    """
    try:
        link = getpass.getpass("Link (not shown): ") if sys.stdin.isatty() else sys.stdin.readline()
    except (EOFError, UnicodeDecodeError):
        link = ""
    if not link.strip():
        raise UsageError("No link was pasted. Run the command again when AWS's mail has arrived, and paste its link.")
    return link


def subscribe(deployment: Deployment, email: str, ask: Callable[[], str]) -> None:
    """Subscribe an address, confirm it with a signed request, and let the alarm RunMissing report again.

    Mails sent before the confirmation are lost, and an alarm sends another mail only if its state changes. So set the
    alarm to OK; it goes back to ALARM by itself if no run succeeded.

    Args:
        deployment: The stack.
        email: The address.
        ask: Reads the link of the mail that AWS sends.

    Raises:
        UsageError: What was pasted is not the link of that mail; nothing is confirmed.
        CommandError: AWS refuses a step; the message explains what to do.

    Source:
        https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html (an unconfirmed subscription has no ARN)
    """
    alarm = alarm_name(deployment)
    if needs_confirmation(deployment, email):
        topic = deployment.output("SummaryTopicArn")
        with explained(f"subscribe {email}", "sns:Subscribe"):
            answer = deployment.client("sns").subscribe(TopicArn=topic, Protocol=MAIL[0], Endpoint=email)
        if answer["SubscriptionArn"].startswith("arn:"):  # and not "pending confirmation": no mail is sent
            raise CommandError(f"AWS still lists an earlier subscription of {email}. Try again in a minute.")
        say(f'AWS sends a mail with the title "AWS Notification - Subscription Confirmation" to {email}.')
        say("Do not click its link: copy its address, and paste it here. After a click, anybody could end the mails.")
        confirm(deployment, email, token_in(ask(), topic, email))
        say(f"Confirmed: summaries and alarms reach {email}, and no link in a mail can end that.")
    else:
        say(f"{email} is subscribed already, and no link in a mail can end that.")
    with explained("set the alarm RunMissing to OK", "cloudwatch:SetAlarmState"):
        deployment.client("cloudwatch").set_alarm_state(
            AlarmName=alarm, StateValue="OK", StateReason="An address was subscribed: report again if it is still true."
        )
    say("Set the alarm RunMissing to OK: it reports again if it is still true.")


def alarm_name(deployment: Deployment) -> str:
    """Return the name that CloudFormation gave the alarm RunMissing.

    Raises:
        CommandError: The stack has no such alarm.
    """
    with explained("list the stack's resources", "cloudformation:ListStackResources"):
        pages = deployment.client("cloudformation").get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=deployment.stack):
            for resource in page["StackResourceSummaries"]:
                if resource["LogicalResourceId"].startswith(RUN_MISSING):
                    return str(resource["PhysicalResourceId"])
    raise CommandError(f"The stack {deployment.stack} has no alarm RunMissing: deploy this version, then try again.")


def needs_confirmation(deployment: Deployment, email: str) -> bool:
    """Return whether AWS must send a new mail; if a click confirmed the address before, unsubscribe it first.

    SNS documents no way to change a confirmed subscription, and sends no second mail to a confirmed address.

    Source:
        https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
    """
    with explained("list the subscriptions", "sns:ListSubscriptionsByTopic and sns:GetSubscriptionAttributes"):
        arns = [
            each["SubscriptionArn"]
            for each in subscriptions(deployment)
            if each["Protocol"] == MAIL[0] and same_address(each["Endpoint"], email) and confirmed(each)
        ]
        open_to_all = [arn for arn in arns if not confirmed_with_signature(deployment, arn)]
    if len(arns) > len(open_to_all):
        return False
    for arn in open_to_all:
        say(f"{email} is subscribed, but anybody who has a mail can end that. It is subscribed again:")
        say("no mail reaches it until you paste the new link.")
        with explained(f"unsubscribe {email}", "sns:Unsubscribe"):
            deployment.client("sns").unsubscribe(SubscriptionArn=arn)
    return True


def token_in(link: str, topic: str, email: str) -> str:
    """Return the token in the link of a confirmation mail. Errors repeat only the link's topic and address.

    Args:
        link: The pasted text: `https://sns.REGION.amazonaws.com/confirmation.html?TopicArn=...&Token=...&Endpoint=...`.
        topic: The ARN of the stack's topic.
        email: The address that was subscribed.

    Raises:
        UsageError: It is not such a link, or it is for another topic or address.
    """
    expected = f"expected https://{host_of(topic)}/confirmation.html?TopicArn=...&Token=..., the link in AWS's mail"
    try:
        parts = _unwrapped(link, host_of(topic))
        fields = parse_qs(parts.query)
    except ValueError:
        raise UsageError(f"What was pasted is not a link: {expected}.") from None
    if (parts.scheme, parts.netloc.lower()) != ("https", host_of(topic)):
        raise UsageError(f"What was pasted is not a link to {host_of(topic)}: {expected}.")
    found, tokens = fields.get("TopicArn", [""])[0], fields.get("Token", [])
    if found != topic:
        raise UsageError(f"The link is for the topic {found or '(none)'}, not for {topic}: take the newest mail.")
    # AWS does not encode the address, so parse_qs turns a plus in it into a space.
    whose = fields.get("Endpoint", [email])[0].replace(" ", "+")
    if not same_address(whose, email):
        raise UsageError(f"The link is for {whose}, not for {email}: paste the link of the mail to {email}.")
    if len(tokens) != 1 or not tokens[0].isprintable():
        raise UsageError(f"The link has no token: copy all of it; {expected}.")
    return tokens[0]


def _unwrapped(link: str, host: str) -> SplitResult:
    """Parse a link. Mail scanners replace links by their own, which contain the original one in a parameter.

    Raises:
        ValueError: It is not a link.

    Source:
        https://learn.microsoft.com/en-us/defender-office-365/safe-links-about (how Outlook's links are rewritten)
    """
    parts = urlsplit(html.unescape(link.strip().strip("<>\"'")))
    parameters = (value for values in parse_qs(parts.query).values() for value in values)
    return next((urlsplit(each) for each in parameters if each.startswith(f"https://{host}/")), parts)


def host_of(topic: str) -> str:
    """Return the host of SNS in the partition and region of a topic."""
    _, partition, _, region, *_ = topic.split(":")
    from botocore.loaders import create_loader  # noqa: PLC0415 - as boto3: only a call of AWS needs it

    partitions = create_loader().load_data("partitions")["partitions"]
    suffix = next((each["outputs"]["dnsSuffix"] for each in partitions if each["id"] == partition), "amazonaws.com")
    return f"sns.{region}.{suffix}"


def confirm(deployment: Deployment, email: str, token: str) -> None:
    """Confirm the subscription, so that only a signed request of its owner can end it.

    Raises:
        CommandError: SNS refuses the token, or somebody had opened the link before.

    Source:
        https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html (AuthenticateOnUnsubscribe)
    """
    again = f"`traffic subscribe{deployment.options} {shlex.quote(email)}`"
    with explained(f"confirm {email}", "sns:ConfirmSubscription and sns:GetSubscriptionAttributes"):
        try:
            arn = deployment.client("sns").confirm_subscription(
                TopicArn=deployment.output("SummaryTopicArn"), Token=token, AuthenticateOnUnsubscribe="true"
            )["SubscriptionArn"]
        except ClientError as exc:
            if not exc.response["Error"]["Code"].startswith("InvalidParameter"):
                raise
            # The message of SNS is left out: it could repeat the token.
            raise CommandError(
                f"SNS does not accept this link: it is incomplete, older than two days, or somebody opened it already."
                f" {again} sends a new one."
            ) from None
        if confirmed_with_signature(deployment, arn):
            return
    raise CommandError(
        f"You or a mail scanner opened the link before: mails reach {email}, but anybody who has one can end that."
        f" {again} starts again; do not click the link."
    )


@contextmanager
def explained(what: str, permission: str) -> Iterator[None]:
    """Replace AWS's refusals by plain sentences.

    Args:
        what: The step, as in "may not WHAT".
        permission: The right that the step needs.

    Raises:
        CommandError: AWS refuses the step.
    """
    try:
        yield
    except ClientError as exc:
        code, message = exc.response["Error"]["Code"], exc.response["Error"].get("Message", "")
        if code in REFUSALS:
            raise CommandError(f"These credentials may not {what}: they need the right {permission}.") from exc
        if code.startswith("InvalidParameter"):
            raise CommandError(f"AWS does not {what}: {message.rstrip('.')}.") from exc
        if code.startswith("NotFound"):
            raise CommandError(f"The stack's topic is gone ({code}): deploy the stack again.") from exc
        raise

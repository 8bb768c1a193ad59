"""`traffic subscribe` and the doctor's check of subscriptions, with every answer of SNS and CloudWatch."""

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import click
import pytest
from botocore.exceptions import ClientError

from cli.arguments import Target, read_address
from cli.commands.subscribe import alarm_name, host_of, read_link, subscribe, token_in
from cli.stack.deployment import Deployment, aws_deployment
from cli.stack.drift import drift_findings
from cli.stack.subscriptions import subscription_findings
from cli.terminal import CommandError, UsageError
from tests.unit.cli_stack import OUTPUTS

TOPIC = OUTPUTS["SummaryTopicArn"]
EMAIL = "you@example.com"
ARN = f"{TOPIC}:1"
LINK = f"https://sns.us-east-1.amazonaws.com/confirmation.html?TopicArn={TOPIC}&Token=51b2&Endpoint={EMAIL}"


class FakeAws:
    """SNS, CloudWatch and CloudFormation in one, which notes the calls.

    Attributes:
        listed: Pages of subscriptions: addresses, each with its ARN or the word that SNS lists instead.
        authenticated: ARNs that a signed request confirmed.
        refused: Error codes by boto3's name of the operation.
        asked: The calls that change something, in order.
        alarms: The logical ids of the stack's alarms.
        waits: What SNS returns instead of the ARN of a new subscription.
    """

    def __init__(self, *listed: dict[str, str], authenticated: tuple[str, ...] = (ARN,), refused: str = "") -> None:
        self.listed, self.authenticated = listed, authenticated
        self.refused = dict(each.split("=") for each in refused.split())
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.alarms = ["AlarmsRunFailed1", "AlarmsRunMissing1"]
        self.waits = "pending confirmation"

    def deployment(self, **parameters: str) -> Deployment:
        """Return a stack that is served by this."""
        return Deployment(OUTPUTS, lambda _service: self, "here", parameters, options=" --aws")

    def get_paginator(self, operation: str) -> "FakeAws":
        """Be a paginator."""
        self._may(operation)
        return self

    def paginate(self, **asked: str) -> list[dict[str, Any]]:
        """Return all pages."""
        if "StackName" in asked:
            return [
                {"StackResourceSummaries": [{"LogicalResourceId": each, "PhysicalResourceId": f"Stack-{each}"}]}
                for each in self.alarms
            ]
        return [{"Subscriptions": [subscription(*each) for each in page.items()]} for page in self.listed]

    def get_subscription_attributes(self, *, SubscriptionArn: str) -> dict[str, Any]:  # noqa: N803
        """Describe a subscription."""
        self._may("get_subscription_attributes")
        authenticated = str(SubscriptionArn in self.authenticated).lower()
        return {"Attributes": {"ConfirmationWasAuthenticated": authenticated}}

    def __getattr__(self, operation: str) -> Callable[..., dict[str, str]]:
        def call(**given: Any) -> dict[str, str]:
            self._may(operation)
            self.asked.append((operation, given))
            return {"SubscriptionArn": self.waits if operation == "subscribe" else ARN}

        return call

    def _may(self, operation: str) -> None:
        if code := self.refused.get(operation):
            raise ClientError({"Error": {"Code": code, "Message": "AWS's words: Token 51b2"}}, operation)


def subscription(email: str, arn: str) -> dict[str, str]:
    """Describe a subscription as SNS lists it; an address without @ is a queue's."""
    return {"Endpoint": email, "SubscriptionArn": arn, "Protocol": "email" if "@" in email else "sqs"}


def test_the_address_is_confirmed_before_the_alarm_is_reset() -> None:
    """The alarm changes only after mail can arrive; the token goes to AWS only, in the body of the signed request."""
    aws = FakeAws({EMAIL: "Deleted", "queue": "arn:queue"}, {EMAIL: "PendingConfirmation"})

    subscribe(aws.deployment(), EMAIL, lambda: LINK.replace("&", "&amp;"))

    confirmation = {"TopicArn": TOPIC, "Token": "51b2", "AuthenticateOnUnsubscribe": "true"}
    assert aws.asked[:2] == [
        ("subscribe", {"TopicArn": TOPIC, "Protocol": "email", "Endpoint": EMAIL}),
        ("confirm_subscription", confirmation),
    ]
    (operation, alarm) = aws.asked[2]
    assert (operation, alarm["AlarmName"], alarm["StateValue"]) == ("set_alarm_state", "Stack-AlarmsRunMissing1", "OK")
    assert len(alarm["StateReason"]) < 1023


def test_for_a_subscribed_address_only_the_alarm_is_reset() -> None:
    """A person repeats the command after an interruption; it must not end a good subscription."""
    aws = FakeAws({EMAIL.upper(): ARN})

    subscribe(aws.deployment(), EMAIL, lambda: pytest.fail("no link is needed"))

    assert [operation for operation, _ in aws.asked] == ["set_alarm_state"]


@pytest.mark.parametrize(
    ("operation", "code", "error"),
    [
        ("list_stack_resources", "AccessDenied", "the right cloudformation:ListStackResources"),
        ("list_subscriptions_by_topic", "AuthorizationError", "the right sns:ListSubscriptionsByTopic"),
        ("list_subscriptions_by_topic", "NotFound", "The stack's topic is gone"),
        ("subscribe", "AuthorizationError", f"may not subscribe {EMAIL}: they need the right sns:Subscribe"),
        ("subscribe", "InvalidParameter", f"AWS does not subscribe {EMAIL}: AWS's words"),
        ("confirm_subscription", "AuthorizationError", "the right sns:ConfirmSubscription"),
        ("confirm_subscription", "InvalidParameter", "older than two days.*`traffic subscribe --aws you@example.com`"),
        ("set_alarm_state", "AccessDenied", "they need the right cloudwatch:SetAlarmState"),
    ],
)
def test_a_refusal_of_aws_is_reported_in_a_plain_sentence(operation: str, code: str, error: str) -> None:
    """It contains the missing right, but not the message of SNS about a token, which could repeat it."""
    aws = FakeAws(refused=f"{operation}={code}")

    with pytest.raises(CommandError, match=error) as refused:
        subscribe(aws.deployment(), EMAIL, lambda: LINK)

    assert operation != "confirm_subscription" or "51b2" not in str(refused.value)
    assert operation == "set_alarm_state" or "set_alarm_state" not in dict(aws.asked)


def test_a_confirmation_that_sns_did_not_count_as_signed_is_an_error() -> None:
    """Somebody opened the link before: AWS does not document its answer, so the command checks the result."""
    aws = FakeAws(authenticated=())

    with pytest.raises(CommandError, match="You or a mail scanner opened the link before: mails"):
        subscribe(aws.deployment(), EMAIL, lambda: LINK)

    assert "set_alarm_state" not in dict(aws.asked)


def test_a_stack_without_the_alarm_is_refused_before_anything_is_changed() -> None:
    """A stack of another version, or one that is not ours."""
    aws = FakeAws()
    aws.alarms = []

    with pytest.raises(CommandError, match="has no alarm RunMissing: deploy this version"):
        alarm_name(aws.deployment())


@pytest.mark.parametrize(
    ("topic", "host"),
    [
        (TOPIC, "sns.us-east-1.amazonaws.com"),
        ("arn:aws-cn:sns:cn-north-1:1:summary", "sns.cn-north-1.amazonaws.com.cn"),
        ("arn:aws-us-gov:sns:us-gov-west-1:1:summary", "sns.us-gov-west-1.amazonaws.com"),
    ],
)
def test_the_links_host_depends_on_the_partition(topic: str, host: str) -> None:
    """China has another one."""
    assert host_of(topic) == host
    assert token_in(f"https://{host}/?Action=ConfirmSubscription&TopicArn={topic}&Token=a", topic, EMAIL) == "a"


@pytest.mark.parametrize("link", ["x" * 100_000, "https://[::1", "\x00\x1b[31m", "Token=51b2", f"{LINK[:-30]}%zz"])
def test_a_wrong_link_is_refused_without_being_shown(link: str) -> None:
    """A clipboard can contain anything, also a password."""
    with pytest.raises(UsageError) as refused:
        token_in(link.replace(EMAIL, "z"), TOPIC, EMAIL)

    assert "51b2" not in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("endpoint", ["you+aws@example.com", "you%2Baws%40example.com", "YOU+aws@example.com"])
def test_an_address_with_a_plus_is_confirmed(endpoint: str) -> None:
    """AWS writes the address into the link without encoding it, and many people use such addresses."""
    assert token_in(LINK.replace(EMAIL, endpoint), TOPIC, "you+aws@example.com") == "51b2"


def test_a_link_that_a_mail_scanner_rewrote_is_accepted() -> None:
    """People whose mails are scanned see no other link; its token still goes to AWS only."""
    scanner = "https://eur01.safelinks.protection.outlook.com/"

    assert token_in(f"{scanner}?url={quote(LINK, safe='')}&data=05%7C02&reserved=0", TOPIC, EMAIL) == "51b2"
    for other in ("https://sns.example.com/", "http://sns.us-east-1.amazonaws.com/"):
        with pytest.raises(UsageError, match="not a link to sns"):
            token_in(
                f"{scanner}?url={quote(LINK.replace('https://sns.us-east-1.amazonaws.com/', other))}", TOPIC, EMAIL
            )


def test_a_subscription_that_aws_still_lists_is_an_error() -> None:
    """AWS then returns an ARN and sends no mail: the command must not wait for its link."""
    aws = FakeAws()
    aws.waits = ARN

    with pytest.raises(CommandError, match=f"still lists an earlier subscription of {EMAIL}"):
        subscribe(aws.deployment(), EMAIL, lambda: pytest.fail("no link is sent"))

    assert [operation for operation, _ in aws.asked] == ["subscribe"]


@pytest.mark.parametrize("given", [b"", b"\n", b"\xff\xfe" + LINK.encode()])
def test_an_input_without_a_link_is_refused_in_a_sentence(given: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe can be empty, and a clipboard can contain a picture. A traceback would show the content."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given), encoding="utf-8"))

    with pytest.raises(UsageError, match="No link was pasted"):
        read_link()


def test_an_ended_terminal_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person types Ctrl+D if the mail has not come."""

    def end(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", end)
    with pytest.raises(UsageError, match="No link was pasted"):
        read_link()


def test_the_link_is_read_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not an argument, because other users of a machine can read those."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{LINK}\nmore\n"))

    assert read_link().strip() == LINK


@pytest.mark.parametrize("text", ["", "you", "you@", "@example.com", "you @example.com", "a@b@c"])
def test_a_wrong_address_is_refused(text: str) -> None:
    """Before anything is asked for."""
    with pytest.raises(click.BadParameter, match=r"expected one like you@example\.com"):
        read_address(text)


def found(aws: FakeAws, **parameters: str) -> list[tuple[str, str]]:
    """Return state and advice of each finding about subscriptions."""
    return [(each.state, each.advice) for each in subscription_findings(aws.deployment(**parameters))]


def test_only_confirmed_addresses_count() -> None:
    """SNS lists the others for days, in pages of a hundred."""
    command = f"`traffic subscribe --aws {EMAIL}`"
    dead = FakeAws({EMAIL: "Deleted"}, {"queue": "arn:queue"})

    assert found(dead, SummaryEmail=EMAIL) == [("fail", command)]
    assert found(FakeAws(), SummaryEmail=EMAIL) == [("fail", command)]
    assert found(FakeAws({}, {EMAIL.upper(): ARN}), SummaryEmail=EMAIL) == [("ok", "")]


def test_an_address_without_mail_is_a_warning_if_another_receives_mail() -> None:
    """Somebody reads the mails, but not at the stack's SummaryEmail."""
    aws = FakeAws({"her@example.com": ARN, EMAIL: "PendingConfirmation"})

    assert found(aws, SummaryEmail=EMAIL) == [("warn", f"`traffic subscribe --aws {EMAIL}`"), ("ok", "")]


def test_a_stack_that_wants_no_mail_does_not_fail() -> None:
    """Other subscriptions are as good; without any, the doctor warns."""
    assert found(FakeAws({"queue": "arn:queue"})) == [("ok", "")]
    assert found(FakeAws()) == [("warn", "`traffic subscribe --aws EMAIL`")]


def test_the_command_can_be_pasted_for_every_address() -> None:
    """An address can contain characters that a shell reads as a command."""
    assert found(FakeAws(), SummaryEmail="o'$(id)@b.c") == [("fail", "`traffic subscribe --aws 'o'\"'\"'$(id)@b.c'`")]


def test_a_missing_right_is_a_warning() -> None:
    """The rest is still checked."""
    aws = FakeAws({EMAIL: ARN}, refused="get_subscription_attributes=AuthorizationError get_template=AccessDenied")

    assert found(aws, SummaryEmail=EMAIL)[1] == ("warn", "not checked: these credentials need that right")
    assert [each.state for each in drift_findings(aws.deployment())] == ["warn"]


def test_an_unreadable_list_is_a_warning() -> None:
    """The tables and the archive are still compared with the template, and the last run is still shown."""
    aws = FakeAws(refused="list_subscriptions_by_topic=AuthorizationError")

    assert found(aws, SummaryEmail=EMAIL) == [("warn", "not checked: these credentials need that right")]


def test_the_commands_can_be_pasted_for_every_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile's name can contain spaces, and a shell would end it there."""
    monkeypatch.setattr("boto3.Session", lambda **_: SimpleNamespace(region_name="us-east-1"))
    monkeypatch.setattr(
        "cli.stack.deployment.stack_of", lambda client, _place, **more: Deployment({}, client, "", {}, more["options"])
    )

    with aws_deployment(Target(aws=True, profile="my profile")) as deployment:
        assert deployment.options == " --aws --profile 'my profile'"
        assert deployment.aws_cli == "aws --profile 'my profile' --region us-east-1"

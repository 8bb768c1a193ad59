"""`traffic subscribe` and the doctor's check of subscriptions, with every answer of SNS and CloudWatch."""

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import click
import pytest
from botocore.exceptions import ClientError

from cli.command import Target, read_address
from cli.commands.subscribe import alarm_name, host_of, read_link, subscribe, token_in
from cli.main import main
from cli.stack.deployment import Deployment, aws_deployment
from cli.stack.drift import drift_findings
from cli.stack.subscriptions import subscription_findings
from cli.terminal import CommandError, UsageError
from tests.unit.cli_stack import OUTPUTS

TOPIC = OUTPUTS["SummaryTopicArn"]
EMAIL = "you@example.com"
ARN = f"{TOPIC}:1"
NO_LINK = "No link was pasted. Run the command again when AWS's mail has arrived, and paste its link."
MAY_NOT = "These credentials may not"
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

        def client(service: str) -> Any:
            assert service in ("sns", "cloudwatch", "cloudformation")
            return self

        return Deployment(OUTPUTS, client, "here", parameters, options=" --aws")

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


def test_the_address_is_confirmed_before_the_alarm_is_reset(capsys: pytest.CaptureFixture[str]) -> None:
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
    assert alarm["StateReason"] == "An address was subscribed: report again if it is still true."
    assert capsys.readouterr().out.splitlines() == [
        f'AWS sends a mail with the title "AWS Notification - Subscription Confirmation" to {EMAIL}.',
        "Do not click its link: copy its address, and paste it here. After a click, anybody could end the mails.",
        f"Confirmed: summaries and alarms reach {EMAIL}, and no link in a mail can end that.",
        "Set the alarm RunMissing to OK: it reports again if it is still true.",
    ]


def test_an_address_that_a_click_confirmed_is_subscribed_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The person learns that no mail comes until the link is pasted."""
    clicked = f"{TOPIC}:2"
    aws = FakeAws({EMAIL: clicked})

    subscribe(aws.deployment(), EMAIL, lambda: LINK)

    assert aws.asked[0] == ("unsubscribe", {"SubscriptionArn": clicked})
    assert [operation for operation, _ in aws.asked] == [
        "unsubscribe",
        "subscribe",
        "confirm_subscription",
        "set_alarm_state",
    ]
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"{EMAIL} is subscribed, but anybody who has a mail can end that. It is subscribed again:",
        "no mail reaches it until you paste the new link.",
    ]


def test_a_good_subscription_beside_one_that_a_click_confirmed_is_enough() -> None:
    """Only the other subscription could be ended, and it is not needed."""
    aws = FakeAws({EMAIL: ARN}, {EMAIL.upper(): f"{TOPIC}:2"})

    subscribe(aws.deployment(), EMAIL, lambda: pytest.fail("no link is needed"))

    assert [operation for operation, _ in aws.asked] == ["set_alarm_state"]


def test_for_a_subscribed_address_only_the_alarm_is_reset(capsys: pytest.CaptureFixture[str]) -> None:
    """A person repeats the command after an interruption; it must not end a good subscription."""
    aws = FakeAws({EMAIL.upper(): ARN})

    subscribe(aws.deployment(), EMAIL, lambda: pytest.fail("no link is needed"))

    assert [operation for operation, _ in aws.asked] == ["set_alarm_state"]
    assert capsys.readouterr().out.splitlines()[0] == (
        f"{EMAIL} is subscribed already, and no link in a mail can end that."
    )


@pytest.mark.parametrize(
    ("operation", "code", "error"),
    [
        (
            "list_stack_resources",
            "AccessDenied",
            f"{MAY_NOT} list the stack's resources: they need the right cloudformation:ListStackResources.",
        ),
        (
            "list_subscriptions_by_topic",
            "AuthorizationError",
            (
                f"{MAY_NOT} list the subscriptions: they need the right"
                " sns:ListSubscriptionsByTopic and sns:GetSubscriptionAttributes."
            ),
        ),
        (
            "list_subscriptions_by_topic",
            "NotFoundException",
            "The stack's topic is gone (NotFoundException): deploy the stack again.",
        ),
        ("subscribe", "AuthorizationError", f"{MAY_NOT} subscribe {EMAIL}: they need the right sns:Subscribe."),
        ("subscribe", "InvalidParameterValue", f"AWS does not subscribe {EMAIL}: AWS's words: Token 51b2."),
        (
            "confirm_subscription",
            "AuthorizationError",
            (
                f"{MAY_NOT} confirm {EMAIL}: they need the right sns:ConfirmSubscription and"
                " sns:GetSubscriptionAttributes."
            ),
        ),
        (
            "confirm_subscription",
            "InvalidParameter",
            (
                "SNS does not accept this link: it is incomplete, older than two days, or somebody opened it already."
                " `traffic subscribe --aws you@example.com` sends a new one."
            ),
        ),
        (
            "set_alarm_state",
            "AccessDeniedException",
            f"{MAY_NOT} set the alarm RunMissing to OK: they need the right cloudwatch:SetAlarmState.",
        ),
    ],
)
def test_a_refusal_of_aws_is_reported_in_a_plain_sentence(operation: str, code: str, error: str) -> None:
    """It contains the missing right, but not the message of SNS about a token, which could repeat it."""
    aws = FakeAws(refused=f"{operation}={code}")

    with pytest.raises(CommandError) as refused:
        subscribe(aws.deployment(), EMAIL, lambda: LINK)

    assert str(refused.value) == error
    assert operation != "confirm_subscription" or "51b2" not in str(refused.value)
    assert operation == "set_alarm_state" or "set_alarm_state" not in dict(aws.asked)


def test_a_confirmation_that_sns_did_not_count_as_signed_is_an_error() -> None:
    """Somebody opened the link before: AWS does not document its answer, so the command checks the result."""
    aws = FakeAws(authenticated=())

    with pytest.raises(CommandError) as refused:
        subscribe(aws.deployment(), EMAIL, lambda: LINK)

    assert str(refused.value) == (
        f"You or a mail scanner opened the link before: mails reach {EMAIL}, but anybody who has one can end that."
        f" `traffic subscribe --aws {EMAIL}` starts again; do not click the link."
    )

    assert "set_alarm_state" not in dict(aws.asked)


def test_a_stack_without_the_alarm_is_refused_before_anything_is_changed() -> None:
    """A stack of another version, or one that is not ours."""
    aws = FakeAws()
    aws.alarms = []

    with pytest.raises(CommandError) as refused:
        alarm_name(aws.deployment())

    assert str(refused.value) == (
        "The stack GitHubTrafficCaptureStack has no alarm RunMissing: deploy this version, then try again."
    )


@pytest.mark.parametrize("code", ["Throttling", "InternalError"])
def test_other_errors_of_aws_pass_through(code: str) -> None:
    """Every command reports them in the same way."""
    with pytest.raises(ClientError, match=code):
        subscribe(FakeAws(refused=f"subscribe={code}").deployment(), EMAIL, lambda: LINK)
    with pytest.raises(ClientError, match=code):
        subscribe(FakeAws(refused=f"confirm_subscription={code}").deployment(), EMAIL, lambda: LINK)


HOST = "sns.us-east-1.amazonaws.com"
EXPECTED = f"expected https://{HOST}/confirmation.html?TopicArn=...&Token=..., the link in AWS's mail"


@pytest.mark.parametrize(
    ("link", "error"),
    [
        ("https://[::1", f"What was pasted is not a link: {EXPECTED}."),
        ("", f"What was pasted is not a link to {HOST}: {EXPECTED}."),
        (LINK.replace("https", "http"), f"What was pasted is not a link to {HOST}: {EXPECTED}."),
        (LINK.replace(HOST, "sns.example.com"), f"What was pasted is not a link to {HOST}: {EXPECTED}."),
        (
            LINK.replace(TOPIC, "arn:other"),
            f"The link is for the topic arn:other, not for {TOPIC}: take the newest mail.",
        ),
        (f"https://{HOST}/?Token=1", f"The link is for the topic (none), not for {TOPIC}: take the newest mail."),
        (
            LINK.replace("you@", "her@"),
            f"The link is for her@example.com, not for {EMAIL}: paste the link of the mail to {EMAIL}.",
        ),
        (LINK.replace("&Token=51b2", ""), f"The link has no token: copy all of it; {EXPECTED}."),
        (f"{LINK}&Token=51b3", f"The link has no token: copy all of it; {EXPECTED}."),
        (LINK.replace("51b2", "51%00b2"), f"The link has no token: copy all of it; {EXPECTED}."),
    ],
)
def test_a_wrong_link_is_refused_with_what_was_expected(link: str, error: str) -> None:
    """A person sees which mail to open instead."""
    with pytest.raises(UsageError) as refused:
        token_in(link, TOPIC, EMAIL)

    assert str(refused.value) == error


@pytest.mark.parametrize("around", [("", ""), ("<", ">"), (" '", "'\n"), ('"', '"')])
def test_a_link_is_read_with_what_a_mail_puts_around_it(around: tuple[str, str]) -> None:
    """In any case of the host, also without the address."""
    assert token_in(f"{around[0]}{LINK}{around[1]}", TOPIC, EMAIL) == "51b2"
    assert token_in(LINK.replace(HOST, HOST.upper()), TOPIC, EMAIL) == "51b2"
    assert token_in(LINK.partition("&Endpoint")[0], TOPIC, EMAIL) == "51b2"


def test_a_host_in_an_unknown_partition_is_amazons() -> None:
    """AWS adds partitions; botocore's list may be older."""
    assert host_of("arn:aws-new:sns:new-1:1:summary") == "sns.new-1.amazonaws.com"


def test_mails_are_sent_in_aws_only(capsys: pytest.CaptureFixture[str]) -> None:
    """The local engine delivers no mail."""
    assert main(["subscribe", EMAIL]) == 2
    assert capsys.readouterr().err == "traffic: error: Mails are sent by the stack in AWS only: add --aws.\n"


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

    with pytest.raises(UsageError) as refused:
        read_link()
    assert str(refused.value) == NO_LINK


def test_an_ended_terminal_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person types Ctrl+D if the mail has not come."""

    def end(_prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", end)
    with pytest.raises(UsageError) as refused:
        read_link()
    assert str(refused.value) == NO_LINK


def test_the_link_is_read_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not an argument, because other users of a machine can read those."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{LINK}\nmore\n"))

    assert read_link().strip() == LINK


@pytest.mark.parametrize("text", ["", "you", "you@", "@example.com", "you @example.com", "a@b@c"])
def test_a_wrong_address_is_refused(text: str) -> None:
    """Before anything is asked for."""
    with pytest.raises(click.BadParameter, match=r"expected one like you@example\.com"):
        read_address(text)


def found(aws: FakeAws, **parameters: str) -> list[tuple[str, str, str]]:
    """Return state, finding and advice of each check of the subscriptions."""
    return [(each.state, each.found, each.advice) for each in subscription_findings(aws.deployment(**parameters))]


def test_only_confirmed_addresses_count() -> None:
    """SNS lists the others for days, in pages of a hundred."""
    command = f"`traffic subscribe --aws {EMAIL}`"
    dead = FakeAws({EMAIL: "Deleted", "her@example.com": "PendingConfirmation"}, {"queue": "arn:queue"})
    waiting = FakeAws({EMAIL: "Deleted"}, {EMAIL: "PendingConfirmation"})
    missed = f"{EMAIL} receives no mail: it"

    assert found(dead, SummaryEmail=EMAIL) == [("fail", f"{missed} was unsubscribed", command)]
    assert found(waiting, SummaryEmail=EMAIL) == [("fail", f"{missed} is not confirmed", command)]
    assert found(FakeAws(), SummaryEmail=EMAIL) == [("fail", f"{missed} is not subscribed any more", command)]
    assert found(FakeAws({}, {EMAIL.upper(): ARN}), SummaryEmail=EMAIL) == [("ok", "1 confirmed by e-mail", "")]


def test_an_address_without_mail_is_a_warning_if_another_receives_mail() -> None:
    """Somebody reads the mails, but not at the stack's SummaryEmail."""
    aws = FakeAws({"her@example.com": ARN, EMAIL: "PendingConfirmation"})

    assert found(aws, SummaryEmail=EMAIL) == [
        ("warn", f"{EMAIL} receives no mail: it is not confirmed", f"`traffic subscribe --aws {EMAIL}`"),
        ("ok", "1 confirmed by e-mail", ""),
    ]


def test_an_address_that_any_mail_can_end_is_a_warning() -> None:
    """A click confirmed it, so the link in a mail ends it without a signature."""
    aws = FakeAws({EMAIL: ARN, "her@example.com": f"{TOPIC}:2"})

    assert found(aws) == [
        ("ok", "2 confirmed by e-mail", ""),
        (
            "warn",
            "anybody who has a mail to her@example.com, and a mail scanner too, can end the subscription with its link",
            "`traffic subscribe --aws her@example.com`",
        ),
    ]


def test_a_stack_that_wants_no_mail_does_not_fail() -> None:
    """Other subscriptions are as good; without any, the doctor warns."""
    assert found(FakeAws({"queue": "arn:queue"})) == [
        ("ok", "nobody receives the summary by e-mail, but 1 in another way", "")
    ]
    assert found(FakeAws()) == [("warn", "nobody receives the summary", "`traffic subscribe --aws EMAIL`")]


def test_the_command_can_be_pasted_for_every_address() -> None:
    """An address can contain characters that a shell reads as a command."""
    ((_, _, advice),) = found(FakeAws(), SummaryEmail="o'$(id)@b.c")

    assert advice == "`traffic subscribe --aws 'o'\"'\"'$(id)@b.c'`"


def test_a_missing_right_is_a_warning() -> None:
    """The rest is still checked."""
    aws = FakeAws({EMAIL: ARN}, refused="get_subscription_attributes=AuthorizationError get_template=AccessDenied")

    assert found(aws, SummaryEmail=EMAIL)[1] == (
        "warn",
        "get_subscription_attributes: AuthorizationError",
        "not checked: these credentials need that right",
    )
    assert [each.state for each in drift_findings(aws.deployment())] == ["warn"]


def test_an_unreadable_list_is_a_warning() -> None:
    """The tables and the archive are still compared with the template, and the last run is still shown."""
    aws = FakeAws(refused="list_subscriptions_by_topic=AuthorizationError")

    assert found(aws, SummaryEmail=EMAIL) == [
        (
            "warn",
            "list_subscriptions_by_topic: AuthorizationError",
            "not checked: these credentials need that right",
        )
    ]


def test_the_commands_can_be_pasted_for_every_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile's name can contain spaces, and a shell would end it there."""
    monkeypatch.setattr("boto3.Session", lambda **_: SimpleNamespace(region_name="us-east-1"))
    monkeypatch.setattr(
        "cli.stack.deployment.stack_of", lambda client, _place, **more: Deployment({}, client, "", {}, more["options"])
    )

    with aws_deployment(Target(aws=True, profile="my profile")) as deployment:
        assert deployment.options == " --aws --profile 'my profile'"
        assert deployment.aws_cli == "aws --profile 'my profile' --region us-east-1"

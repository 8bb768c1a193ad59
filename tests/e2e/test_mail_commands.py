"""Promise: mail arrives, or `traffic doctor --aws` says that it does not; `traffic subscribe` mends that for good."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from cli.commands.doctor import deployment_findings
from cli.commands.subscribe import subscribe
from cli.stack.deployment import Deployment, stack_of
from cli.terminal import CommandError, UsageError
from local.deploying import deploy
from local.engine import REGION, Engine, running_engine
from local.synthesis import synthesize
from simulated_github import SimulatedGitHub
from tests.e2e.commands import Terminal
from tests.e2e.deployers import aws_settings
from tests.integration.pipeline import ASSEMBLY, Pipeline, subscribed_queue

EMAIL = "you@example.com"

SUBSCRIBE = f"traffic subscribe --aws {EMAIL}"


@dataclass(frozen=True)
class Deployed:
    """A stack in a supposed AWS account, and a terminal beside it."""

    engine: Engine
    outputs: Mapping[str, str]
    terminal: Terminal
    parameters: Mapping[str, str]

    def deploy(self, **changed: str) -> None:
        """Deploy again, with changed parameters."""
        deploy(self.engine, synthesize(ASSEMBLY), {**self.parameters, **changed})

    @property
    def topic(self) -> str:
        """The topic's ARN."""
        return self.outputs["SummaryTopicArn"]

    @property
    def deployment(self) -> Deployment:
        """The stack as the commands see it."""
        return stack_of(self.engine.client, "here", options=" --aws", save=lambda: None)

    def typed_doctor(self) -> dict[str, tuple[str, str, str]]:
        """Type `traffic doctor --aws`; state, finding and advice by subject."""
        done = self.terminal.traffic("doctor", "--aws")
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        assert done.returncode == (1 if any(row[0] == "fail" for row in rows) else 0), done.stdout + done.stderr
        return {subject: (state, found, advice) for state, subject, found, advice in rows}

    def doctor(self) -> dict[str, tuple[str, str, str]]:
        """Return the same findings without starting a process, which takes a second."""
        return {each.subject: (each.state, each.found, each.advice) for each in deployment_findings(self.deployment)}

    def links(self) -> list[str]:
        """Return the links that AWS would have mailed."""
        return [each["link"] for each in self.engine.ask("GET", "mail")["mail"] if each["to"] == EMAIL]

    def newest_link(self) -> str:
        """Return the link in the newest mail."""
        return self.links()[-1]

    def listed(self) -> list[str]:
        """Return the ARNs of the address's subscriptions, or the words that SNS lists instead of an ARN."""
        answer = self.engine.client("sns").list_subscriptions_by_topic(TopicArn=self.topic)
        return [each["SubscriptionArn"] for each in answer["Subscriptions"] if each["Endpoint"] == EMAIL]

    def arn(self) -> str:
        """Return the ARN of the confirmed subscription."""
        (arn,) = (arn for arn in self.listed() if arn.startswith("arn:"))
        return arn

    def stranger(self) -> Any:
        """Return a client of SNS without credentials, like a browser that opens a link."""
        config = Config(signature_version=UNSIGNED, proxies={})
        return Session().create_client("sns", region_name=REGION, endpoint_url=self.engine.url, config=config)

    def click(self, link: str) -> None:
        """Open the link of the confirmation mail."""
        self.stranger().confirm_subscription(TopicArn=self.topic, Token=token_of(link))

    def alarm(self) -> dict[str, Any]:
        """Return the alarm RunMissing."""
        alarms = self.engine.client("cloudwatch").describe_alarms()["MetricAlarms"]
        (alarm,) = (each for each in alarms if "RunMissing" in each["AlarmName"])
        return dict(alarm)

    def miss_a_run(self) -> None:
        """Set the alarm as CloudWatch does if no run succeeded."""
        client, name = self.engine.client("cloudwatch"), self.alarm()["AlarmName"]
        client.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="No run succeeded.")


def token_of(link: str) -> str:
    """Return the token in a link."""
    return link.partition("&Token=")[2].partition("&")[0]


@pytest.fixture(scope="module")
def module_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Deploy once, with an address for the summaries."""
    folder = tmp_path_factory.mktemp("mail")
    with (
        running_engine(folder / "history") as engine,
        SimulatedGitHub(repositories=["octo/docs"], token="good") as github,
    ):
        parameters = {"GitHubAccessToken": "good", "GitHubApiUrl": github.url, "SummaryEmail": EMAIL}
        outputs = deploy(engine, synthesize(ASSEMBLY), parameters)
        yield Deployed(engine, outputs, Terminal(folder, aws_settings(engine)), parameters)


@pytest.fixture
def deployed(module_stack: Deployed) -> Deployed:
    """The stack right after the deployment: the address is not confirmed yet, and a run is missing."""
    sns = module_stack.engine.client("sns")
    for arn in module_stack.listed():
        if arn.startswith("arn:"):
            sns.unsubscribe(SubscriptionArn=arn)
    sns.subscribe(TopicArn=module_stack.topic, Protocol="email", Endpoint=EMAIL)
    module_stack.miss_a_run()
    return module_stack


def test_an_unconfirmed_address_fails_until_it_is_subscribed_for_good(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    """Afterwards no mail scanner can end it, and the alarm reports again what nobody received."""
    before = deployed.doctor()["subscription"]
    (link,) = deployed.links()

    done = deployed.terminal.traffic("subscribe", "--aws", EMAIL, typed=f"<{link}>\n")

    assert before == ("fail", f"{EMAIL} receives no mail: it is not confirmed", f"`{SUBSCRIBE}`")
    assert done.returncode == 0, done.stderr
    assert "Do not click its link" in done.stdout
    assert token_of(link) not in done.stdout + done.stderr
    assert deployed.alarm()["StateValue"] == "OK"
    after = deployed.doctor()
    assert after["subscription"] == ("ok", "1 confirmed by e-mail", "")
    assert "unsubscribe link" not in after
    with pytest.raises(ClientError, match="AuthorizationError"):
        deployed.stranger().unsubscribe(SubscriptionArn=deployed.arn())

    subscribe(deployed.deployment, EMAIL, lambda: "")

    assert f"{EMAIL} is subscribed already, and no link in a mail can end that." in capsys.readouterr().out
    assert deployed.arn()


def test_a_subscription_that_a_click_confirmed_is_ended_by_a_scanner_and_repaired(deployed: Deployed) -> None:
    """AWS's mail asks for a click, after which anybody can end it: the doctor warns, then fails, with one command."""
    deployed.click(*deployed.links())

    warned = deployed.doctor()
    deployed.stranger().unsubscribe(SubscriptionArn=deployed.arn())
    deployed.deploy()
    dead = deployed.typed_doctor()

    assert warned["subscription"][0] == "ok"
    assert warned["unsubscribe link"][0::2] == ("warn", f"`{SUBSCRIBE}`")
    assert set(deployed.listed()) == {"Deleted"}, "CloudFormation does nothing for an unchanged parameter"
    assert dead["subscription"] == ("fail", f"{EMAIL} receives no mail: it was unsubscribed", f"`{SUBSCRIBE}`")
    subscribe(deployed.deployment, EMAIL, deployed.newest_link)
    assert deployed.doctor()["subscription"][0] == "ok"


def test_a_subscription_that_a_click_confirmed_is_made_again(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    """SNS cannot change it, and sends no second mail to a confirmed address."""
    deployed.click(*deployed.links())

    subscribe(deployed.deployment, EMAIL, deployed.newest_link)

    assert "anybody who has a mail can end that" in capsys.readouterr().out
    assert "unsubscribe link" not in deployed.doctor()


def test_the_alarm_reports_again_once_mail_arrives(deployed: Deployed) -> None:
    """Its earlier mail was lost, and it sends nothing until its state changes."""
    queue = subscribed_queue(deployed.engine, deployed.topic)
    mailbox = Pipeline(deployed.engine, deployed.outputs, 0, queue)
    deployed.miss_a_run()

    subscribe(deployed.deployment, EMAIL, deployed.newest_link)
    deployed.miss_a_run()

    (mail,) = mailbox.mail(2, seconds=1)
    assert "RunMissing" in mail["Subject"]


def test_a_link_that_somebody_opened_before_is_refused(deployed: Deployed) -> None:
    """A mail scanner may open it, too; then anybody can end the mails, and the person must learn of it."""

    def clicked() -> str:
        link = deployed.newest_link()
        deployed.click(link)
        return link

    with pytest.raises(CommandError, match="SNS does not accept this link"):
        subscribe(deployed.deployment, EMAIL, clicked)

    assert deployed.alarm()["StateValue"] == "ALARM"
    assert deployed.doctor()["unsubscribe link"][0] == "warn"


def test_the_link_of_somebody_else_changes_nothing(deployed: Deployed) -> None:
    """From the wrong mail it would confirm another topic, or another address."""
    (link,) = deployed.links()
    wrong = {
        "": "What was pasted is not a link to sns.us-east-1.amazonaws.com",
        "http://[": "What was pasted is not a link:",
        link.replace("https:", "http:"): "What was pasted is not a link",
        link.replace("sns.us-east-1.amazonaws.com", "sns.example.com"): "What was pasted is not a link to sns",
        link.replace("sns.us-east-1", "sns.us-east-1.amazonaws.com@sns.example.com"): "What was pasted is not a link",
        link.replace(deployed.topic, deployed.topic + "2"): "The link is for the topic .*2, not for",
        link.replace("you%40", "her%40"): "The link is for her@example.com, not for you@example.com",
        link.partition("&Token")[0]: "The link has no token",
        f"{link}&Token=1": "The link has no token",
    }
    for pasted, error in wrong.items():
        with pytest.raises(UsageError, match=error) as refused:
            subscribe(deployed.deployment, EMAIL, lambda pasted=pasted: pasted)  # type: ignore[misc]
        assert token_of(link) not in str(refused.value)
    with pytest.raises(CommandError, match="SNS does not accept this link"):
        subscribe(deployed.deployment, EMAIL, lambda: link.replace("&Token=", "&Token=0"))

    assert "PendingConfirmation" in deployed.listed()
    assert not any(arn.startswith("arn:") for arn in deployed.listed())
    assert deployed.alarm()["StateValue"] == "ALARM"


def test_mails_are_sent_in_aws_only(terminal: Terminal) -> None:
    """The local engine delivers no mails, so there is nothing to subscribe to."""
    refused = terminal.traffic("subscribe", EMAIL)

    assert (refused.returncode, refused.stderr) == (
        2,
        "traffic: error: Mails are sent by the stack in AWS only: add --aws.\n",
    )


@pytest.mark.parametrize(
    ("secret", "subject", "command"),
    [
        ("none", "token", "traffic token --aws"),
        (json.dumps({"octo": "none", "*": "good"}), "token for octo", "traffic token --aws --owner octo"),
    ],
)
def test_a_secret_that_holds_none_fails(deployed: Deployed, secret: str, subject: str, command: str) -> None:
    """The placeholder comes from the first deployment, or from a later one that overwrote every token with it."""
    client = deployed.engine.client("secretsmanager")
    client.put_secret_value(SecretId=deployed.outputs["GitHubTokenSecret"], SecretString=secret)

    state, found, advice = deployed.typed_doctor()[subject]

    assert (state, found) == ("fail", "the secret still holds 'none', the placeholder of the deployment")
    assert advice.startswith(f"`{command}` asks for the token; leave GitHubAccessToken out of later deployments")
    replaced = deployed.terminal.traffic(*command.split()[1:], typed="good\n")
    assert replaced.returncode == 0, replaced.stderr
    assert deployed.doctor()[subject][0] == "ok"


def test_a_changed_parameter_overwrites_every_token(deployed: Deployed) -> None:
    """The doctor advises to leave it out: nobody expects this from a deployment that changes something else."""
    client, secret = deployed.engine.client("secretsmanager"), deployed.outputs["GitHubTokenSecret"]
    client.put_secret_value(SecretId=secret, SecretString=json.dumps({"octo": "good", "acme": "good"}))

    deployed.deploy(GitHubAccessToken="none")

    assert client.get_secret_value(SecretId=secret)["SecretString"] == "none"
    assert deployed.doctor()["token"][0] == "fail"


def test_a_drifted_table_fails_with_its_command(deployed: Deployed) -> None:
    """An adopted table keeps its old configuration, whatever is in the template."""
    recovery = {"PointInTimeRecoveryEnabled": False}
    client = deployed.engine.client("dynamodb")
    client.update_continuous_backups(TableName="RepoTraffic", PointInTimeRecoverySpecification=recovery)

    state, found, advice = deployed.typed_doctor()["table RepoTraffic"]

    assert (state, found) == ("fail", "point-in-time recovery: DISABLED, but the template has ENABLED")
    assert advice == (
        "`aws --region us-east-1 dynamodb update-continuous-backups --table-name RepoTraffic"
        " --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`"
    )
    recovery = {"PointInTimeRecoveryEnabled": True}
    client.update_continuous_backups(TableName="RepoTraffic", PointInTimeRecoverySpecification=recovery)
    assert deployed.doctor()["tables and archive"][0] == "ok"

"""A real deployment from start to end: bootstrap, deploy, run, update, rotate the token, destroy, deploy again.

It is done with the change sets of `traffic run`, and with the CDK command line, which needs npm.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from cli.command import STACK_NAME
from local.engine import Engine, running_engine
from simulated_github import SimulatedGitHub
from tests.e2e.commands import Terminal
from tests.e2e.deployers import CdkDeployer, Deployer, TemplateDeployer, aws_settings
from tests.e2e.planted import files_with, processes_with
from tests.integration.pipeline import Pipeline, subscribed_queue

AT = "2026-11-20T09:00:00Z"
REPOSITORIES = ["octo/docs", "octo/cli"]
FORK = "octo/fork"

Tables = dict[str, list[dict[str, Any]]]


@dataclass
class Story:
    """Everything that was observed, by step.

    Attributes:
        tokens: The deployed token, and the one that replaced it.
        output: The output of the commands.
        tables: The tables.
        secret: The secret's value.
        events: The number of the stack's events.
        objects: The archive's keys.
        found: The places that contained a token.
        left: The resources that the deleted stack left behind.
        mail: The messages of the first run to the topic's subscription.
        kept: The stored summary of the first run.
        truth: GitHub's true numbers.
        asked: The repositories that were requested after forks were excluded.
    """

    tokens: tuple[str, str]
    output: dict[str, str] = field(default_factory=dict)
    tables: dict[str, Tables] = field(default_factory=dict)
    secret: dict[str, str] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    objects: dict[str, list[str]] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)
    left: dict[str, list[str]] = field(default_factory=dict)
    mail: list[dict[str, str]] = field(default_factory=list)
    kept: Mapping[str, Any] = field(default_factory=dict)
    truth: dict[tuple[str, ...], tuple[int | None, ...]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)


# The fixture deploys several times; on a busy machine that takes longer than the limit of other tests.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", params=["template", pytest.param("cdk", marks=pytest.mark.slow)])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Do all steps once; each test then checks one result."""
    folder = tmp_path_factory.mktemp("deployment")
    with (
        running_engine(folder / "history") as engine,
        SimulatedGitHub(repositories=[*REPOSITORIES, FORK], at=AT, token=planted(1)) as github,
    ):
        github.change(FORK, fork=True)
        deployer = TemplateDeployer(engine) if request.param == "template" else CdkDeployer(engine, folder / "cdk")
        yield do_steps(Steps(engine, github, deployer, Terminal(folder, aws_settings(engine))))


def planted(number: int) -> str:
    """Return the first or the second token, which no other text contains by chance."""
    return f"github_pat_{number}_{RANDOM}"


RANDOM = secrets.token_hex(20)


@dataclass
class Steps:
    """The engine, GitHub and the commands of all steps."""

    engine: Engine
    github: SimulatedGitHub
    deployer: Deployer
    terminal: Terminal

    @property
    def pipeline(self) -> Pipeline:
        """The present stack."""
        described = self.engine.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        return Pipeline(self.engine, outputs, self.github.port, "")

    def command(self, *arguments: str, typed: str | None = None) -> str:
        """Run a command on the stack, and return its output."""
        done = self.terminal.traffic(*arguments, "--aws", typed=typed)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def secret(self) -> str:
        """Return the value of the secret."""
        name = self.pipeline.outputs["GitHubTokenSecret"]
        return str(self.engine.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])

    def events(self) -> int:
        """Return the number of the stack's events."""
        pages = self.engine.client("cloudformation").get_paginator("describe_stack_events")
        return sum(len(page["StackEvents"]) for page in pages.paginate(StackName=STACK_NAME))

    def objects(self) -> list[str]:
        """Return the keys of the archive's answers."""
        client = self.engine.client("s3")
        (bucket,) = (each["Name"] for each in client.list_buckets()["Buckets"] if "-archive-" in each["Name"])
        return [each["Key"] for each in client.list_objects_v2(Bucket=bucket, Prefix="answers/").get("Contents", [])]

    def found(self, mail: list[dict[str, str]]) -> Iterator[str]:
        """Yield every place that contains a token."""
        self.engine.save()
        for text in (planted(1), planted(2)):
            yield from (f"process {id_}: {kind}" for id_, kind in processes_with(text))
            yield from (path.name for path in files_with(text, self.terminal.folder))
            yield from (name for name, answer in self.answers(mail) if text in answer)

    def answers(self, mail: list[dict[str, str]]) -> Iterator[tuple[str, str]]:
        """Yield the answers of all services, by name."""
        client, pipeline = self.engine.client, self.pipeline
        yield "mail", json.dumps(mail)
        yield "tables", json.dumps(pipeline.tables(), default=str)
        yield "template", json.dumps(client("cloudformation").get_template(StackName=STACK_NAME)["TemplateBody"])
        yield "stack", json.dumps(client("cloudformation").describe_stacks(StackName=STACK_NAME), default=str)
        yield "functions", json.dumps(client("lambda").list_functions(), default=str)
        for group in client("logs").describe_log_groups()["logGroups"]:
            pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            yield group["logGroupName"], json.dumps([page["events"] for page in pages], default=str)
        machine = pipeline.outputs["StateMachineArn"]
        for execution in client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]:
            ran = client("stepfunctions").get_execution_history(executionArn=execution["executionArn"])
            yield execution["name"], json.dumps(ran, default=str)


def do_steps(steps: Steps) -> Story:
    """Do all steps."""
    story, github = Story((planted(1), planted(2))), steps.github
    first = {"GitHubAccessToken": planted(1), "GitHubApiUrl": github.url}

    steps.deployer.bootstrap()
    steps.deployer.deploy(first, kept={})
    queue = subscribed_queue(steps.engine, steps.pipeline.outputs["SummaryTopicArn"])
    story.output["run"] = steps.command("run")
    mailbox = Pipeline(steps.engine, steps.pipeline.outputs, github.port, queue)
    story.mail = mailbox.mail(1)
    run_id = next(line for line in story.output["run"].splitlines() if line.startswith("Started ")).split()[1]
    story.kept = json.loads(mailbox.read(f"runs/{run_id}/summary.json"))
    story.truth = {(name, day): tuple(row) for name in github.names for day, row in github.truth(name).items()}
    story.tables["run"] = steps.pipeline.tables()

    story.events["before"] = steps.events()
    steps.deployer.deploy({}, kept=first)
    story.events["after"] = steps.events()

    github.accept_token(planted(2))
    story.output["token"] = steps.command("token", typed=planted(2) + "\n")
    story.secret["replaced"] = steps.secret()
    github.revoke_token()
    github.accept_token(planted(2))
    story.output["run with the new token"] = steps.command("run")

    steps.deployer.deploy({"Forks": "exclude"}, kept=first)
    story.secret["updated"] = steps.secret()
    calls = len(github.calls)
    story.output["run without forks"] = steps.command("run")
    story.asked = {call.repository for call in github.calls[calls:] if call.repository}
    story.tables["updated"], story.objects["updated"] = steps.pipeline.tables(), steps.objects()
    story.found = set(steps.found(story.mail))

    tables = list(story.tables["updated"])
    steps.deployer.destroy()
    client = steps.engine.client
    story.left = {
        "tables": sorted(client("dynamodb").list_tables()["TableNames"]),
        "functions": [each["FunctionName"] for each in client("lambda").list_functions()["Functions"]],
        "secrets": [each["Name"] for each in client("secretsmanager").list_secrets()["SecretList"]],
        "rules": [each["Name"] for each in client("events").list_rules()["Rules"]],
        "machines": [each["name"] for each in client("stepfunctions").list_state_machines()["stateMachines"]],
        "topics": [each["TopicArn"] for each in client("sns").list_topics()["Topics"]],
    }
    story.tables["destroyed"] = {
        name: sorted(Pipeline(steps.engine, {}, 0, "").scan(name), key=repr) for name in tables
    }
    story.objects["destroyed"] = steps.objects()

    steps.deployer.deploy({**first, "GitHubAccessToken": planted(2)}, kept={})
    story.tables["adopted"], story.objects["adopted"] = steps.pipeline.tables(), steps.objects()
    story.output["run again"] = steps.command("run")
    story.tables["run again"] = steps.pipeline.tables()
    return story


def test_a_deployed_stack_stores_the_true_numbers(story: Story) -> None:
    """After bootstrap and a deployment with parameters, `traffic run --aws` captures all."""
    rows = {(item["repo-name"], item["timestamp"][:10]): item for item in story.tables["run"]["RepoTraffic"]}
    metrics = ("views-count", "views-uniques", "clones-count", "clones-uniques")

    assert {key: tuple(int(item[name]) for name in metrics) for key, item in rows.items()} == story.truth
    assert "3 of 3 repositories captured" in story.output["run"]


def test_the_subscription_receives_the_summary(story: Story) -> None:
    """The mail is the stored summary, and the output of the command."""
    (mail,) = story.mail

    assert (mail["Subject"], mail["Message"]) == (story.kept["subject"], story.kept["message"])
    assert mail["Message"] in story.output["run"]


def test_deploying_again_without_a_change_changes_nothing(story: Story) -> None:
    """No resource is updated, so no function has to start again."""
    assert story.events["after"] == story.events["before"]


def test_an_update_reaches_the_functions_and_keeps_the_history(story: Story) -> None:
    """A changed parameter changes which repositories are captured, but no stored row."""
    assert story.asked == set(REPOSITORIES)
    assert "2 of 2 repositories captured, 0 days new or changed" in story.output["run without forks"]
    assert story.tables["updated"]["RepoTraffic"] == story.tables["run"]["RepoTraffic"]


def test_one_command_rotates_the_token_and_never_shows_it(story: Story) -> None:
    """It is used without a new deployment: GitHub accepts only the new token."""
    assert story.secret["replaced"] == story.tokens[1]
    assert story.tokens[1] not in story.output["token"]
    assert "3 of 3 repositories captured" in story.output["run with the new token"]


def test_a_later_deployment_keeps_the_new_token(story: Story) -> None:
    """CloudFormation writes the parameter's value again only if it changes."""
    assert story.secret["updated"] == story.tokens[1]


def test_only_the_secret_contains_the_planted_token(story: Story) -> None:
    """It is not in logs, histories, archive, tables, mails, templates, other files, command lines or environments."""
    assert story.found == {"secretsmanager.json"}


def test_a_destroyed_stack_leaves_the_history_and_nothing_else(story: Story) -> None:
    """The history consists of the archive and three tables."""
    tables = ["RepoTraffic", "RepoTrafficRepositories", "RepoTrafficSnapshots"]
    others = ("functions", "secrets", "rules", "machines", "topics")

    assert story.left == {"tables": tables, **{name: [] for name in others}}
    assert story.tables["destroyed"] == story.tables["updated"]
    assert story.objects["destroyed"] == story.objects["updated"] != []


def test_the_retained_history_is_imported_row_for_row(story: Story) -> None:
    """The next deployment imports it, and the run after it finds nothing to add."""
    assert story.tables["adopted"] == story.tables["updated"]
    assert story.objects["adopted"] == story.objects["updated"]
    assert "3 of 3 repositories captured, 0 days new or changed" in story.output["run again"]
    assert story.tables["run again"]["RepoTraffic"] == story.tables["updated"]["RepoTraffic"]

"""A real deployment from end to end: bootstrap, deploy, run, update, rotate the token, destroy, deploy again.

Once through the change sets that `traffic run` makes, and once through the CDK command line, which needs npm.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.engine import Engine, running_engine
from simulated_github import SimulatedGitHub
from stacks.traffic_stack import STACK_NAME
from tests.e2e.commands import Terminal
from tests.e2e.deployers import CdkDeployer, Deployer, TemplateDeployer, aws_settings
from tests.e2e.planted import files_that_hold, processes_that_hold
from tests.integration.pipeline import Pipeline, subscribed_queue

AT = "2026-11-20T09:00:00Z"
REPOSITORIES = ["octo/docs", "octo/cli"]
FORK = "octo/fork"

Tables = dict[str, list[dict[str, Any]]]


@dataclass
class Story:
    """What was seen, in the order in which it happened.

    Attributes:
        tokens: The one deployed, and the one that replaced it.
        said: What the commands printed, by name.
        tables: The tables, by when they were read.
        secret: The secret's value, by when it was read.
        events: How many events of the stack there were, by when they were counted.
        objects: The archive's keys, by when they were listed.
        found: Where a token was found.
        left: What the deleted stack left behind.
        mail: What the topic's subscription got from the first run.
        kept: The summary of the first run that is kept.
        truth: What GitHub knows.
        asked: The names that GitHub was asked about after forks were excluded.
    """

    tokens: tuple[str, str]
    said: dict[str, str] = field(default_factory=dict)
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


@pytest.fixture(scope="module", params=["template", pytest.param("cdk", marks=pytest.mark.slow)])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Live through it once; each test then looks at one thing that must have been so."""
    folder = tmp_path_factory.mktemp("deployment")
    with (
        running_engine(folder / "history") as engine,
        SimulatedGitHub(repositories=[*REPOSITORIES, FORK], at=AT, token=planted(1)) as github,
    ):
        github.change(FORK, fork=True)
        deployer = TemplateDeployer(engine) if request.param == "template" else CdkDeployer(engine, folder / "cdk")
        yield lived(Teller(engine, github, deployer, Terminal(folder, aws_settings(engine))))


def planted(number: int) -> str:
    """Give the first or the second token: such as nobody else could have written."""
    return f"github_pat_{number}_{RANDOM}"


RANDOM = secrets.token_hex(20)


@dataclass
class Teller:
    """Who does what the story tells of."""

    engine: Engine
    github: SimulatedGitHub
    deployer: Deployer
    terminal: Terminal

    @property
    def pipeline(self) -> Pipeline:
        """The stack as it is now."""
        described = self.engine.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"][0]
        outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
        return Pipeline(self.engine, outputs, self.github.port, "")

    def command(self, *arguments: str, typed: str | None = None) -> str:
        """Type a command on the stack; what it printed."""
        done = self.terminal.traffic(*arguments, "--aws", typed=typed)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def secret(self) -> str:
        """Read the secret."""
        name = self.pipeline.outputs["GitHubTokenSecret"]
        return str(self.engine.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])

    def events(self) -> int:
        """Count what happened to the stack."""
        pages = self.engine.client("cloudformation").get_paginator("describe_stack_events")
        return sum(len(page["StackEvents"]) for page in pages.paginate(StackName=STACK_NAME))

    def objects(self) -> list[str]:
        """List the archive's answers."""
        client = self.engine.client("s3")
        (bucket,) = (each["Name"] for each in client.list_buckets()["Buckets"] if "-archive-" in each["Name"])
        return [each["Key"] for each in client.list_objects_v2(Bucket=bucket, Prefix="answers/").get("Contents", [])]

    def found(self, mail: list[dict[str, str]]) -> Iterator[str]:
        """Look for the tokens in all that could have kept them."""
        self.engine.save()
        for text in (planted(1), planted(2)):
            yield from (f"process {id_}: {kind}" for id_, kind in processes_that_hold(text))
            yield from (path.name for path in files_that_hold(text, self.terminal.folder))
            yield from (name for name, told in self.told(mail) if text in told)

    def told(self, mail: list[dict[str, str]]) -> Iterator[tuple[str, str]]:
        """Give all that the services tell whoever may ask them."""
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


def lived(teller: Teller) -> Story:
    """Live through the story."""
    story, github = Story((planted(1), planted(2))), teller.github
    first = {"GitHubAccessToken": planted(1), "GitHubApiUrl": github.url}

    teller.deployer.bootstrap()
    teller.deployer.deploy(first, kept={})
    queue = subscribed_queue(teller.engine, teller.pipeline.outputs["SummaryTopicArn"])
    story.said["run"] = teller.command("run")
    mailbox = Pipeline(teller.engine, teller.pipeline.outputs, github.port, queue)
    story.mail = mailbox.mail(1)
    run_id = next(line for line in story.said["run"].splitlines() if line.startswith("Started ")).split()[1]
    story.kept = json.loads(mailbox.read(f"runs/{run_id}/summary.json"))
    story.truth = {(name, day): tuple(told) for name in github.names for day, told in github.truth(name).items()}
    story.tables["run"] = teller.pipeline.tables()

    story.events["before"] = teller.events()
    teller.deployer.deploy({}, kept=first)
    story.events["after"] = teller.events()

    github.accept_token(planted(2))
    story.said["token"] = teller.command("token", typed=planted(2) + "\n")
    story.secret["replaced"] = teller.secret()
    github.revoke_token()
    github.accept_token(planted(2))
    story.said["run with the new token"] = teller.command("run")

    teller.deployer.deploy({"Forks": "exclude"}, kept=first)
    story.secret["updated"] = teller.secret()
    calls = len(github.calls)
    story.said["run without forks"] = teller.command("run")
    story.asked = {call.repository for call in github.calls[calls:] if call.repository}
    story.tables["updated"], story.objects["updated"] = teller.pipeline.tables(), teller.objects()
    story.found = set(teller.found(story.mail))

    tables = list(story.tables["updated"])
    teller.deployer.destroy()
    client = teller.engine.client
    story.left = {
        "tables": sorted(client("dynamodb").list_tables()["TableNames"]),
        "functions": [each["FunctionName"] for each in client("lambda").list_functions()["Functions"]],
        "secrets": [each["Name"] for each in client("secretsmanager").list_secrets()["SecretList"]],
        "rules": [each["Name"] for each in client("events").list_rules()["Rules"]],
        "machines": [each["name"] for each in client("stepfunctions").list_state_machines()["stateMachines"]],
        "topics": [each["TopicArn"] for each in client("sns").list_topics()["Topics"]],
    }
    story.tables["destroyed"] = {
        name: sorted(Pipeline(teller.engine, {}, 0, "").scan(name), key=repr) for name in tables
    }
    story.objects["destroyed"] = teller.objects()

    teller.deployer.deploy({**first, "GitHubAccessToken": planted(2)}, kept={})
    story.tables["adopted"], story.objects["adopted"] = teller.pipeline.tables(), teller.objects()
    story.said["run again"] = teller.command("run")
    story.tables["run again"] = teller.pipeline.tables()
    return story


def test_a_deployed_stack_runs_and_stores_the_truth(story: Story) -> None:
    """Bootstrap, deploy with parameters, `traffic run --aws`: as the README says."""
    rows = {(item["repo-name"], item["timestamp"][:10]): item for item in story.tables["run"]["RepoTraffic"]}
    metrics = ("views-count", "views-uniques", "clones-count", "clones-uniques")

    assert {key: tuple(int(item[name]) for name in metrics) for key, item in rows.items()} == story.truth
    assert "3 of 3 repositories captured" in story.said["run"]


def test_the_summary_is_read_back_from_the_topics_subscription(story: Story) -> None:
    """What people are mailed is the summary that is kept, and that the command printed."""
    (mail,) = story.mail

    assert (mail["Subject"], mail["Message"]) == (story.kept["subject"], story.kept["message"])
    assert mail["Message"] in story.said["run"]


def test_deploying_again_without_a_change_changes_nothing(story: Story) -> None:
    """Not one resource is touched, so no function is cold and nothing can go wrong."""
    assert story.events["after"] == story.events["before"]


def test_an_update_reaches_the_functions_and_keeps_the_history(story: Story) -> None:
    """A changed parameter changes what is captured, and no row of what was."""
    assert story.asked == set(REPOSITORIES)
    assert "2 of 2 repositories captured, 0 days new or changed" in story.said["run without forks"]
    assert story.tables["updated"]["RepoTraffic"] == story.tables["run"]["RepoTraffic"]


def test_the_token_is_rotated_by_one_command_that_never_shows_it(story: Story) -> None:
    """And is used without a new deployment: GitHub takes the new one only."""
    assert story.secret["replaced"] == story.tokens[1]
    assert story.tokens[1] not in story.said["token"]
    assert "3 of 3 repositories captured" in story.said["run with the new token"]


def test_a_later_deployment_does_not_bring_the_old_token_back(story: Story) -> None:
    """CloudFormation writes the parameter's value again only where it changes."""
    assert story.secret["updated"] == story.tokens[1]


def test_the_planted_token_is_found_nowhere_but_in_its_secret(story: Story) -> None:
    """Logs, histories, archive, tables, mails, templates, the engine's files, command lines and environments."""
    assert story.found == {"secretsmanager.json"}


def test_a_destroyed_stack_leaves_the_history_and_nothing_else(story: Story) -> None:
    """The archive, which is a file on disk here, and the three tables."""
    tables = ["RepoTraffic", "RepoTrafficRepositories", "RepoTrafficSnapshots"]
    others = ("functions", "secrets", "rules", "machines", "topics")

    assert story.left == {"tables": tables, **{name: [] for name in others}}
    assert story.tables["destroyed"] == story.tables["updated"]
    assert story.objects["destroyed"] == story.objects["updated"] != []


def test_the_kept_history_is_adopted_row_for_row(story: Story) -> None:
    """By the next deployment; and the run after it finds nothing to add."""
    assert story.tables["adopted"] == story.tables["updated"]
    assert story.objects["adopted"] == story.objects["updated"]
    assert "3 of 3 repositories captured, 0 days new or changed" in story.said["run again"]
    assert story.tables["run again"]["RepoTraffic"] == story.tables["updated"]["RepoTraffic"]

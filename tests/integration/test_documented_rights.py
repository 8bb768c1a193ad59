"""Promise: the policies in docs/deploy.md allow what the commands with `--aws` do, and nothing else."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.client import BaseClient

from cli.imports.github_repo_stats import AGGREGATE
from cli.main import COMMANDS, main
from cli.terminal import INTERRUPTED
from local.deploying import deploy
from local.engine import ACCOUNT, REGION, Engine, running_engine
from local.synthesis import synthesize
from simulated_github import SimulatedGitHub
from tests.documents import PAGES, section
from tests.e2e.deployers import aws_settings
from tests.integration.first_version import put_rows
from tests.integration.pipeline import ASSEMBLY

EMAIL = "you@example.com"

# Operations of the API whose right has another name.
# Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
RIGHTS = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "lambda:Invoke": "lambda:InvokeFunction",
}

# Used only if a change of settings fails or is interrupted.
AFTER_FAILURE = {"cloudformation:DeleteChangeSet", "cloudformation:DescribeStackEvents"}

# Athena uses these in the name of the person who asks, and stops a query only after Ctrl-C. The local engine's Athena
# reads and writes without any rights.
# Sources:
#   https://docs.aws.amazon.com/athena/latest/ug/security-iam-athena.html
#   https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
OF_ATHENA = {
    "glue:GetDatabase",
    "glue:GetPartitions",
    "glue:GetTable",
    "s3:AbortMultipartUpload",
    "s3:GetBucketLocation",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "athena:StopQueryExecution",
}

COLUMNS = ("time_iso8601", "clones_total", "clones_unique", "views_total", "views_unique")

SERVICES = {"monitoring": "cloudwatch"}  # prefixes of rights that differ from the prefix of the endpoint

# What a reader types, and what an operator types besides; a text after `<` is typed into the command.
READER = """
show octo/docs
news
report
export --format csv
sql growth-by-owner
badge octo/docs
chart octo/docs
note
executions
executions RUN --children
cost
plan
verify
settings
doctor
"""
OPERATOR = """
run
token --owner octo < github_pat_other
note octo/docs 2026-11-20 release
note octo/docs 2026-11-20 --remove
import first-version --owner octo
import views_clones_aggregate.csv --repository octo/docs
import --undo IMPORT
rebuild
settings --apply
subscribe you@example.com < LINK
"""


def policy(role: str) -> str:
    """Return a policy of the documentation."""
    (found,) = re.findall(rf"```json {role}\n(.*?)```", PAGES["docs/deploy.md"], re.DOTALL)
    return str(found)


def allowed(role: str) -> set[str]:
    """Return the actions that a policy allows."""
    actions = (each["Action"] for each in json.loads(policy(role))["Statement"])
    return {action for each in actions for action in ([each] if isinstance(each, str) else each)}


class Keyboard:
    """Standard input: what is typed is known only when the command asks for it."""

    def __init__(self, engine: Engine, text: str) -> None:
        self._engine, self._text = engine, text

    def isatty(self) -> bool:
        """Return False: it is a pipe."""
        return False

    def readline(self) -> str:
        """Return one line."""
        links = [each["link"] for each in self._engine.ask("GET", "mail")["mail"] if each["to"] == EMAIL]
        return self._text.replace("LINK", links[-1] if links else "") + "\n"


@dataclass
class Account:
    """A stack in a supposed AWS account, used by a person with documented rights.

    Attributes:
        engine: The engine with the stack.
        patch: Sets the person's credentials.
        used: The rights that the commands used.
    """

    engine: Engine
    patch: pytest.MonkeyPatch
    used: set[str] = field(default_factory=set)

    def sign_in(self, *roles: str) -> None:
        """Use the credentials of a person who has these policies of the documentation."""
        iam, name = self.engine.client("iam"), "-".join(roles)
        iam.create_user(UserName=name)
        for role in roles:
            iam.put_user_policy(UserName=name, PolicyName=role, PolicyDocument=policy(role))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.patch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        self.patch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        self.used.clear()

    def type(self, commands: str) -> None:
        """Type commands with `--aws`, each of which must succeed."""
        for line in commands.strip().splitlines():
            command, _, text = line.partition(" < ")
            if command == "rebuild":
                lose_a_day(self.engine)
            self.patch.setattr(sys, "stdin", Keyboard(self.engine, text))
            command = command.replace("RUN", self.newest_run()).replace("IMPORT", self.newest_import())
            assert main([*command.split(), "--aws"]) == 0, line

    def newest_import(self) -> str:
        """Return the archive's key of the newest import."""
        bucket = f"github-traffic-archive-{ACCOUNT}-{REGION}"
        found = self.engine.client("s3").list_objects_v2(Bucket=bucket, Prefix="imports/").get("Contents", [])
        return str(max(found, key=lambda each: each["LastModified"])["Key"]) if found else ""

    def newest_run(self) -> str:
        """Return the name of the newest run."""
        client = self.engine.client("stepfunctions")
        (machine,) = client.list_state_machines()["stateMachines"]
        executions = client.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
        return str(executions[0]["name"]) if executions else ""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, set[str]]]:
    """Type every command with the rights of a reader or an operator, and return the rights that each used."""
    folder = tmp_path_factory.mktemp("rights")
    with (
        pytest.MonkeyPatch.context() as patch,
        running_engine(folder / "history") as engine,
        SimulatedGitHub(repositories=["octo/docs"]) as github,
    ):
        parameters = {"GitHubAccessToken": "x", "GitHubApiUrl": github.url, "SummaryEmail": EMAIL}
        outputs = deploy(engine, synthesize(ASSEMBLY), parameters)
        put_rows(engine, "docs", {"2024-02-28": (9, 4, 0, 0)})
        click_link(engine, outputs["SummaryTopicArn"])
        (folder / "traffic.toml").write_text('exclude = ["octo/playground-*"]\n')
        (folder / AGGREGATE).write_text(f"{','.join(COLUMNS)}\n2024-03-01 00:00:00+00:00,0,0,7,3\n")
        patch.chdir(folder)
        for name, value in aws_settings(engine).items():
            patch.setenv(name, value)
        account = Account(engine, patch)
        patch.setattr(BaseClient, "_make_api_call", recording(account))
        account.sign_in("reader", "operator")
        interrupt_a_run(patch)
        account.type(OPERATOR)
        operator = set(account.used)
        account.sign_in("reader")
        account.type(READER)
        yield {"reader": account.used, "operator": operator}


def recording(account: Account) -> Callable[..., Any]:
    """Return a function that makes a call of AWS, and notes which right it needs."""
    make = BaseClient._make_api_call  # type: ignore[attr-defined]

    def make_and_note(client: Any, operation: str, given: Any) -> Any:
        service = SERVICES.get(client.meta.service_model.endpoint_prefix, client.meta.service_model.endpoint_prefix)
        action = f"{service}:{operation}"
        if client.meta.endpoint_url == account.engine.url and client not in account.engine.clients.values():
            account.used.add(RIGHTS.get(action, action))
        return make(client, operation, given)

    return make_and_note


def lose_a_day(engine: Engine) -> None:
    """Delete a row of the captured repository, which a rebuild then has to write."""
    client = engine.client("dynamodb")
    rows = (row for row in client.scan(TableName="RepoTraffic")["Items"] if row["repo-name"]["S"] == "octo/docs")
    key = {name: value for name, value in next(rows).items() if name in ("repo-name", "timestamp")}
    client.delete_item(TableName="RepoTraffic", Key=key)


def click_link(engine: Engine, topic: str) -> None:
    """Confirm the address as a click does: `traffic subscribe` then has to unsubscribe it first."""
    token = engine.ask("GET", "mail")["mail"][-1]["link"].partition("&Token=")[2].partition("&")[0]
    engine.client("sns").confirm_subscription(TopicArn=topic, Token=token)


def interrupt_a_run(patch: pytest.MonkeyPatch) -> None:
    """Press Ctrl-C while a run is shown."""

    def interrupted(*_arguments: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    with patch.context() as inner:
        inner.setattr("cli.runs.live.show_progress", interrupted)
        assert main(["run", "--aws"]) == INTERRUPTED


@pytest.mark.slow
def test_a_reader_has_the_rights_that_reading_needs_and_no_others(used: Mapping[str, set[str]]) -> None:
    """Each command succeeded with this policy. Without the right to read the secret, the doctor warns only."""
    assert used["reader"] - {"secretsmanager:GetSecretValue"} == allowed("reader") - OF_ATHENA


@pytest.mark.slow
def test_an_operator_needs_both_policies_and_no_others(used: Mapping[str, set[str]]) -> None:
    """Each command succeeded with these two policies."""
    assert allowed("operator") - used["operator"] == AFTER_FAILURE
    assert used["operator"] - allowed("operator") <= allowed("reader")


def test_every_command_that_works_in_aws_is_typed_and_documented() -> None:
    """A new command may need a right that the documentation lacks."""
    documented = re.findall(r"`(\w+)[^`]*`", section("docs/deploy.md", "Permissions"))

    for commands in (set(documented), {line.split()[0] for line in (READER + OPERATOR).split("\n") if line}):
        assert COMMANDS.keys() - {"start", "demo"} <= commands

"""Promise: tables and archive are configured as in the template, or the doctor shows the command that repairs them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from cli.command import STACK_NAME
from cli.stack.deployment import Deployment, stack_of
from cli.stack.drift import drift_findings, table_drift
from cli.stack.finding import Finding
from local.deploying import deploy
from local.engine import Engine, running_engine
from local.synthesis import synthesize
from tests.integration.aws_command import run_aws_command
from tests.integration.pipeline import ASSEMBLY, empty

PARAMETERS = {"GitHubAccessToken": "github_pat_made_up"}

OK = [Finding("ok", "tables and archive", "configured as in the template")]

Break = Callable[[Engine, str], object]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The real template on an engine."""
    with running_engine(tmp_path_factory.mktemp("drift") / "history") as engine:
        deploy(engine, synthesize(ASSEMBLY), PARAMETERS)
        yield engine


@pytest.fixture
def deployment(engine: Engine) -> Deployment:
    """The stack as a command with a region sees it."""
    found = stack_of(engine.client, "here", options=" --aws", save=lambda: None)
    return replace(found, aws_cli="aws --region us-east-1")


def commands(finding: Finding) -> list[str]:
    """Return the commands in an advice."""
    return re.findall(r"`([^`]+)`", finding.advice)


def no_recovery(engine: Engine, _bucket: str) -> None:
    """Turn point-in-time recovery off."""
    engine.client("dynamodb").update_continuous_backups(
        TableName="RepoTrafficSnapshots", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )


def provisioned(engine: Engine, _bucket: str) -> None:
    """Give a table a fixed capacity."""
    engine.client("dynamodb").update_table(
        TableName="RepoTraffic",
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
    )


def no_versions(engine: Engine, bucket: str) -> None:
    """Suspend the versions of the archive."""
    engine.client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def no_lifecycle(engine: Engine, bucket: str) -> None:
    """Keep the files of runs for good."""
    engine.client("s3").delete_bucket_lifecycle(Bucket=bucket)


def expiring_answers(engine: Engine, bucket: str) -> None:
    """Make the record itself expire."""
    rule = {"ID": "Lose", "Filter": {"Prefix": "answers/"}, "Status": "Enabled", "Expiration": {"Days": 90}}
    engine.client("s3").put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})


def another_key(engine: Engine, bucket: str) -> None:
    """Encrypt with a key that the functions may not use."""
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    engine.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


def public(engine: Engine, bucket: str) -> None:
    """Allow public access."""
    engine.client("s3").delete_public_access_block(Bucket=bucket)


def test_a_stack_just_deployed_is_as_its_template(deployment: Deployment) -> None:
    """Nobody reads a warning that is always there."""
    assert list(drift_findings(deployment)) == OK


@pytest.mark.parametrize(
    ("break_", "subject", "found"),
    [
        (no_recovery, "table RepoTrafficSnapshots", "point-in-time recovery: DISABLED, but the template has ENABLED"),
        (provisioned, "table RepoTraffic", "billing mode: PROVISIONED, but the template has PAY_PER_REQUEST"),
        (no_versions, "archive", 'versioning differs from the template: {"Status":"Suspended"}'),
        (no_lifecycle, "archive", 'lifecycle differs from the template: {"Rules":[]}'),
        (expiring_answers, "archive", '"Filter":{"Prefix":"answers/"}'),
        (another_key, "archive", '"SSEAlgorithm":"aws:kms"'),
        (public, "archive", "public access block differs from the template: null"),
    ],
)
def test_a_difference_is_reported_and_its_command_repairs_it(
    engine: Engine, deployment: Deployment, break_: Break, subject: str, found: str
) -> None:
    """CloudFormation never repairs it: an adopted resource keeps its old configuration."""
    break_(engine, deployment.output("ArchiveBucket"))

    (finding,) = drift_findings(deployment)

    assert (finding.state, finding.subject.split(" github-")[0]) == ("fail", subject)
    assert found in finding.found
    (command,) = commands(finding)
    assert command.startswith("aws --region us-east-1 ")
    run_aws_command(engine, command)
    assert list(drift_findings(deployment)) == OK


def test_other_keys_are_replaced_by_a_new_table_and_the_archive(engine: Engine, deployment: Deployment) -> None:
    """Keys cannot be changed in place, and functions that expect others fail: the commands first make a backup."""
    client = engine.client("dynamodb")
    client.delete_table(TableName="RepoTrafficSnapshots")
    client.create_table(
        TableName="RepoTrafficSnapshots",
        KeySchema=[{"AttributeName": "repo-id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "repo-id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    keys, recovery = drift_findings(deployment)

    assert "keys: repo-id S HASH, but the template has repo-id S HASH, captured-on S RANGE" in keys.found
    assert "point-in-time recovery" in recovery.found
    backup, delete, wait, create, rebuild, doctor = commands(keys)
    assert (rebuild, doctor) == ("traffic rebuild --aws", "traffic doctor --aws")
    for command in (backup, delete, wait):
        run_aws_command(engine, command)
    assert client.list_backups()["BackupSummaries"][0]["TableName"] == "RepoTrafficSnapshots"
    (absent,) = drift_findings(deployment)
    assert (absent.state, absent.found) == ("fail", "it does not exist")
    system_backups, *_ = commands(absent)
    assert system_backups.endswith("dynamodb list-backups --table-name RepoTrafficSnapshots --backup-type SYSTEM")
    assert "has all rows" in absent.advice
    assert "because some rows are not in the archive" in keys.advice
    run_aws_command(engine, system_backups)
    assert create in commands(absent)
    run_aws_command(engine, create)
    run_aws_command(engine, *commands(recovery))
    assert list(drift_findings(deployment)) == OK


def test_encryption_in_the_template_is_turned_on(engine: Engine, deployment: Deployment) -> None:
    """The first version's table has it, and CloudFormation refused to remove it."""
    template: Any = engine.client("cloudformation").get_template(StackName=STACK_NAME)
    properties = (each["Properties"] for each in template["TemplateBody"]["Resources"].values())
    (wanted,) = (each for each in properties if each.get("TableName") == "RepoTraffic")
    encrypted = {**wanted, "SSESpecification": {"SSEEnabled": True}}
    engine.client("dynamodb").update_table(TableName="RepoTraffic", SSESpecification={"Enabled": False})

    (finding,) = table_drift(deployment, "RepoTraffic", encrypted)

    assert finding.found == "encryption: DISABLED, but the template has ENABLED"
    run_aws_command(engine, *commands(finding))
    assert list(table_drift(deployment, "RepoTraffic", encrypted)) == []


def test_a_table_that_is_adopted_keeps_its_old_configuration(engine: Engine, deployment: Deployment) -> None:
    """As on AWS, the deployment succeeds, and only a comparison shows the difference."""
    engine.client("cloudformation").delete_stack(StackName=STACK_NAME)
    engine.client("cloudformation").get_waiter("stack_delete_complete").wait(
        StackName=STACK_NAME, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
    )
    empty(engine.client("dynamodb"), "RepoTrafficRepositories")

    deploy(engine, synthesize(ASSEMBLY), PARAMETERS)

    (finding,) = drift_findings(deployment)
    assert finding.found == "point-in-time recovery: DISABLED, but the template has ENABLED"
    run_aws_command(engine, *commands(finding))

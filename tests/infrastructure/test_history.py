"""Promise: the history outlives the stack, and the next deployment adopts it."""

from typing import Any

import pytest

from local.engine import ACCOUNT, REGION
from tests.infrastructure.conftest import Template

KEPT = ("AWS::DynamoDB::Table", "AWS::S3::Bucket")


@pytest.mark.parametrize("type_", KEPT)
def test_the_history_is_retained(template: Template, type_: str) -> None:
    """Deleting or replacing the stack must not delete days that GitHub deleted long ago."""
    for resource in template.of_type(type_).values():
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_history_has_fixed_names(template: Template) -> None:
    """`--import-existing-resources` finds a retained resource by its name, which must not be a generated one.

    CloudFormation adopts no resource whose name is an expression: a retained archive would fail the deployment.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
    """
    tables = {found["Properties"]["TableName"] for found in template.of_type("AWS::DynamoDB::Table").values()}

    assert tables == {"RepoTraffic", "RepoTrafficRepositories", "RepoTrafficSnapshots"}
    assert template.only("AWS::S3::Bucket")["BucketName"] == f"github-traffic-archive-{ACCOUNT}-{REGION}"


def test_every_table_can_be_restored_to_any_second_of_35_days(template: Template) -> None:
    """A bug that lowers numbers, or a person's mistake, must be reversible."""
    for table in template.of_type("AWS::DynamoDB::Table").values():
        assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("RepoTraffic", {"repo-name": "HASH", "timestamp": "RANGE"}),
        ("RepoTrafficRepositories", {"repo-id": "HASH"}),
        ("RepoTrafficSnapshots", {"repo-id": "HASH", "captured-on": "RANGE"}),
    ],
)
def test_the_tables_keep_their_keys(template: Template, name: str, keys: dict[str, str]) -> None:
    """Other keys replace the table: an upgrade would begin with an empty table."""
    tables = (found["Properties"] for found in template.of_type("AWS::DynamoDB::Table").values())
    table = next(found for found in tables if found["TableName"] == name)

    assert {key["AttributeName"]: key["KeyType"] for key in table["KeySchema"]} == keys
    assert {attribute["AttributeType"] for attribute in table["AttributeDefinitions"]} == {"S"}


@pytest.mark.parametrize(
    ("logical_id", "name_property", "name"),
    [
        ("TrafficTableC0923B77", "TableName", "RepoTraffic"),
        ("RuleGetRepoTrafficA3AA81BC", "Name", "RuleGetRepoTraffic"),
        ("GitHubTokenSecret09BC4210", "SecretString", {"Ref": "GitHubAccessToken"}),
    ],
)
def test_an_upgrade_keeps_the_resources_of_the_first_version(
    template: Template, logical_id: str, name_property: str, name: Any
) -> None:
    """CloudFormation identifies a resource by its logical id; another id would mean a second table of the same name.

    CDK derived the ids from the first version's constructs (stacks/first_version.py).
    """
    assert template.resources[logical_id]["Properties"][name_property] == name


def test_answers_and_listings_never_expire(template: Template) -> None:
    """The tables can be rebuilt from the archive; only the files of runs and the results of queries may expire."""
    rules = template.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    expiring = [rule for rule in rules if any("Expiration" in name or "Transition" in name for name in rule)]

    assert {rule["Prefix"] for rule in expiring} == {"runs/", "queries/"}


def test_the_files_of_a_run_expire_before_another_run_may_have_its_name(template: Template) -> None:
    """Step Functions accepts the same name again after 90 days; old receipts would count for the new run.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html (name)
    """
    rules = template.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == "runs/"]

    assert rule["ExpirationInDays"] <= 85


def test_an_overwritten_or_deleted_answer_can_be_restored(template: Template) -> None:
    """No role may delete, but a person in the console can; versions undo it."""
    assert template.only("AWS::S3::Bucket")["VersioningConfiguration"] == {"Status": "Enabled"}


def test_nobody_else_reads_the_archive(template: Template) -> None:
    """It contains names and traffic of private repositories."""
    bucket = template.only("AWS::S3::Bucket")

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (statement,) = template.only("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

"""Promise: what keeps history outlives the stack, and is adopted again by the next deployment."""

from typing import Any

import pytest

from stacks.traffic_stack import STACK_NAME, traffic_app
from tests.infrastructure.conftest import Template

KEPT = ("AWS::DynamoDB::Table", "AWS::S3::Bucket")
ARCHIVE_NAME = {
    "Fn::Join": ["", ["github-traffic-archive-", {"Ref": "AWS::AccountId"}, "-", {"Ref": "AWS::Region"}]],
}


@pytest.mark.parametrize("type_", KEPT)
def test_what_keeps_history_is_retained(template: Template, type_: str) -> None:
    """Deleting or replacing the stack must not delete what GitHub deleted long ago."""
    found = template.of_type(type_)

    assert found
    for resource in found.values():
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_what_keeps_history_has_a_fixed_name(template: Template) -> None:
    """`--import-existing-resources` finds a kept resource by its name; under a made-up one it would be orphaned."""
    tables = {found["Properties"]["TableName"] for found in template.of_type("AWS::DynamoDB::Table").values()}

    assert tables == {"RepoTraffic", "RepoTrafficRepositories", "RepoTrafficSnapshots"}
    assert template.only("AWS::S3::Bucket")["BucketName"] == ARCHIVE_NAME


def test_the_archive_has_a_plain_name_where_the_account_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """CloudFormation adopts no resource whose name is put together by a function: a kept archive would stop a deploy.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
    """
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "123456789012")
    monkeypatch.setenv("CDK_DEFAULT_REGION", "eu-central-1")
    body = traffic_app(bundling=False).synth().get_stack_by_name(STACK_NAME).template
    (bucket,) = (found for found in body["Resources"].values() if found["Type"] == "AWS::S3::Bucket")

    assert bucket["Properties"]["BucketName"] == "github-traffic-archive-123456789012-eu-central-1"


def test_every_table_can_be_restored_to_any_second_of_35_days(template: Template) -> None:
    """A bug that lowers numbers, or a person's slip, must be undoable."""
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
    """Other keys replace the table: an upgrade would begin with an empty one."""
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
def test_an_upgrade_meets_the_resources_of_the_first_version(
    template: Template, logical_id: str, name_property: str, name: Any
) -> None:
    """CloudFormation knows a resource by its logical id; another one would mean a second table of the same name.

    The ids are what CDK makes of the first version's constructs (stacks/first_version.py).
    """
    assert template.resources[logical_id]["Properties"][name_property] == name


def test_answers_and_listings_never_expire(template: Template) -> None:
    """The archive is the truth that the table is rebuilt from; only notes about runs may go."""
    rules = template.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    expiring = [rule for rule in rules if any("Expiration" in name or "Transition" in name for name in rule)]

    assert [rule["Prefix"] for rule in expiring] == ["runs/"]


def test_the_files_of_a_run_are_gone_before_its_name_may_be_used_again(template: Template) -> None:
    """Step Functions takes an execution's name again after 90 days; old receipts would tell of what was not captured.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html (name)
    """
    rules = template.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    (rule,) = [rule for rule in rules if rule.get("Prefix") == "runs/"]

    assert rule["ExpirationInDays"] <= 85


def test_an_overwritten_or_deleted_answer_can_be_brought_back(template: Template) -> None:
    """No role may delete; a person in the console can, and versions undo it."""
    assert template.only("AWS::S3::Bucket")["VersioningConfiguration"] == {"Status": "Enabled"}


def test_nobody_outside_reads_the_archive(template: Template) -> None:
    """Names and traffic of private repositories are in it."""
    bucket = template.only("AWS::S3::Bucket")

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    (statement,) = template.only("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}

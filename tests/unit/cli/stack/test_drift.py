"""What differs between tables, archive and template, and the command that repairs it, without an engine."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.stack.deployment import Deployment
from cli.stack.drift import BUCKET, TABLE, bucket_drift, drift_findings, keys, lifecycle, table_drift
from cli.stack.finding import Finding
from tests.unit.cli_stack import OUTPUTS

NAME = "RepoTraffic"
AWS = "aws --region us-east-1"
WANTED = {
    "TableName": NAME,
    "AttributeDefinitions": [
        {"AttributeName": "repo-name", "AttributeType": "S"},
        {"AttributeName": "timestamp", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "repo-name", "KeyType": "HASH"},
        {"AttributeName": "timestamp", "KeyType": "RANGE"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    "SSESpecification": {"SSEEnabled": True},
}
TABLE_AS_WANTED = {
    "AttributeDefinitions": WANTED["AttributeDefinitions"],
    "KeySchema": list(reversed(WANTED["KeySchema"])),  # type: ignore[call-overload]
    "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    "SSEDescription": {"Status": "ENABLED"},
}
CREATE = (
    f"`{AWS} dynamodb create-table --table-name RepoTraffic"
    " --attribute-definitions AttributeName=repo-name,AttributeType=S AttributeName=timestamp,AttributeType=S"
    " --key-schema AttributeName=repo-name,KeyType=HASH AttributeName=timestamp,KeyType=RANGE"
    " --billing-mode PAY_PER_REQUEST`"
)
FILL = "`traffic rebuild --aws` to fill it from the archive, and `traffic doctor --aws` again for its other settings"

BUCKET_WANTED = {
    "VersioningConfiguration": {"Status": "Enabled"},
    "LifecycleConfiguration": {
        "Rules": [{"Id": "runs", "Prefix": "runs/", "Status": "Enabled", "ExpirationInDays": 90}]
    },
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    },
    "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
}


class NotFoundError(Exception):
    """A table that does not exist."""


def refusal(code: str, operation: str = "Read") -> ClientError:
    """Return the error of a refused call."""
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)


class FakeAws:
    """DynamoDB, S3 and CloudFormation in one; an exception in the place of an answer is raised."""

    exceptions = SimpleNamespace(ResourceNotFoundException=NotFoundError)

    def __init__(self, **answers: Any) -> None:
        rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
        self.answers = {
            "describe_table": {"Table": TABLE_AS_WANTED},
            "describe_continuous_backups": {
                "ContinuousBackupsDescription": {
                    "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}
                }
            },
            "get_bucket_versioning": {"Status": "Enabled"},
            "get_bucket_encryption": {"ServerSideEncryptionConfiguration": {"Rules": [*rules, {}]}},
            "get_bucket_lifecycle_configuration": {
                "Rules": [
                    {
                        "ID": "runs",
                        "Filter": {"Prefix": "runs/"},
                        "Status": "Enabled",
                        "Expiration": {"Days": 90},
                    }
                ]
            },
            "get_public_access_block": {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}},
            "get_bucket_ownership_controls": {
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
            },
            "get_template": {
                "TemplateBody": {
                    "Resources": {
                        "Traffic": {"Type": TABLE, "Properties": WANTED},
                        "Archive": {"Type": BUCKET, "Properties": BUCKET_WANTED},
                        "Topic": {"Type": "AWS::SNS::Topic"},
                    }
                }
            },
            **answers,
        }

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**given: str) -> Any:
            assert list(given.values()) in ([NAME], ["archive"], ["GitHubTrafficCaptureStack"])
            answer = self.answers[operation]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    @property
    def deployment(self) -> Deployment:
        """A stack that is served by this."""

        def client(service: str) -> Any:
            assert service in ("cloudformation", "dynamodb", "s3")
            return self

        return Deployment(OUTPUTS, client, "here", {}, options=" --aws", aws_cli=AWS)


def test_what_is_as_in_the_template_is_one_line() -> None:
    """A warning that is always there is not read."""
    assert list(drift_findings(FakeAws().deployment)) == [
        Finding("ok", "tables and archive", "configured as in the template")
    ]


@pytest.mark.parametrize(
    ("answers", "found", "advice"),
    [
        (
            {"describe_continuous_backups": {"ContinuousBackupsDescription": {}}},
            "point-in-time recovery: DISABLED, but the template has ENABLED",
            (
                f"`{AWS} dynamodb update-continuous-backups --table-name RepoTraffic"
                " --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true`"
            ),
        ),
        (
            {"describe_table": {"Table": {**TABLE_AS_WANTED, "SSEDescription": {}}}},
            "encryption: DISABLED, but the template has ENABLED",
            f"`{AWS} dynamodb update-table --table-name RepoTraffic --sse-specification Enabled=true`",
        ),
        (
            {"describe_table": {"Table": {**TABLE_AS_WANTED, "BillingModeSummary": {}}}},
            "billing mode: PROVISIONED, but the template has PAY_PER_REQUEST",
            f"`{AWS} dynamodb update-table --table-name RepoTraffic --billing-mode PAY_PER_REQUEST`",
        ),
        (
            {"describe_table": NotFoundError()},
            "it does not exist",
            (
                "if somebody deleted it, restore its system backup, which AWS keeps for 35 days and which has all rows:"
                f" `{AWS} dynamodb list-backups --table-name RepoTraffic --backup-type SYSTEM` lists it."
                f" Without a backup: {CREATE}, {FILL}"
            ),
        ),
        (
            {"describe_table": {"Table": {**TABLE_AS_WANTED, "KeySchema": TABLE_AS_WANTED["KeySchema"][1:]}}},  # type: ignore[index]
            "keys: repo-name S HASH, but the template has repo-name S HASH, timestamp S RANGE",
            (
                "the keys of a table cannot be changed. Make a backup, because some rows are not in the archive:"
                f" `{AWS} dynamodb create-backup --table-name RepoTraffic --backup-name RepoTraffic-with-other-keys`."
                " Then"
                f" `{AWS} dynamodb delete-table --table-name RepoTraffic`,"
                f" `{AWS} dynamodb wait table-not-exists --table-name RepoTraffic`, {CREATE}, {FILL}"
            ),
        ),
    ],
)
def test_a_table_that_differs_fails_with_the_command_that_repairs_it(
    answers: dict[str, Any], found: str, advice: str
) -> None:
    """The other settings of the table are still compared, and are fine."""
    assert list(drift_findings(FakeAws(**answers).deployment)) == [Finding("fail", "table RepoTraffic", found, advice)]


def test_settings_that_the_template_does_not_have_are_not_compared() -> None:
    """A person may have added them."""
    wanted = {name: WANTED[name] for name in ("TableName", "AttributeDefinitions", "KeySchema")}
    aws = FakeAws(describe_table={"Table": {**TABLE_AS_WANTED, "BillingModeSummary": {}, "SSEDescription": {}}})
    aws.answers["describe_continuous_backups"] = {"ContinuousBackupsDescription": {}}
    off = {
        **wanted,
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False},
        "SSESpecification": {"SSEEnabled": False},
    }

    assert list(table_drift(aws.deployment, NAME, wanted)) == list(table_drift(aws.deployment, NAME, off)) == []
    assert list(bucket_drift(aws.deployment, "archive", {})) == []


@pytest.mark.parametrize(
    ("answers", "found", "command"),
    [
        (
            {"get_bucket_versioning": {}},
            'versioning differs from the template: {"Status":"Suspended"}',
            """put-bucket-versioning --versioning-configuration '{"Status":"Enabled"}'""",
        ),
        (
            {"get_bucket_lifecycle_configuration": refusal("NoSuchLifecycleConfiguration")},
            'lifecycle differs from the template: {"Rules":[]}',
            (
                """put-bucket-lifecycle-configuration --lifecycle-configuration '{"Rules":[{"Expiration":{"Days":90},"""
                """"Filter":{"Prefix":"runs/"},"ID":"runs","Status":"Enabled"}]}'"""
            ),
        ),
        (
            {"get_bucket_encryption": refusal("ServerSideEncryptionConfigurationNotFoundError")},
            'encryption differs from the template: {"Rules":[]}',
            (
                "put-bucket-encryption --server-side-encryption-configuration"
                """ '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'"""
            ),
        ),
        (
            {"get_public_access_block": refusal("NoSuchPublicAccessBlockConfiguration")},
            "public access block differs from the template: null",
            """put-public-access-block --public-access-block-configuration '{"BlockPublicAcls":true}'""",
        ),
        (
            {"get_bucket_ownership_controls": refusal("OwnershipControlsNotFoundError")},
            "ownership differs from the template: null",
            (
                """put-bucket-ownership-controls --ownership-controls"""
                """ '{"Rules":[{"ObjectOwnership":"BucketOwnerEnforced"}]}'"""
            ),
        ),
    ],
)
def test_an_archive_that_differs_fails_with_the_command_that_repairs_it(
    answers: dict[str, Any], found: str, command: str
) -> None:
    """A setting that the bucket does not have at all differs, too."""
    assert list(drift_findings(FakeAws(**answers).deployment)) == [
        Finding("fail", "archive archive", found, f"`{AWS} s3api {command} --bucket archive`")
    ]


@pytest.mark.parametrize(
    ("answers", "subject", "found"),
    [
        ({"get_template": refusal("AccessDenied", "GetTemplate")}, "template", "GetTemplate: AccessDenied"),
        ({"describe_table": refusal("Denied", "DescribeTable")}, "table RepoTraffic", "DescribeTable: Denied"),
        ({"get_bucket_encryption": refusal("Denied", "GetX")}, "archive archive", "GetX: Denied"),
    ],
)
def test_what_these_credentials_may_not_read_is_a_warning(answers: dict[str, Any], subject: str, found: str) -> None:
    """It is not compared, and the other resource is fine."""
    assert list(drift_findings(FakeAws(**answers).deployment)) == [
        Finding("warn", subject, found, "not compared with the template: these credentials need that right")
    ]


def test_keys_and_rules_are_written_alike_wherever_they_come_from() -> None:
    """The order of a list in an answer means nothing; a prefix can be in two places."""
    assert keys(TABLE_AS_WANTED) == keys(WANTED) == "repo-name S HASH, timestamp S RANGE"
    assert lifecycle([{"ID": "b", "Prefix": "b/"}, {"ID": "a"}]) == lifecycle(
        [{"ID": "a", "Filter": {"Prefix": ""}}, {"ID": "b", "Filter": {"Prefix": "b/"}}]
    )
    assert lifecycle([{"ID": "b", "Prefix": "b/"}, {"ID": "a"}])[0] == {"ID": "a", "Filter": {"Prefix": ""}}


def test_the_stack_that_is_compared_is_the_deployments() -> None:
    """Several stacks can be in one account."""
    asked: list[str] = []

    class Noting(FakeAws):
        def get_template(self, *, StackName: str) -> Any:  # noqa: N803
            """Return the template."""
            asked.append(StackName)
            return self.answers["get_template"]

    list(drift_findings(replace(Noting().deployment, stack="Other")))

    assert asked == ["Other"]

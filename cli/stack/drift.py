"""Compares the tables and the archive with the template of the deployed stack.

CloudFormation adopts a resource of an earlier deployment unchanged: it does not apply the template's configuration. Nor
does it repair what somebody changed by hand, because it applies only the changes between two templates.

The template is the deployed one, not one that is synthesized here: CloudFormation compares with the deployed one, which
needs neither Node nor the sources of that version, and a stack of another version is not reported as changed.

Source:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import.html ("CloudFormation doesn't check
    that the template configuration matches the actual configuration"; it recommends drift detection)
"""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from cli.stack.deployment import Deployment
from cli.stack.finding import Finding, unchecked

TABLE = "AWS::DynamoDB::Table"
BUCKET = "AWS::S3::Bucket"

NOT_COMPARED = "not compared with the template"

Properties = Mapping[str, Any]


def drift_findings(deployment: Deployment) -> Iterator[Finding]:
    """Report each setting of the tables and the archive that differs from the template."""
    try:
        template = deployment.client("cloudformation").get_template(StackName=deployment.stack)["TemplateBody"]
    except ClientError as exc:
        yield unchecked("template", exc, NOT_COMPARED)
        return
    findings = [
        finding
        for resource in template["Resources"].values()
        if resource["Type"] in (TABLE, BUCKET)
        for finding in _readable(deployment, resource["Type"], resource["Properties"])
    ]
    yield from findings or [Finding("ok", "tables and archive", "configured as in the template")]


def _readable(deployment: Deployment, kind: str, wanted: Properties) -> Iterator[Finding]:
    """Compare one resource. Settings that cannot be read become warnings; the others are still compared."""
    name = wanted["TableName"] if kind == TABLE else deployment.output("ArchiveBucket")
    compare = table_drift if kind == TABLE else bucket_drift
    try:
        yield from compare(deployment, name, wanted)
    except ClientError as exc:
        yield unchecked(f"{'table' if kind == TABLE else 'archive'} {name}", exc, NOT_COMPARED)


def _differing(subject: str, setting: str, found: object, wanted: object, command: str) -> Iterator[Finding]:
    if found != wanted:
        yield Finding("fail", subject, f"{setting}: {found}, but the template has {wanted}", f"`{command}`")


def table_drift(deployment: Deployment, name: str, wanted: Properties) -> Iterator[Finding]:
    """Compare keys, point-in-time recovery, encryption and billing of a table.

    A setting that the template does not have is not reported.
    """
    client, subject = deployment.client("dynamodb"), f"table {name}"
    try:
        table = client.describe_table(TableName=name)["Table"]
    except client.exceptions.ResourceNotFoundException:
        yield Finding("fail", subject, "it does not exist", _new_table(deployment, name, wanted))
        return
    if keys(table) != keys(wanted):
        found = f"keys: {keys(table)}, but the template has {keys(wanted)}"
        yield Finding("fail", subject, found, _new_keys(deployment, name, wanted))
    change = f"{deployment.aws_cli} dynamodb update-table --table-name {name}"
    if wanted.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        found = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus", "DISABLED")
        command = (
            f"{deployment.aws_cli} dynamodb update-continuous-backups --table-name {name}"
            " --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
        )
        yield from _differing(subject, "point-in-time recovery", found, "ENABLED", command)
    if wanted.get("SSESpecification", {}).get("SSEEnabled"):
        found = table.get("SSEDescription", {}).get("Status", "DISABLED")
        yield from _differing(subject, "encryption", found, "ENABLED", f"{change} --sse-specification Enabled=true")
    if billing := wanted.get("BillingMode"):
        found = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
        yield from _differing(subject, "billing mode", found, billing, f"{change} --billing-mode {billing}")


def keys(table: Properties) -> str:
    """Write the keys of a described table, or of one in a template: `repo-name S HASH, timestamp S RANGE`."""
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    parts = sorted(table["KeySchema"], key=lambda part: str(part["KeyType"]))
    return ", ".join(f"{part['AttributeName']} {types[part['AttributeName']]} {part['KeyType']}" for part in parts)


def _new_keys(deployment: Deployment, name: str, wanted: Properties) -> str:
    command = f"{deployment.aws_cli} dynamodb"
    return (
        "the keys of a table cannot be changed. Make a backup, because some rows are not in the archive:"
        f" `{command} create-backup --table-name {name} --backup-name {name}-with-other-keys`. Then"
        f" `{command} delete-table --table-name {name}`, `{command} wait table-not-exists --table-name {name}`,"
        f" {_create(deployment, wanted)}, {_fill(deployment)}"
    )


def _new_table(deployment: Deployment, name: str, wanted: Properties) -> str:
    """Write how to restore or create a missing table. The archive does not contain the rows of the first version.

    Source:
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html (a deleted
        table with point-in-time recovery has a system backup for 35 days)
    """
    return (
        "if somebody deleted it, restore its system backup, which AWS keeps for 35 days and which has all rows:"
        f" `{deployment.aws_cli} dynamodb list-backups --table-name {name} --backup-type SYSTEM` lists it."
        f" Without a backup: {_create(deployment, wanted)}, {_fill(deployment)}"
    )


def _create(deployment: Deployment, wanted: Properties) -> str:
    words = ("AttributeName", "AttributeType"), ("AttributeName", "KeyType")
    attributes, schema = (
        " ".join(f"{first}={each[first]},{second}={each[second]}" for each in wanted[part])
        for part, (first, second) in zip(("AttributeDefinitions", "KeySchema"), words, strict=True)
    )
    return (
        f"`{deployment.aws_cli} dynamodb create-table --table-name {wanted['TableName']}"
        f" --attribute-definitions {attributes} --key-schema {schema} --billing-mode PAY_PER_REQUEST`"
    )


def _fill(deployment: Deployment) -> str:
    return (
        f"`traffic rebuild{deployment.options}` to fill it from the archive, and `traffic doctor{deployment.options}`"
        " again for its other settings"
    )


def bucket_drift(deployment: Deployment, name: str, wanted: Properties) -> Iterator[Finding]:
    """Compare the settings of the archive's bucket with the template."""
    client = deployment.client("s3")
    for setting, property_, read, write in BUCKET_SETTINGS:
        if property_ not in wanted:
            continue
        found, right = _compact(read(client, name)), _compact(_in_words_of_s3(property_, wanted[property_]))
        if found != right:
            command = f"{deployment.aws_cli} s3api {write} {shlex.quote(right)} --bucket {name}"
            yield Finding("fail", f"archive {name}", f"{setting} differs from the template: {found}", f"`{command}`")


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _in_words_of_s3(property_: str, wanted: Any) -> Any:
    """Write a property of the template in the words of the S3 API."""
    if property_ == "BucketEncryption":
        rules = [rule["ServerSideEncryptionByDefault"] for rule in wanted["ServerSideEncryptionConfiguration"]]
        return {"Rules": [{"ApplyServerSideEncryptionByDefault": rule} for rule in rules]}
    if property_ == "LifecycleConfiguration":
        return {"Rules": lifecycle([_lifecycle_rule(rule) for rule in wanted["Rules"]])}
    return wanted


def _lifecycle_rule(rule: Properties) -> dict[str, Any]:
    words = {{"Id": "ID", "ExpirationInDays": "Expiration"}.get(name, name): value for name, value in rule.items()}
    if "ExpirationInDays" in rule:
        words["Expiration"] = {"Days": rule["ExpirationInDays"]}
    return words


def lifecycle(rules: Sequence[Properties]) -> list[dict[str, Any]]:
    """Write each rule's prefix into its filter, and sort the rules: S3 accepts and returns the prefix in two places."""
    return sorted(
        (
            {
                **{name: value for name, value in rule.items() if name != "Prefix"},
                "Filter": {"Prefix": rule.get("Prefix", ""), **rule.get("Filter", {})},
            }
            for rule in rules
        ),
        key=_compact,
    )


def _absent(code: str, read: Callable[[], Any]) -> Any:
    """Read a setting; None if the bucket does not have it."""
    try:
        return read()
    except ClientError as exc:
        if exc.response["Error"]["Code"] != code:
            raise
        return None


def _versioning(client: Any, bucket: str) -> Any:
    return {"Status": client.get_bucket_versioning(Bucket=bucket).get("Status", "Suspended")}


def _encryption(client: Any, bucket: str) -> Any:
    read = partial(client.get_bucket_encryption, Bucket=bucket)
    answer = _absent("ServerSideEncryptionConfigurationNotFoundError", read) or {}
    rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    # Bucket keys matter to KMS only.
    kept = [
        {"ApplyServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"]}
        for rule in rules
        if "ApplyServerSideEncryptionByDefault" in rule
    ]
    return {"Rules": kept}


def _lifecycle(client: Any, bucket: str) -> Any:
    read = partial(client.get_bucket_lifecycle_configuration, Bucket=bucket)
    answer = _absent("NoSuchLifecycleConfiguration", read) or {}
    return {"Rules": lifecycle(answer.get("Rules", []))}


def _public_access(client: Any, bucket: str) -> Any:
    answer = _absent("NoSuchPublicAccessBlockConfiguration", partial(client.get_public_access_block, Bucket=bucket))
    return answer and answer["PublicAccessBlockConfiguration"]


def _ownership(client: Any, bucket: str) -> Any:
    answer = _absent("OwnershipControlsNotFoundError", partial(client.get_bucket_ownership_controls, Bucket=bucket))
    return answer and {"Rules": answer["OwnershipControls"]["Rules"]}


# Name for people, property of the template, function that reads it, command that writes it up to the value.
BUCKET_SETTINGS: tuple[tuple[str, str, Callable[[Any, str], Any], str], ...] = (
    ("versioning", "VersioningConfiguration", _versioning, "put-bucket-versioning --versioning-configuration"),
    ("lifecycle", "LifecycleConfiguration", _lifecycle, "put-bucket-lifecycle-configuration --lifecycle-configuration"),
    ("encryption", "BucketEncryption", _encryption, "put-bucket-encryption --server-side-encryption-configuration"),
    (
        "public access block",
        "PublicAccessBlockConfiguration",
        _public_access,
        "put-public-access-block --public-access-block-configuration",
    ),
    ("ownership", "OwnershipControls", _ownership, "put-bucket-ownership-controls --ownership-controls"),
)

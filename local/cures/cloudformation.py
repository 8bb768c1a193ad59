"""Cures of ministack's CloudFormation."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools
import json

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from ministack.core import persistence
from ministack.services import cloudformation, dynamodb, s3, secretsmanager
from ministack.services.cloudformation import provisioners

SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a resource's type


def hide_no_echo_values() -> None:
    """Keep the values of NoEcho parameters out of `cloudformation.json`.

    ministack: saves them with the stack, its change sets and the properties of its resources, in clear text.
    AWS: shows them nowhere. Here `****` is saved, so the next deployment has to pass the value again.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
    """
    get_state = cloudformation.get_state
    cloudformation.get_state = lambda: without_no_echo(get_state())


def without_no_echo(state: Any) -> Any:
    """Replace every value of a NoEcho parameter, wherever it appears in the state."""
    plain = json.loads(json.dumps(state, default=persistence._json_default))
    secrets = sorted(no_echo_values(plain), key=len, reverse=True)

    def hidden(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: hidden(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [hidden(inner) for inner in value]
        if isinstance(value, str):
            return functools.reduce(lambda text, secret: text.replace(secret, "****"), secrets, value)
        return value

    return hidden(plain)


def no_echo_values(state: Any) -> set[str]:
    """Collect the values of NoEcho parameters; ministack marks them beside the value."""
    if isinstance(state, list):
        return set().union(*map(no_echo_values, state))
    if not isinstance(state, dict):
        return set()
    values = {state.get("Value"), state.get("ParameterValue")} if state.get("NoEcho") is True else set()
    found = {value for value in values if isinstance(value, str) and value}
    return found.union(*map(no_echo_values, state.values()))


def adopt_existing_buckets() -> None:
    """Let a change set with `ImportExistingResources` import a bucket that an earlier stack retained.

    ministack: refuses every bucket that exists, even one that it is about to import.
    AWS: imports a resource that is retained and has a plain string as its name.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
    """
    # The creation itself still refuses a taken name that is not imported.
    provisioners.s3_bucket_name_conflict = lambda _name: None


def refer_to_secrets_by_arn() -> None:
    """Let `Ref` of a secret return its ARN, also in stacks that were deployed before this cure.

    ministack: returns its name, so that a policy for the secret matches no resource at all.
    AWS: returns its ARN.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
    """
    handlers = provisioners._RESOURCE_HANDLERS[SECRET]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]
    load = cloudformation.load_persisted_state

    def create_by_arn(*arguments: Any) -> Any:
        _, attributes = create(*arguments)
        return attributes["Arn"], attributes

    def update_by_arn(physical_id: str, *arguments: Any) -> Any:
        _, attributes = update(secret_name(physical_id), *arguments)
        return attributes["Arn"], attributes

    def delete_by_arn(physical_id: str, properties: Any) -> None:
        delete(secret_name(physical_id), properties)

    def load_by_arn(state: Any) -> None:
        load(state)
        for stack in cloudformation._stacks._data.values():
            for resource in stack.get("_resources", {}).values():
                if resource["ResourceType"] == SECRET:
                    resource["PhysicalResourceId"] = resource["Attributes"]["Arn"]

    handlers.update(create=create_by_arn, update=update_by_arn, delete=delete_by_arn)
    cloudformation.load_persisted_state = load_by_arn


def secret_name(arn: str) -> str:
    """Return ministack's name of a secret; the ARN of a deleted secret is returned unchanged."""
    return str(secretsmanager._resolve(arn)[0] or arn)


Properties = Mapping[str, Any]


def apply_table_properties() -> None:
    """Turn on a table's point-in-time recovery and encryption if the template asks for them.

    ministack: ignores both when it creates a table, and recovery when it updates one.
    AWS: applies them, except to a table that it imports.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
    """
    handlers = provisioners._RESOURCE_HANDLERS["AWS::DynamoDB::Table"]
    create, update = handlers["create"], handlers["update"]

    @functools.wraps(create)
    def create_and_apply(logical_id: str, props: Properties, stack: str) -> Any:
        created = create(logical_id, props, stack)
        _apply(created[0], {}, props)
        return created

    @functools.wraps(update)
    def update_and_apply(physical_id: str, old: Properties, new: Properties, stack: str, *more: Any) -> Any:
        # ministack does not know CloudFormation's field of SSESpecification.
        plain = [{name: value for name, value in each.items() if name != "SSESpecification"} for each in (old, new)]
        updated = update(physical_id, *plain, stack, *more)
        _apply(updated[0], old, new)
        return updated

    handlers["create"], handlers["update"] = create_and_apply, update_and_apply


def _apply(table: str, old: Properties, new: Properties) -> None:
    recovery, encryption = "PointInTimeRecoverySpecification", "SSESpecification"
    if old.get(recovery) != new.get(recovery):
        dynamodb._update_continuous_backups({"TableName": table, recovery: new.get(recovery, {})})
    if old.get(encryption) != new.get(encryption):
        enabled = new.get(encryption, {}).get("SSEEnabled", False)
        dynamodb._update_table({"TableName": table, encryption: {"Enabled": enabled}})


def apply_bucket_lifecycle() -> None:
    """Apply the lifecycle rules of the template to a bucket; nothing expires here.

    ministack: supports them in S3's own API only.
    AWS: applies them, except to a bucket that it imports.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
    """
    lifecycle = ("LifecycleConfiguration", lifecycle_xml, s3._put_bucket_lifecycle, s3._delete_bucket_lifecycle)
    provisioners._S3_BUCKET_CONFIGURATIONS = (*provisioners._S3_BUCKET_CONFIGURATIONS, lifecycle)


def lifecycle_xml(configuration: Properties) -> bytes:
    """Return the property as the body of PutBucketLifecycleConfiguration."""
    root = Element("LifecycleConfiguration", xmlns=s3.S3_NS)
    for rule in configuration["Rules"]:
        element = SubElement(root, "Rule")
        for name, value in rule.items():
            match name:
                case "Id":
                    SubElement(element, "ID").text = value
                case "ExpirationInDays":
                    SubElement(SubElement(element, "Expiration"), "Days").text = str(value)
                case "Prefix":
                    SubElement(SubElement(element, "Filter"), "Prefix").text = value
                case _:
                    _append(element, name, value)
    return tostring(root)


def _append(parent: Element, name: str, value: Any) -> None:
    element = SubElement(parent, name)
    if isinstance(value, dict):
        for inner, given in value.items():
            _append(element, inner, given)
    else:
        element.text = str(value)

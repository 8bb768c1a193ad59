"""Where ministack's CloudFormation leaves properties of tables and buckets out that AWS applies."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from ministack.services import dynamodb, s3
from ministack.services.cloudformation import provisioners

Properties = Mapping[str, Any]


def apply_table_properties() -> None:
    """Turn on a table's point-in-time recovery and encryption where the template says so.

    ministack: leaves both out when it creates a table, and the first one when it changes one.
    AWS: applies them, except to a table that it adopts.

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
        # What it makes of SSESpecification does not know CloudFormation's name of the field.
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
    """Write the lifecycle rules of the template to a bucket; nothing expires here.

    ministack: knows them in S3's own API only.
    AWS: applies them, except to a bucket that it adopts.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
    """
    lifecycle = ("LifecycleConfiguration", lifecycle_xml, s3._put_bucket_lifecycle, s3._delete_bucket_lifecycle)
    provisioners._S3_BUCKET_CONFIGURATIONS = (*provisioners._S3_BUCKET_CONFIGURATIONS, lifecycle)


def lifecycle_xml(configuration: Properties) -> bytes:
    """Write the property as the body of PutBucketLifecycleConfiguration."""
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

"""Promise: an update in place of either earlier version keeps all that must be kept, and CloudFormation accepts it."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from stacks.first_version import DAILY_RULE, TOKEN_SECRET, TRAFFIC_TABLE
from tests.infrastructure import landed_version
from tests.infrastructure.conftest import Template
from tests.integration import first_version

Properties = Mapping[str, Any]

# What an upgrade of the first version changes of its table. Each is documented with "Update requires: No interruption".
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
OF_THE_TABLE = {"BillingMode", "ProvisionedThroughput", "PointInTimeRecoverySpecification"}

# The same for its rule.
# Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
OF_THE_RULE = {"Description", "ScheduleExpression", "Targets"}


def changed(before: Properties, after: Properties) -> set[str]:
    """Return the properties that differ between two templates."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def replacing(type_: str) -> set[str]:
    """Return the properties of a type whose change makes CloudFormation replace the resource, always or sometimes.

    Source:
        AWS's own schema of the type, in cfn-lint (createOnlyProperties, conditionalCreateOnlyProperties)
    """
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    paths: Iterable[str] = schema.get("createOnlyProperties", []) + schema.get("conditionalCreateOnlyProperties", [])
    return {path.split("/")[2] for path in paths}


@pytest.mark.parametrize(
    ("logical_id", "harmless"),
    [(TRAFFIC_TABLE, OF_THE_TABLE), (TOKEN_SECRET, set[str]()), (DAILY_RULE, OF_THE_RULE)],
)
def test_over_the_first_version_every_other_property_stays(
    template: Template, logical_id: str, harmless: set[str]
) -> None:
    """A replaced table begins empty, and its name is taken; a changed secret restores an old token."""
    before, after = first_version.TEMPLATE["Resources"][logical_id], template.resources[logical_id]

    assert before["Type"] == after["Type"]
    assert changed(before["Properties"], after["Properties"]) == harmless
    assert not harmless & replacing(after["Type"])


def test_the_encryption_of_every_table_stays(template: Template) -> None:
    """CloudFormation has refused an update that drops `SSESpecification`, as the first version's table has one.

    The other tables never had that property, and DynamoDB's own key is free.

    Sources:
        https://github.com/aws/aws-cdk/pull/8450
        https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1070
    """
    encrypted = {
        found["Properties"]["TableName"]: found["Properties"]["SSESpecification"]
        for found in template.of_type("AWS::DynamoDB::Table").values()
        if "SSESpecification" in found["Properties"]
    }
    before = first_version.TEMPLATE["Resources"][TRAFFIC_TABLE]["Properties"]["SSESpecification"]

    assert encrypted == {"RepoTraffic": before} == {"RepoTraffic": {"SSEEnabled": True}}


@pytest.mark.parametrize("logical_id", landed_version.RESOURCES)
def test_over_the_version_before_only_the_log_of_runs_is_replaced(template: Template, logical_id: str) -> None:
    """A replaced topic loses its confirmed subscriptions, a replaced state machine the history of its runs."""
    before, after = landed_version.RESOURCES[logical_id], template.resources[logical_id]
    made_new = changed(before["Properties"], after["Properties"]) & replacing(after["Type"])

    assert before["Type"] == after["Type"]
    assert made_new == ({"LogGroupName"} if logical_id == landed_version.RUN_LOG else set())


@pytest.mark.parametrize(
    ("logical_id", "new"),
    [
        ("TrafficTableC0923B77", {"SSESpecification"}),
        ("StorageRepositoriesTable7A405D38", set[str]()),
        ("StorageSnapshotsTable53E570A2", set[str]()),
    ],
)
def test_over_the_version_before_a_table_changes_at_most_its_key(
    template: Template, logical_id: str, new: set[str]
) -> None:
    """`SSESpecification` changes without interruption.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-table-ssespecification.html
    """
    before = landed_version.RESOURCES[logical_id]["Properties"]

    assert changed(before, template.resources[logical_id]["Properties"]) == new

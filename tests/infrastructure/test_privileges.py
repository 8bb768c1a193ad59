"""Promise: every role allows what its code does, and nothing else.

tests/integration/statemachine/test_least_privilege.py proves that the code does what these lists contain.
"""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from local.engine import ACCOUNT, REGION
from tests.infrastructure.conftest import Template, many, role_of

# The actions for which AWS accepts no resource except *.
# X-Ray: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
# Log delivery: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
WITHOUT_RESOURCE = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}

RUN_FILES = {"s3:GetObject /runs/*", "s3:PutObject /runs/*"}
MISSING_RUN_FILES = {"s3:ListBucket runs/*"}
TOKEN = {"secretsmanager:GetSecretValue"}
ALLOWED = {
    "list_repos": TOKEN | RUN_FILES | {"s3:ListBucket answers/*", "s3:PutObject /listings/*", "dynamodb:Scan"},
    "fetch_traffic": TOKEN | RUN_FILES | MISSING_RUN_FILES | {"s3:PutObject /answers/*"},
    "store_traffic": {
        "s3:GetObject /answers/*",
        "s3:GetObject /imports/*",
        "s3:PutObject /runs/*/receipts/*",
        "dynamodb:BatchGetItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
    },
    "summarize_run": RUN_FILES
    | MISSING_RUN_FILES
    | {"dynamodb:Query", "dynamodb:Scan", "sns:ListSubscriptionsByTopic"},
}
EVERY_FUNCTION = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}

MACHINE = {
    "lambda:InvokeFunction",
    "sns:Publish",
    "s3:GetObject /runs/*",
    "states:StartExecution",
    "states:DescribeExecution",
    "states:StopExecution",
    "states:RedriveExecution",
} | WITHOUT_RESOURCE


def allowed(statements: list[Mapping[str, Any]]) -> set[str]:
    """Return every action that statements allow, with the key pattern if it is an action on objects."""
    return {
        action + key_pattern(action, resource, statement)
        for statement in statements
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
    }


def key_pattern(action: str, resource: Any, statement: Mapping[str, Any]) -> str:
    """Return the objects of the archive to which an action is limited; an empty text for other actions."""
    if action in ("s3:GetObject", "s3:PutObject"):
        return f" {resource['Fn::Join'][1][-1]}"
    return f" {statement['Condition']['StringLikeIfExists']['s3:prefix']}" if action == "s3:ListBucket" else ""


def every_statement(template: Template) -> Iterator[Mapping[str, Any]]:
    """Return every statement of every role."""
    for role in template.of_type("AWS::IAM::Role"):
        yield from template.statements(role)


@pytest.mark.parametrize("folder", sorted(ALLOWED))
def test_a_function_may_do_what_its_code_does_and_no_more(template: Template, folder: str) -> None:
    """A flaw in one step must not reach data that only another step needs."""
    assert allowed(template.statements(role_of(template.function(folder)))) == ALLOWED[folder] | EVERY_FUNCTION


def test_the_machine_may_do_what_its_states_do_and_no_more(template: Template) -> None:
    """A definition from text grants nothing by itself, and a missing right would be noticed only in a run on AWS.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    """
    machine = template.only("AWS::StepFunctions::StateMachine")

    assert allowed(template.statements(role_of(machine))) == MACHINE


def test_the_machine_may_redrive_its_children_and_nothing_else(template: Template) -> None:
    """A person who redrives a run needs that right; the run itself redrives the children of its Map, by its role.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/redrive-map-run.html (IAM permissions)
    """
    machine = template.only("AWS::StepFunctions::StateMachine")
    (id_,) = template.of_type("AWS::StepFunctions::StateMachine")
    label = json.loads(machine["DefinitionString"])["States"]["Capture repositories"]["Label"]
    (resource,) = [
        found["Resource"]
        for found in template.statements(role_of(machine))
        if "states:RedriveExecution" in many(found["Action"])
    ]
    values = {"AWS::Partition": "aws", id_: "Machine"}
    parts = (
        part if isinstance(part, str) else part.get("Ref") or part["Fn::GetAtt"][0] for part in resource["Fn::Join"][1]
    )
    pattern = "".join(values.get(part, part) for part in parts)
    executions = f"arn:aws:states:{REGION}:{ACCOUNT}:execution"

    assert fnmatchcase(f"{executions}:Machine/{label}:7b4a1f8e-child", pattern)
    assert not fnmatchcase(f"{executions}:Machine:run-1", pattern)
    assert not fnmatchcase(f"{executions}:Machines/{label}:7b4a1f8e-child", pattern)


def test_every_function_has_a_role_of_its_own(template: Template) -> None:
    """With a shared role each function would have the rights of all."""
    roles = [role_of(found["Properties"]) for found in template.of_type("AWS::Lambda::Function").values()]

    assert len(set(roles)) == len(roles) == len(ALLOWED)


def test_only_the_table_of_repositories_is_scanned(template: Template) -> None:
    """It has one item for each repository; a scan of the table of days would cost more each year."""
    scans = [found for found in every_statement(template) if "dynamodb:Scan" in many(found["Action"])]
    scanned = {resource["Fn::GetAtt"][0] for found in scans for resource in many(found["Resource"])}

    names = [template.resources[id_]["Properties"]["TableName"] for id_ in scanned]
    assert names == ["RepoTrafficRepositories"]


def test_nothing_may_delete(template: Template) -> None:
    """The history only grows."""
    actions = {action for statement in every_statement(template) for action in many(statement["Action"])}

    assert not {action for action in actions if "Delete" in action} - {"logs:DeleteLogDelivery"}


def test_no_action_is_a_wildcard(template: Template) -> None:
    """`s3:*` would include every action that AWS adds."""
    assert not [found for found in every_statement(template) if "*" in json.dumps(found["Action"])]


def test_only_actions_without_resources_have_a_wildcard_resource(template: Template) -> None:
    """The pages of AWS at WITHOUT_RESOURCE show that its actions take no resource."""
    found = [statement for statement in every_statement(template) if "*" in many(statement["Resource"])]

    assert {action for statement in found for action in many(statement["Action"])} == WITHOUT_RESOURCE


def test_listing_is_limited_to_a_prefix_and_still_shows_that_a_key_is_missing(template: Template) -> None:
    """Without s3:ListBucket S3 answers 403 for a missing key; S3 checks that right without an s3:prefix.

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
    """
    listing = [found for found in every_statement(template) if found["Action"] == "s3:ListBucket"]

    assert listing
    for statement in listing:
        (prefixes,) = (rule["s3:prefix"] for rule in statement["Condition"].values())
        assert statement["Condition"] == {"StringLikeIfExists": {"s3:prefix": prefixes}}
        assert set(many(prefixes)) <= {"runs/*", "answers/*"}


def test_no_managed_policy_is_attached(template: Template) -> None:
    """AWS changes its managed policies at any time, and they allow more than one log group."""
    assert not [
        role for role in template.of_type("AWS::IAM::Role").values() if "ManagedPolicyArns" in role["Properties"]
    ]

"""Cures of ministack's CloudWatch Logs, and of the services that write to it."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools
import json
from collections.abc import Iterator
from typing import Any

from ministack.core import responses
from ministack.services import cloudwatch_logs, stepfunctions
from ministack.services.cloudformation import provisioners

LONGEST_POLICY = 5_120  # characters
DELIVERY_POLICY = "AWSLogDeliveryWrite20150319"  # all log deliveries of a region share it
WITHOUT_POLICY = ":log-group:/aws/vendedlogs/"  # one entry covers all groups with this prefix

FULL = (
    "Invalid Logging Configuration: The CloudWatch Logs Resource Policy size was exceeded. "
    "We suggest prefixing your CloudWatch log group name with /aws/vendedlogs/states/."
)


def limit_resource_policies() -> None:
    """Refuse a resource policy of more than 5,120 characters, and a state machine whose log group no longer fits in it.

    ministack: accepts any policy, and writes none for a state machine.
    AWS: adds each log group of a state machine to the region's policy, unless its name begins with
    `/aws/vendedlogs/`. If the policy is full, creating or changing the machine fails.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-cwl
        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html
        https://github.com/aws-solutions/media-insights-on-aws/issues/685
    """
    put = cloudwatch_logs._put_resource_policy

    @functools.wraps(put)
    def put_checked(data: dict[str, Any]) -> Any:
        if len(data.get("policyDocument") or "") > LONGEST_POLICY:
            message = f"Policy document length breaking Cloudwatch Logs Constraints, either < 1 or > {LONGEST_POLICY}"
            return responses.error_response_json("InvalidParameterException", message, 400)
        return put(data)

    cloudwatch_logs._put_resource_policy = put_checked
    for name in ("_create_state_machine", "_update_state_machine"):
        setattr(stepfunctions, name, delivering_logs(getattr(stepfunctions, name)))
    create_machines_with_delivery()


def delivering_logs(operation: Any) -> Any:
    """Wrap an operation of Step Functions so that it first sets up the log delivery."""

    @functools.wraps(operation)
    def deliver_and_do(data: dict[str, Any]) -> Any:
        if not allow_delivery(data.get("loggingConfiguration")):
            return responses.error_response_json("InvalidLoggingConfiguration", FULL, 400)
        return operation(data)

    return deliver_and_do


def create_machines_with_delivery() -> None:
    """Let CloudFormation set up the delivery, too: it does not use the service's own operation."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]
    create = handlers["create"]

    @functools.wraps(create)
    def create_checked(logical_id: str, properties: dict[str, Any], stack: str) -> Any:
        if not allow_delivery(properties.get("LoggingConfiguration")):
            raise ValueError(f"Resource handler returned message: {FULL!r}")
        return create(logical_id, properties, stack)

    handlers["create"] = create_checked


def allow_delivery(configuration: Any) -> bool:
    """Add a state machine's log groups to the region's policy; return False if they no longer fit."""
    kept = cloudwatch_logs._resource_policies.get(DELIVERY_POLICY, {})
    statement = {
        "Sid": DELIVERY_POLICY,
        "Effect": "Allow",
        "Principal": {"Service": "delivery.logs.amazonaws.com"},
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    }
    document = json.loads(kept.get("policyDocument") or json.dumps({"Statement": [{**statement, "Resource": []}]}))
    resources = document["Statement"][0]["Resource"]
    new = [each for each in delivered_to(configuration) if WITHOUT_POLICY not in each and each not in resources]
    if not new:
        return True
    resources.extend(new)
    put = {"policyName": DELIVERY_POLICY, "policyDocument": json.dumps(document, separators=(",", ":"))}
    return int(cloudwatch_logs._put_resource_policy(put)[0]) < 400


def delivered_to(configuration: Any) -> Iterator[str]:
    """Yield the log streams of a logging configuration, as CloudFormation or the service's own API writes it."""
    if isinstance(configuration, dict):
        for name, value in configuration.items():
            if name.lower() == "loggrouparn":
                yield value.removesuffix(":*") + ":log-stream:*"
            else:
                yield from delivered_to(value)
    elif isinstance(configuration, list):
        for each in configuration:
            yield from delivered_to(each)

"""Cures of ministack's IAM: they refuse what a policy does not allow.

With `AUTH=true` (see `local.launcher`) ministack evaluates policies for each request over HTTP, but not for calls that
services make inside the engine under a role. These cures do, with ministack's own evaluator.
"""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools
import hashlib
from contextvars import ContextVar
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import eventbridge, s3, sns, stepfunctions, sts

# The role of the state machine whose states run in this thread.
_machine_role: ContextVar[str] = ContextVar("machine_role", default="")

# By service integration of a state: the action that it needs, and the parameter with the resource.
INTEGRATIONS = {
    "arn:aws:states:::lambda:invoke": ("lambda:InvokeFunction", "FunctionName"),
    "arn:aws:states:::sns:publish": ("sns:Publish", "TopicArn"),
}

# The error of a state whose call is refused.
# Lambda: https://github.com/awslabs/aws-deployment-framework/issues/460
# SNS: the name of the SDK's exception, after the prefix of the integration
REFUSED = {"lambda": "Lambda.AWSLambdaException", "sns": "SNS.AuthorizationErrorException"}


def enforce_policies() -> None:
    """Evaluate policies everywhere that AWS does."""
    treat_loopback_as_encrypted()
    hide_missing_objects()
    check_roles_of_machines()
    check_roles_of_rules()
    check_topic_policy_for_events()


def treat_loopback_as_encrypted() -> None:
    """Let `aws:SecureTransport` be true for requests from this machine.

    ministack: serves plain http here, so a bucket policy that requires TLS refuses every request.
    AWS: clients use https. Requests on loopback need no TLS.
    """
    pin = app.pin_request_origin

    @functools.wraps(pin)
    def pin_loopback(source_ip: str, secure_transport: bool) -> None:
        pin(source_ip, secure_transport or source_ip in ("127.0.0.1", "::1"))

    app.pin_request_origin = pin_loopback


def hide_missing_objects() -> None:
    """Answer 403 for a missing object to a caller who may not list its bucket.

    ministack: answers 404 `NoSuchKey` to everyone.
    AWS: without `s3:ListBucket`, a caller cannot find out whether a key exists.

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
    """
    handle = s3.handle_request

    @functools.wraps(handle)
    async def handle_and_hide(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], **options: Any
    ) -> Any:
        answer = await handle(method, path, headers, body, query, **options)
        bucket, _, key = path.lstrip("/").partition("/")
        if answer[0] != 404 or method not in ("GET", "HEAD") or not key or options.get("internal"):
            return answer
        caller = app.extract_access_key_id(headers, query)
        refused = refusal(caller, "s3:ListBucket", f"arn:aws:s3:::{bucket}")
        if refused is None:
            return answer
        denied = iam_actions.access_denied_response(
            "s3", "s3:ListBucket", "", answer[1]["x-amz-request-id"], message=refused
        )
        return (denied[0], denied[1], b"" if method == "HEAD" else denied[2])

    s3.handle_request = handle_and_hide


def check_roles_of_machines() -> None:
    """Let a state machine do only what its role allows.

    ministack: invokes, publishes, reads the items and starts the children of a Map without checking the role.
    AWS: makes each of these calls as the role.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
        https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
    """
    run, invoke = stepfunctions._run_execution, stepfunctions._invoke_resource
    read, run_map = stepfunctions._s3_object_text, stepfunctions._run_distributed_map

    @functools.wraps(run)
    def run_as_role(execution_arn: str) -> None:
        machine = stepfunctions._executions[execution_arn]["stateMachineArn"]
        _machine_role.set(stepfunctions._state_machines[machine]["roleArn"])
        run(execution_arn)

    @functools.wraps(invoke)
    def invoke_as_role(resource: str, given: Any) -> Any:
        action, parameter = integration(resource)
        check_machine(action, given[parameter], REFUSED[action.partition(":")[0]])
        return invoke(resource, given)

    @functools.wraps(read)
    def read_as_role(bucket: str, key: str) -> Any:
        check_machine("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", "States.ItemReaderFailed")
        return read(bucket, key)

    @functools.wraps(run_map)
    def run_map_as_role(*arguments: Any) -> Any:
        execution = arguments[4]
        check_machine("states:StartExecution", execution["stateMachineArn"], "States.Runtime")
        return run_map(*arguments)

    stepfunctions._run_execution, stepfunctions._invoke_resource = run_as_role, invoke_as_role
    stepfunctions._s3_object_text, stepfunctions._run_distributed_map = read_as_role, run_map_as_role


def integration(resource: str) -> tuple[str, str]:
    """Return the action of a state's service integration, and the parameter with its resource.

    Raises:
        ministack's execution error, so that the run fails: INTEGRATIONS has no such integration.
    """
    if resource not in INTEGRATIONS:
        raise stepfunctions._ExecutionError(
            "States.Runtime", f"local/cures/iam.py does not know which right {resource} needs. Add it to INTEGRATIONS."
        )
    return INTEGRATIONS[resource]


def check_machine(action: str, resource: str, error: str) -> None:
    """Fail the state, under this error, if the machine's role does not allow the action."""
    refused = role_refusal(_machine_role.get(), "states", action, resource)
    if refused is not None:
        raise stepfunctions._ExecutionError(error, refused)


def check_roles_of_rules() -> None:
    """Let an EventBridge rule start a state machine only if the target's role allows it.

    ministack: starts it without checking the role.
    AWS: starts it as the role, and counts a refusal as a failed invocation.

    Source:
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-identity-based.html
    """
    invoke = eventbridge._invoke_target

    @functools.wraps(invoke)
    def invoke_as_role(target: dict[str, Any], event: Any, rule: Any, view: Any = None) -> Any:
        arn = target.get("Arn", "")
        if ":states:" in arn:
            refused = role_refusal(target.get("RoleArn", ""), "events", "states:StartExecution", arn)
            if refused is not None:
                eventbridge.logger.warning("EventBridge: target %s not invoked: %s", arn, refused)
                return None
        return invoke(target, event, rule, view)

    eventbridge._invoke_target = invoke_as_role


def check_topic_policy_for_events() -> None:
    """Let an EventBridge rule publish only to a topic whose policy allows it.

    ministack: publishes without checking the policy.
    AWS: publishes as `events.amazonaws.com`, and drops the event if the policy does not allow it.

    Source:
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    invoke = eventbridge._invoke_target

    @functools.wraps(invoke)
    def invoke_if_allowed(target: dict[str, Any], event: Any, rule: Any, view: Any = None) -> Any:
        arn = target.get("Arn", "")
        source = (rule.get("Arn", ""), responses.get_account_id())
        if ":sns:" in arn and not sns.topic_policy_allows(arn, "events.amazonaws.com", *source):
            eventbridge.logger.warning("EventBridge: target %s not invoked: the topic's policy does not allow it", arn)
            return None
        return invoke(target, event, rule, view)

    eventbridge._invoke_target = invoke_if_allowed


def role_refusal(role: str, session: str, action: str, resource: str) -> str | None:
    """Return why a role may not make a call, or None if it may.

    Args:
        role: The role's ARN.
        session: The name of the session, which appears in the message.
        action: For example `sns:Publish`.
        resource: The ARN of the resource.

    Returns:
        AWS's message if the call is refused, otherwise None.
    """
    account, name = role.split(":")[4] if role else "", role.rpartition("/")[2]
    key = "ASIA" + hashlib.sha256(f"{session}:{role}".encode()).hexdigest()[:16].upper()
    if key not in sts._sessions:
        sts.register_session(
            key,
            {
                "Arn": f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
                "UserId": f"{name}:{session}",
                "SecretAccessKey": key,
                "SessionToken": key,
            },
        )
    iam_evaluator.pin_request_origin("127.0.0.1", True)
    return refusal(key, action, resource)


def refusal(caller: str, action: str, resource: str) -> str | None:
    """Return AWS's message if a call is refused to an access key, otherwise None."""
    service = action.partition(":")[0]
    result = iam_evaluator.enforce(caller, action, service, responses.get_region(), resource_arn=resource)
    if result is None:
        return None
    if isinstance(result, iam_evaluator.AuthError):
        return str(result.message)
    explicit = result.decision == "Deny"
    return str(iam_actions.identity_denial_message(action, result.principal_arn, resource, explicit))

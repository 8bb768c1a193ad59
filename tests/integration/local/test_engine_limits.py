"""The local engine refuses data that is too large for AWS, with AWS's errors."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.engine import ACCOUNT, REGION, Engine, running_engine

HANDLERS = '''
def answer(event, context):
    """Answer with so many characters."""
    return "x" * event["characters"]


def fail(event, context):
    """Fail with so many characters."""
    raise RuntimeError("x" * event["characters"])
'''

KIB = 1024


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine with a role that allows everything, and two functions."""
    with running_engine(tmp_path_factory.mktemp("limits") / "history") as running:
        trusted = [{"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}]
        iam = running.client("iam")
        iam.create_role(RoleName="all", AssumeRolePolicyDocument=json.dumps({"Statement": trusted}))
        everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_role_policy(RoleName="all", PolicyName="all", PolicyDocument=json.dumps(everything))
        for name in ("answer", "fail"):
            running.client("lambda").create_function(
                FunctionName=name, Handler=f"handlers.{name}", Runtime="python3.13", Role=ROLE, Code={"ZipFile": code()}
            )
        yield running


ROLE = f"arn:aws:iam::{ACCOUNT}:role/all"


def code() -> bytes:
    """Return the zip of the functions."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handlers.py", HANDLERS)
    return buffer.getvalue()


def machine(engine: Engine, name: str, state: dict[str, Any]) -> str:
    """Create a machine of one state with a Catch of `States.ALL`."""
    caught = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]} if state["Type"] in ("Task", "Map") else {}
    ends = {} if state["Type"] == "Fail" else {"Next": "Done"}
    states = {"Only": {**state, **caught, **ends}, "Done": {"Type": "Succeed"}, "Caught": {"Type": "Succeed"}}
    definition = json.dumps({"StartAt": "Only", "States": states})
    client = engine.client("stepfunctions")
    return str(client.create_state_machine(name=name, definition=definition, roleArn=ROLE)["stateMachineArn"])


def run(engine: Engine, machine_arn: str, given: object) -> dict[str, Any]:
    """Run a machine until it ends."""
    client = engine.client("stepfunctions")
    arn = client.start_execution(stateMachineArn=machine_arn, input=json.dumps(given))["executionArn"]
    while (execution := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.02)
    return dict(execution)


def invoking(function: str) -> dict[str, Any]:
    """Return a task that calls a function with the state's input."""
    parameters = {"FunctionName": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}", "Payload.$": "$"}
    resource = "arn:aws:states:::lambda:invoke"
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, "OutputPath": "$.Payload"}


def test_an_input_over_256_kib_is_refused(engine: Engine) -> None:
    """Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html."""
    arn = machine(engine, "takes-input", {"Type": "Pass"})

    assert run(engine, arn, "x" * (256 * KIB - 2))["status"] == "SUCCEEDED"
    with pytest.raises(ClientError, match=r"ValidationException.*less than or equal to 262144"):
        run(engine, arn, "x" * (256 * KIB - 1))


def test_a_result_over_256_kib_fails_and_states_all_does_not_catch_it(engine: Engine) -> None:
    """A handler that returns its repositories would work with ten of them, and fail the run with ten thousand.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
    """
    arn = machine(engine, "answers", invoking("answer"))

    failed = run(engine, arn, {"characters": 256 * KIB})

    assert run(engine, arn, {"characters": 255 * KIB})["status"] == "SUCCEEDED"
    assert (failed["status"], failed["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert "a size exceeding the maximum number of bytes service limit" in failed["cause"]


def test_the_results_of_a_map_count_even_if_they_are_dropped(engine: Engine) -> None:
    """`ResultPath: null` removes them from the output only, so our children return `{}`."""
    processor = {"StartAt": "Item", "States": {"Item": {"Type": "Pass", "Result": "x" * 100 * KIB, "End": True}}}
    for mode in ({"Mode": "INLINE"}, {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}):
        state = {"Type": "Map", "ResultPath": None, "ItemProcessor": {"ProcessorConfig": mode, **processor}}
        arn = machine(engine, f"maps-{mode['Mode']}", state)

        assert run(engine, arn, [1, 2])["status"] == "SUCCEEDED"
        assert run(engine, arn, [1, 2, 3])["error"] == "States.DataLimitExceeded"


def test_a_response_over_6_mb_fails_the_function(engine: Engine) -> None:
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
    answer = engine.client("lambda").invoke(FunctionName="answer", Payload=json.dumps({"characters": 6_291_556}))

    assert answer["FunctionError"]
    assert json.load(answer["Payload"])["errorType"] == "Function.ResponseSizeTooLarge"


def test_a_cause_over_32_kib_changes_the_error(engine: Engine) -> None:
    """The history stores 32,768 characters; with more, the definition does not catch the error.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionFailedEventDetails.html
    """
    task = machine(engine, "fails", invoking("fail"))
    fail = machine(engine, "fails-by-path", {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "$.cause"})

    assert run(engine, task, {"characters": 32_000})["status"] == "SUCCEEDED"  # it is caught
    assert run(engine, task, {"characters": 33_000})["error"] == "States.DataLimitExceeded"
    assert run(engine, fail, {"error": "Ours", "cause": "x" * 32_768})["error"] == "Ours"
    assert run(engine, fail, {"error": "Ours", "cause": "x" * 32_769})["error"] == "States.DataLimitExceeded"
    assert run(engine, fail, {"error": "x" * 257, "cause": ""})["error"] == "States.DataLimitExceeded"


def test_a_cause_over_32_kib_is_refused_when_an_execution_is_stopped(engine: Engine) -> None:
    """Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html."""
    arn = machine(engine, "waits", {"Type": "Wait", "Seconds": 600})
    client = engine.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]

    with pytest.raises(ClientError, match="'cause' failed to satisfy constraint"):
        client.stop_execution(executionArn=execution, cause="x" * 32_769)
    client.stop_execution(executionArn=execution, cause="x" * 32_768)


@pytest.mark.parametrize("subject", ["x" * 101, "two\nlines", "a\ttab"])
def test_a_subject_that_no_mail_can_have_is_refused(engine: Engine, subject: str) -> None:
    """A summary with a longer subject would never arrive.

    Source:
        https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
    """
    topic = engine.client("sns").create_topic(Name="mails")["TopicArn"]
    state = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Parameters": published(topic)}
    definition = {"StartAt": "Publish", "States": {"Publish": {**state, "End": True}}}
    arn = engine.client("stepfunctions").create_state_machine(
        name=f"publishes-{abs(hash(subject))}", definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]

    with pytest.raises(ClientError, match=r"\(InvalidParameter\).*Invalid parameter: Subject"):
        engine.client("sns").publish(TopicArn=topic, Subject=subject, Message="m")
    assert engine.client("sns").publish(TopicArn=topic, Subject="x" * 100, Message="m")
    assert run(engine, arn, {"subject": subject})["error"] == "SNS.InvalidParameterException"


def published(topic: str) -> dict[str, str]:
    """Return the parameters of a state that publishes."""
    return {"TopicArn": topic, "Subject.$": "$.subject", "Message": "m"}


def test_a_message_over_256_kib_is_refused(engine: Engine) -> None:
    """Source: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html."""
    topic = engine.client("sns").create_topic(Name="mails")["TopicArn"]

    with pytest.raises(ClientError, match="InvalidParameter"):
        engine.client("sns").publish(TopicArn=topic, Message="x" * (256 * KIB + 1))


def test_a_state_machine_whose_logs_are_not_vended_needs_room_in_the_regions_policy(engine: Engine) -> None:
    """The policy of all log deliveries in a region has up to 5,120 characters; /aws/vendedlogs/ needs one entry only.

    Source:
        https://github.com/aws-solutions/media-insights-on-aws/issues/685
    """
    log(engine, "first", "/own/first")
    (policy,) = engine.client("logs").describe_resource_policies()["resourcePolicies"]
    document = json.loads(policy["policyDocument"])
    assert group_arn("/own/first").removesuffix("*") + "log-stream:*" in document["Statement"][0]["Resource"]
    document["Statement"][0]["Resource"].append("x" * (5_090 - len(json.dumps(document))))
    engine.client("logs").put_resource_policy(policyName=policy["policyName"], policyDocument=json.dumps(document))

    full = r"InvalidLoggingConfiguration.*The CloudWatch Logs Resource Policy size was exceeded"
    with pytest.raises(ClientError, match=full):
        log(engine, "second", "/own/second")
    assert "second" not in machines(engine)
    assert "Resource Policy size was exceeded" in deployed_status(engine, "/own/third")
    log(engine, "vended", "/aws/vendedlogs/states/vended")
    assert deployed_status(engine, "/aws/vendedlogs/states/one-more") == "CREATE_COMPLETE"


def log(engine: Engine, name: str, group: str) -> None:
    """Create a machine that writes to a log group."""
    target = {"cloudWatchLogsLogGroup": {"logGroupArn": group_arn(group)}}
    engine.client("stepfunctions").create_state_machine(
        name=name,
        definition=json.dumps({"StartAt": "Only", "States": {"Only": {"Type": "Succeed"}}}),
        roleArn=ROLE,
        loggingConfiguration={"level": "ALL", "destinations": [target]},
    )


def machines(engine: Engine) -> list[str]:
    """Return the machines' names."""
    return [each["name"] for each in engine.client("stepfunctions").list_state_machines()["stateMachines"]]


def group_arn(group: str) -> str:
    """Return the ARN of a log group in a logging configuration."""
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"


def test_a_resource_policy_over_5120_characters_is_refused(engine: Engine) -> None:
    """Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html."""
    client = engine.client("logs")

    with pytest.raises(ClientError, match="either < 1 or > 5120"):
        client.put_resource_policy(policyName="long", policyDocument=json.dumps({"Statement": "x" * 5_120}))


def test_an_item_over_400_kb_and_a_secret_over_64_kib_are_refused(engine: Engine) -> None:
    """Neither a repository's names nor the tokens of all owners may grow without limit.

    Sources:
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
        https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
    """
    keys = {"KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    engine.client("dynamodb").create_table(
        TableName="Items", AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}], **keys
    )
    engine.client("secretsmanager").create_secret(Name="token", SecretString="short")

    with pytest.raises(ClientError, match=r"ValidationException.*size"):
        engine.client("dynamodb").put_item(TableName="Items", Item={"k": {"S": "k"}, "v": {"S": "x" * 400 * KIB}})
    with pytest.raises(ClientError, match="less than or equal to 65536"):
        engine.client("secretsmanager").put_secret_value(SecretId="token", SecretString="x" * (64 * KIB + 1))
    engine.client("secretsmanager").put_secret_value(SecretId="token", SecretString="x" * 64 * KIB)


def deployed_status(engine: Engine, group: str) -> str:
    """Deploy a machine that writes to a log group; return the status, or the reasons of its failure."""
    destination = {"CloudWatchLogsLogGroup": {"LogGroupArn": group_arn(group)}}
    properties = {
        "DefinitionString": json.dumps({"StartAt": "Only", "States": {"Only": {"Type": "Succeed"}}}),
        "RoleArn": ROLE,
        "LoggingConfiguration": {"Level": "ALL", "Destinations": [destination]},
    }
    resources = {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}}
    client, name = engine.client("cloudformation"), group.strip("/").replace("/", "-")
    client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    while (stack := client.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"].endswith("_IN_PROGRESS"):
        time.sleep(0.02)
    if stack["StackStatus"] == "CREATE_COMPLETE":
        return "CREATE_COMPLETE"
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    return str([event.get("ResourceStatusReason") for event in events])

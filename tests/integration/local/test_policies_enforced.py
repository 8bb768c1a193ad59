"""The local engine enforces the policies of roles: each test removes a permission, and the run fails."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.engine import isolated_session
from simulated_github import SimulatedGitHub
from tests.integration.pipeline import Execution, Pipeline, deployed_pipeline
from tests.integration.policies import without

REPOSITORY = "octo/a"


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One engine, whose waits take a fiftieth of their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAFFIC_WAIT_SCALE", "0.02")
        with deployed_pipeline(tmp_path_factory.mktemp("enforced") / "history") as deployed:
            yield deployed


def function(pipeline: Pipeline, step: str) -> dict[str, Any]:
    """Return the description of a step's function."""
    functions = pipeline.engine.client("lambda").list_functions()["Functions"]
    (found,) = [each for each in functions if step in each["Handler"]]
    return dict(found)


def machine_role(pipeline: Pipeline) -> str:
    """Return the ARN of the state machine's role."""
    client = pipeline.engine.client("stepfunctions")
    return str(client.describe_state_machine(stateMachineArn=pipeline.outputs["StateMachineArn"])["roleArn"])


def run(pipeline: Pipeline) -> Execution:
    """Capture one repository into empty tables."""
    pipeline.forget()
    with SimulatedGitHub(repositories=[REPOSITORY], port=pipeline.port):
        return pipeline.run()


def histories(pipeline: Pipeline, execution: Execution) -> str:
    """Return the histories of a run and of its children."""
    client = pipeline.engine.client("stepfunctions")
    arns = [execution.arn, *(child["executionArn"] for child in pipeline.children(execution))]
    return str([client.get_execution_history(executionArn=arn)["events"] for arn in arns])


def test_a_run_succeeds_with_the_deployed_policies(pipeline: Pipeline) -> None:
    """The refusals below mean something only if a run with all permissions succeeds."""
    assert run(pipeline).status == "SUCCEEDED"


@pytest.mark.parametrize(
    ("step", "action", "error"),
    [
        ("list_repos", "secretsmanager:GetSecretValue", "TokenUnavailableError"),
        ("list_repos", "s3:PutObject", "AccessDenied"),
        ("fetch_traffic", "s3:PutObject", "AccessDenied"),
        ("store_traffic", "s3:GetObject", "AccessDenied"),
        ("store_traffic", "dynamodb:UpdateItem", "AccessDeniedException"),
        ("summarize_run", "dynamodb:Scan", "AccessDeniedException"),
    ],
)
def test_a_function_is_refused_calls_that_its_role_does_not_allow(
    pipeline: Pipeline, step: str, action: str, error: str
) -> None:
    """A permission that the template lacks must fail here, not in a user's account."""
    with without(pipeline, function(pipeline, step)["Role"], action):
        failed = run(pipeline)

    assert failed.status == "FAILED"
    assert error in histories(pipeline, failed)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        ("lambda:InvokeFunction", "Lambda.AWSLambdaException"),
        ("s3:GetObject", "States.ItemReaderFailed"),
        ("states:StartExecution", "States.Runtime"),
        ("sns:Publish", "SNS.AuthorizationErrorException"),
    ],
)
def test_the_machine_is_refused_calls_that_its_role_does_not_allow(pipeline: Pipeline, action: str, error: str) -> None:
    """Step Functions makes these calls itself, with the machine's role.

    Source:
        https://github.com/awslabs/aws-deployment-framework/issues/460 (the error and the message of a refused function)
    """
    with without(pipeline, machine_role(pipeline), action):
        failed = run(pipeline)

    assert failed.status == "FAILED"
    assert error in histories(pipeline, failed) + failed.error
    assert f"is not authorized to perform: {action} on resource: " in histories(pipeline, failed)


def test_a_missing_object_is_refused_without_the_permission_to_list(pipeline: Pipeline) -> None:
    """Fetch traffic reads an object that may not exist yet: without s3:ListBucket, AWS answers 403, not 404.

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
    """
    with without(pipeline, function(pipeline, "fetch_traffic")["Role"], "s3:ListBucket"):
        failed = run(pipeline)

    assert failed.status == "FAILED"
    assert "s3:ListBucket" in histories(pipeline, failed)


def test_a_rule_may_publish_only_to_a_topic_whose_policy_allows_it(pipeline: Pipeline) -> None:
    """A topic policy with only a Deny excludes EventBridge, so nobody would hear of an aborted run.

    Source:
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    """
    topic = {"TopicArn": pipeline.outputs["SummaryTopicArn"]}
    sns = pipeline.engine.client("sns")
    policy = sns.get_topic_attributes(**topic)["Attributes"]["Policy"]
    kept = [each for each in json.loads(policy)["Statement"] if "events.amazonaws.com" not in json.dumps(each)]
    sns.set_topic_attributes(**topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": kept}))
    pipeline.forget()
    abort(pipeline)
    assert pipeline.mail(1, seconds=1) == []

    sns.set_topic_attributes(**topic, AttributeName="Policy", AttributeValue=policy)
    abort(pipeline)
    assert "ABORTED" in pipeline.mail(1)[0]["Message"]


def abort(pipeline: Pipeline) -> None:
    """Start a run and abort it."""
    with SimulatedGitHub(repositories=[REPOSITORY], port=pipeline.port):
        arn = pipeline.start()
        pipeline.engine.client("stepfunctions").stop_execution(executionArn=arn)


def test_an_unknown_key_is_refused(pipeline: Pipeline) -> None:
    """Only the engine's own access key is valid."""
    stranger = isolated_session("TRAFFICSTRANGER").client("dynamodb", endpoint_url=pipeline.engine.url)

    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.list_tables()

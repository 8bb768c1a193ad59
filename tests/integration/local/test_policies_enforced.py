"""The local engine refuses what a role's policy does not allow: each test takes a right away, and the run fails."""

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
    """One engine, whose waits are a fiftieth as long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAFFIC_WAIT_SCALE", "0.02")
        with deployed_pipeline(tmp_path_factory.mktemp("enforced") / "history") as deployed:
            yield deployed


def function(pipeline: Pipeline, step: str) -> dict[str, Any]:
    """Describe the function of a step."""
    functions = pipeline.engine.client("lambda").list_functions()["Functions"]
    (found,) = [each for each in functions if step in each["Handler"]]
    return dict(found)


def machine_role(pipeline: Pipeline) -> str:
    """Look up the state machine's role."""
    client = pipeline.engine.client("stepfunctions")
    return str(client.describe_state_machine(stateMachineArn=pipeline.outputs["StateMachineArn"])["roleArn"])


def run(pipeline: Pipeline) -> Execution:
    """Capture one repository that the tables do not know yet."""
    pipeline.forget()
    with SimulatedGitHub(repositories=[REPOSITORY], port=pipeline.port):
        return pipeline.run()


def told(pipeline: Pipeline, execution: Execution) -> str:
    """Read everything that the histories of a run and of its children tell."""
    client = pipeline.engine.client("stepfunctions")
    arns = [execution.arn, *(child["executionArn"] for child in pipeline.children(execution))]
    return str([client.get_execution_history(executionArn=arn)["events"] for arn in arns])


def test_a_run_passes_with_the_deployed_policies(pipeline: Pipeline) -> None:
    """Whatever the refusals below show would mean nothing if no run passed."""
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
def test_a_function_is_refused_what_its_role_does_not_allow(
    pipeline: Pipeline, step: str, action: str, error: str
) -> None:
    """A right that is missing in the template has to fail here, not in somebody's account."""
    with without(pipeline, function(pipeline, step)["Role"], action):
        failed = run(pipeline)

    assert failed.status == "FAILED"
    assert error in told(pipeline, failed)


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
    """Step Functions makes these calls itself, under the machine's role.

    Source:
        https://github.com/awslabs/aws-deployment-framework/issues/460 (the error and the message of a refused function)
    """
    with without(pipeline, machine_role(pipeline), action):
        failed = run(pipeline)

    assert failed.status == "FAILED"
    assert error in told(pipeline, failed) + failed.error
    assert f"is not authorized to perform: {action} on resource: " in told(pipeline, failed)


def test_a_missing_object_is_refused_to_who_may_not_list(pipeline: Pipeline) -> None:
    """Fetch traffic asks for a file that only a later pass finds: without s3:ListBucket, AWS answers 403, not 404.

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
    """
    with without(pipeline, function(pipeline, "fetch_traffic")["Role"], "s3:ListBucket"):
        failed = run(pipeline)

    assert failed.status == "FAILED"
    assert "s3:ListBucket" in told(pipeline, failed)


def test_a_rule_may_publish_only_to_a_topic_whose_policy_allows_it(pipeline: Pipeline) -> None:
    """A topic policy with a Deny alone shuts EventBridge out: nobody would be told that a run was aborted.

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
    """Start a run, and abort it."""
    with SimulatedGitHub(repositories=[REPOSITORY], port=pipeline.port):
        arn = pipeline.start()
        pipeline.engine.client("stepfunctions").stop_execution(executionArn=arn)


def test_a_stranger_is_refused(pipeline: Pipeline) -> None:
    """A key that the engine did not issue opens nothing."""
    stranger = isolated_session("TRAFFICSTRANGER").client("dynamodb", endpoint_url=pipeline.engine.url)

    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.list_tables()

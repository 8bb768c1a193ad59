"""What a command knows of the stack that it works on: outputs, parameters, clients, place and options."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.command import STACK_NAME, Target
from cli.stack.deployment import Deployment, aws_deployment, stack_of
from cli.terminal import CommandError
from tests.unit.cli_stack import OUTPUTS


class FakeClient:
    """CloudFormation with one stack, or any other service.

    Attributes:
        asked: The stack's name that was asked for.
        owner: The stack that has the table of days.
        closed: Whether the client was closed.
    """

    def __init__(self, answer: dict[str, Any] | ClientError) -> None:
        self.answer = answer
        self.asked = ""
        self.owner = ""
        self.closed = False

    def describe_stack_resources(self, *, PhysicalResourceId: str) -> dict[str, Any]:  # noqa: N803
        """Return the resource with its stack; CloudFormation refuses if no stack has it."""
        assert PhysicalResourceId == "RepoTraffic"
        if not self.owner:
            raise refused("ValidationError")
        return {"StackResources": [{"StackName": self.owner}]}

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        """Describe the stack."""
        self.asked = StackName
        if isinstance(self.answer, ClientError):
            raise self.answer
        return {"Stacks": [self.answer]}

    def close(self) -> None:
        """Close."""
        assert not self.closed
        self.closed = True


def refused(code: str) -> ClientError:
    """Return the error of a refused call."""
    return ClientError({"Error": {"Code": code, "Message": ""}}, "DescribeStacks")


DESCRIBED = {
    "Outputs": [{"OutputKey": "ArchiveBucket", "OutputValue": "archive"}],
    "Parameters": [
        {"ParameterKey": "Owners", "ParameterValue": "octo"},
        {"ParameterKey": "GitHubAccessToken"},
    ],
}


def test_outputs_and_parameters_of_a_stack_are_read() -> None:
    """A parameter without a value is empty."""
    client = FakeClient(DESCRIBED)

    found = stack_of(lambda service: client if service == "cloudformation" else None, "here", save=lambda: None)

    assert client.asked == STACK_NAME == "GitHubTrafficCaptureStack"
    assert found.outputs == {"ArchiveBucket": "archive"}
    assert found.parameters == {"Owners": "octo", "GitHubAccessToken": ""}
    assert (found.place, found.options, found.aws_cli, found.stack) == ("here", "", "aws", STACK_NAME)


def test_a_stack_without_outputs_and_parameters_is_read() -> None:
    """CloudFormation omits empty lists."""
    found = stack_of(lambda _: FakeClient({}), "here", name="Other", options=" --aws", save=lambda: None)

    assert (found.outputs, found.parameters, found.stack, found.options) == ({}, {}, "Other", " --aws")


def test_a_stack_that_does_not_exist_is_reported() -> None:
    """Any other error of AWS passes through."""
    with pytest.raises(CommandError) as missing:
        stack_of(lambda _: FakeClient(refused("ValidationError")), "here", name="Other", save=lambda: None)
    with pytest.raises(ClientError):
        stack_of(lambda _: FakeClient(refused("AccessDenied")), "here", save=lambda: None)

    assert str(missing.value) == "There is no stack 'Other' in here."


def test_a_missing_stack_is_reported_with_the_one_that_has_the_history() -> None:
    """`--stack-name` suggests that there can be several, but the names of tables and archive are fixed."""
    client = FakeClient(refused("ValidationError"))
    client.owner = STACK_NAME

    with pytest.raises(CommandError) as missing:
        stack_of(lambda _: client, "AWS region x", name="Other", options=" --aws", save=lambda: None)

    assert str(missing.value) == (
        "There is no stack 'Other' in AWS region x. The history there belongs to the stack 'GitHubTrafficCaptureStack':"
        " an account and region has room for one stack, because its tables, archive and rule have fixed names."
    )


def test_a_missing_output_is_reported_with_what_to_do() -> None:
    """The stack was deployed from another version."""
    deployment = Deployment({"ArchiveBucket": "archive"}, lambda _: FakeClient({}), "here", {})

    assert deployment.output("ArchiveBucket") == "archive"
    with pytest.raises(CommandError) as missing:
        deployment.output("TrafficTable")
    assert str(missing.value) == (
        "The stack in here has no output 'TrafficTable': deploy this version of the stack, then try again."
    )


def test_record_and_archive_are_those_of_the_outputs() -> None:
    """A command reads them without knowing where they are."""
    deployment = Deployment(OUTPUTS, lambda service: service, "here", {})
    record = deployment.record

    assert (deployment.archive.bucket, deployment.archive._s3) == ("archive", "s3")
    assert [table.name for table in (record.traffic, record.repositories, record.snapshots)] == [
        "RepoTraffic",
        "RepoTrafficRepositories",
        "RepoTrafficSnapshots",
    ]


@pytest.mark.parametrize(
    ("profile", "region", "place", "cli"),
    [
        ("my profile", "eu-west-1", "AWS region eu-west-1", "aws --profile 'my profile' --region eu-west-1"),
        (None, None, "AWS region us-east-2", "aws --region us-east-2"),
    ],
)
def test_the_stack_in_aws_is_opened_with_one_client_for_each_service(
    monkeypatch: pytest.MonkeyPatch, profile: str | None, region: str | None, place: str, cli: str
) -> None:
    """Profile and region are passed on, and the clients are closed at the end."""
    made: dict[str, FakeClient] = {}

    class Session:
        def __init__(self, *, profile_name: str | None, region_name: str | None) -> None:
            assert (profile_name, region_name) == (profile, region)
            self.region_name = region_name or "us-east-2"

        def client(self, service: str) -> FakeClient:
            assert service not in made
            made[service] = FakeClient(DESCRIBED)
            return made[service]

    monkeypatch.setattr("boto3.Session", Session)
    target = Target(aws=True, profile=profile, region=region, stack_name="Other")
    with aws_deployment(target) as deployment:
        assert (deployment.place, deployment.aws_cli, deployment.stack) == (place, cli, "Other")
        assert deployment.options == target.options
        assert deployment.client("lambda") is deployment.client("lambda") is made["lambda"]
        assert made["cloudformation"].asked == "Other"
        assert not any(each.closed for each in made.values())

    assert all(each.closed for each in made.values())
    assert deployment.save() is None  # type: ignore[func-returns-value]


def test_a_session_without_a_region_is_shown_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person sees at once what is missing."""

    class Session:
        region_name = None

        def client(self, _service: str) -> FakeClient:
            return FakeClient(refused("ValidationError"))

    monkeypatch.setattr("boto3.Session", lambda **_given: Session())

    with pytest.raises(CommandError) as missing, aws_deployment(Target(aws=True)):
        pass

    assert str(missing.value) == f"There is no stack {STACK_NAME!r} in AWS region (none)."

"""The deployed stack as the commands see it: clients by service name, and the stack's outputs."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from cli.command import STACK_NAME, Target
from cli.terminal import CommandError
from traffic.record.archive import Archive
from traffic.record.item_table import ItemTable, Table
from traffic.record.reading import Record
from traffic.settings import BY_KEY

TABLES = ("TrafficTable", "RepositoriesTable", "SnapshotsTable")  # the outputs with their names, as `Record` wants them
SEGMENTS = 8  # parts of a table that a scan reads at once: boto3 keeps ten connections

ONE_STACK = "an account and region has room for one stack, because its tables, archive and rule have fixed names"


class NothingDeployedError(CommandError):
    """There is no stack or no history where a command looks for it."""


@dataclass(frozen=True)
class Deployment:
    """One deployed stack, on the local engine or in an AWS account: commands need not know which.

    Attributes:
        outputs: The stack's outputs by name.
        parameters: The stack's parameters by name; CloudFormation masks those that are NoEcho.
        client: Returns the boto3 client of a service.
        place: Where the history is, for people: a folder, or a region of AWS.
        options: What to add to a command so that it works on the same deployment, for example ` --aws`.
        before: What to write before a command of `traffic` so that it works on the same deployment: variables.
        aws_cli: How a command of AWS's own command line must begin to work on the same account and region.
        stack: The stack's name.
        save: Writes the state to disk; does nothing in AWS.
        table: Opens a table by its name; None for DynamoDB's tables.
        stored: Tells the engine that a command has stored an archive object itself; does nothing in AWS.
    """

    outputs: Mapping[str, str]
    client: Callable[[str], Any]
    place: str
    parameters: Mapping[str, str]
    options: str = ""
    before: str = ""
    aws_cli: str = "aws"
    stack: str = STACK_NAME
    save: Callable[[], None] = lambda: None
    table: Callable[[str], Table] | None = None
    stored: Callable[[str], None] = lambda _key: None

    @property
    def archive(self) -> Archive:
        """The stack's archive."""
        return Archive(self.output("ArchiveBucket"), self.client("s3"))

    @property
    def run_hour(self) -> int:
        """The hour of the daily run, in UTC. A stack of an earlier version has no parameter for it."""
        return int(self.parameters.get("RunHour") or BY_KEY["run-hour"].default)

    @property
    def record(self) -> Record:
        """The stack's tables, for reading."""
        return Record(*map(self.table or self._dynamodb_table, map(self.output, TABLES)))

    def _dynamodb_table(self, name: str) -> ItemTable:
        return ItemTable(self.client("dynamodb"), name, segments=SEGMENTS)

    def output(self, name: str) -> str:
        """Return a stack output.

        Raises:
            CommandError: The stack was deployed from a version that has no such output.
        """
        try:
            return self.outputs[name]
        except KeyError as exc:
            raise CommandError(
                f"The stack in {self.place} has no output {name!r}: deploy this version of the stack, then try again."
            ) from exc


def stack_of(
    client: Callable[[str], Any],
    place: str,
    *,
    name: str = STACK_NAME,
    options: str = "",
    save: Callable[[], None],
) -> Deployment:
    """Read the outputs and parameters of a stack.

    Raises:
        NothingDeployedError: There is no such stack.
    """
    try:
        stack = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ValidationError":  # CloudFormation's code for "does not exist"
            raise
        owner = history_owner(client("cloudformation")) if options else None
        other = f" The history there belongs to the stack {owner!r}: {ONE_STACK}." if owner else ""
        raise NothingDeployedError(f"There is no stack {name!r} in {place}.{other}") from exc
    return Deployment(
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        parameters={each["ParameterKey"]: each.get("ParameterValue", "") for each in stack.get("Parameters", [])},
        client=client,
        place=place,
        options=options,
        stack=name,
        save=save,
    )


def history_owner(cloudformation: Any) -> str | None:
    """Return the name of the stack that has the table of days; None if no stack has it, or these rights do not tell.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html
    """
    try:
        found = cloudformation.describe_stack_resources(PhysicalResourceId="RepoTraffic")["StackResources"]
    except ClientError:
        return None
    return str(found[0]["StackName"]) if found else None


@contextmanager
def aws_deployment(target: Target) -> Iterator[Deployment]:
    """Open the stack in the AWS account of `--profile` and `--region`.

    Raises:
        NothingDeployedError: The stack does not exist.
    """
    import boto3  # noqa: PLC0415 - a command that reads the history of this machine needs no boto3

    session = boto3.Session(profile_name=target.profile, region_name=target.region)
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = session.client(service)  # type: ignore[call-overload]
        return clients[service]

    place = f"AWS region {session.region_name or '(none)'}"
    profile = f" --profile {shlex.quote(target.profile)}" if target.profile else ""
    aws_cli = f"aws{profile} --region {session.region_name}"
    try:
        yield replace(
            stack_of(client, place, name=target.stack_name, options=target.options, save=lambda: None), aws_cli=aws_cli
        )
    finally:
        for each in clients.values():
            each.close()

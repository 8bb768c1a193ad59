"""The deployed stack as commands see it, in AWS or on the local engine: its outputs, clients, archive and record."""

import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from botocore.exceptions import ClientError

from cli.command import STACK_NAME, Target
from cli.settings.local_settings import LocalSettings, local_settings
from cli.terminal import CommandError, progress, warn
from local.engine import ACCOUNT, REGION, Engine, running_engine
from local.history_folder import HistoryFolder
from local.recovery import end_rebuild, recover
from local.stored_history import StoredObjects, StoredTable, is_complete
from traffic.record.archive import Archive
from traffic.record.item_table import ItemTable, Table
from traffic.record.reading import Record
from traffic.settings import BY_KEY

TABLES = ("TrafficTable", "RepositoriesTable", "SnapshotsTable")  # the outputs with their names, as `Record` wants them
SEGMENTS = 8  # parts of a table that a scan reads at once: boto3 keeps ten connections

ONE_STACK = "an account and region has room for one stack, because its tables, archive and rule have fixed names"

# The outputs that reading needs. The template gives these resources fixed names, so that they outlive the stack.
NAMES = {
    "TrafficTable": "RepoTraffic",
    "RepositoriesTable": "RepoTrafficRepositories",
    "SnapshotsTable": "RepoTrafficSnapshots",
    "ArchiveBucket": f"github-traffic-archive-{ACCOUNT}-{REGION}",
}


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


def show_files(settings: LocalSettings) -> None:
    """Print which files of the current folder are used: elsewhere, for example in cron, they would not be read."""
    if settings.files_here:
        progress(f"Using {' and '.join(settings.files_here)} of {Path.cwd()}.")
    show_exposed(settings)


def show_exposed(settings: LocalSettings) -> None:
    """Print which files show a token to other users of this machine, and the command that hides it."""
    for file in map(str, map(Path.absolute, settings.exposed)):
        warn(f"Other users of this machine can read the token in {file}: type `chmod 600 {shlex.quote(file)}`.")


@contextmanager
def opened(target: Target, *, rebuilds: bool = False) -> Iterator[Deployment]:
    """Open an existing deployment to read its history, without deploying anything.

    Args:
        target: The deployment.
        rebuilds: Whether the command itself writes what the tables lack; otherwise that is stored first.

    Raises:
        NothingDeployedError: There is no history yet.
    """
    if target.aws:
        with aws_deployment(target) as deployment:
            yield deployment
        return
    settings = local_settings()
    show_files(settings)
    if not HistoryFolder(settings.history).engine.is_dir():  # the doctor makes the history's folder, and nothing in it
        begins = "`traffic run` begins one"
        if settings.without_github:
            begins = "no GitHub token is set, so it is the demonstration's; `traffic demo` begins it"
        raise NothingDeployedError(f"There is no history in {settings.history} yet: {begins}.")
    if settings.without_github:
        warn("This is the demonstration's history, because no GitHub token is set.")
    with _stored(settings, rebuilds=rebuilds) as deployment:
        yield deployment


@contextmanager
def _stored(settings: LocalSettings, *, rebuilds: bool) -> Iterator[Deployment]:
    """Return a deployment that reads files, and starts the engine only for what needs it.

    If the files may lack something, the engine starts at once: it stores what the archive has first.
    """
    history = HistoryFolder(settings.history.resolve())
    with ExitStack() as running:
        opening = _to_rebuild if rebuilds else of_engine
        engines = cache(lambda: opening(running.enter_context(running_engine(settings.history)), settings))
        if not is_complete(history):
            engines()
        objects = StoredObjects(history.objects, lambda: engines().client("s3"))
        yield Deployment(
            outputs=Later(lambda: engines().outputs, NAMES),
            parameters=Later(lambda: engines().parameters),
            client=lambda service: objects if service == "s3" else engines().client(service),
            place=str(settings.history),
            stored=lambda key: engines().stored(key),
            save=lambda: engines().save() if engines.cache_info().currsize else None,
            table=partial(StoredTable, history.tables),
        )


class Later(Mapping[str, str]):
    """A mapping that is read when something is looked up in it for the first time.

    Args:
        read: Reads it.
        known: What need not be read.
    """

    def __init__(self, read: Callable[[], Mapping[str, str]], known: Mapping[str, str] = MappingProxyType({})) -> None:
        self._read = read
        self._known = known

    def __getitem__(self, key: str) -> str:
        """Return the value of a key."""
        return self._known[key] if key in self._known else self._read()[key]

    def __iter__(self) -> Iterator[str]:
        """Return the keys."""
        return iter(self._read())

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self._read())


def of_engine(engine: Engine, settings: LocalSettings, *, before: str = "") -> Deployment:
    """Return the engine's deployment. Store again what was lost if the engine was not stopped properly."""
    deployment = stack_of(engine.client, str(settings.history), save=engine.save)
    deployment = replace(deployment, before=before, stored=engine.note_stored)
    recovered = recover(engine, deployment.outputs, on_progress=_warn_about_recovery)
    if recovered:
        warn(f"Restored the table from {recovered} archive objects: the engine was not stopped properly.")
    return deployment


def _to_rebuild(engine: Engine, settings: LocalSettings) -> Deployment:
    """Return the engine's deployment. Its tables are complete when it is saved, because a rebuild completes them."""
    return stack_of(engine.client, str(settings.history), save=partial(end_rebuild, engine))


def forget_tables_before(target: Target) -> None:
    """Remove what an earlier version saved of the tables: a comparison found everything in the new ones."""
    if not target.aws:
        HistoryFolder(local_settings().history).tables_before.unlink(missing_ok=True)


def _warn_about_recovery(done: int, total: int) -> None:
    if done % 100 == 0 and done < total:
        progress(f"Restoring the table from the archive: {done} of {total} objects.")

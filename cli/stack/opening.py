"""Opens the deployment that a command works on: the one of the local engine, or the one in AWS."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from shlex import quote
from types import MappingProxyType

from cli.command import Target
from cli.settings.local_settings import LocalSettings, local_settings
from cli.stack.deployment import Deployment, NothingDeployedError, aws_deployment, stack_of
from cli.terminal import progress, warn
from local.engine import ACCOUNT, REGION, Engine, running_engine
from local.history_folder import HistoryFolder
from local.recovery import end_rebuild, is_complete, recover
from local.stored_items import StoredTable
from local.stored_objects import StoredObjects

# The outputs that reading needs. The template gives these resources fixed names, so that they outlive the stack.
NAMES = {
    "TrafficTable": "RepoTraffic",
    "RepositoriesTable": "RepoTrafficRepositories",
    "SnapshotsTable": "RepoTrafficSnapshots",
    "ArchiveBucket": f"github-traffic-archive-{ACCOUNT}-{REGION}",
}


def show_files(settings: LocalSettings) -> None:
    """Print which files of the current folder are used: elsewhere, for example in cron, they would not be read."""
    if settings.files_here:
        progress(f"Using {' and '.join(settings.files_here)} of {Path.cwd()}.")
    show_exposed(settings)


def show_exposed(settings: LocalSettings) -> None:
    """Print which files show a token to other users of this machine, and the command that hides it."""
    for file in map(str, map(Path.absolute, settings.exposed)):
        warn(f"Other users of this machine can read the token in {file}: type `chmod 600 {quote(file)}`.")


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

"""Makes a deployment ready to run: the one in AWS exists, and on this machine this version is deployed first."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cli.command import Target
from cli.settings.local_settings import DOTENV, TOKEN, LocalSettings, local_settings, settings_folder
from cli.stack.deployment import Deployment, aws_deployment, of_engine, show_files
from cli.terminal import UsageError, inform, warn
from local.deploying import deploy
from local.engine import Engine, only_one, running_engine
from local.history_folder import HistoryFolder
from local.stored_history import StoredTable
from local.synthesis import ASSEMBLY, synthesize

NEW_TOKEN_PAGE = "https://github.com/settings/personal-access-tokens/new"  # noqa: S105 - an address

SIMULATED = "simulated"  # the token for a GitHub on loopback, which accepts any

LOOK_EVERY = 0.5  # seconds

DEMONSTRATION = "This is a demonstration against a simulated GitHub. It captures nothing of yours."

NO_TOKEN = f"""No GitHub token is set: this is a demonstration against a simulated GitHub.
For your own traffic, make a fine-grained token with the permission "Administration" (read) on your repositories at
{NEW_TOKEN_PAGE}
and store it with `traffic token`. The two histories stay separate.
"""

HIDING = "GITHUB_TOKEN= GITHUB_API_URL= "  # before a command: it works without a token, on the demonstration


def no_token(settings: LocalSettings) -> str:
    """Write the error for a command that needs a token: where it was looked for, and both ways to go on."""
    source = settings.sources[TOKEN]
    found = f"GITHUB_TOKEN is empty ({source})"
    if source == "default":
        files = " nor in ".join(str(folder / DOTENV) for folder in (Path.cwd(), settings_folder(os.environ)))
        found = f"GITHUB_TOKEN is neither in the environment nor in {files}"
    return (
        f"There is no GitHub token, so nothing can be captured: {found}. Store one with `traffic token`, or see a"
        " demonstration with `traffic demo`."
    )


def refuse_real_github() -> None:
    """Refuse a replay of the past unless the GitHub of the settings is on loopback.

    Raises:
        UsageError: It is not on loopback.
    """
    settings = local_settings()
    if settings.token and not settings.on_loopback:
        raise UsageError(
            f"--at replays the past and needs a GitHub on loopback, but GITHUB_API_URL is {settings.api_url!r}: "
            "leave --at out, or set GITHUB_API_URL to a simulated one."
        )


@contextmanager
def deployed(target: Target) -> Iterator[Deployment]:
    """Open a deployment that is ready to run: in AWS the existing stack; on this machine deploy this version first.

    Raises:
        UsageError: It would run on this machine, and no token is set.
    """
    if target.aws:
        with aws_deployment(target) as deployment:
            yield deployment
        return
    settings = local_settings()
    if settings.without_github:
        raise UsageError(no_token(settings))
    show_files(settings)
    with _deployed_here(settings) as deployment:
        yield deployment


@contextmanager
def demonstration() -> Iterator[Deployment]:
    """Deploy the demonstration on this machine, with two years of history, and open it."""
    settings = local_settings()
    inform(NO_TOKEN if settings.without_github else f"{DEMONSTRATION}\n")
    with _deployed_here(settings.demonstration, before="" if settings.without_github else HIDING) as deployment:
        yield deployment


@contextmanager
def _deployed_here(settings: LocalSettings, *, before: str = "") -> Iterator[Deployment]:
    assembly = synthesize(ASSEMBLY, on_synth=lambda: inform("Synthesizing the stack, as its sources changed ..."))
    # The simulated GitHub must end after the engine, which waits for the commands that use both.
    with ExitStack() as outlasting, running_engine(settings.history) as engine:
        with only_one(settings.history / "engine" / "opening.lock"):
            _wait_for_runs(engine)
            parameters = {**settings.parameters, "GitHubAccessToken": settings.token or SIMULATED}
            if settings.without_github:
                from cli.stack.demo import begin_history, demo_github  # noqa: PLC0415 - it imports a web server

                parameters["GitHubApiUrl"] = demo_github(engine.client, outlasting)
            deploy(engine, assembly, parameters)
            deployment = of_engine(engine, settings, before=before)
            if settings.without_github:
                on_disk = replace(deployment, table=partial(StoredTable, HistoryFolder(engine.history).tables))
                begin_history(on_disk, datetime.now(UTC), on_stored=engine.note_stored)
        yield deployment


def _wait_for_runs(engine: Engine) -> None:
    """Wait until no run is going on: a deployment restarts the functions, including those that are working."""
    client, warned = engine.client("stepfunctions"), False
    while any(
        client.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING")["executions"]
        for machine in client.list_state_machines()["stateMachines"]
    ):
        if not warned:
            warn("Another run is going on here: waiting for its end.")
            warned = True
        time.sleep(LOOK_EVERY)

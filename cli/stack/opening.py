"""Opens the deployment that a command works on: the one of the local engine, or the one in AWS."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import requests

from cli.arguments import Target
from cli.settings.local_settings import LocalSettings, read_settings
from cli.settings.settings_file import SETTINGS_FILE
from cli.stack.demo import TOKEN, begin_history, present_github
from cli.stack.deployment import Deployment, aws_deployment, stack_of
from cli.terminal import CommandError, UsageError, say, warn
from local.deploying import deploy
from local.engine import Engine, only_one, running_engine
from local.recovery import recover, store
from local.synthesis import synthesize

ASSEMBLY = Path(__file__).parents[2] / "build" / "cloud-assembly"

NEW_TOKEN_PAGE = "https://github.com/settings/personal-access-tokens/new"  # noqa: S105 - an address

LOOK_EVERY = 0.5  # seconds

NO_TOKEN = f"""GITHUB_TOKEN is not set: this is a demonstration against a simulated GitHub.
For your own traffic, make a fine-grained token with the permission "Administration" (read) on your repositories at
{NEW_TOKEN_PAGE}
and put GITHUB_TOKEN=... into the environment or into .env. The two histories stay separate.
"""


def local_settings() -> LocalSettings:
    """Read the settings of this machine: the environment, then `.env`, then `traffic.toml`."""
    return read_settings(os.environ, Path(".env"), Path(SETTINGS_FILE))


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
    """Open a deployment that is ready to run: in AWS the existing stack; on this machine deploy this version first."""
    if target.aws:
        with aws_deployment(target) as deployment:
            yield deployment
        return
    settings = local_settings()
    demonstration = not settings.token and not settings.on_loopback
    if demonstration:
        say(NO_TOKEN)
    assembly = synthesize(ASSEMBLY, on_synth=lambda: say("Synthesizing the stack, as its sources changed ..."))
    # The simulated GitHub must end after the engine, which waits for the commands that use both.
    with ExitStack() as outlasting, running_engine(settings.history) as engine:
        with only_one(settings.history / "engine" / "opening.lock"):
            _wait_for_runs(engine)
            parameters = {**settings.parameters, "GitHubAccessToken": settings.token or TOKEN}
            if demonstration:
                parameters["GitHubApiUrl"] = _demo_github(engine, outlasting)
            deploy(engine, assembly, parameters)
            deployment = _of_engine(engine, settings)
            if demonstration:
                store_object = partial(store, engine, deployment.output("StoreTrafficFunction"))
                begin_history(deployment, datetime.now(UTC), store=store_object)
        yield deployment


@contextmanager
def opened(target: Target) -> Iterator[Deployment]:
    """Open an existing deployment to read its history, without deploying anything.

    Raises:
        CommandError: There is no history yet.
    """
    if target.aws:
        with aws_deployment(target) as deployment:
            yield deployment
        return
    settings = local_settings()
    if not settings.history.is_dir():
        raise CommandError(f"There is no history in {settings.history} yet: `traffic run` begins one.")
    with running_engine(settings.history) as engine:
        yield _of_engine(engine, settings)


def _of_engine(engine: Engine, settings: LocalSettings) -> Deployment:
    """Return the engine's deployment. Store again what was lost if the engine was not stopped properly."""
    deployment = stack_of(engine.client, str(settings.history), save=engine.save)
    recovered = recover(engine, deployment.outputs, on_progress=_warn_about_recovery)
    if recovered:
        warn(f"Restored the table from {recovered} archive objects: the engine was not stopped properly.")
    return deployment


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


def _warn_about_recovery(done: int, total: int) -> None:
    if done % 100 == 0 and done < total:
        warn(f"Restoring the table from the archive: {done} of {total} objects.")


def _demo_github(engine: Engine, stack: ExitStack) -> str:
    """Return the address of the simulated GitHub that `traffic start` runs already, or of a new one."""
    try:
        running = stack_of(engine.client, "", save=lambda: None).parameters.get("GitHubApiUrl", "")
        if requests.get(f"{running}/_calls", timeout=2).ok:
            return running
    except (CommandError, requests.RequestException):
        pass  # there is no stack yet, or its GitHub ended with the command that ran it
    return stack.enter_context(present_github()).url

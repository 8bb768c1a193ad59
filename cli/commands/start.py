"""`traffic start`: keeps the local system running, so that its daily rule starts the runs."""

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from cli.command import Target, command
from cli.runs.daily_run import FOLDERS, cron, daily_command, launchd, systemd
from cli.runs.executions import at, lasted, newest_executions, start_execution
from cli.settings.local_settings import (
    DOTENV,
    HOME,
    TOKEN,
    LocalSettings,
    local_settings,
    read_settings,
    settings_folder,
)
from cli.stack.deployment import Deployment
from cli.stack.ready import deployed
from cli.terminal import UsageError, inform, program, say, warn
from traffic.settings import BY_KEY

EXAMPLES = """examples:
  traffic start                  runs until Ctrl-C; then the state is saved, and the next start catches up
  traffic start --unit systemd   prints what systemd needs to run `traffic run` every day, and how to install it

Every day at 09:00 UTC the rule RuleGetRepoTraffic starts a run, as in AWS; TRAFFIC_RUN_HOUR sets another hour.
GitHub deletes traffic after 14 days.

exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 failed, 2 wrong use
"""

CHOICES = ("systemd", "launchd", "cron")

CATCH_UP_AFTER = timedelta(hours=24)
CATCH_UP_PAUSE = timedelta(hours=1)  # after a failed catch-up: the network may not be up yet
LOOK_EVERY = 1.0  # seconds
LATEST = 50  # executions that are watched: more than ever run at once


@command(EXAMPLES)
@click.option(
    "--unit",
    type=click.Choice(CHOICES),
    help="start nothing, but print what this program needs for a daily run, and how to install it",
)
def execute(target: Target, unit: str | None) -> int:
    """Keep the local engine running: the daily rule starts a run, and a missed run is caught up."""
    if target.aws:
        raise UsageError(
            "--aws: the rule in AWS needs no command to keep it running; `traffic run --aws` starts a run now."
        )
    if unit:
        print(unit_text(unit, local_settings()), end="", flush=True)
        return 0
    with deployed(target) as deployment:
        hour = f"{deployment.run_hour:02}:00 UTC"
        inform(f"Running; history in {deployment.place}. The rule starts a run every day at {hour}. Ctrl-C stops.")
        try:
            watch(deployment)
        except KeyboardInterrupt:
            inform("Stopping ...")
    inform("Stopped. Nothing that was stored is lost.")
    return 0


def unit_text(manager: str, settings: LocalSettings) -> str:
    """Return what a service manager needs for a daily run, and warn of settings that such a run would not find."""
    folder = settings_folder(os.environ)
    daily = read_settings({name: os.environ[name] for name in FOLDERS if name in os.environ}, folder)
    names = [
        BY_KEY[key].variable
        for key, given in settings.chosen.items()
        if given.value != daily.chosen[key].value and BY_KEY[key].local and key != "run-hour"  # the text has the hour
    ]
    names += [HOME] if settings.home != daily.home else []
    if names:
        warn(f"The daily run reads only the files in {folder}: put {', '.join(names)} there, too.")
    if daily.without_github or settings.token != daily.token:
        here = settings.sources[TOKEN] == DOTENV  # there `traffic token` would replace it
        how = f"move {TOKEN} from {DOTENV} of this folder" if here else f"store the token with `{program()} token`"
        warn(f"The daily run reads only the files in {folder}: {how} there.")
    words, hour = daily_command(os.environ), int(settings.chosen["run-hour"].value)
    if manager == "cron":
        return cron(words, hour, daily.home)
    return systemd(words, hour) if manager == "systemd" else launchd(words, hour)


def watch(deployment: Deployment) -> None:
    """Catch up if a run is overdue, at most once an hour, and report the beginning and the end of each run."""
    executions = newest_executions(deployment, LATEST)
    reported = {execution["executionArn"]: execution["status"] for execution in executions}
    caught_up: datetime | None = None
    while True:
        now = datetime.now(UTC)
        if (caught_up is None or now - caught_up > CATCH_UP_PAUSE) and catch_up_due(executions, now):
            inform("The last successful run began over 24 hours ago: catching up.")
            start_execution(deployment, {}, reason="catch-up")
            caught_up = now
        executions = newest_executions(deployment, LATEST)
        for execution in reversed(executions):
            if reported.get(execution["executionArn"]) != execution["status"]:
                reported[execution["executionArn"]] = execution["status"]
                report(deployment, execution)
        time.sleep(LOOK_EVERY)


def catch_up_due(executions: Sequence[Mapping[str, Any]], now: datetime) -> bool:
    """Return whether the last successful execution began over 24 hours ago, and none is running.

    The beginning counts, because a run stores what GitHub reported when it began.
    """
    if any(execution["status"] == "RUNNING" for execution in executions):
        return False
    successes = [execution["startDate"] for execution in executions if execution["status"] == "SUCCEEDED"]
    return not successes or now - max(successes) > CATCH_UP_AFTER


def report(deployment: Deployment, execution: Mapping[str, Any]) -> None:
    """Print that an execution started or ended. If it ended, save the state."""
    if execution["status"] == "RUNNING":
        inform(f"{at(execution['startDate'])}  {execution['name']}  started")
        return
    deployment.save()
    tell = inform if execution["status"] == "SUCCEEDED" else say
    tell(f"{at(execution['stopDate'])}  {execution['name']}  {execution['status']} after {lasted(execution)}")

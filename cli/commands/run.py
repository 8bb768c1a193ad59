"""`traffic run`: captures the traffic once, now, and shows progress and result."""

import uuid
from typing import Any
from urllib.parse import urljoin

import click

from cli.command import Target, command, read_day, read_moment
from cli.runs.executions import start_execution
from cli.runs.live import follow
from cli.settings.local_settings import local_settings
from cli.stack.deployment import Deployment
from cli.stack.ready import demonstration, deployed, refuse_real_github
from cli.terminal import CommandError, UsageError, warn

EXAMPLES = """examples:
  traffic run                             capture what GitHub reports now
  traffic run --date 2026-11-20           run again for one day
  traffic run --at 2026-11-20T09:00:00Z   replay the scheduled run of that time (simulated GitHub only)
  traffic run --aws                       start a run of the stack in AWS, and follow it

Without a token there is nothing to capture, and the exit code is 2: `traffic token` stores a token, and `traffic demo`
shows a demonstration.

exit codes: 0 the run succeeded, 1 it failed, 2 wrong use, 130 stopped by Ctrl-C
"""


@command(EXAMPLES)
@click.option("--date", type=read_day, metavar="DAY", help="run again for this UTC day, as 2026-11-20")
@click.option(
    "--at",
    type=read_moment,
    metavar="TIME",
    help="send the daily rule's event of this time, as 2026-11-20T09:00:00Z; only to a GitHub on loopback",
)
@click.option("--or-demo", is_flag=True, help="without a token, show the demonstration instead, as `make run` does")
def execute(target: Target, date: str | None, at: str | None, *, or_demo: bool) -> int:
    """Capture the traffic of every selected repository, show progress, and print the summary."""
    if at and date:
        raise UsageError("--date and --at cannot go together: leave one of them out.")
    if at and target.aws:
        raise UsageError(
            "--at replays the past against a simulated GitHub; the stack in AWS has the real one: leave --at out."
        )
    if or_demo and target.aws:
        raise UsageError("--or-demo is for this machine, and the stack in AWS has its own token: leave --or-demo out.")
    if at:
        refuse_real_github()  # before anything starts
    with demonstration() if or_demo and local_settings().without_github else deployed(target) as deployment:
        if at:
            set_time(deployment.parameters["GitHubApiUrl"], at)
        arn = start_execution(deployment, run_input(deployment, date=date, at=at))
        return follow(deployment, arn)


def set_time(api_url: str, at: str) -> None:
    """Set the time of a simulated GitHub. Other servers on loopback may not support this: warn, and go on.

    Raises:
        CommandError: No server answers at this address.
    """
    import requests  # noqa: PLC0415 - only a replay of the past needs it

    try:
        # Without the token: this is not a call of GitHub's API. The path is the same for an API below /api/v3.
        answer = requests.post(urljoin(api_url, "/_at"), json={"at": at}, timeout=10, allow_redirects=False)
    except requests.RequestException as exc:
        raise CommandError(f"No server answers at GITHUB_API_URL {api_url!r}: start it, then try again.") from exc
    if not answer.ok:
        found = f"{answer.status_code} for POST /_at"
        warn(f"The time of {api_url} cannot be set ({found}): the run uses the server's own time.")


def run_input(deployment: Deployment, *, date: str | None = None, at: str | None = None) -> dict[str, Any]:
    """Return the input of an execution: empty, one day, or the event that EventBridge sends at a time.

    Source:
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
    """
    if not at:
        return {"date": date} if date else {}
    region, account = deployment.output("StateMachineArn").split(":")[3:5]
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": at,
        "region": region,
        "resources": [f"arn:aws:events:{region}:{account}:rule/RuleGetRepoTraffic"],
        "detail": {},
    }

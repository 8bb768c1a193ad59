"""`traffic run`: captures the traffic once, now, and shows progress and result."""

import sys
import uuid
from typing import Any
from urllib.parse import urljoin

import click
import requests

from cli.arguments import Target, read_day, read_moment
from cli.command import command
from cli.runs.executions import start_execution
from cli.runs.live import show_progress
from cli.runs.progress import RunReader
from cli.runs.visits import explain
from cli.stack.deployment import Deployment
from cli.stack.opening import deployed, refuse_real_github
from cli.terminal import FAILED, CommandError, UsageError, plain, say, warn

EXAMPLES = """examples:
  traffic run                             capture what GitHub reports now
  traffic run --date 2026-11-20           run again for one day
  traffic run --at 2026-11-20T09:00:00Z   replay the scheduled run of that time (simulated GitHub only)
  traffic run --aws                       start a run of the stack in AWS, and follow it

exit codes: 0 the run succeeded, 1 it failed, 2 wrong use, 130 stopped by Ctrl-C
"""

LOOK_EVERY = 0.5  # seconds between two looks at a run on the local engine
LOOK_EVERY_AWS = 3.0  # each look is several calls, which AWS charges for


@command(EXAMPLES)
@click.option("--date", type=read_day, metavar="DAY", help="run again for this UTC day, as 2026-11-20")
@click.option(
    "--at",
    type=read_moment,
    metavar="TIME",
    help="send the daily rule's event of this time, as 2026-11-20T09:00:00Z; only to a GitHub on loopback",
)
def execute(target: Target, date: str | None, at: str | None) -> int:
    """Capture the traffic of every selected repository, show progress, and print the summary."""
    if at and date:
        raise UsageError("--date and --at cannot go together: leave one of them out.")
    if at and target.aws:
        raise UsageError(
            "--at replays the past against a simulated GitHub; the stack in AWS has the real one: leave --at out."
        )
    if at:
        refuse_real_github()  # before anything starts
    with deployed(target) as deployment:
        if at:
            set_time(deployment.parameters["GitHubApiUrl"], at)
        arn = start_execution(deployment, run_input(deployment, date=date, at=at))
        return follow(deployment, arn)


def set_time(api_url: str, at: str) -> None:
    """Set the time of a simulated GitHub. Other servers on loopback may not support this: warn, and go on.

    Raises:
        CommandError: No server answers at this address.
    """
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


def follow(deployment: Deployment, execution_arn: str) -> int:
    """Show a run until it ends, then its summary. An interruption stops the run."""
    reader = RunReader(deployment, execution_arn)
    say(f"Started {reader.run_id}")
    try:
        show_progress(reader, every=LOOK_EVERY_AWS if deployment.options else LOOK_EVERY)
        deployment.save()
    except KeyboardInterrupt:
        deployment.client("stepfunctions").stop_execution(
            executionArn=execution_arn, error="Stopped", cause="Stopped by Ctrl-C in `traffic run`."
        )
        warn(f"\nStopped {reader.run_id}. Nothing that was stored is lost. The next run continues.")
        deployment.save()
        raise
    return report(reader)


def report(reader: RunReader) -> int:
    """Print the run's summary and where to find more. Return 0 only if the run succeeded."""
    execution = reader.execution()
    summary = reader.summary()
    options = reader.deployment.options
    say()
    if summary:
        say("\n".join(plain(line) for line in summary["message"].splitlines()))
    else:
        say(f"The run ended as {execution['status']} before it wrote a summary.")
    if execution["status"] != "SUCCEEDED":
        reason = explain(execution.get("error"), execution.get("cause"))
        warn(f"traffic: error: {reader.run_id} {execution['status']}: {plain(reason) or 'no reason given'}")
    say()
    say(f"History:    {reader.deployment.place}")
    say(f"Execution:  {sys.argv[0]} executions{options} {reader.run_id}")
    say(f"Table:      {sys.argv[0]} export{options} --format csv")
    return 0 if execution["status"] == "SUCCEEDED" else FAILED

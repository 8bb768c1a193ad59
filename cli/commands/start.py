"""`traffic start`: the local system left running, so that its daily rule fires by itself."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.arguments import Target
from cli.command import command
from cli.runs.executions import at, lasted, newest_executions, start_execution
from cli.stack.deployment import Deployment
from cli.stack.opening import deployed
from cli.terminal import UsageError, say

EXAMPLES = """examples:
  traffic start     until Ctrl-C; then the state is saved, and the next start catches up

Every day at 09:00 UTC the rule RuleGetRepoTraffic starts a run, as in AWS. GitHub forgets after 14 days.

exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 failed, 2 wrong use
"""

CATCH_UP_AFTER = timedelta(hours=24)
CATCH_UP_PAUSE = timedelta(hours=1)  # after one that failed: the network may not be up yet
LOOK_EVERY = 1.0  # seconds
REMEMBERED = 50  # executions looked at: more than ever run at once


@command(EXAMPLES)
def execute(target: Target) -> int:
    """Keep the local engine running: the daily rule fires by itself, and a missed day is caught up."""
    if target.aws:
        raise UsageError("--aws: in AWS the rule fires by itself; `traffic run --aws` starts a run now.")
    with deployed(target) as deployment:
        say(f"Running; history in {deployment.place}. The rule starts a run every day at 09:00 UTC. Ctrl-C stops.")
        try:
            watch(deployment)
        except KeyboardInterrupt:
            say("Stopping ...")
    say("Stopped. What is stored stays.")
    return 0


def watch(deployment: Deployment) -> None:
    """Catch up whenever that is due, at most once an hour, and tell of each run as it begins and ends."""
    executions = newest_executions(deployment, REMEMBERED)
    told = {execution["executionArn"]: execution["status"] for execution in executions}
    caught_up: datetime | None = None
    while True:
        now = datetime.now(UTC)
        if (caught_up is None or now - caught_up > CATCH_UP_PAUSE) and catch_up_due(executions, now):
            say("The last success is over 24 h old: catching up.")
            start_execution(deployment, {}, reason="catch-up")
            caught_up = now
        executions = newest_executions(deployment, REMEMBERED)
        for execution in reversed(executions):
            if told.get(execution["executionArn"]) != execution["status"]:
                told[execution["executionArn"]] = execution["status"]
                tell(deployment, execution)
        time.sleep(LOOK_EVERY)


def catch_up_due(executions: Sequence[Mapping[str, Any]], now: datetime) -> bool:
    """Say whether the last successful execution began over 24 hours ago, and none is running.

    By the time it began: what it ended with is what GitHub said then.
    """
    if any(execution["status"] == "RUNNING" for execution in executions):
        return False
    successes = [execution["startDate"] for execution in executions if execution["status"] == "SUCCEEDED"]
    return not successes or now - max(successes) > CATCH_UP_AFTER


def tell(deployment: Deployment, execution: Mapping[str, Any]) -> None:
    """Print a line on an execution; one that ended is saved."""
    if execution["status"] == "RUNNING":
        say(f"{at(execution['startDate'])}  {execution['name']}  started")
        return
    deployment.save()
    say(f"{at(execution['stopDate'])}  {execution['name']}  {execution['status']} after {lasted(execution)}")

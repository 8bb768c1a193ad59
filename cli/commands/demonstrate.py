"""`traffic demo`: captures a simulated GitHub, to show what this program does."""

from cli.command import Target, command
from cli.runs.executions import start_execution
from cli.runs.live import follow
from cli.stack.ready import demonstration
from cli.terminal import UsageError

EXAMPLES = """examples:
  traffic demo      capture six simulated repositories, whose history begins two years ago

It needs no token and no account. Its history is separate from yours: without a token, all commands read it.
"""


@command(EXAMPLES)
def execute(target: Target) -> int:
    """Capture the traffic of a simulated GitHub, show progress, and print the summary."""
    if target.aws:
        raise UsageError("--aws: the demonstration runs on this machine only; leave --aws out.")
    with demonstration() as deployment:
        return follow(deployment, start_execution(deployment, {}))

"""Follows a run: a moving bar on a terminal, a line for each change in a pipe, and the summary at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from cli.runs.progress import Progress, RunReader
from cli.stack.deployment import Deployment
from cli.terminal import FAILED, MANNER, inform, plain, program, say, warn

LOOK_EVERY = 0.5  # seconds between two looks at a run on the local engine
LOOK_EVERY_AWS = 3.0  # each look is several calls, which AWS charges for
LINE_EVERY = 2.0  # seconds at least between two lines in a pipe


def follow(deployment: Deployment, execution_arn: str) -> int:
    """Show a run until it ends, then its summary. An interruption stops the run."""
    reader = RunReader(deployment, execution_arn)
    inform(f"Started {reader.run_id}")
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
    typed, options = f"{reader.deployment.before}{program()}", reader.deployment.options
    inform()
    if summary:
        say("\n".join(plain(line) for line in summary["message"].splitlines()))
    else:
        say(f"The run ended as {execution['status']} before it wrote a summary.")
    if execution["status"] != "SUCCEEDED":
        reason = plain(reader.reason(execution))
        warn(f"traffic: error: {reader.run_id} {execution['status']}: {reason or 'no reason given'}")
    inform()
    inform(f"History:    {reader.deployment.place}")
    inform(f"Execution:  {typed} executions{options} {reader.run_id}")
    inform(f"Table:      {typed} export{options} --format csv")
    return 0 if execution["status"] == "SUCCEEDED" else FAILED


def show_progress(reader: RunReader, *, every: float) -> None:
    """Show each change until the run has ended, in the way that suits the output."""
    with _display() as show:
        progress = reader.progress()
        show.show(progress)
        while progress.status == "RUNNING":
            time.sleep(every)
            progress = reader.progress()
            show.show(progress)


@contextmanager
def _display() -> Iterator["LiveBar | Lines"]:
    console = Console()
    if MANNER.quiet or not console.is_terminal:
        yield Lines()
        return
    with Live(console=console, refresh_per_second=4) as live:
        yield LiveBar(live)


class Lines:
    """Progress in a pipe: a line for each change, but not more often than every `LINE_EVERY` seconds."""

    def __init__(self) -> None:
        self._shown = ""
        self._shown_at = float("-inf")

    def show(self, progress: Progress) -> None:
        """Print the progress if it changed: at once if the run has ended."""
        soon = time.monotonic() - self._shown_at < LINE_EVERY and progress.status == "RUNNING"
        if not soon and progress.sentence != self._shown:
            inform(progress.sentence)
            self._shown, self._shown_at = progress.sentence, time.monotonic()


class LiveBar:
    """Progress on a terminal: one bar that moves."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, progress: Progress) -> None:
        """Redraw the bar."""
        done = progress.captured + progress.failed
        row = Table.grid(padding=(0, 1))
        bar = ProgressBar(total=progress.listed or 1, completed=done, width=30, pulse=progress.listed is None)
        row.add_row(bar, escape(progress.sentence))
        self._live.update(row)

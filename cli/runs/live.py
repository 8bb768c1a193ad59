"""Shows the progress of a run: a moving bar on a terminal, a line for each change in a pipe."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from cli.runs.progress import Progress, RunReader
from cli.terminal import say

LINE_EVERY = 2.0  # seconds at least between two lines in a pipe


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
    if not console.is_terminal:
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
            say(progress.sentence)
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

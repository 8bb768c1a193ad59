"""The real commands, in processes of their own, with their history in a folder of the test."""

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TRAFFIC = Path(sys.executable).with_name("traffic")

PATIENCE = 180.0  # seconds; a run takes about ten, a synthesis about ten, and the machine may be busy

Row = tuple[str, ...]


@dataclass(frozen=True)
class Terminal:
    """A terminal with its settings.

    Attributes:
        folder: Its working folder, with all files of its commands.
        settings: Environment variables, besides those that any process needs.
    """

    folder: Path
    settings: dict[str, str]

    @property
    def home(self) -> Path:
        """The folder of the histories."""
        return self.folder / "home"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a command."""
        ours = ("GITHUB_", "TRAFFIC_", "AWS_", "XDG_")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return {**inherited, "TRAFFIC_HOME": str(self.home), **self.settings}

    def traffic(self, *arguments: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command with this input, and wait for its end."""
        return subprocess.run(  # noqa: S603 - our own command
            [TRAFFIC, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    @contextmanager
    def typed(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Start a command, run the block meanwhile, then wait for the command's end."""
        with subprocess.Popen(  # noqa: S603 - our own command
            [TRAFFIC, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
                process.communicate(timeout=PATIENCE)
            finally:
                process.kill()

    def exported(self) -> set[Row]:
        """Return name, day and numbers of all rows of `traffic export`, without the line of column names."""
        done = self.traffic("export", "--format", "csv")
        assert done.returncode == 0, done.stderr
        return {tuple(row[:6]) for row in list(csv.reader(io.StringIO(done.stdout)))[1:]}


def interrupt(process: subprocess.Popen[str]) -> None:
    """Send Ctrl-C as a terminal does: to the command and to every child in its session."""
    os.killpg(process.pid, signal.SIGINT)


def until(happened: Callable[[], bool], process: subprocess.Popen[str]) -> bool:
    """Wait until something has happened or the command has ended; return whether it has happened."""
    give_up = time.monotonic() + PATIENCE
    while not happened() and process.poll() is None:
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.005)
    return happened()


def commands_below(folder: Path) -> list[str]:
    """Return the command lines of running processes that contain a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue  # it has ended meanwhile
        if str(folder).encode() in line:
            found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found

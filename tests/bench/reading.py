"""Compares `traffic export` and `traffic report` with a plain dump of the same rows, by the size of the history."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cli.settings.local_settings import read_settings
from local.history_folder import HistoryFolder, Saved, write_marker
from tests.measure_history import DAYS, fill

TRAFFIC = Path(sys.executable).parent / "traffic"

REPOSITORY = "octo/repository-0"

COMMANDS = {
    "export as CSV": ("export", "--output", "export.csv"),
    "export as Parquet": ("export", "--output", "export.parquet"),
    "report": ("report", "--output", "report.html"),
    "show one repository": ("show", REPOSITORY),
}


PLAIN = """
import csv, sqlite3, sys
csv.writer(sys.stdout, lineterminator="\\n").writerows(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]))
"""


class Used(NamedTuple):
    """What a process used: wall time, processor time, and at most this many megabytes."""

    seconds: float
    processor_seconds: float
    memory: float


@dataclass(frozen=True)
class Read:
    """A command on a history.

    Attributes:
        repositories: The number of repositories, each with three years of days.
        what: The command.
        seconds: Wall time.
        processor_seconds: The time that its processes used.
        plain: The wall time of a plain dump of the same rows.
        memory: The most memory that it used, in megabytes.
    """

    repositories: int
    what: str
    seconds: float
    processor_seconds: float
    plain: float
    memory: float


def reading_times(sizes: Iterable[int]) -> Iterator[Read]:
    """Measure the commands on histories of these numbers of repositories. No engine runs."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            make_history(home, size)
            traffic(home, "export", "--output", "plain.sqlite")
            for what, arguments in COMMANDS.items():
                plain = measured(home, *dump(), output="plain.csv")
                mine = traffic(home, *arguments)
                yield Read(size, what, mine.seconds, mine.processor_seconds, plain.seconds, mine.memory)
            lines = [count_lines(home / name) for name in ("export.csv", "plain.csv")]
            if lines != [size * DAYS + 1, size * DAYS]:
                raise RuntimeError(f"{lines} lines written instead of {size * DAYS} rows")


def make_history(home: Path, repositories: int) -> None:
    """Write a history that no engine needs to complete."""
    settings = read_settings({"TRAFFIC_HOME": str(home)})
    history = HistoryFolder(settings.history)
    history.prepare()
    fill(settings.history, repositories)
    write_marker(history, Saved(complete=True))


def traffic(home: Path, *arguments: str) -> Used:
    """Run a command on the history in a folder."""
    return measured(home, str(TRAFFIC), "--quiet", *arguments, output="printed")


def dump() -> Sequence[str]:
    """Return the command that dumps the rows of an export as CSV: `sqlite3`, or Python's library without it."""
    program = shutil.which("sqlite3")
    plain = [program, "-csv"] if program else [sys.executable, "-c", PLAIN]
    return [*plain, "plain.sqlite", "SELECT * FROM traffic"]


def measured(home: Path, *command: str, output: str) -> Used:
    """Run a command in a folder, and return what it used.

    Raises:
        RuntimeError: It failed.
    """
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TRAFFIC_HOME": str(home)}
    begun = time.monotonic()
    with (home / output).open("wb") as file:
        process = subprocess.Popen(command, env=environment, cwd=home, stdout=file)  # noqa: S603 - our own
        _, process.returncode, used = os.wait4(process.pid, 0)
    if process.returncode:
        raise RuntimeError(f"{command} failed")
    return Used(time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def count_lines(path: Path) -> int:
    """Count the lines of a file."""
    with path.open("rb") as file:
        return sum(1 for _ in file)

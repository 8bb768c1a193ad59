"""Measures how long `traffic report` and `traffic export` take, by the size of the history."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cli.settings.local_settings import read_settings
from local.deploying import deploy
from local.engine import running_engine
from local.synthesis import synthesize
from tests.measure_history import ASSEMBLY, DAYS, fill

TRAFFIC = Path(sys.executable).parent / "traffic"


def reading_times(sizes: list[int]) -> list[tuple[int, float, float]]:
    """Return for each number of repositories, with three years of history, the seconds of a report and an export.

    The seconds include the engine's start and stop, because a person waits for them too.
    """
    return [reading_time(size) for size in sizes]


def reading_time(repositories: int) -> tuple[int, float, float]:
    """Fill a history with this number of repositories, then write a report and an export of it."""
    with tempfile.TemporaryDirectory() as home:
        settings = read_settings({"TRAFFIC_HOME": home})
        with running_engine(settings.history) as engine:
            deploy(engine, synthesize(ASSEMBLY), {**settings.parameters, "GitHubAccessToken": "none"})
        fill(settings.history, repositories)
        report = command(home, "report", "--output", f"{home}/report.html")
        export = command(home, "export", "--format", "csv", "--output", f"{home}/export.csv")
        rows = Path(home, "export.csv").read_text(encoding="utf-8").count("\n") - 1
        if rows != repositories * DAYS:
            raise RuntimeError(f"{rows} rows exported instead of {repositories * DAYS}")
    return repositories, report, export


def command(home: str, *arguments: str) -> float:
    """Run a command on a history, and return its seconds."""
    begun = time.monotonic()
    environment = {"PATH": os.environ["PATH"], "HOME": home, "TRAFFIC_HOME": home}
    subprocess.run([TRAFFIC, *arguments], check=True, env=environment, cwd=home, stdout=subprocess.DEVNULL)  # noqa: S603
    return time.monotonic() - begun

"""A recorded series of GitHub's answers, replayed by the commands a person would type: one run for each answer."""

import csv
import io
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.settings.local_settings import read_settings
from local.engine import running_engine
from tests.integration.pipeline import empty, free_port

COLUMNS = "repo,fetched_at_utc,date,clones_total,clones_unique,views_total,views_unique"

# Made up, in the manner of what GitHub did: the rolling window is cut by the hour and stalls for clones alone; a day
# flaps (gone on the 28th, back on the 29th with less); then whole days with zeros, one of them late and then higher.
SERIES = """\
octo/docs,2025-12-26T09:00:00Z,2025-12-12,5,3,12,4
octo/docs,2025-12-26T09:00:00Z,2025-12-24,7,2,40,11
octo/docs,2025-12-26T09:00:00Z,2025-12-25,,,44,12
octo/docs,2025-12-26T09:00:00Z,2025-12-26,,,9,3
octo/docs,2025-12-28T09:00:00Z,2025-12-14,1,1,2,1
octo/docs,2025-12-28T09:00:00Z,2025-12-25,6,3,44,12
octo/docs,2025-12-28T09:00:00Z,2025-12-26,8,4,51,13
octo/docs,2025-12-29T09:00:00Z,2025-12-24,6,2,40,10
octo/docs,2025-12-29T09:00:00Z,2025-12-26,8,4,51,13
octo/docs,2025-12-29T09:00:00Z,2025-12-29,1,1,5,2
octo/docs,2025-12-31T09:00:00Z,2025-12-29,2,1,30,7
octo/docs,2025-12-31T09:00:00Z,2025-12-30,0,0,0,0
octo/docs,2026-01-02T09:00:00Z,2025-12-30,3,1,17,5
octo/docs,2026-01-02T09:00:00Z,2025-12-31,0,0,0,0
octo/docs,2026-01-02T09:00:00Z,2026-01-01,0,0,4,4
octo/docs,2026-01-03T09:00:00Z,2025-12-31,0,0,0,0
octo/docs,2026-01-03T09:00:00Z,2026-01-01,0,0,3,3
"""

METRICS = {
    "views-count": "views_total",
    "views-uniques": "views_unique",
    "clones-count": "clones_total",
    "clones-uniques": "clones_unique",
}


def highest(series: str) -> dict[tuple[str, str], dict[str, int]]:
    """Take for each cell the highest value of all answers; what no answer had is absent."""
    cells: dict[tuple[str, str], dict[str, int]] = {}
    for line in csv.DictReader(io.StringIO(series)):
        row = cells.setdefault((line["repo"], f"{line['date']}T00:00:00Z"), {})
        for metric, column in METRICS.items():
            if line[column]:
                row[metric] = max(int(line[column]), row.get(metric, 0))
    return cells


def exported(text: str) -> dict[tuple[str, str], dict[str, int]]:
    """Read what `traffic export --format csv` prints."""
    return {
        (line["repo-name"], line["timestamp"]): {metric: int(line[metric]) for metric in METRICS if line[metric]}
        for line in csv.DictReader(io.StringIO(text))
    }


@contextmanager
def replaying(file: Path, port: int) -> Iterator[None]:
    """Serve a recording, in a process of its own, as a person would."""
    command = [sys.executable, "-m", "simulated_github", "replay", str(file), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdout is not None
        assert server.stdout.readline().startswith("Simulated GitHub on ")
        yield
        server.terminate()


def traffic(environment: Mapping[str, str], *arguments: str) -> str:
    """Run the command line, and give what it printed."""
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout  # noqa: S603


@pytest.mark.slow
@pytest.mark.parametrize("order", ["as recorded", "shuffled"])
def test_a_replayed_series_leaves_the_highest_of_every_cell_and_no_cell_that_no_answer_had(
    tmp_path: Path, order: str
) -> None:
    """Keeping the first or the last answer loses up to half of the traffic; filling gaps in invents some.

    Whatever the order of the answers, and the same again from the archive alone.
    """
    file, port = tmp_path / "series.csv", free_port()
    file.write_text(f"{COLUMNS}\n{SERIES}")
    settings = {"GITHUB_TOKEN": "x", "GITHUB_API_URL": f"http://127.0.0.1:{port}", "TRAFFIC_HOME": str(tmp_path)}
    environment = {**os.environ, **settings}
    times = traffic_times(file)
    if order == "shuffled":
        random.Random(6).shuffle(times)  # noqa: S311 - seeded, so that a failure can be had again
    # The engine runs on between the commands: they attach to it, which saves its start seven times.
    with replaying(file, port), running_engine(read_settings(settings, None).history) as engine:
        for time in times:
            traffic(environment, "run", "--at", time)
        told = exported(traffic(environment, "export", "--format", "csv"))
        for table in ("RepoTraffic", "RepoTrafficRepositories", "RepoTrafficSnapshots"):
            empty(engine.client("dynamodb"), table)
        assert not exported(traffic(environment, "export", "--format", "csv"))
        traffic(environment, "rebuild")
        rebuilt = exported(traffic(environment, "export", "--format", "csv"))
        traffic(environment, "verify")

    assert len(times) == 6
    assert told == highest(f"{COLUMNS}\n{SERIES}")
    assert rebuilt == told


def traffic_times(file: Path) -> list[str]:
    """List the times of a recording's answers, as its own command does."""
    command = [sys.executable, "-m", "simulated_github", "replay", str(file), "--list-times"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603

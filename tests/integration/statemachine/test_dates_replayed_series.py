"""A series of GitHub's answers, replayed with the commands of a user: one run for each answer."""

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

# Made up, like GitHub's real answers: the rolling window ends at an hour, and stalls for clones only; a day disappears
# on the 28th and returns on the 29th with less; then complete days with zeros, one of them late and then higher.
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
    """Return the highest value of all answers for each cell; a cell in no answer is absent."""
    cells: dict[tuple[str, str], dict[str, int]] = {}
    for line in csv.DictReader(io.StringIO(series)):
        row = cells.setdefault((line["repo"], f"{line['date']}T00:00:00Z"), {})
        for metric, column in METRICS.items():
            if line[column]:
                row[metric] = max(int(line[column]), row.get(metric, 0))
    return cells


def exported(text: str) -> dict[tuple[str, str], dict[str, int]]:
    """Parse the output of `traffic export --format csv`."""
    return {
        (line["repo-name"], line["timestamp"]): {metric: int(line[metric]) for metric in METRICS if line[metric]}
        for line in csv.DictReader(io.StringIO(text))
    }


@contextmanager
def replaying(file: Path, port: int) -> Iterator[None]:
    """Serve a recording in a process of its own, as a user does."""
    command = [sys.executable, "-m", "simulated_github", "replay", str(file), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdout is not None
        assert server.stdout.readline().startswith("Simulated GitHub on ")
        yield
        server.terminate()


def traffic(environment: Mapping[str, str], *arguments: str) -> str:
    """Run the command line, and return its output."""
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout  # noqa: S603


@pytest.mark.slow
@pytest.mark.parametrize("order", ["as recorded", "shuffled"])
def test_a_replayed_series_results_in_the_highest_value_of_every_cell(tmp_path: Path, order: str) -> None:
    """Keeping the first or the last answer loses up to half of the traffic; filling gaps invents traffic.

    The order of the answers does not matter, and a rebuild from the archive has the same result.
    """
    file, port = tmp_path / "series.csv", free_port()
    file.write_text(f"{COLUMNS}\n{SERIES}")
    settings = {"GITHUB_TOKEN": "x", "GITHUB_API_URL": f"http://127.0.0.1:{port}", "TRAFFIC_HOME": str(tmp_path)}
    environment = {**os.environ, **settings}
    times = traffic_times(file)
    if order == "shuffled":
        random.Random(6).shuffle(times)  # noqa: S311 - seeded, so that a failure can be repeated
    # The engine runs during all commands, so that it starts only once.
    with replaying(file, port), running_engine(read_settings(settings).history) as engine:
        for time in times:
            traffic(environment, "run", "--at", time)
        stored = exported(traffic(environment, "export", "--format", "csv"))
        for table in ("RepoTraffic", "RepoTrafficRepositories", "RepoTrafficSnapshots"):
            empty(engine.client("dynamodb"), table)
        assert not exported(traffic(environment, "export", "--format", "csv"))
        traffic(environment, "rebuild")
        rebuilt = exported(traffic(environment, "export", "--format", "csv"))
        traffic(environment, "verify")

    assert len(times) == 6
    assert stored == highest(f"{COLUMNS}\n{SERIES}")
    assert rebuilt == stored


def traffic_times(file: Path) -> list[str]:
    """Return the times of a recording's answers, from its own command."""
    command = [sys.executable, "-m", "simulated_github", "replay", str(file), "--list-times"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603

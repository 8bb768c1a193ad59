"""Measures the import of a data repository of github-repo-stats: sixty repositories, 100,000 files."""

import csv
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.imports.github_repo_stats import GHRS_HEADING
from cli.settings.local_settings import read_settings
from local.deploying import deploy
from local.engine import running_engine
from local.synthesis import synthesize
from simulated_github import SimulatedGitHub
from tests.measure_history import ASSEMBLY

TRAFFIC = Path(sys.executable).parent / "traffic"

REPOSITORIES = 60
CAPTURES = 833  # of each repository, with two files each
BEGUN = datetime(2023, 1, 1, 23, 17, 54, tzinfo=UTC)

# Runs a command, and prints the seconds that it took and the most memory in MB that one process of it used.
MEASURED = """
import resource, subprocess, sys, time
begun = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000)
"""


@dataclass(frozen=True)
class Imported:
    """One import.

    Attributes:
        files: How many files were read.
        seconds: How long it took, with the engine's start and stop.
        plain: How long it takes to read the same files as rows of CSV.
        memory: The most memory of one process, in MB.
    """

    files: int
    seconds: float
    plain: float
    memory: float


def import_of_many() -> Imported:
    """Write a data repository, and import it by one command."""
    names = [f"octo/repo-{number:02}" for number in range(REPOSITORIES)]
    with tempfile.TemporaryDirectory() as home, SimulatedGitHub(repositories=names, limit=1_000_000) as github:
        tree = Path(home, "data")
        files = sum(write_repository(tree / name / "ghrs-data", name) for name in names)
        settings = read_settings({"TRAFFIC_HOME": home, "GITHUB_TOKEN": "any", "GITHUB_API_URL": github.url})
        with running_engine(settings.history) as engine:
            deploy(engine, synthesize(ASSEMBLY), {**settings.parameters, "GitHubAccessToken": "any"})
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TRAFFIC_HOME": home}
        environment |= {"GITHUB_TOKEN": "any", "GITHUB_API_URL": github.url}
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-c", MEASURED, TRAFFIC, "import", str(tree)],
            check=True, env=environment, cwd=home, capture_output=True, text=True,
        )  # fmt: skip
        seconds, memory = map(float, done.stdout.split())
        return Imported(files, seconds, plain_reading(tree), memory)


def write_repository(folder: Path, name: str) -> int:
    """Write what the tool keeps of one repository, and return the number of files."""
    snapshots = folder / "snapshots"
    snapshots.mkdir(parents=True)
    days = ((BEGUN + timedelta(days=number)).date() for number in range(CAPTURES))
    text = "".join(f"{day} 00:00:00+00:00,3,1,8,2\n" for day in days)
    (folder / "views_clones_aggregate.csv").write_text(",".join(GHRS_HEADING) + "\n" + text)
    for number in range(CAPTURES):
        taken = (BEGUN + timedelta(days=number)).strftime("%Y-%m-%d_%H%M%S")
        referrers = "".join(f"site{row}.example,{number % 50 + row},{row + 1}\n" for row in range(8))
        (snapshots / f"{taken}_top_referrers_snapshot.csv").write_text(
            f"referrer,views_total,views_unique\n{referrers}"
        )
        paths = "".join(f"/{name}/blob/main/{row}.md,{number % 50 + row},{row + 1}\n" for row in range(10))
        (snapshots / f"{taken}_top_paths_snapshot.csv").write_text(f"url_path,views_total,views_unique\n{paths}")
    return 1 + 2 * CAPTURES


def plain_reading(tree: Path) -> float:
    """Read all files as rows of CSV, and return the seconds."""
    begun = time.monotonic()
    for path in tree.rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            list(csv.reader(file))
    return time.monotonic() - begun

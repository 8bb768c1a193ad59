"""Measures the local engine with long histories: `make measure-history`.

It writes three years of days into a saved state of the engine, then starts the engine, reads one repository and saves.
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli.settings.local_settings import read_settings
from local.deploying import deploy
from local.engine import running_engine
from local.history_folder import HistoryFolder, current_generation
from local.synthesis import synthesize

DAYS = 3 * 365
ASSEMBLY = Path(__file__).parents[1] / "build" / "cloud-assembly"
ITEMS = "dynamodb-items.jsonl"


def main() -> None:
    """Print a row for each number of repositories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", type=int, nargs="*", default=[100, 500, 1000])
    print(f"repositories x {DAYS} days\tstart s\tmemory MB\tread one repository s\tsave s")  # noqa: T201
    for repositories in parser.parse_args().repositories:
        with tempfile.TemporaryDirectory() as home:
            row = measure(Path(home), repositories)
        print(f"{repositories}\t{row[0]:.1f}\t{row[1]:.0f}\t{row[2]:.2f}\t{row[3]:.1f}")  # noqa: T201


def measure(home: Path, repositories: int) -> tuple[float, float, float, float]:
    """Fill a history with this number of repositories, and measure the engine.

    Returns:
        Seconds to start, megabytes of memory, seconds to read one repository, and seconds to save.
    """
    settings = read_settings({"TRAFFIC_HOME": str(home)})
    parameters = {**settings.parameters, "GitHubAccessToken": "none"}
    with running_engine(settings.history) as engine:
        deploy(engine, synthesize(ASSEMBLY), parameters)
    state = current_generation(HistoryFolder(settings.history))
    with (state / ITEMS).open("a") as file:
        file.writelines(partition(number) for number in range(repositories))
    begun = time.monotonic()
    with running_engine(settings.history) as engine:
        started = time.monotonic()
        read = time.monotonic()
        found = engine.client("dynamodb").query(
            TableName="RepoTraffic",
            KeyConditionExpression="#name = :name",
            ExpressionAttributeNames={"#name": "repo-name"},
            ExpressionAttributeValues={":name": {"S": "octo/repository-1"}},
        )
        ended = time.monotonic()
        if found["Count"] != DAYS:
            raise RuntimeError(f"{found['Count']} days found instead of {DAYS}")
        memory = resident(engine.pid)
        saving = time.monotonic()
        engine.save()
        return started - begun, memory, ended - read, time.monotonic() - saving


def partition(number: int) -> str:
    """Return one repository's days in the format in which the engine saves them."""
    name = f"octo/repository-{number}"
    first = datetime(2024, 1, 1, tzinfo=UTC)
    days = [f"{first + timedelta(days=day):%Y-%m-%d}T00:00:00Z" for day in range(DAYS)]
    rows = {day: {"repo-name": {"S": name}, "timestamp": {"S": day}, **numbers(number)} for day in days}
    return json.dumps([["000000000000", "us-east-1", "RepoTraffic"], name, rows]) + "\n"


def numbers(number: int) -> dict[str, Any]:
    """Return the attributes of a day."""
    metrics = ("views-count", "views-uniques", "clones-count", "clones-uniques", "repo-id")
    complete = {"views-complete": {"BOOL": True}, "clones-complete": {"BOOL": True}}
    return {**{metric: {"N": str(number)} for metric in metrics}, **complete}


def resident(pid: int) -> float:
    """Return how much memory a process uses, in megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()

"""Measures the local engine with long histories: `make measure-history`.

It writes three years of days into the file of the engine's tables, then starts the engine, reads one repository, and
stops the engine.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli.settings.local_settings import read_settings
from local.deploying import deploy
from local.engine import running_engine
from local.history_folder import HistoryFolder
from local.stored_items import EngineTables, RawItem
from local.synthesis import synthesize

DAYS = 3 * 365
ASSEMBLY = Path(__file__).parents[1] / "build" / "cloud-assembly"


def main() -> None:
    """Print a row for each number of repositories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", type=int, nargs="*", default=[0, 100, 1000])
    print(f"repositories x {DAYS} days\tstart s\tmemory MB\tread one repository s\tstop s")  # noqa: T201
    for repositories in parser.parse_args().repositories:
        with tempfile.TemporaryDirectory() as home:
            row = measure(Path(home), repositories)
        print(f"{repositories}\t{row[0]:.1f}\t{row[1]:.0f}\t{row[2]:.2f}\t{row[3]:.1f}")  # noqa: T201


def measure(home: Path, repositories: int) -> tuple[float, float, float, float]:
    """Fill a history with this number of repositories, and measure the engine.

    Returns:
        Seconds to start, megabytes of memory, seconds to read one repository, and seconds to stop.
    """
    settings = read_settings({"TRAFFIC_HOME": str(home)})
    parameters = {**settings.parameters, "GitHubAccessToken": "none"}
    with running_engine(settings.history) as engine:
        deploy(engine, synthesize(ASSEMBLY), parameters)
    fill(settings.history, repositories)
    begun = time.monotonic()
    with running_engine(settings.history) as engine:
        started = time.monotonic()
        found = engine.client("dynamodb").query(
            TableName="RepoTraffic",
            KeyConditionExpression="#name = :name",
            ExpressionAttributeNames={"#name": "repo-name"},
            ExpressionAttributeValues={":name": {"S": "octo/repository-1"}},
        )
        ended = time.monotonic()
        if found["Count"] != (DAYS if repositories else 0):
            raise RuntimeError(f"{found['Count']} days found instead of {DAYS}")
        memory = resident(engine.pid)
        stopping = time.monotonic()
    return started - begun, memory, ended - started, time.monotonic() - stopping


def fill(history: Path, repositories: int) -> None:
    """Write three years of days of this number of repositories into a history's tables."""
    tables = EngineTables(HistoryFolder(history).tables)
    with tables.transaction():
        tables.add(days(repositories))
    tables.close()


def days(repositories: int) -> Iterator[tuple[str, str, str, RawItem]]:
    """Yield each day with its table, partition and sort key."""
    first = datetime(2024, 1, 1, tzinfo=UTC)
    times = [f"{first + timedelta(days=day):%Y-%m-%d}T00:00:00Z" for day in range(DAYS)]
    for number in range(repositories):
        name = f"octo/repository-{number}"
        known = numbers(number)
        for day in times:
            yield "RepoTraffic", name, day, {"repo-name": {"S": name}, "timestamp": {"S": day}, **known}


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

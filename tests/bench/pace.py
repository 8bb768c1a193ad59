"""Wall time, calls and events: the first version's loop, and ours at its default concurrency and at twice that."""

import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import requests

from tests.bench import first_version
from tests.bench.world import LATENCY, Measured, calls, github, measure, pipeline

REPOSITORIES = 200
CONCURRENCIES = (4, 8)
ROUNDS = 2  # in which a repository is asked: its views, then all the rest at once
ONCE = 1_000  # repositories, beyond which there is one run only


@dataclass(frozen=True)
class Loop:
    """What the first version's loop took: wall time in seconds, calls, and items written by a second run, too."""

    seconds: float
    calls: int
    written: int


def paces() -> tuple[Loop, dict[int, tuple[Measured, Measured]]]:
    """Capture the same repositories by the first version's loop, and by ours at each concurrency, a day later again."""
    ours: dict[int, tuple[Measured, Measured]] = {}
    for concurrency in CONCURRENCIES:
        with tempfile.TemporaryDirectory() as home, pipeline(Path(home), concurrency) as deployed:
            with github(deployed.port, REPOSITORIES) as url:
                first = measure(deployed, url)
                tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
                requests.post(f"{url}/_at", json={"at": tomorrow}, timeout=60).raise_for_status()
                ours[concurrency] = first, measure(deployed, url)
            if concurrency == CONCURRENCIES[-1]:
                deployed.forget()
                with github(deployed.port, REPOSITORIES) as url:
                    loop = first_loop(deployed.engine.url, deployed.engine.access_key, url)
    return loop, ours


def first_loop(engine: str, access_key: str, url: str) -> Loop:
    """Run the first version's loop once."""
    listed = boto3.resource(
        "dynamodb",
        endpoint_url=engine,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key="none",
    )
    names = names_at(url)
    calls(url)
    begun = time.monotonic()
    written = first_version.capture(url, names, listed.Table("RepoTraffic"))
    return Loop(time.monotonic() - begun, sum(calls(url).values()), written)


def names_at(url: str) -> list[str]:
    """List what the simulated GitHub holds."""
    return [str(found["name"]) for found in requests.get(f"{url}/_repositories", timeout=60).json()]


def overhead(measured: Measured, repositories: int, concurrency: int, latency: float = LATENCY) -> float:
    """Give the seconds for each repository beyond GitHub's own: of what one of the children at work takes."""
    return measured.seconds * concurrency / repositories - ROUNDS * latency


def growth(sizes: list[int]) -> dict[int, tuple[Measured, Measured | None]]:
    """Capture so many repositories of a GitHub that answers at once: a first run of each size, and a second.

    Of the largest, whose first run takes as long as all the others, there is no second.
    """
    found: dict[int, tuple[Measured, Measured | None]] = {}
    for size in sizes:
        with (
            tempfile.TemporaryDirectory() as home,
            pipeline(Path(home)) as deployed,
            github(deployed.port, size, latency=0) as url,
        ):
            found[size] = (measure(deployed, url), measure(deployed, url) if size <= ONCE else None)
    return found

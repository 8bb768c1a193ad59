"""Wall time, calls and events of the first version's loop, and of ours at its default concurrency and at twice that."""

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
ROUNDS = 2  # of calls for a repository: first its views, then all others at once
ONCE = 1_000  # repositories; larger sizes are run only once


@dataclass(frozen=True)
class Loop:
    """The wall time in seconds of the first version's loop, its calls, and the items it wrote."""

    seconds: float
    calls: int
    written: int


def paces() -> tuple[Loop, dict[int, tuple[Measured, Measured]]]:
    """Capture the same repositories with the first version's loop, and with ours at each concurrency on two days."""
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
    """List the repositories of the simulated GitHub."""
    return [str(found["name"]) for found in requests.get(f"{url}/_repositories", timeout=60).json()]


def overhead(measured: Measured, repositories: int, concurrency: int, latency: float = LATENCY) -> float:
    """Return the seconds that a child takes for each repository, without GitHub's own time."""
    return measured.seconds * concurrency / repositories - ROUNDS * latency


def growth(sizes: list[int]) -> dict[int, tuple[Measured, Measured | None]]:
    """Run each size twice, with a GitHub that answers immediately.

    The largest size has no second run, because its first run takes as long as all others together.
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

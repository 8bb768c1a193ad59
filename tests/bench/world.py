"""A simulated GitHub in a separate process, and an engine with the real template at a chosen concurrency."""

import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from local.synthesis import synthesize
from tests.integration.pipeline import ASSEMBLY, Execution, Pipeline, deployed_pipeline
from traffic.planning import AT_ONCE

LONGEST = 1500.0  # seconds that a run may take

LATENCY = 0.15  # seconds that GitHub takes for a call


@contextmanager
def github(port: int, repositories: int, latency: float = LATENCY, limit: int | None = None) -> Iterator[str]:
    """Serve this number of repositories, and allow this number of calls an hour, or any; yield the address."""
    command = [sys.executable, "-m", "simulated_github", "--port", str(port), "--repositories", str(repositories)]
    options = ["--latency", str(latency * 1000), *(["--no-limits"] if limit is None else ["--limit", str(limit)])]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE) as server:  # noqa: S603 - our own
        assert server.stdout is not None
        server.stdout.readline()  # it prints its address when it is ready
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def calls(url: str) -> Counter[str]:
    """Return the number of calls by endpoint, and start counting again."""
    made = Counter(str(call["endpoint"]) for call in requests.get(f"{url}/_calls", timeout=60).json()["calls"])
    requests.delete(f"{url}/_calls", timeout=60)
    return made


@contextmanager
def pipeline(home: Path, concurrency: int = AT_ONCE) -> Iterator[Pipeline]:
    """Deploy the real template with a chosen concurrency of its Map, and warm up the functions."""
    assembly = home / "assembly"
    shutil.copytree(synthesize(ASSEMBLY), assembly)
    for template in assembly.glob("*.template.json"):
        text = template.read_text()
        ours = '\\"MaxConcurrencyPath\\": \\"$.manifest.at_once\\"'
        assert ours in text, "the definition reads no such concurrency"
        template.write_text(text.replace(ours, f'\\"MaxConcurrency\\": {concurrency}'))
    with deployed_pipeline(home / "history", assembly) as deployed:
        with github(deployed.port, 2 * concurrency, latency=0.5):
            deployed.run()
        deployed.forget()
        yield deployed


@dataclass(frozen=True)
class Measured:
    """The time, calls and memory of a run.

    Attributes:
        seconds: Wall time.
        calls: The number of calls to GitHub.
        changed: Days that are new or changed.
        parent_events: The number of events in the history of the run itself.
        transitions: State transitions of the run and its children.
        memory: The most memory of any function so far, in megabytes.
        function_seconds: The time that all functions ran, added up.
    """

    seconds: float
    calls: int
    changed: int
    parent_events: int
    transitions: int
    memory: float
    function_seconds: float


def measure(deployed: Pipeline, url: str) -> Measured:
    """Run once and measure.

    Raises:
        RuntimeError: The run did not succeed.
    """
    calls(url)
    begun = time.monotonic()
    execution = deployed.finish(deployed.start(), LONGEST)
    seconds = time.monotonic() - begun
    if execution.status != "SUCCEEDED":
        raise RuntimeError(f"{execution.name} {execution.status}: {execution.error} {execution.cause}")
    parent = history(deployed, execution.arn)
    children = [history(deployed, child["executionArn"]) for child in deployed.children(execution)]
    return Measured(
        seconds,
        sum(calls(url).values()),
        changed_days(deployed, execution),
        len(parent),
        sum(event["type"].endswith("StateEntered") for events in [parent, *children] for event in events),
        largest_function(deployed.engine.pid),
        sum(task_seconds(events) for events in [parent, *children]),
    )


def history(deployed: Pipeline, arn: str) -> list[dict[str, Any]]:
    """Return all events of an execution."""
    pages = deployed.engine.client("stepfunctions").get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]


def task_seconds(events: list[dict[str, Any]]) -> float:
    """Return how long an execution's tasks ran, added up: from each start to the next success or failure."""
    total, begun = 0.0, None
    for event in events:
        if event["type"] == "TaskScheduled":
            begun = event["timestamp"]
        elif event["type"] in ("TaskSucceeded", "TaskFailed") and begun is not None:
            total, begun = total + (event["timestamp"] - begun).total_seconds(), None
    return total


def changed_days(deployed: Pipeline, execution: Execution) -> int:
    """Return how many days a run changed, by its receipts."""
    return sum(receipt["items_changed"] for receipt in deployed.receipts(execution))


def largest_function(engine: int) -> float:
    """Return the most memory that any process below the engine ever used, in megabytes."""
    return max((peak_memory(pid) for pid in descendants(engine)), default=0.0)


def descendants(pid: int) -> list[int]:
    """List the processes below a process."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    every = [path.read_text().split() for path in children.parents[1].glob("*/children")] if children.exists() else []
    found = [int(child) for row in every for child in row]
    return found + [below for child in found for below in descendants(child)]


def peak_memory(pid: int | str) -> float:
    """Return the most memory that a process ever used, in megabytes; 0 if it has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024 if "VmHWM:" in status else 0.0

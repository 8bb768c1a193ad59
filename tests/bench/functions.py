"""Measures each function with its memory, and with the share of a core that comes with this memory.

Each call of a function runs in a new, cold process, and does all its work over real HTTP against servers in other
processes. Only the function is limited to its share.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, cast

import requests

from cli.runs import prices
from cli.runs.prices import MEMORY
from simulated_github import SimulatedGitHub
from tests.bench.account import account, ids, name_of
from tests.bench.processor import ONE_CORE, Held, hold, share_of
from tests.bench.world import github, peak_memory
from tests.integration.pipeline import free_port
from traffic.clock import from_text, to_text
from traffic.contract import ENDPOINTS, MinuteOfCalls, listing_key, manifest_key, receipts_prefix

FLEET = 100_000
RECEIPTS = 25  # in an object that Summarize run reads; the larger batches of such a fleet make fewer objects
BATCH = int(prices.BATCH.value)
SIZES = (25, 50, 100)  # of batches, to choose among
MEMORIES = (256, 512, 1024, ONE_CORE)  # MB, to choose among
PART = 2_500  # repositories that one call of List repositories finds
PLANNING = "the last page and the planning"
TIMEOUT = 300.0  # seconds that each function may run
LATENCY = 0.15  # seconds that GitHub takes for a call
LIMIT = 5_000  # calls an hour, so low that List repositories plans the run from the table
HOURLY = 15_000  # calls an hour, so many that Fetch traffic never waits, but keeps its calls in mind
LANE = {"lane": {"last": 1, "width": 9, "read": 0}, "at": {"part": 0}}  # it begins with the repositories it is given

RUN = {"id": "run", "started": "2026-11-20T09:00:00Z", "deadline": "2099-11-21T05:00:00Z"}


@dataclass(frozen=True)
class Taken:
    """The time and memory of a call of a function.

    Attributes:
        what: The work.
        function: The function's name in the stack.
        given: The memory with which it ran, in MB.
        held: Its time, and the share of a core that it used.
        memory: The most memory of its process, in megabytes.
        again: The seconds of the last call, if the process made several: the time of a warm function.
        state: What the last call returned.
    """

    what: str
    function: str
    given: int
    held: Held
    memory: float
    again: float | None
    state: Any

    @property
    def call_seconds(self) -> float:
        """GitHub's mean response time in the last call of Fetch traffic, as the function measured it."""
        calls: MinuteOfCalls = self.state["batch"]["minute"]
        return sum(seconds for _, _, seconds in calls) / sum(number for _, number, _ in calls)


def functions(fleet: int = FLEET) -> list[Taken]:
    """Measure the functions that a run calls once, each at its memory and its share of a core."""
    with account(fleet) as aws:
        return [*listings(aws, fleet), summary(aws, fleet)]


def batches() -> list[Taken]:
    """Measure Fetch traffic and Store traffic with batches of all sizes, and those of the stack with all memories."""
    with account(0) as aws:
        return [taken for size in (1, *SIZES) for taken in batch(aws, size, MEMORIES if size in (1, BATCH) else ())]


def listings(aws: str, fleet: int) -> Iterator[Taken]:
    """Let List repositories read all repositories in as many calls as it needs; then the last page, and the planning.

    The function keeps time in reserve for the planning (`RESERVE`).
    """
    run = {"id": RUN["id"], "started": to_text(datetime.now(UTC))}
    with github(free_port(), fleet, latency=0, limit=LIMIT) as url:
        state: Any = {"run": run, "input": {}}
        call = 0
        while "manifest" not in state:
            call += 1
            if "resume_at" in state:  # the pages of a minute are used up; the definition waits, too
                time.sleep(max(0.0, (from_text(state["resume_at"]) - datetime.now(UTC)).total_seconds()))
            taken = called("ListRepos", f"{fleet:,} repositories, call {call}", [state], aws, url)
            state = taken.state
            yield taken
        parts = cut(fleet, PART)
        for part, found in enumerate(parts, start=1):
            put(aws, listing_key("run", part), found)
        last_page = f"{url}/user/repos?per_page=100&page={fleet // 100}"
        listing = {**state["listing"], "parts": len(parts), "next": last_page}
        yield called("ListRepos", PLANNING, [{"run": run, "listing": listing}], aws, url)


def summary(aws: str, fleet: int) -> Taken:
    """Let Summarize run summarize a run that captured all repositories, with several tokens."""
    parts = cut(fleet, RECEIPTS)
    put(aws, manifest_key("run"), [{"repositories": batch} for batch in parts])
    for number, batch in enumerate(parts):
        put(aws, f"{receipts_prefix('run')}{number:06}.json", [receipt(repository) for repository in batch])
    manifest = {"bucket": "archive", "key": manifest_key("run"), "batches": len(parts), "repositories": fleet}
    listing = {"parts": 0, "pauses": 0, "listed_at": RUN["started"], "tokens": {"*": {"limit": LIMIT}}}
    state = {"run": RUN, "listing": listing, "manifest": manifest}
    taken = called("SummarizeRun", f"{fleet:,} repositories, {len(parts):,} receipts", [state], aws, "")
    assert f"{fleet} of {fleet} repositories captured" in taken.state["message"], taken.state["message"]
    return taken


def batch(aws: str, size: int, memories: Sequence[int]) -> Iterator[Taken]:
    """Let Fetch and Store do a batch in a cold process, and again in the same process on the next day.

    Args:
        aws: The address of the account.
        size: Repositories in the batch.
        memories: The memories to measure, in MB; by default those of the stack.
    """
    for megabytes in memories or (None,):
        with SimulatedGitHub(repositories=size, latency=LATENCY, limit=HOURLY, secondary=False) as simulated:
            repositories = [{"id": id_, "name": name} for id_, name in enumerate(simulated.names, start=1)]
            asked = {"run": RUN, "batch": {"repositories": repositories, **LANE}}
            today = called("FetchTraffic", "", [asked], aws, simulated.url).state
            simulated.at(tomorrow())
            both = [asked, {**asked, "run": {**RUN, "id": "again"}}]  # the same run's would be taken for a retry
            fetched = called("FetchTraffic", batch_of(size), both, aws, simulated.url, megabytes=megabytes)
        assert not fetched.state["batch"]["repositories"], "Fetch traffic did not ask for all of them"
        yield fetched
        yield called("StoreTraffic", batch_of(size), [today, fetched.state], aws, "", megabytes=megabytes)


def batch_of(size: int) -> str:
    """Return the name of the work on a batch."""
    return f"a batch of {size}"


def tomorrow() -> str:
    """Return the time a day from now."""
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def receipt(repository: Mapping[str, Any]) -> dict[str, Any]:
    """Return the receipt that Store traffic writes for a captured repository."""
    ends = {kind: {"day": "2026-11-19", "behind": 0} for kind in ("views", "clones")}
    recent = {"day": "2026-11-19", "views": 9, "before": 8, "weeks": [[60, 50], [9, 8]]}
    return {
        **repository, "repo_name": repository["name"], "answered": list(ENDPOINTS), "outcome": "captured", "detail": "",
        "items_changed": 7, "lowered": 0, "newest_day": "2026-11-19", "ends": ends,
        "recent": recent,
    }  # fmt: skip


def cut(fleet: int, size: int) -> list[list[dict[str, Any]]]:
    """Return all repositories in parts of this size."""
    every = [{"id": id_, "name": name_of(id_)} for id_ in ids(0, fleet)]
    return [every[start : start + size] for start in range(0, fleet, size)]


def put(aws: str, key: str, note: Any) -> None:
    """Write an object of JSON into the bucket."""
    requests.put(f"{aws}/archive/{key}", data=json.dumps(note), timeout=60).raise_for_status()


def called(  # noqa: PLR0913 - what is called, where, and with which memory
    function: str, what: str, events: Sequence[Any], aws: str, github_url: str, *, megabytes: int | None = None
) -> Taken:
    """Call a function for one event after another, in a process with the share of a core that its memory brings."""
    given = megabytes or MEMORY[function]
    command = [sys.executable, "-m", "tests.bench.functions", function, *map(json.dumps, events)]
    with tempfile.TemporaryFile("w+") as printed:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=printed, env=environment(aws, github_url), text=True)  # noqa: S603
        held = hold(process, share_of(given), begun=begun)
        printed.seek(0)
        lines = printed.read().splitlines()
    if process.returncode:
        raise RuntimeError(f"{function} failed: {lines[-1:]}")
    ended = json.loads(lines[-1])
    again = ended["seconds"] if len(events) > 1 else None
    return Taken(what, function, given, held, ended["memory"], again, ended["state"])


def environment(aws: str, github_url: str) -> dict[str, str]:
    """Return the environment that a function has in the stack."""
    tables = {"TRAFFIC_TABLE": "RepoTraffic", "REPOSITORIES_TABLE": "RepoTrafficRepositories"}
    keys = {"AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up", "AWS_DEFAULT_REGION": "us-east-1"}
    ours = {"ARCHIVE_BUCKET": "archive", "SNAPSHOTS_TABLE": "RepoTrafficSnapshots", "GITHUB_TOKEN_SECRET": "token"}
    return {**os.environ, **tables, **keys, **ours, "AWS_ENDPOINT_URL": aws, "GITHUB_API_URL": github_url}


class Context:
    """The context that Lambda passes to a function."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "made-up"

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left, in milliseconds."""
        return int((TIMEOUT - (time.monotonic() - self._begun)) * 1000)


def main(function: str, *events: str) -> None:
    """Act as a function: handle each event, and print the time and the result of the last one."""
    folder = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in function).lstrip("_")
    handler = import_module(f"lambdas.{folder}.handler")
    for event in events:
        begun = time.monotonic()
        state = handler.lambda_handler(json.loads(event), cast("Any", Context()))
        taken = {"state": state, "seconds": time.monotonic() - begun, "memory": peak_memory("self")}
    print(json.dumps(taken))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])

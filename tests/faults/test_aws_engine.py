"""The engine's part of the fault matrix: it is killed, its disk is full or power fails, at any moment of a run.

Before the next run, the tables contain everything that was archived. After it, the record is true.
"""

import json
import os
import random
import resource
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import pytest

from local.engine import is_locked
from local.history_folder import HistoryFolder
from simulated_github import SimulatedGitHub
from tests.e2e.commands import Row, Terminal, until
from tests.e2e.conftest import terminal as terminal  # noqa: PLC0414 - a fixture
from tests.faults.judgement import Outcome

pytestmark = pytest.mark.faults

CLEAN = "The tables hold exactly what the archive says.\n"

AT = "2026-11-20T09:00:00Z"
REPOSITORIES = ["octo/docs", "octo/cli", "acme/docs"]
CALLS = 1 + 4 * len(REPOSITORIES)


def kill(engine: int, _history: HistoryFolder) -> None:
    """End the engine without a chance to save."""
    os.kill(engine, signal.SIGKILL)


def cut_power(engine: int, history: HistoryFolder) -> None:
    """Kill the engine, and cut off what it wrote to its tables since the last flush: half of it is on disk."""
    kill(engine, history)
    give_up = time.monotonic() + 10
    while is_locked(history) and time.monotonic() < give_up:
        time.sleep(0.01)
    log = history.tables.with_name("tables.sqlite-wal")
    if log.exists():
        os.truncate(log, log.stat().st_size // 2)


def fill_disk(engine: int, _history: HistoryFolder) -> None:
    """Let every further write of the engine fail, as on a full disk: its files may not grow.

    Source:
        https://man7.org/linux/man-pages/man2/getrlimit.2.html (RLIMIT_FSIZE; Python ignores the signal)
    """
    resource.prlimit(engine, resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


Blow = Callable[[int, HistoryFolder], None]
BLOWS: dict[str, Blow] = {"killed": kill, "disk full": fill_disk, "power cut": cut_power}

# The number of calls before the failure, and the seconds after the last of them.
SEEDED = random.Random(20261120)  # noqa: S311 - seeded, so that a failure can be repeated
MOMENTS = [
    (calls, round(SEEDED.uniform(0, 0.3), 3)) for calls in (0, 1, *sorted(SEEDED.sample(range(2, CALLS), 4)), CALLS)
]


@pytest.mark.parametrize("blow", BLOWS)
@pytest.mark.parametrize(("calls", "after"), MOMENTS, ids=[f"{calls} calls" for calls, _ in MOMENTS])
def test_the_next_run_completes_a_run_whose_engine_failed(
    terminal: Terminal, blow: str, calls: int, after: float, record_property: Callable[[str, Any], None]
) -> None:
    """A run that did not capture everything has a failed exit code, and the next one completes it.

    Nothing that was archived waits for the next run: `traffic verify` finds no difference before it.
    """
    with SimulatedGitHub(repositories=REPOSITORIES, at=AT) as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN="x", TRAFFIC_WAIT_SCALE="0.1")
        history = HistoryFolder(terminal.home / "loopback")
        with terminal.typed("run") as command:
            assert until(lambda: history.running.exists() and len(github.calls) >= calls, command)
            time.sleep(after)
            with suppress(FileNotFoundError, ProcessLookupError):
                BLOWS[blow](json.loads(history.running.read_text())["pid"], history)
        verified = terminal.traffic("verify")
        before = kept(terminal)
        archived = list(history.objects.glob("*/github-traffic-archive-*/answers/*/*.gz"))
        again = terminal.traffic("run")
        truth = truth_of(github)
    rows = kept(terminal)

    complete = command.returncode == 0 and before == truth
    case, status = f"engine {blow} after {calls} calls and {after} s", str(command.returncode)
    reported = command.returncode != 0
    outcome = Outcome("local engine", case, 1, status, complete, reported, len(truth - rows), len(rows - truth))
    record_property("fault", asdict(outcome))
    if archived:
        assert (verified.returncode, verified.stdout) == (0, CLEAN), verified.stderr
    assert before <= truth
    assert again.returncode == 0, again.stdout + again.stderr
    assert outcome.good, outcome


def kept(terminal: Terminal) -> set[Row]:
    """Return name, day and numbers of `traffic export`; no rows if there is no history yet."""
    done = terminal.traffic("export", "--format", "csv")
    return {tuple(line.split(",")[:6]) for line in done.stdout.splitlines()[1:]}


def truth_of(github: SimulatedGitHub) -> set[Row]:
    """Return the true numbers in the form of `traffic export`."""
    return {
        (name, f"{day}T00:00:00Z", *map(str, row)) for name in github.names for day, row in github.truth(name).items()
    }

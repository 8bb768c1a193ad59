"""A run may be stopped at any moment: after the next run, the record is as after an undisturbed run."""

import json
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from local.history_folder import HistoryFolder
from simulated_github import SimulatedGitHub
from simulated_github.faults import hang
from tests.e2e.commands import Row, Terminal, interrupt, until

AT = "2026-11-20T09:00:00Z"
A_MONTH_LATER = "2026-12-20T09:00:00Z"
REPOSITORIES = 3
CALLS = 2 + 4 * REPOSITORIES

# The number of calls before the engine is killed, and the seconds after the last of them.
MOMENTS = random.Random(20261120)  # noqa: S311 - seeded, so that a failure can be repeated
KILLS = [(calls, MOMENTS.uniform(0, 0.5)) for calls in (1, *sorted(MOMENTS.sample(range(2, CALLS), 3)), CALLS)]


@pytest.mark.slow
@pytest.mark.parametrize(("calls", "after"), KILLS, ids=[f"{calls} calls" for calls, _ in KILLS])
def test_the_next_run_completes_the_record_of_a_killed_engine(terminal: Terminal, calls: int, after: float) -> None:
    """The archive on disk is complete, and restores what was only in memory."""
    with SimulatedGitHub(repositories=REPOSITORIES, at=AT) as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN="x")
        engine = HistoryFolder(terminal.home / "loopback").running
        with terminal.typed("run") as command:
            assert until(lambda: len(github.calls) >= calls, command)
            time.sleep(after)
            kill_engine(engine)
        again = terminal.traffic("run")
        truth = truth_of(github)

    assert command.returncode in (0, 1)  # it succeeded only if the kill came after the end
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"{REPOSITORIES} of {REPOSITORIES} repositories captured" in again.stdout
    assert terminal.exported() == truth


@pytest.mark.slow
def test_repositories_shown_as_captured_survive_a_kill(terminal: Terminal) -> None:
    """At the next run, GitHub no longer has those days: only the archive on disk can restore them."""
    with SimulatedGitHub(repositories=["octo/a", "octo/b", "octo/hangs"], at=AT) as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN="x")
        github.refuse("octo/hangs", hang())
        with terminal.typed("run") as command:
            assert command.stdout is not None
            assert any("2 of 3 repositories captured" in line for line in command.stdout)
            kill_engine(HistoryFolder(terminal.home / "loopback").running)
        shown = {row for row in truth_of(github) if row[0] != "octo/hangs"}
        github.clear_faults()
        github.at(A_MONTH_LATER)
        again = terminal.traffic("run")
        truth = truth_of(github)

    assert again.returncode == 0, again.stdout + again.stderr
    assert terminal.exported() == shown | truth
    assert shown.isdisjoint(truth)


@pytest.mark.slow
def test_an_engine_killed_during_a_deployment_starts_again(terminal: Terminal) -> None:
    """The stack is incomplete: the next run deploys the rest."""
    with SimulatedGitHub(repositories=REPOSITORIES, at=AT) as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN="x")
        engine = HistoryFolder(terminal.home / "loopback").running
        with terminal.typed("run") as command:
            assert until(engine.exists, command)
            time.sleep(0.3)
            kill_engine(engine)
        again = terminal.traffic("run")
        truth = truth_of(github)

    assert again.returncode == 0, again.stdout + again.stderr
    assert terminal.exported() == truth


@pytest.mark.slow
def test_ctrl_c_stops_a_run_and_the_next_one_completes_it(terminal: Terminal) -> None:
    """Shells expect the exit code 130; the run is stopped, too."""
    # Tests in the background ignore Ctrl-C, and their commands inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with SimulatedGitHub(repositories=REPOSITORIES, at=AT) as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN="x")
        github.add_fault(hang(5), endpoint="views")
        with terminal.typed("run") as command:
            assert until(lambda: len(github.calls) > 2, command)  # the first of three repositories is requested
            interrupt(command)
        github.clear_faults()
        listed = terminal.traffic("executions")
        again = terminal.traffic("run")
        truth = truth_of(github)

    assert command.returncode == 128 + signal.SIGINT
    assert "ABORTED" in listed.stdout
    assert again.returncode == 0, again.stdout + again.stderr
    assert terminal.exported() == truth


def kill_engine(running: Path) -> None:
    """Kill the engine that wrote this file, unless it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(json.loads(running.read_text())["pid"], signal.SIGKILL)


def truth_of(github: SimulatedGitHub) -> set[Row]:
    """Return the true numbers as an undisturbed run would export them."""
    return {
        (name, f"{day}T00:00:00Z", *map(str, row)) for name in github.names for day, row in github.truth(name).items()
    }

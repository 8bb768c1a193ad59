"""A run may be stopped at any moment, by anything: the next one ends with what an undisturbed one would have."""

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
CALLS = 1 + 4 * REPOSITORIES

# Calls that GitHub has had when the engine is killed, and how long after the last of them, in seconds.
MOMENTS = random.Random(20261120)  # noqa: S311 - seeded, so that a failure can be had again
KILLS = [(calls, MOMENTS.uniform(0, 0.5)) for calls in (1, *sorted(MOMENTS.sample(range(2, CALLS), 3)), CALLS)]


@pytest.mark.slow
@pytest.mark.parametrize(("calls", "after"), KILLS, ids=[f"{calls} calls" for calls, _ in KILLS])
def test_a_killed_engine_loses_nothing_that_the_next_run_does_not_have(
    terminal: Terminal, calls: int, after: float
) -> None:
    """The archive on disk is the truth; whatever was in memory comes back."""
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


def test_what_was_shown_as_captured_survives_a_kill(terminal: Terminal) -> None:
    """GitHub has forgotten those days when the next run comes: they can only come back from the archive on disk."""
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
def test_an_engine_killed_while_it_deploys_starts_anew(terminal: Terminal) -> None:
    """Half a stack and no table: the next run makes the rest."""
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


def test_ctrl_c_ends_a_run_in_order_and_the_next_one_completes_it(terminal: Terminal) -> None:
    """130 is what shells expect; the run is stopped, not left behind."""
    # Tests that a script starts in the background ignore Ctrl-C, and with them every command that they type.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with SimulatedGitHub(repositories=REPOSITORIES, at=AT) as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN="x")
        github.add_fault(hang(5), endpoint="views")
        with terminal.typed("run") as command:
            assert until(lambda: len(github.calls) > 1, command)  # the first of three repositories is asked about
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
    """Kill the engine that wrote a file about itself, if it has not ended yet."""
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(json.loads(running.read_text())["pid"], signal.SIGKILL)


def truth_of(github: SimulatedGitHub) -> set[Row]:
    """Write the true numbers as an undisturbed run would export them."""
    return {
        (name, f"{day}T00:00:00Z", *map(str, told)) for name in github.names for day, told in github.truth(name).items()
    }

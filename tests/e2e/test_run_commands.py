"""`traffic run` and `traffic export` in processes of their own."""

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from local.engine import ROOT, running_engine
from simulated_github import SimulatedGitHub
from tests.e2e.commands import Row, Terminal
from tests.e2e.documented_github import CSV, documented_github


@pytest.mark.slow
def test_a_demonstration_runs_twice_and_the_second_run_changes_nothing(terminal: Terminal) -> None:
    """Most users first run it without a token, an account or a server, and then again."""
    first = terminal.traffic("demo")
    before = terminal.exported()
    second = terminal.traffic("run", "--or-demo")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "No GitHub token is set: this is a demonstration" in first.stdout
    assert "Simulating two years of history, once" in first.stdout
    assert "Simulating" not in second.stdout
    assert re.search(r"6 of 6 repositories captured, \d+ days new or changed\.", first.stdout)
    assert "6 of 6 repositories captured, 0 days new or changed." in second.stdout
    assert terminal.exported() == before
    assert [folder.name for folder in terminal.home.iterdir()] == ["demo"]


def test_a_run_against_the_simulated_github_stores_its_true_numbers(terminal: Terminal) -> None:
    """The numbers stay the same through a socket, four functions and an export."""
    with served("--repositories", "4", "--at", "2026-11-20T09:00:00Z") as url:
        terminal.settings.update(GITHUB_API_URL=url, GITHUB_TOKEN="x")
        done = terminal.traffic("run")
        truth = {
            row
            for repository in asked(f"{url}/_repositories")
            for row in true_rows(url, repository["name"], "2026-11-06", "2026-11-19")
        }

    assert done.returncode == 0, done.stdout + done.stderr
    assert terminal.exported() == truth
    assert len(truth) == 4 * 14


@pytest.mark.slow
def test_the_answers_of_the_documentation_are_stored_unchanged(terminal: Terminal) -> None:
    """Each cell of the export is a measured number, a measured zero, or empty."""
    with documented_github() as url:
        terminal.settings.update(GITHUB_API_URL=url, GITHUB_TOKEN="x")
        done = terminal.traffic("run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 repository captured" in done.stdout
    assert terminal.traffic("export", "--format", "csv").stdout == CSV


@pytest.mark.slow
def test_fourteen_replayed_days_result_in_the_true_numbers(terminal: Terminal) -> None:
    """`--at` sets the time of GitHub and of the schedule, so that past days can be repeated."""
    first = datetime(2026, 11, 2, 9, tzinfo=UTC)
    days = [first + timedelta(days=day) for day in range(14)]
    with SimulatedGitHub(repositories=2, at=first) as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN="x")
        with running_engine(terminal.home / "loopback"):  # as `traffic start` does, so that functions stay warm
            codes = [terminal.traffic("run", "--at", f"{day:%Y-%m-%dT%H:%M:%SZ}").returncode for day in days]
        truth = {
            (name, f"{day}T00:00:00Z", *map(str, row))
            for name in github.names
            for day, row in github.truth(name, "2026-10-19", "2026-11-14").items()
        }

    assert codes == [0] * 14
    assert terminal.exported() == truth


def test_a_refused_token_is_a_failed_command(terminal: Terminal) -> None:
    """Scripts read the exit status, people the sentence with the remedy."""
    with SimulatedGitHub(repositories=2, token="another") as github:
        terminal.settings.update(GITHUB_API_URL=github.url, GITHUB_TOKEN="x")
        done = terminal.traffic("run")

    assert done.returncode == 1
    assert "What to do: Replace the token: traffic token. If there are several: " in done.stdout
    assert "GitHubAuthError" in done.stderr


@contextmanager
def served(*options: str) -> Iterator[str]:
    """Run `python -m simulated_github` on a free port, and yield its address."""
    command = [sys.executable, "-m", "simulated_github", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def true_rows(url: str, name: str, first: str, last: str) -> Iterator[Row]:
    """Yield the simulated GitHub's true numbers in the form of an export."""
    for row in asked(f"{url}/_truth?repo={name}&from={first}&to={last}"):
        counts = (row[key] for key in ("views_count", "views_uniques", "clones_count", "clones_uniques"))
        yield (name, f"{row['date']}T00:00:00Z", *map(str, counts))


def asked(url: str) -> list[dict[str, str]]:
    """Return the answer of a control of the simulated GitHub."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - always http, on loopback
        return list(json.load(answer))

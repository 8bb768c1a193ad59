"""Replays of recorded answers, and the command line of the simulated GitHub."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from simulated_github import SimulatedGitHub
from simulated_github.__main__ import main
from simulated_github.recording import read_recording

HEADER = "repo,fetched_at_utc,date,clones_total,clones_unique,views_total,views_unique"
RECORDING = f"""{HEADER}
octo/docs,2021-10-20T23:01:30Z,2021-10-19,5,2,9,4
octo/docs,2021-10-19T23:01:25Z,2021-10-18,,,3,3
octo/docs,2021-10-19T23:01:25Z,2021-10-17,1,1,,
octo/docs,2021-10-20T23:01:30Z,2021-10-18,2,1,3,3
acme/tool,2021-10-19T22:00:00Z,2021-10-18,7,7,0,0
"""


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two answers for one repository, one for another."""
    file = tmp_path / "recording.csv"
    file.write_text(RECORDING)
    return file


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the command during the block, and yield its process and address."""
    command = [sys.executable, "-m", "simulated_github", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own command
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().removeprefix("Simulated GitHub on ").strip()
        finally:
            process.kill()


def days(github: SimulatedGitHub, metric: str) -> dict[str, tuple[int, int]]:
    """Request a metric of octo/docs."""
    url = f"{github.url}/repos/octo/docs/traffic/{metric}"
    answer = requests.get(url, headers={"Authorization": "Bearer x"}, timeout=5).json()
    assert answer["count"] == sum(row["count"] for row in answer[metric])
    return {row["timestamp"]: (row["count"], row["uniques"]) for row in answer[metric]}


def test_a_replay_repeats_the_last_recorded_answer(recording: Path) -> None:
    """Tests on recorded series need exactly the recorded answers."""
    recorded = read_recording(recording)
    with SimulatedGitHub(repositories=recorded.repositories, source=recorded, at="2021-10-19T23:01:24Z") as github:
        github.at("2021-10-01T00:00:00Z")
        assert days(github, "views") == {}

        github.at("2021-10-19T23:01:25Z")
        assert days(github, "views") == {"2021-10-18T00:00:00Z": (3, 3)}
        assert days(github, "clones") == {"2021-10-17T00:00:00Z": (1, 1)}

        github.at("2021-10-21T12:00:00Z")
        assert days(github, "clones") == {"2021-10-18T00:00:00Z": (2, 1), "2021-10-19T00:00:00Z": (5, 2)}
        for kind in ("paths", "referrers"):
            url = f"{github.url}/repos/octo/docs/traffic/popular/{kind}"
            assert requests.get(url, headers={"Authorization": "Bearer x"}, timeout=5).json() == []
        assert github.truth("octo/docs", "2021-10-18") == {}


def test_a_replay_may_serve_one_repository_only(recording: Path) -> None:
    """The other repository and its times are omitted."""
    recorded = read_recording(recording, "acme/tool")

    assert list(recorded.repositories) == ["acme/tool"]
    assert len(recorded.times) == 1


def test_the_times_of_a_recording_are_listed_in_order(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A shell loop passes them to `traffic run --at`."""
    assert main(["replay", str(recording), "--list-times", "--repository", "octo/docs"]) == 0

    assert capsys.readouterr().out.splitlines() == ["2021-10-19T23:01:25Z", "2021-10-20T23:01:30Z"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "first line"),
        ("a,b,c\n1,2,3\n", "first line"),
        (f"{HEADER}\n", "no recorded answers"),
        (f"{HEADER}\nocto/docs,yesterday,2021-10-18,1,1,1,1\n", "line 2"),
        (f"{HEADER}\nocto/docs,2021-10-19T23:01:25Z,2021-10-18,1,1,many,1\n", "line 2"),
        (f"{HEADER}\nocto/docs,2021-10-19T23:01:25Z,2021-10-18,1,,1,1\n", "line 2"),
        (f"{HEADER}\nocto/docs,2021-10-19T23:01:25Z\n", "line 2"),
        (None, "No such file"),
    ],
)
def test_a_bad_file_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, problem: str
) -> None:
    """The exit status is 2; the message contains the line, and there is no traceback."""
    file = tmp_path / "bad.csv"
    if content is not None:
        file.write_text(content)

    assert main(["replay", str(file)]) == 2

    error = capsys.readouterr().err
    assert problem in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_address_and_stops_cleanly(number: signal.Signals) -> None:
    """A caller waits for that line, and for the end of the process."""
    arguments = ("--repositories", "3", "--at", "2026-11-20T09:00:00Z", "--token", "right", "--limit", "7")
    with running(*arguments) as (process, url):
        answer = requests.get(f"{url}/user/repos", headers={"Authorization": "Bearer right"}, timeout=5)
        assert (len(answer.json()), answer.headers["x-ratelimit-limit"]) == (3, "7")
        assert answer.headers["Date"].startswith("Fri, 20 Nov 2026 09:00")

        process.send_signal(number)

        assert process.wait(timeout=5) == 0


def test_a_taken_port_is_reported_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status is 1."""
    with SimulatedGitHub(repositories=1) as github:
        assert main(["--port", str(github.port)]) == 1

    assert "cannot listen" in capsys.readouterr().err


def test_the_help_contains_the_controls(capsys: pytest.CaptureFixture[str]) -> None:
    """Users need not read the code."""
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    text = capsys.readouterr().out
    assert all(word in text for word in ("--limit-window", "POST /_at", "/_truth", "replay FILE"))

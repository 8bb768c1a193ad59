"""What the functions log can be searched: run, repository and state are fields of every record that concerns them."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulated_github import SimulatedGitHub, faults
from tests.unit.handlers import HANDLERS, TOKEN, Account, account, logged, records
from tests.unit.whole_run import run

DEFINITION = Path(__file__).parents[3] / "statemachine" / "capture_traffic.asl.json"


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """Serve a GitHub with two repositories."""
    with SimulatedGitHub(repositories=["octo/docs", "octo/site"], regime="whole-days") as simulated:
        yield simulated


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> Iterator[Account]:
    """Make an account whose functions ask that GitHub."""
    with account(monkeypatch, github.url) as made:
        yield made


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return the stream that the functions log to."""
    return logged(monkeypatch)


def test_every_record_names_its_run_and_its_state(aws: Account, log: io.StringIO) -> None:
    """Thousands of children write to the same log group: a record without a run cannot be found."""
    run(aws, "first")
    run(aws, "second")

    found = records(log)
    assert {(record["run"], record["state"]) for record in found} == {
        (run_id, handler.STATE) for run_id in ("first", "second") for handler in HANDLERS
    }


def test_the_states_are_called_as_in_the_definition() -> None:
    """People who come from the console search for the name they saw there."""
    text = DEFINITION.read_text(encoding="utf-8")

    for handler in HANDLERS:
        assert f'"{handler.STATE}": {{' in text


def test_every_repository_is_logged_when_it_is_fetched_and_when_it_is_stored(aws: Account, log: io.StringIO) -> None:
    """One search then shows a repository's way through a run."""
    run(aws)

    for name in ("octo/docs", "octo/site"):
        way = [record["state"] for record in records(log) if record.get("repository") == name]
        assert way == ["Fetch traffic", "Store traffic"]


def test_each_state_logs_a_warning_for_a_refused_repository(
    aws: Account, github: SimulatedGitHub, log: io.StringIO
) -> None:
    """The dashboard lists warnings: each has the repository and its outcome."""
    github.refuse("octo/site", faults.not_found())
    run(aws)

    warnings = [record for record in records(log) if record["level"] == "WARNING"]
    assert [(record["state"], record["repository"], record["outcome"]) for record in warnings] == [
        (state, "octo/site", "gone or hidden") for state in ("Fetch traffic", "Store traffic", "Summarize run")
    ]


def test_a_repository_for_which_github_fails_is_logged_although_nothing_is_returned(
    aws: Account, github: SimulatedGitHub, log: io.StringIO
) -> None:
    """The function raises then, and Step Functions' retry would hide which repository failed."""
    github.add_fault(faults.server_error(), repository="octo/site", endpoint="views", count=1)
    run(aws)

    (warning,) = [record for record in records(log) if record["level"] == "WARNING"]
    assert (warning["repository"], warning["endpoint"], warning["status"]) == ("octo/site", "views", 502)


def test_a_limit_is_logged_with_its_end(aws: Account, github: SimulatedGitHub, log: io.StringIO) -> None:
    """A run that seems to hang is waiting, and its log shows until when."""
    github.add_fault(faults.retry_after(600), endpoint="list", count=1)
    github.add_fault(faults.retry_after(600), endpoint="views", count=1)
    run(aws)

    waits = [record for record in records(log) if "resume_at" in record]
    assert [record["state"] for record in waits] == ["List repositories", "Fetch traffic"]


def test_neither_token_nor_traffic_is_logged(
    aws: Account, github: SimulatedGitHub, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """More people read logs than tables, and GitHub's texts may contain anything."""
    github.refuse("octo/site", faults.no_push_access())
    run(aws)

    written = log.getvalue() + capsys.readouterr().out
    assert "octo/site" in written
    for secret in (TOKEN, "uniques", "referrer", "Must have push access"):
        assert secret not in written


@pytest.mark.parametrize("name", ['octo/a"}\n{"level":"FORGED"', "octo/\x1b[31mred", "octo/\u2028line"])
def test_a_hostile_name_stays_within_its_record(aws: Account, log: io.StringIO, name: str) -> None:
    """Strangers choose names: a name must not end a line or colour a terminal."""
    aws.fetch(
        {
            "run": {"id": "run-1", "started": "2026-11-20T09:00:00Z"},
            "batch": {"repositories": [{"id": 1, "name": name}]},
        }
    )

    written = log.getvalue()
    assert {record["level"] for record in records(log)} <= {"INFO", "WARNING"}
    assert name in {record.get("repository") for record in records(log)}
    assert "\x1b" not in written

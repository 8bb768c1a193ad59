"""Promise: a run that was aborted and is redriven, even after its deadline, has 20 hours again.

No local engine can redrive. These tests use what Step Functions adds to a redriven execution, as AWS documents it.

Source:
    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from simulated_github import SimulatedGitHub, faults
from tests.unit.handlers import Account, account
from traffic.clock import to_text
from traffic.contract import ChildState, RunState
from traffic.deadline import extended
from traffic.errors import GitHubLimitError

NOW = datetime.now(UTC)
STARTED = NOW - timedelta(hours=30)
DEADLINE = to_text(STARTED + timedelta(hours=20))
RUN = {"id": "run-1", "started": to_text(STARTED)}


def ago(hours: float) -> str:
    """Return a time as Step Functions writes it."""
    return (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def execution(**redriven: str) -> dict[str, Any]:
    """Return an execution as the context object describes it."""
    arn = "arn:aws:states:us-east-1:123456789012:execution:Machine"
    return {"Id": f"{arn}:run-1", "Input": {}, "Name": "run-1", "RoleArn": "arn", "StartTime": ago(30), **redriven}


REDRIVEN = execution(RedriveTime=ago(1), RedriveCount="1")


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """Serve one repository."""
    with SimulatedGitHub(repositories=["octo/docs"]) as served:
        yield served


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> Iterator[Account]:
    """Make an account."""
    with account(monkeypatch, github.url) as made:
        yield made


def child(github: SimulatedGitHub, **more: object) -> ChildState:
    """Return the payload of Fetch traffic in a run whose deadline is past."""
    repository = {"id": next(iter(github.github.account)).id, "name": "octo/docs"}
    return cast("ChildState", {"run": {**RUN, "deadline": DEADLINE}, "batch": {"repositories": [repository]}, **more})


def test_a_child_of_a_run_that_was_not_redriven_asks_nothing_after_the_deadline(
    aws: Account, github: SimulatedGitHub
) -> None:
    """The run must end before the next day's run begins."""
    state = aws.fetch(child(github, **execution(), parent=execution()))

    assert not github.calls
    assert state["run"]["deadline"] == DEADLINE


@pytest.mark.parametrize("redriven", [REDRIVEN, {"parent": REDRIVEN}], ids=["itself", "its run, before it started"])
def test_a_child_of_a_redriven_run_goes_on_after_the_deadline(
    aws: Account, github: SimulatedGitHub, redriven: dict[str, Any]
) -> None:
    """Otherwise the redrive would report the remaining repositories as not reached. It passes on the new deadline."""
    state = aws.fetch(child(github, **redriven))

    assert {call.endpoint for call in github.calls} == {"views", "clones", "referrers", "paths"}
    assert state["run"]["deadline"] == to_text(NOW - timedelta(hours=1) + timedelta(hours=20))
    assert state.keys() <= {"run", "batch", "resume_at"}


@pytest.mark.parametrize("begun", [False, True], ids=["from its beginning", "in the middle"])
def test_a_redriven_listing_waits_for_githubs_limit_after_the_deadline(
    aws: Account, github: SimulatedGitHub, *, begun: bool
) -> None:
    """Its run has 20 hours again, and so have its children."""
    given = {"listing": {"parts": 0, "pauses": 0}} if begun else {"input": {}}
    run = {**RUN, "deadline": DEADLINE} if begun else RUN
    github.add_fault(faults.retry_after(60), endpoint="list")
    with pytest.raises(GitHubLimitError):
        aws.list_repositories_from(cast("RunState", {**execution(), "run": run, **given}))

    state = aws.list_repositories_from(cast("RunState", {**REDRIVEN, "run": run, **given}))

    assert "resume_at" in state
    assert state["run"]["deadline"] == to_text(NOW - timedelta(hours=1) + timedelta(hours=20))
    assert state.keys() <= {"run", "listing", "resume_at"}


def test_a_redrive_never_shortens_a_run() -> None:
    """The latest of several redrives counts, in any order."""
    run: Any = {**RUN, "deadline": to_text(NOW + timedelta(hours=20))}

    assert extended(run, {"RedriveTime": ago(5)}, {"RedriveTime": ago(25)}) == run

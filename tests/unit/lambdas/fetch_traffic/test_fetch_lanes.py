"""Fetch traffic in a lane: it reads one batch after another from the manifest, and carries its place along."""

from collections.abc import Iterator
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest

from lambdas.fetch_traffic.handler import _tried
from lambdas.shared.deployed_archive import archive
from simulated_github import SimulatedGitHub
from simulated_github.faults import secondary_limit
from tests.unit.handlers import Account, account
from traffic.contract import Batch, ChildState, Repository, manifest_key
from traffic.errors import ArchiveBusyError
from traffic.record.archive import Archive

NAMES = ["octo/a", "octo/b", "octo/c"]


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """GitHub with three repositories."""
    with SimulatedGitHub(repositories=NAMES) as simulated:
        yield simulated


@pytest.fixture
def aws(github: SimulatedGitHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account with the manifest of a lane: one repository in each batch."""
    with account(monkeypatch, github.url) as deployed:
        yield deployed


def lane(github: SimulatedGitHub, **more: str) -> ChildState:
    """Write the manifest; return the first state of its lane."""
    batches: list[Batch] = [{"repositories": [repository(github, name)], "owner": "*"} for name in NAMES]
    width = archive().put_manifest(manifest_key("run-1"), batches)
    return {
        "run": {"id": "run-1", "started": "2026-11-20T09:00:00Z", **more},  # type: ignore[typeddict-item]
        "batch": {"repositories": [], "lane": {"last": 2, "width": width}, "at": {"part": 0}},
    }


def repository(github: SimulatedGitHub, name: str) -> Repository:
    """Return a repository as it is listed."""
    return {"id": github.github.account.get(name).id, "name": name}


def asked(github: SimulatedGitHub) -> list[str | None]:
    """Return the repositories that were asked for, in order, each once."""
    return list(dict.fromkeys(call.repository for call in github.calls))


def test_a_batch_is_read_from_the_manifest_and_its_place_is_kept(github: SimulatedGitHub, aws: Account) -> None:
    """The definition adds one to the place after each batch, and compares it with the last."""
    state = lane(github)
    state["batch"]["at"]["part"] = 1

    after = aws.fetch(state)

    assert asked(github) == ["octo/b"]
    assert (after["batch"]["repositories"], after["batch"]["owner"]) == ([], "*")
    assert (after["batch"]["lane"]["read"], after["batch"]["at"]) == (1, {"part": 1})
    assert "resume_at" not in after


def test_what_remains_of_a_batch_is_not_read_again(github: SimulatedGitHub, aws: Account) -> None:
    """After a limit, only the endpoints without an answer are asked for."""
    github.add_fault(secondary_limit(), endpoint="clones", count=1)
    waiting = aws.fetch(lane(github))
    (left,) = waiting["batch"]["repositories"]

    after = aws.fetch(waiting)

    assert "resume_at" in waiting
    assert (waiting["batch"]["pauses"], left["endpoints"][0]) == (1, "clones")
    assert (after["batch"]["repositories"], after["batch"]["at"]) == ([], {"part": 0})
    assert [call.endpoint for call in github.calls].count("views") == 1


def test_the_next_batch_keeps_count_of_the_waits_and_the_failure_before(github: SimulatedGitHub, aws: Account) -> None:
    """The waits at a limit become longer from batch to batch, and the child ends with the error of its batch."""
    github.add_fault(secondary_limit())
    state = lane(github)
    state["batch"]["pauses"], state["problem"] = 2, {"Error": "States.Timeout", "Cause": ""}

    after = aws.fetch(state)

    assert (after["batch"]["pauses"], after["problem"]["Error"]) == (3, "States.Timeout")


def test_after_the_runs_deadline_a_lane_is_at_its_end(github: SimulatedGitHub, aws: Account) -> None:
    """Six hundred batches would each start a function that asks nothing."""
    after = aws.fetch(lane(github, deadline="2026-11-21T05:00:00Z"))

    assert asked(github) == []
    assert (after["batch"]["repositories"], after["batch"]["at"]) == ([], {"part": 2})


def test_a_lane_waits_at_the_end_of_a_batch_and_then_goes_on_with_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tenth of the hour that is left belongs to the owner's other tools, not to the next batch."""
    with SimulatedGitHub(repositories=NAMES, limit=4) as github, account(monkeypatch, github.url) as aws:
        waiting = aws.fetch(lane(github))
        after = aws.fetch(waiting)

    assert ("resume_at" in waiting, waiting["batch"]["repositories"]) == (True, [])
    assert (asked(github), after["batch"]["at"]) == (["octo/a", "octo/b"], {"part": 1})


def calls_in(state: ChildState) -> int:
    """Return the number of calls with which a lane goes on."""
    return sum(number for _, number, _ in state["batch"]["minute"])


def fail_after_calls(aws: Account, state: ChildState, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a try of Fetch traffic fail after its calls."""
    with monkeypatch.context() as busy:
        busy.setattr(Archive, "put_answers", Mock(side_effect=ArchiveBusyError("S3 is throttled")))
        with pytest.raises(ArchiveBusyError):
            aws.fetch(state)


def test_a_lane_remembers_the_calls_of_a_try_that_failed_after_them(
    github: SimulatedGitHub, aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub counts them. The next try has the state from before them, and so has the next batch."""
    state = lane(github)
    for _ in range(2):
        fail_after_calls(aws, state, monkeypatch)
    again = aws.fetch(state)
    elsewhere = [(datetime.now(UTC).timestamp(), 100, 1.0)]  # another process went on with the lane
    third = aws.fetch({**again, "batch": {**again["batch"], "at": {"part": 1}, "minute": elsewhere}})

    assert calls_in(again) == 3 * 4 == len(github.calls) - 4
    assert calls_in(third) == 100 + 4, "a state with other calls came after a try that succeeded"


def test_the_calls_of_another_lane_are_not_added(
    github: SimulatedGitHub, aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warm function serves several users, whose limits are apart."""
    state = lane(github)
    fail_after_calls(aws, state, monkeypatch)
    other = {**state["batch"], "lane": {**state["batch"]["lane"], "last": 1}}

    assert calls_in(aws.fetch({**state, "batch": other})) == 4  # type: ignore[typeddict-item]
    assert len(_tried) == 1, "a warm function would keep those of all runs"

"""The GitHub side of the fault matrix: each call fails or is refused in each way, once or lastingly.

At a repository's endpoints, errors that befall a repository alone share a run, each with a repository of its own, and
so do limits, each with a child of its own that waits. What ends a run, and whatever befalls the listing, has a run of
its own. That none of them reaches a repository beside it is judged in each shared run.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import product
from typing import Any

import pytest

from simulated_github import SimulatedGitHub
from tests.faults.aws_pipeline import AwsPipeline
from tests.faults.github_faults import DURATIONS, ENDPOINTS, GitHubError, ends, every_error, with_reach
from tests.faults.github_pipeline import (
    CALLS,
    LISTED,
    PAGES,
    judge_outage,
    judge_repositories,
    judge_run,
    listed_github,
)

pytestmark = pytest.mark.faults

Record = Callable[[str, Any], None]

NAMES = [error.name for error in every_error("")]


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[SimulatedGitHub]:
    """Another host, which redirects lead to and which must never be asked: it would see the token."""
    with SimulatedGitHub(repositories=0) as other:
        yield other
        assert other.calls == []


def error_named(name: str, elsewhere: SimulatedGitHub) -> GitHubError:
    """Find an error of the matrix."""
    return next(error for error in every_error(elsewhere.url) if error.name == name)


def test_a_run_asks_github_for_nothing_but_the_calls_of_the_matrix(aws: AwsPipeline) -> None:
    """A call that nobody broke is one of which nobody knows what happens then."""
    aws.pipeline.forget()
    with listed_github(aws) as github:
        execution = aws.pipeline.run()
        calls = [call.endpoint for call in github.calls]

    assert execution.status == "SUCCEEDED", execution.cause
    assert calls[:2] == ["list"] * len(PAGES)
    assert sorted(map(str, calls[2:])) == sorted([*ENDPOINTS] * len(LISTED))


@pytest.mark.parametrize("case", product(ENDPOINTS, ("repository", "limit"), DURATIONS), ids=", ".join)
def test_no_fault_at_a_repository_loses_a_row_or_passes_in_silence(
    aws: AwsPipeline, elsewhere: SimulatedGitHub, case: tuple[str, Any, str], record_property: Record
) -> None:
    """Each repository is captured or named, whatever befalls the others; the next run brings what was missing."""
    endpoint, reach, duration = case
    outcomes = judge_repositories(aws, with_reach(every_error(elsewhere.url), reach), endpoint, duration)

    for outcome in outcomes:
        record_property("fault", asdict(outcome))
    assert [outcome for outcome in outcomes if not outcome.good] == []


@pytest.mark.parametrize("case", product(ENDPOINTS, [error.name for error in ends()], DURATIONS), ids=", ".join)
def test_no_fault_that_ends_the_run_loses_a_row_or_passes_in_silence(
    aws: AwsPipeline, elsewhere: SimulatedGitHub, case: tuple[str, str, str], record_property: Record
) -> None:
    """The run fails and says why; what came before is kept, and the next run brings the rest."""
    endpoint, name, duration = case
    outcome = judge_run(aws, error_named(name, elsewhere), endpoint, duration)

    record_property("fault", asdict(outcome))
    assert outcome.good, outcome
    assert outcome.status == "FAILED"


@pytest.mark.parametrize("case", product(PAGES, NAMES, DURATIONS), ids=", ".join)
def test_no_fault_of_the_listing_loses_a_row_or_passes_in_silence(
    aws: AwsPipeline, elsewhere: SimulatedGitHub, case: tuple[str, str, str], record_property: Record
) -> None:
    """Half a listing must never pass for a whole one: the run succeeds with all, or fails and says why."""
    page, name, duration = case
    outcome = judge_run(aws, error_named(name, elsewhere), page, duration)

    record_property("fault", asdict(outcome))
    assert outcome.good, outcome
    assert outcome.complete or outcome.status == "FAILED"


@pytest.mark.parametrize("duration", DURATIONS)
@pytest.mark.parametrize("call", CALLS)
def test_no_outage_of_github_loses_a_row_or_passes_in_silence(
    aws: AwsPipeline, call: str, duration: str, record_property: Record
) -> None:
    """Nobody answers at all, from any call of a run on, for a moment or for the rest of it."""
    outcome = judge_outage(aws, call, duration)

    record_property("fault", asdict(outcome))
    assert outcome.good, outcome

"""The GitHub side of the fault matrix: each call fails or is refused in each way, once or always.

Errors that affect only a repository share a run, each with a repository of its own; so do limits, each with a waiting
child of its own. Errors that end a run, and errors of the list, have a run of their own. Each shared run also checks
that no error affects another repository.
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
    LISTING,
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
    """Another host, the target of redirects, which must never get a call: it would see the token."""
    with SimulatedGitHub(repositories=0) as other:
        yield other
        assert other.calls == []


def error_named(name: str, elsewhere: SimulatedGitHub) -> GitHubError:
    """Return an error of the matrix."""
    return next(error for error in every_error(elsewhere.url) if error.name == name)


def test_the_matrix_contains_exactly_the_calls_to_github(aws: AwsPipeline) -> None:
    """The failure of a call that the matrix lacks would never be tested."""
    aws.pipeline.forget()
    with listed_github(aws) as github:
        execution = aws.pipeline.run()
        calls = [call.endpoint for call in github.calls]

    assert execution.status == "SUCCEEDED", execution.cause
    assert calls[: len(LISTING)] == ["user", *["list"] * len(PAGES)]
    assert sorted(map(str, calls[len(LISTING) :])) == sorted([*ENDPOINTS] * len(LISTED))


@pytest.mark.parametrize("case", product(ENDPOINTS, ("repository", "limit"), DURATIONS), ids=", ".join)
def test_no_fault_at_a_repository_loses_a_row_or_stays_unreported(
    aws: AwsPipeline, elsewhere: SimulatedGitHub, case: tuple[str, Any, str], record_property: Record
) -> None:
    """Each repository is captured or reported, independently of the others; the next run captures the rest."""
    endpoint, reach, duration = case
    outcomes = judge_repositories(aws, with_reach(every_error(elsewhere.url), reach), endpoint, duration)

    for outcome in outcomes:
        record_property("fault", asdict(outcome))
    assert [outcome for outcome in outcomes if not outcome.good] == []


@pytest.mark.parametrize("case", product(ENDPOINTS, [error.name for error in ends()], DURATIONS), ids=", ".join)
def test_no_fault_that_ends_the_run_loses_a_row_or_stays_unreported(
    aws: AwsPipeline, elsewhere: SimulatedGitHub, case: tuple[str, str, str], record_property: Record
) -> None:
    """The run fails with a reason; earlier answers are stored, and the next run captures the rest."""
    endpoint, name, duration = case
    outcome = judge_run(aws, error_named(name, elsewhere), endpoint, duration)

    record_property("fault", asdict(outcome))
    assert outcome.good, outcome
    assert outcome.status == "FAILED"


@pytest.mark.parametrize("case", product(LISTING, NAMES, DURATIONS), ids=", ".join)
def test_no_fault_of_the_listing_loses_a_row_or_stays_unreported(
    aws: AwsPipeline, elsewhere: SimulatedGitHub, case: tuple[str, str, str], record_property: Record
) -> None:
    """An incomplete list must never look complete: the run captures everything, or fails with a reason."""
    call, name, duration = case
    outcome = judge_run(aws, error_named(name, elsewhere), call, duration)

    record_property("fault", asdict(outcome))
    assert outcome.good, outcome
    assert outcome.complete or outcome.status == "FAILED"


@pytest.mark.parametrize("duration", DURATIONS)
@pytest.mark.parametrize("call", CALLS)
def test_no_outage_of_github_loses_a_row_or_stays_unreported(
    aws: AwsPipeline, call: str, duration: str, record_property: Record
) -> None:
    """GitHub does not answer at all after any call of a run, briefly or until its end."""
    outcome = judge_outage(aws, call, duration)

    record_property("fault", asdict(outcome))
    assert outcome.good, outcome

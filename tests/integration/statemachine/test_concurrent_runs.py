"""Runs that overlap, a run that lasts over a day, and one name twice: the table stays correct, nothing is lost."""

import time
from collections import Counter
from collections.abc import Mapping

import pytest
from botocore.exceptions import ClientError

from simulated_github import SimulatedGitHub
from simulated_github.faults import retry_after
from tests.integration.pipeline import Pipeline
from traffic.planning import AT_ONCE

SCHEDULED = {"detail-type": "Scheduled Event", "source": "aws.events", "time": "2026-11-20T09:00:00Z", "detail": {}}

REPOSITORIES = [f"octo/r{number}" for number in range(6)]

Rows = Mapping[tuple[str, ...], tuple[int | None, ...]]


def truth_of(github: SimulatedGitHub, first: str | None = None, last: str | None = None) -> Rows:
    """Return the true numbers as the table should contain them."""
    return {(name, day): tuple(row) for name in github.names for day, row in github.truth(name, first, last).items()}


@pytest.mark.slow
def test_two_runs_at_once_leave_the_same_table_and_respect_githubs_limits_together(pipeline: Pipeline) -> None:
    """A scheduled run and a person's run share the token's budget, so each can meet the limit because of the other."""
    for window in (20, 80):  # seconds; a slow machine needs more to meet the limit
        pipeline.forget()
        if runs_share_a_limit(pipeline, 30, window):
            return
    pytest.fail("the runs were too slow to meet the limit")


def runs_share_a_limit(pipeline: Pipeline, limit: int, window: int) -> bool:
    """Check the table and the calls after two runs, or return False if they were too slow to meet the limit."""
    with SimulatedGitHub(
        repositories=REPOSITORIES, port=pipeline.port, at="2026-11-20T09:00:00Z", limit=limit, limit_window=window
    ) as github:
        runs = [pipeline.start(SCHEDULED), pipeline.start()]
        ended = [pipeline.finish(arn) for arn in runs]
        truth = truth_of(github)
        answered = Counter(call.endpoint for call in github.calls if call.status == 200)
        refused = sum(call.status == 403 for call in github.calls)

    assert [run.status for run in ended] == ["SUCCEEDED", "SUCCEEDED"], ended
    assert all("6 of 6 repositories captured" in pipeline.summary(run)["message"] for run in ended)
    assert pipeline.numbers() == truth
    # A run asks only for paths twice: they are stored only together with the other answers.
    assert (answered["views"], answered["clones"], answered["referrers"]) == (2 * len(REPOSITORIES),) * 3
    # When a window ends, each running child is refused once, with up to three calls under way.
    assert refused <= 2 * (3 * AT_ONCE + 1) * max(1, answered.total() // limit)
    assert {item["repo-name"] for item in pipeline.repositories().values() if "repo-name" in item} == set(REPOSITORIES)
    return sum(map(pipeline.waits, ended)) > 0


def test_a_run_that_lasts_over_a_day_and_the_next_days_run_leave_a_correct_table(pipeline: Pipeline) -> None:
    """The first still waits for GitHub when the second begins and ends; then it stores older and newer days."""
    for seconds in (5, 15, 45, 135):  # the wait of the first, which must outlast the second on a slow machine, too
        pipeline.forget()
        if overlapping_runs_are_stored(pipeline, seconds):
            return
    pytest.fail("the second run always took longer than the first one's wait")


def overlapping_runs_are_stored(pipeline: Pipeline, seconds: int) -> bool:
    """Check the table after two runs, or return False if they did not overlap."""
    with SimulatedGitHub(repositories=["octo/docs"], port=pipeline.port, at="2026-11-20T09:00:00Z") as github:
        github.add_fault(retry_after(seconds), endpoint="clones", count=1)  # after the views of the first day
        first = pipeline.start(SCHEDULED)
        give_up = time.monotonic() + 60
        while not any(call.status == 403 for call in github.calls):
            assert time.monotonic() < give_up, "the first run does not begin"
            time.sleep(0.05)
        github.at("2026-11-21T10:00:00Z")  # 25 hours later
        second = pipeline.finish(pipeline.start({**SCHEDULED, "time": "2026-11-21T10:00:00Z"}))
        overlapped = pipeline.engine.client("stepfunctions").describe_execution(executionArn=first)["status"]
        ended = pipeline.finish(first)
        truth = truth_of(github, "2026-11-06", "2026-11-20")

    if overlapped != "RUNNING":
        return False
    assert (second.status, ended.status) == ("SUCCEEDED", "SUCCEEDED")
    # GitHub had the oldest day's views at the first run only; its clones, requested a day later, are unknown, not 0.
    views, visitors, *_ = truth["octo/docs", "2026-11-06"]
    assert pipeline.numbers() == {**truth, ("octo/docs", "2026-11-06"): (views, visitors, None, None)}
    return True


def test_the_same_execution_name_twice_runs_once(pipeline: Pipeline) -> None:
    """If a person or a script starts a run twice, the second start is refused because of its name.

    Source:
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html (names are kept 90 days)
    """
    client, machine = pipeline.engine.client("stepfunctions"), pipeline.outputs["StateMachineArn"]
    with SimulatedGitHub(repositories=["octo/docs"], port=pipeline.port, at="2026-11-20T09:00:00Z") as github:
        started = client.start_execution(stateMachineArn=machine, name="twice", input="{}")
        for given in ('{"date": "2026-11-19"}', "{ }"):  # while it runs, and once it has ended
            with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
                client.start_execution(stateMachineArn=machine, name="twice", input=given)
            ended = pipeline.finish(started["executionArn"])
        truth, asked = truth_of(github), len(github.calls)

    assert ended.status == "SUCCEEDED"
    assert asked == 2 + 4
    assert pipeline.numbers() == truth

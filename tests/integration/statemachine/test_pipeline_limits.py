"""The state machine waits until GitHub's limits end: visibly, and without calls in between."""

import time
from collections import Counter
from datetime import datetime

import pytest

from cli.runs.progress import RunReader
from cli.stack.deployment import stack_of
from simulated_github import SimulatedGitHub
from simulated_github.faults import primary_limit, retry_after, secondary_limit
from tests.integration.pipeline import Execution, Pipeline
from traffic.planning import AT_ONCE


def captured_all(pipeline: Pipeline, execution: Execution, repositories: int) -> bool:
    """Return whether a run succeeded and captured every repository."""
    sentence = f"{repositories} of {repositories} {'repository' if repositories == 1 else 'repositories'} captured"
    return execution.status == "SUCCEEDED" and sentence in pipeline.summary(execution)["message"]


def seconds_of(moment: str) -> float:
    """Return a time in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def test_the_primary_limit_is_waited_out(pipeline: Pipeline) -> None:
    """The run waits until GitHub's reset, then continues."""
    with SimulatedGitHub(repositories=2, port=pipeline.port) as github:
        github.add_fault(primary_limit(seconds=1), endpoint="clones", count=1)
        execution = pipeline.run()
        answered = [call.endpoint for call in github.calls if call.status == 200]

    assert captured_all(pipeline, execution, 2)
    assert execution.seconds > 3  # the reset, and the two seconds after it in which GitHub still refuses
    # Only paths are requested twice: they are stored only together with the other answers.
    assert Counter(answered) == {"user": 1, "list": 1, "views": 2, "clones": 2, "referrers": 2, "paths": 3}


def test_a_limit_in_the_listing_is_waited_out(pipeline: Pipeline) -> None:
    """The listing continues at the page that was refused."""
    others = [f"acme/watched-{number}" for number in range(100)]  # they fill a page, and are not captured
    with SimulatedGitHub(repositories=["octo/docs"], readable=others, port=pipeline.port) as github:
        github.add_fault(retry_after(1), endpoint="list", first=2, count=1)
        execution = pipeline.run()
        listed = [call.status for call in github.calls if call.endpoint == "list"]

    assert captured_all(pipeline, execution, 1)
    assert listed == [200, 403, 200]


def test_a_secondary_limit_is_waited_out_for_as_long_as_github_says(pipeline: Pipeline) -> None:
    """GitHub bans clients that continue during the wait for longer."""
    with SimulatedGitHub(repositories=1, port=pipeline.port) as github:
        github.add_fault(retry_after(2, status=429), endpoint="views", count=1)
        execution = pipeline.run()
        refused, answered = [call for call in github.calls if call.endpoint == "views"]

    assert captured_all(pipeline, execution, 1)
    assert seconds_of(answered.time) - seconds_of(refused.time) >= 2


def test_an_unannounced_secondary_limit_is_waited_out(hasty_pipeline: Pipeline) -> None:
    """Without an announced time, the run waits a minute, then longer each time."""
    with SimulatedGitHub(repositories=1, port=hasty_pipeline.port) as github:
        github.add_fault(secondary_limit("message"), endpoint="paths", count=2)
        execution = hasty_pipeline.run()

    assert captured_all(hasty_pipeline, execution, 1)
    assert hasty_pipeline.waits(execution) == 2
    assert execution.seconds > (60 + 120) * 0.02


def test_a_wait_for_the_limit_is_visible(pipeline: Pipeline) -> None:
    """A person who watches the run sees why it does not go on."""
    # Only one: a second child would store its views after the end of this test, into the tables of the next.
    with SimulatedGitHub(repositories=1, port=pipeline.port) as github:
        github.add_fault(primary_limit(seconds=3600), endpoint="clones")
        arn = pipeline.start()
        reader = RunReader(stack_of(pipeline.engine.client, "", save=lambda: None), arn)
        give_up = time.monotonic() + 60
        while "waiting for GitHub's rate limit until" not in (sentence := reader.progress().sentence):
            assert time.monotonic() < give_up, sentence
            time.sleep(0.2)
        pipeline.engine.client("stepfunctions").stop_execution(executionArn=arn)


@pytest.mark.parametrize(
    ("repositories", "limit", "shortest"),
    [
        pytest.param(24, 40, 4, id="24 repositories", marks=pytest.mark.slow),
        # A lane of six batches: 1,200 calls, 100 in 5 s: at least 60 s, more on a busy machine.
        pytest.param(300, 100, 5, id="300", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
def test_a_budget_too_small_for_the_run_is_waited_out(
    pipeline: Pipeline, repositories: int, limit: int, shortest: int
) -> None:
    """All children together slow down, independently of the number of batches."""
    for window in (shortest, 4 * shortest, 16 * shortest):  # a slow machine needs a longer window to meet the limit
        pipeline.forget()
        if limits_are_waited_out(pipeline, repositories, limit, window):
            return
    pytest.fail("the run was always too slow to meet the limit")


def limits_are_waited_out(pipeline: Pipeline, repositories: int, limit: int, window: int) -> bool:
    """Check the calls of a run, or return False if it was too slow to meet the limit in each window."""
    with SimulatedGitHub(repositories=repositories, limit=limit, limit_window=window, port=pipeline.port) as github:
        execution = pipeline.finish(pipeline.start(), longest=900)
        refused = sum(call.status == 403 for call in github.calls)
        answered = sum(call.status == 200 for call in github.calls)

    assert captured_all(pipeline, execution, repositories)
    listed = 1 - -repositories // 100  # whose token it is, and the pages
    # A repository without views needs no lists of viewers. Paths are requested again if a call beside them is refused.
    assert repositories * 2 < answered - listed <= repositories * 4 + refused
    # A tenth of each window is not used, so the limit refuses only the calls under way when it is reached.
    assert refused <= 3 * AT_ONCE * max(1, answered // limit)
    return pipeline.waits(execution) >= answered // limit

"""GitHub's limits are waited out: by the state machine, visibly, and without asking in between."""

import time
from collections import Counter
from datetime import datetime

import pytest

from cli.runs.progress import RunReader
from cli.stack.deployment import stack_of
from simulated_github import SimulatedGitHub
from simulated_github.faults import primary_limit, retry_after, secondary_limit
from tests.integration.pipeline import MAX_CONCURRENCY, Execution, Pipeline


def captured_all(pipeline: Pipeline, execution: Execution, repositories: int) -> bool:
    """Say whether a run succeeded with nothing missing."""
    said = f"{repositories} of {repositories} repositories captured"
    return execution.status == "SUCCEEDED" and said in pipeline.summary(execution)["message"]


def seconds_of(moment: str) -> float:
    """Read a time, in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def test_the_primary_limit_is_waited_out(pipeline: Pipeline) -> None:
    """The wait lasts until GitHub's reset, then the run goes on where it stopped."""
    with SimulatedGitHub(repositories=2, port=pipeline.port) as github:
        github.add_fault(primary_limit(seconds=1), endpoint="clones", count=1)
        execution = pipeline.run()
        answered = [call.endpoint for call in github.calls if call.status == 200]

    assert captured_all(pipeline, execution, 2)
    assert execution.seconds > 3  # the reset, and the two seconds after it in which GitHub still refuses
    # Nothing is asked twice but paths, which are kept only with all the rest.
    assert Counter(answered) == {"list": 1, "views": 2, "clones": 2, "referrers": 2, "paths": 3}


def test_a_limit_in_the_listing_is_waited_out(pipeline: Pipeline) -> None:
    """The listing goes on at the page where it was stopped."""
    others = [f"acme/watched-{number}" for number in range(100)]  # they fill a page, and need not be captured
    with SimulatedGitHub(repositories=["octo/docs"], readable=others, port=pipeline.port) as github:
        github.add_fault(retry_after(1), endpoint="list", first=2, count=1)
        execution = pipeline.run()
        listed = [call.status for call in github.calls if call.endpoint == "list"]

    assert captured_all(pipeline, execution, 1)
    assert listed == [200, 403, 200]


def test_a_secondary_limit_is_waited_out_for_as_long_as_github_says(pipeline: Pipeline) -> None:
    """Who goes on asking meanwhile is banned for longer."""
    with SimulatedGitHub(repositories=1, port=pipeline.port) as github:
        github.add_fault(retry_after(2, status=429), endpoint="views", count=1)
        execution = pipeline.run()
        refused, answered = [call for call in github.calls if call.endpoint == "views"]

    assert captured_all(pipeline, execution, 1)
    assert seconds_of(answered.time) - seconds_of(refused.time) >= 2


def test_an_unannounced_secondary_limit_is_waited_out(hasty_pipeline: Pipeline) -> None:
    """GitHub does not always say how long: a minute at first, and longer each time."""
    with SimulatedGitHub(repositories=1, port=hasty_pipeline.port) as github:
        github.add_fault(secondary_limit("message"), endpoint="paths", count=2)
        execution = hasty_pipeline.run()

    assert captured_all(hasty_pipeline, execution, 1)
    assert hasty_pipeline.waits(execution) == 2
    assert execution.seconds > (60 + 120) * 0.02


@pytest.mark.parametrize(
    ("repositories", "limit", "window"),
    [
        pytest.param(24, 40, 4, id="24 repositories"),
        # 4,000 calls, 100 in 5 s: at least 200 s, more on a busy machine.
        pytest.param(1000, 100, 5, id="1000", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    ],
)
def test_a_budget_too_small_for_the_run_is_waited_out_visibly(
    pipeline: Pipeline, repositories: int, limit: int, window: int
) -> None:
    """The fleet slows down by itself, however many batches it has."""
    with SimulatedGitHub(repositories=repositories, limit=limit, limit_window=window, port=pipeline.port) as github:
        arn = pipeline.start()
        reader = RunReader(stack_of(pipeline.engine.client, "", save=lambda: None), arn)
        seen = []
        while (progress := reader.progress()).status == "RUNNING":
            seen.append(progress.sentence)
            time.sleep(0.2)
        execution = pipeline.finish(arn)
        refused = sum(call.status == 403 for call in github.calls)
        answered = sum(call.status == 200 for call in github.calls)

    assert captured_all(pipeline, execution, repositories)
    assert any("waiting for GitHub's rate limit until" in sentence for sentence in seen)
    pages = -(-repositories // 100)
    # Without views, nobody is asked for who viewed. Paths are asked for again if a call beside them was refused.
    assert repositories * 2 < answered - pages <= repositories * 4 + refused
    # A tenth of each window is left alone, so that the limit refuses few calls: those under way when it was reached.
    assert pipeline.waits(execution) >= (answered // limit)
    assert refused <= 3 * MAX_CONCURRENCY * (answered // limit)

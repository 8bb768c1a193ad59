"""The scheduled rule as it is deployed: it really fires, starts a run, and the summary reaches the subscription."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import engine as local_engine
from simulated_github import SimulatedGitHub
from tests.integration.clocked_launcher import TICK
from tests.integration.pipeline import Execution, Pipeline, deployed_pipeline
from tests.integration.policies import without


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """The deployed stack on an engine for which it is a second before nine."""
    monkeypatch.setattr(local_engine, "LAUNCHER", "tests.integration.clocked_launcher")
    with deployed_pipeline(tmp_path / "history") as deployed:
        yield deployed


def runs(pipeline: Pipeline) -> list[str]:
    """List the executions there are, the oldest first."""
    listed = pipeline.engine.client("stepfunctions").list_executions(
        stateMachineArn=pipeline.outputs["StateMachineArn"]
    )
    return [each["executionArn"] for each in sorted(listed["executions"], key=lambda each: each["startDate"])]


def fired(pipeline: Pipeline, at: str, number: int) -> Execution:
    """Let it become a time, and wait for the end of the run that then begins, the so-manieth."""
    clock = pipeline.engine.history / "clock"
    clock.with_suffix(".new").write_text(at)
    clock.with_suffix(".new").replace(clock)
    give_up = time.monotonic() + 60
    while len(runs(pipeline)) < number:
        assert time.monotonic() < give_up, "the rule does not fire"
        time.sleep(TICK)
    return pipeline.finish(runs(pipeline)[number - 1])


def test_the_scheduled_rule_fires_every_day_and_its_summary_reaches_the_subscription(
    pipeline: Pipeline,
) -> None:
    """Nobody starts anything: the rule of the template does, with its target, its role and its event."""
    with SimulatedGitHub(repositories=["octo/docs"], port=pipeline.port, at="2026-11-21T09:00:00Z") as github:
        time.sleep(20 * TICK)  # the scheduler has seen the rule, and what time it is
        assert runs(pipeline) == []
        first = fired(pipeline, "2026-11-21T09:00:00+00:00", 1)
        (told,) = pipeline.mail(1)
        github.at("2026-11-22T09:00:00Z")
        second = fired(pipeline, "2026-11-22T09:00:01+00:00", 2)
        known = github.truth("octo/docs", "2026-11-07", "2026-11-21")
        truth = {("octo/docs", day): tuple(told) for day, told in known.items()}
        time.sleep(5 * TICK)

    (told_again,) = pipeline.mail(1)
    assert (first.status, second.status) == ("SUCCEEDED", "SUCCEEDED"), first.cause + second.cause
    assert len(runs(pipeline)) == 2  # once a day, and not once a look
    assert told["Subject"] == "GitHub traffic 2026-11-21: 1 repositories captured"
    assert told["Message"] == pipeline.summary(first)["message"]
    assert told_again["Subject"] == "GitHub traffic 2026-11-22: 1 repositories captured"
    assert pipeline.numbers() == truth


def test_a_rule_whose_role_may_not_start_the_machine_starts_nothing(pipeline: Pipeline) -> None:
    """EventBridge starts the machine as the target's role; a refusal reaches no history of any run."""
    targets = pipeline.engine.client("events").list_targets_by_rule(Rule="RuleGetRepoTraffic")["Targets"]
    with without(pipeline, targets[0]["RoleArn"], "states:StartExecution"):
        time.sleep(20 * TICK)
        clock = pipeline.engine.history / "clock"
        clock.write_text("2026-11-21T09:00:00+00:00")
        give_up = time.monotonic() + 60
        while "is not authorized to perform: states:StartExecution" not in (log := engine_log(pipeline)):
            assert time.monotonic() < give_up, log[-2000:]
            time.sleep(TICK)

    assert runs(pipeline) == []


def engine_log(pipeline: Pipeline) -> str:
    """Read what the engine logged."""
    return (pipeline.engine.history / "engine.log").read_text()

"""The deployed rule fires, starts a run, and the summary reaches the subscription."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import engine as local_engine
from simulated_github import SimulatedGitHub
from tests.integration.clocked_launcher import BEFORE, TICK
from tests.integration.pipeline import Execution, Pipeline, deployed_pipeline
from tests.integration.policies import without


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipeline]:
    """The deployed stack on an engine whose clock shows a second before nine."""
    monkeypatch.setattr(local_engine, "LAUNCHER", "tests.integration.clocked_launcher")
    with deployed_pipeline(tmp_path / "history") as deployed:
        yield deployed


def runs(pipeline: Pipeline) -> list[str]:
    """List all executions, the oldest first."""
    listed = pipeline.engine.client("stepfunctions").list_executions(
        stateMachineArn=pipeline.outputs["StateMachineArn"]
    )
    return [each["executionArn"] for each in sorted(listed["executions"], key=lambda each: each["startDate"])]


def set_clock(pipeline: Pipeline, at: str) -> None:
    """Set the scheduler's clock, and wait until it has checked the rules three times at that time."""
    clock = pipeline.engine.history / "clock"
    clock.with_suffix(".new").write_text(at)
    clock.with_suffix(".new").replace(clock)
    give_up = time.monotonic() + 60
    while not checks(pipeline).count(at) >= 3:
        assert time.monotonic() < give_up, "the scheduler does not check the rules"
        time.sleep(TICK)


def checks(pipeline: Pipeline) -> list[str]:
    """Return the time of each check by the scheduler."""
    file = pipeline.engine.history / "checks"
    return file.read_text().splitlines() if file.exists() else []


def finished(pipeline: Pipeline, number: int) -> Execution:
    """Wait for the end of the run with this number, from 1."""
    give_up = time.monotonic() + 60
    while len(runs(pipeline)) < number:
        assert time.monotonic() < give_up, "the rule does not fire"
        time.sleep(TICK)
    return pipeline.finish(runs(pipeline)[number - 1])


def test_the_scheduled_rule_fires_every_day_and_its_summary_reaches_the_subscription(
    pipeline: Pipeline,
) -> None:
    """The rule of the template starts the runs, with its target, role and event, and only once a day."""
    with SimulatedGitHub(repositories=["octo/docs"], port=pipeline.port, at="2026-11-21T09:00:00Z") as github:
        set_clock(pipeline, BEFORE)
        assert runs(pipeline) == []
        set_clock(pipeline, "2026-11-21T09:00:00+00:00")
        first = finished(pipeline, 1)
        (mail,) = pipeline.mail(1)
        for later in ("2026-11-21T09:00:01", "2026-11-21T09:01:00", "2026-11-21T21:00:00", "2026-11-22T08:59:59"):
            set_clock(pipeline, f"{later}+00:00")
        assert len(runs(pipeline)) == 1
        github.at("2026-11-22T09:00:00Z")
        set_clock(pipeline, "2026-11-22T09:00:01+00:00")
        second = finished(pipeline, 2)
        truths = github.truth("octo/docs", "2026-11-07", "2026-11-21")
        for later in ("2026-11-22T09:05:00", "2026-11-23T08:59:59"):
            set_clock(pipeline, f"{later}+00:00")

    (second_mail,) = pipeline.mail(1)
    assert (first.status, second.status) == ("SUCCEEDED", "SUCCEEDED"), first.cause + second.cause
    assert len(runs(pipeline)) == 2
    assert mail["Subject"] == "GitHub traffic 2026-11-21: 1 repository captured"
    assert mail["Message"] == pipeline.summary(first)["message"]
    assert second_mail["Subject"] == "GitHub traffic 2026-11-22: 1 repository captured"
    assert pipeline.numbers() == {("octo/docs", day): tuple(truth) for day, truth in truths.items()}


def test_a_rule_whose_role_may_not_start_the_machine_starts_nothing(pipeline: Pipeline) -> None:
    """EventBridge starts the machine as the target's role; no run's history contains a refusal."""
    targets = pipeline.engine.client("events").list_targets_by_rule(Rule="RuleGetRepoTraffic")["Targets"]
    with without(pipeline, targets[0]["RoleArn"], "states:StartExecution"):
        set_clock(pipeline, BEFORE)
        set_clock(pipeline, "2026-11-21T09:00:00+00:00")
        give_up = time.monotonic() + 60
        while "is not authorized to perform: states:StartExecution" not in (log := engine_log(pipeline)):
            assert time.monotonic() < give_up, log[-2000:]
            time.sleep(TICK)

    assert runs(pipeline) == []


def engine_log(pipeline: Pipeline) -> str:
    """Return the engine's log."""
    return (pipeline.engine.history / "engine.log").read_text()

"""Random sequences of events on the engine: finally, the tables contain the highest values of all answers."""

import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulated_github import SimulatedGitHub
from simulated_github.windows import Stall, WindowRules
from tests.integration.pipeline import Pipeline
from tests.unit.simulated_answers import highest
from traffic.contract import METRICS
from traffic.record.archive import unpack

EVENTS = ("run", "run", "re-run", "crash", "rename", "regime change", "stall", "outage")
LENGTH = 8  # events of a sequence
FIRST = datetime(2025, 12, 20, 9, tzinfo=UTC)


class Story:
    """The history of one repository on the engine."""

    def __init__(self, pipeline: Pipeline, github: SimulatedGitHub) -> None:
        self.pipeline, self.github, self.now = pipeline, github, FIRST
        self.name, self.renames = "octo/docs", 0
        (self.repo_id,) = (repository.id for repository in github.github.account)
        self.rules = WindowRules()

    def happen(self, event: str) -> None:
        """Let an event happen."""
        if event == "rename":
            self.renames += 1
            old, self.name = self.name, f"octo/docs-{self.renames}"
            self.github.rename(old, to=self.name)
        elif event == "regime change":
            self._obey(WindowRules("rolling" if self.rules.regime == "whole-days" else "whole-days", self.rules.lag))
        elif event == "stall":
            stall = Stall(self.now, self.now + timedelta(days=3))
            self._obey(WindowRules(self.rules.regime, self.rules.lag, (*self.rules.stalls, stall)))
        elif event == "outage":
            self.now += timedelta(days=6)
        else:
            self._capture(crashes=event == "crash")
            self.now += timedelta(days=0 if event == "re-run" else 1)

    def _obey(self, rules: WindowRules) -> None:
        """Change the rules of GitHub's window."""
        self.rules = rules
        self.github.github.traffic.rules = rules  # type: ignore[attr-defined]

    def _capture(self, *, crashes: bool) -> None:
        """Run until the end, or crash between Fetch and Store."""
        self.github.at(self.now)
        if crashes:
            run = {"id": f"crashed-{uuid.uuid4().hex[:8]}", "started": "2026-01-01T00:00:00Z"}
            batch = {"repositories": [{"id": self.repo_id, "name": self.name}]}
            invoke(self.pipeline, "FetchTraffic", {"run": run, "batch": batch})
        else:
            assert self.pipeline.run().status == "SUCCEEDED"


def invoke(pipeline: Pipeline, function: str, event: Any) -> None:
    """Invoke one of the stack's functions."""
    client = pipeline.engine.client("lambda")
    names = [found["FunctionName"] for found in client.list_functions()["Functions"]]
    (name,) = [found for found in names if function in found]
    assert "FunctionError" not in client.invoke(FunctionName=name, Payload=json.dumps(event).encode())


def archive_keys(pipeline: Pipeline) -> list[str]:
    """Return the archive's keys, in the order of the captures."""
    pages = pipeline.engine.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=pipeline.outputs["ArchiveBucket"], Prefix="answers/")
    return [found["Key"] for page in listed for found in page.get("Contents", [])]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_after_any_sequence_the_tables_contain_the_highest_values_of_all_answers(pipeline: Pipeline, seed: int) -> None:
    """Unit tests run a thousand sequences in memory; here the real definition, functions and tables are tested."""
    chance, before = random.Random(seed), set(archive_keys(pipeline))  # noqa: S311 - seeded, so that it can be repeated
    with SimulatedGitHub(repositories=["octo/docs"], port=pipeline.port, seed=seed, at=FIRST) as github:
        story = Story(pipeline, github)
        for event in chance.choices(EVENTS, k=LENGTH):
            story.happen(event)

    keys = [key for key in archive_keys(pipeline) if key not in before]
    for key in keys:  # as recovery does after a kill
        run = {"id": f"recovery-{seed}", "started": "2026-01-01T00:00:00Z"}
        invoke(pipeline, "StoreTraffic", {"run": run, "batch": {"repositories": [], "key": key}})
    answered = [line for key in keys for line in unpack(pipeline.read(key))]
    kept = {
        day: {metric: int(item[metric]) for metric in METRICS if metric in item}
        for (_, day), item in pipeline.days().items()
    }
    assert kept == highest(answered)
    assert len({name for name, _ in pipeline.days()}) <= 1, "a rename continues the history"

"""Runs of up to a thousand repositories: the number of child executions, and no missing repository."""

from datetime import datetime
from typing import Any

import pytest

from simulated_github import SimulatedGitHub
from simulated_github.account import SimulatedRepository
from simulated_github.sources import Metric, Period, SeededTraffic
from simulated_github.windows import WindowRules
from tests.integration.pipeline import Pipeline


class NewestDayOnly(SeededTraffic):
    """Answers with one day instead of fourteen: these tests count repositories, and storing days takes time."""

    def counts(self, repository: SimulatedRepository, metric: Metric, now: datetime, per: Period) -> dict[str, Any]:
        """Answer `/traffic/views` or `/traffic/clones`."""
        answer = super().counts(repository, metric, now, per)
        return {**answer, metric: answer[metric][-1:]}


@pytest.mark.parametrize(
    ("repositories", "children"),
    [
        pytest.param(200, 200, id="one each up to 200", marks=pytest.mark.slow),
        pytest.param(230, 4, id="four share more"),
        pytest.param(1000, 4, id="a thousand", marks=pytest.mark.slow),
    ],
)
def test_every_repository_is_captured_in_so_many_children(pipeline: Pipeline, repositories: int, children: int) -> None:
    """A server without limits is asked as fast as it answers: by one child for each repository, or by four for all."""
    source = NewestDayOnly(seed=0, rules=WindowRules())
    with SimulatedGitHub(repositories=repositories, limit=None, port=pipeline.port, source=source) as github:
        execution = pipeline.run()
        names = set(github.names)

    assert execution.status == "SUCCEEDED", execution.cause
    assert [child["status"] for child in pipeline.children(execution)] == ["SUCCEEDED"] * children
    assert pipeline.waits(execution) == 0
    assert {name for name, _ in pipeline.days()} == names
    assert f"{repositories} of {repositories} repositories captured" in pipeline.summary(execution)["message"]

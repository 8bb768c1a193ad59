"""The definition means the same on two engines that share no code, so it says what we think it says."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from moto.sns.models import sns_backends

from simulated_github import SimulatedGitHub
from simulated_github.faults import no_push_access, primary_limit, server_error
from tests.integration.moto_pipeline import moto_pipeline
from tests.integration.pipeline import Pipeline
from tests.integration.statemachine.test_pipeline_outcomes import PLAIN, summarize_run_with

AT = "2026-11-20T09:00:00Z"


@dataclass(frozen=True)
class Scenario:
    """A GitHub, and what goes wrong with it."""

    status: str
    error: str = ""
    repositories: int = 3
    trouble: Callable[[SimulatedGitHub], object] = lambda _github: None
    options: Mapping[str, Any] = field(default_factory=dict)


SCENARIOS = {
    "all goes well": Scenario("SUCCEEDED"),
    "one is forbidden": Scenario("SUCCEEDED", trouble=lambda github: github.refuse(github.names[0], no_push_access())),
    "a rate limit of a second": Scenario(
        "SUCCEEDED", trouble=lambda github: github.add_fault(primary_limit(1), endpoint="clones", count=1)
    ),
    "a server error that passes": Scenario(
        "SUCCEEDED", trouble=lambda github: github.add_fault(server_error(), endpoint="views", count=2)
    ),
    "the token is refused": Scenario("FAILED", "GitHubAuthError", options={"token": "another"}),
    "nothing to do": Scenario("SUCCEEDED", repositories=0),
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_both_engines_end_alike(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, scenario: Scenario) -> None:
    """Status, error, every item of every table, and what became of every repository."""
    with github_of(scenario, pipeline.port):
        local = pipeline.run()
    with github_of(scenario, pipeline.port) as github, moto_pipeline(monkeypatch, github.url) as other:
        moto = other.run()
        moto_ended = (moto.status, moto.error, undated(other.tables()), outcomes(other.receipts(moto)))

    assert moto_ended == (local.status, local.error, undated(pipeline.tables()), outcomes(pipeline.receipts(local)))
    assert (local.status, local.error) == (scenario.status, scenario.error)


def test_both_engines_end_alike_without_a_summary(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The definition's own words, filled in by two engines; a run like this one has no other cause."""
    scenario = Scenario("FAILED", "InvalidSettingError")
    monkeypatch.setenv("SUMMARY_MAIL", "sometimes")
    with github_of(scenario, pipeline.port), summarize_run_with(pipeline, SUMMARY_MAIL="sometimes"):
        local = pipeline.run()
    with github_of(scenario, pipeline.port) as github, moto_pipeline(monkeypatch, github.url) as other:
        moto = other.run()
        (topic,) = sns_backends["123456789012"]["us-east-1"].topics.values()
        ((_, message, subject, attributes, _),) = topic.sent_notifications

    (mail,) = pipeline.mail(1)
    assert (local.status, local.error, local.cause) == (scenario.status, scenario.error, PLAIN)
    assert (moto.status, moto.error, moto.cause) == (scenario.status, scenario.error, PLAIN)
    assert (mail["Subject"], subject) == (PLAIN, PLAIN)
    assert message.replace(moto.arn, local.arn).replace(moto.name, local.name) == mail["Message"]
    assert {name: each["Value"] for name, each in attributes.items()} == {"outcome": "failed", "kind": "problem"}


def github_of(scenario: Scenario, port: int) -> SimulatedGitHub:
    """Make the scenario's GitHub, the same each time: same seed, same time, same troubles."""
    github = SimulatedGitHub(repositories=scenario.repositories, port=port, at=AT, **scenario.options)
    scenario.trouble(github)
    return github


def outcomes(receipts: Any) -> dict[str, tuple[list[str], list[str]]]:
    """Gather by repository how its passes ended and what was answered in them: which one a limit cuts is chance."""
    names = {receipt["name"] for receipt in receipts}
    passes = {name: [receipt for receipt in receipts if receipt["name"] == name] for name in names}
    return {
        name: (sorted({each["outcome"] for each in of}), sorted(end for each in of for end in each["answered"]))
        for name, of in passes.items()
    }


def undated(value: Any) -> Any:
    """Cut the seconds out of times: the simulated clock goes on while the engines work."""
    if isinstance(value, dict):
        return {key: undated(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [undated(inner) for inner in value]
    return re.sub(r"T\d\d:\d\d:\d\dZ$", "", value) if isinstance(value, str) else value

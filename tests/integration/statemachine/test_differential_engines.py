"""Two engines that share no code run the definition with the same result."""

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
    """A GitHub and its faults."""

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
    "a temporary server error": Scenario(
        "SUCCEEDED", trouble=lambda github: github.add_fault(server_error(), endpoint="views", count=2)
    ),
    "the token is refused": Scenario("FAILED", "GitHubAuthError", options={"token": "another"}),
    "nothing to do": Scenario("FAILED", "NothingSelectedError", repositories=0),
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_both_engines_have_the_same_result(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, scenario: Scenario
) -> None:
    """They agree on status, error, every item of every table, and the outcome of every repository."""
    with github_of(scenario, pipeline.port):
        local = pipeline.run()
    with github_of(scenario, pipeline.port) as github, moto_pipeline(monkeypatch, github.url) as other:
        moto = other.run()
        moto_ended = (moto.status, moto.error, undated(other.tables()), outcomes(other.receipts(moto)))

    assert moto_ended == (local.status, local.error, undated(pipeline.tables()), outcomes(pipeline.receipts(local)))
    assert (local.status, local.error) == (scenario.status, scenario.error)


def test_both_engines_have_the_same_result_without_a_summary(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both engines fill in the message of the definition in the same way."""
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
    """Return the scenario's GitHub, always with the same seed, time and faults."""
    github = SimulatedGitHub(repositories=scenario.repositories, port=port, at=AT, **scenario.options)
    scenario.trouble(github)
    return github


def outcomes(receipts: Any) -> dict[str, tuple[list[str], list[str]]]:
    """Return the outcomes and answers of all passes by repository: a limit may interrupt any of them."""
    names = {receipt["name"] for receipt in receipts}
    passes = {name: [receipt for receipt in receipts if receipt["name"] == name] for name in names}
    return {
        name: (sorted({each["outcome"] for each in of}), sorted(end for each in of for end in each["answered"]))
        for name, of in passes.items()
    }


def undated(value: Any) -> Any:
    """Remove the time of day from times: the simulated clock goes on while the engines work."""
    if isinstance(value, dict):
        return {key: undated(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [undated(inner) for inner in value]
    return re.sub(r"T\d\d:\d\d:\d\dZ$", "", value) if isinstance(value, str) else value

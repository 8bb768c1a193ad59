"""A run captures the repositories that the stack's parameters select, and reports names that match nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.deploying import deploy
from local.synthesis import synthesize
from simulated_github import SimulatedGitHub
from tests.integration.pipeline import ASSEMBLY, Pipeline, deployed_pipeline

OWNERS = ["octo", "octo-org", "acme"]


@pytest.fixture
def choosing(tmp_path: Path) -> Iterator[Pipeline]:
    """A stack that captures the documentation of an organization, and one more repository."""
    with deployed_pipeline(tmp_path / "history") as pipeline:
        parameters = {
            "GitHubAccessToken": "github_pat_made_up",
            "GitHubApiUrl": f"http://127.0.0.1:{pipeline.port}",
            "Owners": "Octo-Org,initech,hidden-org",
            "Repositories": "octo/docs,octo/gone",
            "Topics": "documentation",
            "Visibility": "public,internal",
        }
        deploy(pipeline.engine, synthesize(ASSEMBLY), parameters)
        yield pipeline


def test_a_run_captures_what_owners_topics_and_visibility_select(choosing: Pipeline) -> None:
    """No other repository is requested; the summary lists owners without a repository, and hidden organizations."""
    with SimulatedGitHub(repositories=15, owners=OWNERS, port=choosing.port) as github:
        # `docs` and `website` have the topic documentation.
        github.change("octo-org/docs", internal=True)
        github.change("octo-org/website", private=True)
        github.create("octo-org/manual", topics=["documentation"])
        github.create("hidden-org/docs", topics=["documentation"])
        github.hide_organization("hidden-org")
        execution = choosing.run()
        asked = {call.repository for call in github.calls if call.repository}

    message = choosing.summary(execution)["message"]
    assert execution.status == "SUCCEEDED", execution.cause
    assert asked == {"octo-org/docs", "octo-org/manual", "octo/docs"}
    assert {name for name, _ in choosing.days()} == asked
    assert message.splitlines()[0] == (
        "Needs attention: 1 repository of the settings not found, 2 owners of the settings without repositories, "
        "organizations are hidden from the token."
    )
    assert "Repositories in the settings that were not found (1): octo/gone" in message
    assert "Owners in the settings without repositories (2): initech, hidden-org" in message
    assert "1 organization is hidden from the token" in message

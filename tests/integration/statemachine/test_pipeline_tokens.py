"""Several tokens in the secret, each for its owners: the real definition, functions and secret."""

import json
from collections.abc import Iterator

import pytest

from simulated_github import SimulatedGitHub
from tests.integration.pipeline import Pipeline

REPOSITORIES = ["acme/site", "octo/a", "octo/b", "zoo/cage"]
SEEN = {"github_pat_one": ["octo"], "github_pat_two": ["acme", "zoo"]}


@pytest.fixture
def several(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The pipeline with two tokens; afterwards it has its old token again."""
    client, secret = pipeline.engine.client("secretsmanager"), pipeline.outputs["GitHubTokenSecret"]
    before = client.get_secret_value(SecretId=secret)["SecretString"]
    tokens = {"octo": "github_pat_one", "*": "github_pat_two"}
    client.put_secret_value(SecretId=secret, SecretString=json.dumps(tokens))
    yield pipeline
    client.put_secret_value(SecretId=secret, SecretString=before)


def test_each_owners_repositories_are_captured_with_their_own_token(several: Pipeline) -> None:
    """This includes a warm function that read the secret when it contained one token."""
    with SimulatedGitHub(repositories=REPOSITORIES, token=SEEN, port=several.port) as github:
        execution = several.run()
        # A warm function gets a 401 after its token was replaced.
        missed = [call for call in github.calls if call.status not in (200, 401)]

    assert execution.status == "SUCCEEDED", execution.cause
    assert "4 of 4 repositories captured" in several.summary(execution)["message"]
    assert {name for name, _ in several.days()} == set(REPOSITORIES)
    assert missed == []


@pytest.mark.slow
def test_a_limit_of_one_token_is_waited_out_by_its_own_batches(several: Pipeline) -> None:
    """Each token has a limit of its own: seven calls are enough for one repository, but not for three."""
    names = ["acme/site", "octo/a", "octo/b", "octo/c"]
    with SimulatedGitHub(repositories=names, token=SEEN, limit=7, limit_window=4, port=several.port) as github:
        execution = several.run()
        refused = [call.repository for call in github.calls if call.status == 403]

    assert execution.status == "SUCCEEDED", execution.cause
    assert "4 of 4 repositories captured" in several.summary(execution)["message"]
    assert several.waits(execution) > 0
    assert "acme/site" not in refused


def test_a_refused_token_fails_the_run_after_all_others_are_captured(several: Pipeline) -> None:
    """The mail contains its owner and the remedy, but no token."""
    with SimulatedGitHub(
        repositories=REPOSITORIES, token={"github_pat_two": ["acme", "zoo"]}, port=several.port
    ) as github:
        execution = several.run()
        refused = [call for call in github.calls if call.status == 401]

    (mail,) = several.mail(1)
    assert (execution.status, execution.error) == ("FAILED", "GitHubAuthError")
    assert {name for name, _ in several.days()} == {"acme/site", "zoo/cage"}
    assert "the token for octo" in mail["Message"]
    assert len(refused) == 1
    assert "github_pat_" not in mail["Message"]

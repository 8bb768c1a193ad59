"""A token that GitHub refuses ends the run at once: GitHub blocks accounts that repeat it."""

from simulated_github import SimulatedGitHub
from tests.integration.pipeline import Pipeline
from traffic.planning import AT_ONCE


def test_a_token_refused_at_the_start_fails_the_run(pipeline: Pipeline) -> None:
    """There is one call, a failed execution with the error's own name, and a mail with the remedy."""
    with SimulatedGitHub(repositories=3, port=pipeline.port, token="another") as github:
        execution = pipeline.run()
        asked = len(github.calls)

    (mail,) = pipeline.mail(1)
    assert (execution.status, execution.error) == ("FAILED", "GitHubAuthError")
    assert asked == 1
    assert "FAILED, GitHubAuthError" in mail["Subject"]
    assert "Bad credentials" in mail["Message"]
    assert "Replace the token: traffic token" in mail["Message"]


def test_a_token_revoked_during_the_run_causes_only_a_few_calls(pipeline: Pipeline) -> None:
    """Three of 200 repositories are captured; then each running child makes at most three calls."""
    with SimulatedGitHub(repositories=200, port=pipeline.port) as github:
        github.revoke_token(after_repositories=3)
        execution = pipeline.run()
        refused = [call for call in github.calls if call.status == 401]

    (mail,) = pipeline.mail(1)
    assert (execution.status, execution.error) == ("FAILED", "GitHubAuthError")
    assert 1 <= len(refused) <= 3 * AT_ONCE + 1  # each child may have three under way
    assert "FAILED, GitHubAuthError" in mail["Subject"]
    assert "of 200 repositories captured" in mail["Message"]
    assert "not reached" in mail["Message"]


def test_answers_before_a_revocation_are_stored(pipeline: Pipeline) -> None:
    """GitHub deletes the days after two weeks, so a failed run stores its answers, too."""
    with SimulatedGitHub(repositories=["octo/a", "octo/b"], port=pipeline.port) as github:
        github.revoke_token(after_calls=3)
        execution = pipeline.run()
        answered = [call for call in github.calls if call.status == 200 and call.endpoint in ("views", "clones")]

    assert execution.status == "FAILED"
    assert answered
    assert {name for name, _ in pipeline.days()} == {call.repository for call in answered}

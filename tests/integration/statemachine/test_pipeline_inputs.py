"""The inputs that an execution accepts, and its messages about all others."""

from datetime import UTC, datetime, timedelta

import pytest

from simulated_github import SimulatedGitHub
from tests.integration.pipeline import Pipeline

# As EventBridge sends it; https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
SCHEDULED_EVENT = {
    "version": "0",
    "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "123456789012",
    "time": "2026-11-20T09:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:aws:events:us-east-1:123456789012:rule/RuleGetRepoTraffic"],
    "detail": {},
}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"foo": 1}, 'the unknown field "foo"'),
        ({"date": "2026-13-01"}, 'The date is "2026-13-01"'),
        ({"date": 20261120}, "The date is 20261120"),
        ([], "The input is []"),
        ("2026-11-20", 'The input is "2026-11-20"'),
    ],
)
def test_a_wrong_input_is_refused_without_a_call_to_github(pipeline: Pipeline, given: object, complaint: str) -> None:
    """A typing error must not start a run of another kind; the mail contains the expected input."""
    message = refused(pipeline, given)

    assert complaint in message
    assert (
        'expected {}, EventBridge\'s scheduled event, or {"date": "2026-11-20"}' in message
        or "expected a day such as 2026-11-20" in message
    )


def test_a_date_in_the_future_is_refused(pipeline: Pipeline) -> None:
    """GitHub has no traffic of it yet."""
    future = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()  # still in the future after midnight

    assert f"The date {future} is in the future" in refused(pipeline, {"date": future})


def refused(pipeline: Pipeline, given: object) -> str:
    """Run with an input that is refused before GitHub gets a call, and return the summary's message."""
    with SimulatedGitHub(repositories=1, port=pipeline.port) as github:
        execution = pipeline.run(given)
        assert github.calls == []
    assert (execution.status, execution.error) == ("FAILED", "InvalidInputError")
    return pipeline.summary(execution)["message"]


@pytest.mark.parametrize(
    "given",
    [{}, {"Comment": "Insert your JSON here"}, SCHEDULED_EVENT],
    ids=["empty", "the console's comment", "EventBridge's event"],
)
def test_a_run_starts_with_what_console_and_schedule_send(pipeline: Pipeline, given: object) -> None:
    """Each of them means: capture the present answers of GitHub."""
    with SimulatedGitHub(repositories=1, port=pipeline.port):
        execution = pipeline.run(given)

    assert execution.status == "SUCCEEDED", execution.cause
    assert len(pipeline.days()) == 14


def test_the_summary_of_a_run_for_one_day_contains_its_numbers(pipeline: Pipeline) -> None:
    """A person who asks for a day wants to read its numbers."""
    with SimulatedGitHub(repositories=["octo/docs"], port=pipeline.port, at="2026-11-20T09:00:00Z") as github:
        execution = pipeline.run({"date": "2026-11-15"})
        truth = github.truth("octo/docs", "2026-11-15")["2026-11-15"]

    summary = pipeline.summary(execution)
    assert execution.status == "SUCCEEDED", execution.cause
    assert summary["subject"].startswith("GitHub traffic 2026-11-15")
    assert f"views count {truth.views_count}, views uniques {truth.views_uniques}" in summary["message"]

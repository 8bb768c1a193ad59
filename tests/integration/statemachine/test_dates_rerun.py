"""Runs for one date: from GitHub as long as it has the date, then from the archive; otherwise an error."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulated_github import SimulatedGitHub
from tests.integration.pipeline import Pipeline


@pytest.fixture
def first(pipeline: Pipeline) -> datetime:
    """The time of the first of two old captures: GitHub no longer has their days."""
    assert pipeline.days() == {}
    return (datetime.now(UTC) - timedelta(days=100)).replace(hour=9, minute=0, second=0, microsecond=0)


def before(time: datetime, days: int) -> str:
    """Return the day some days before a time."""
    return (time - timedelta(days=days)).date().isoformat()


def numbers(item: dict[str, Any]) -> str:
    """Return an item's numbers as the summary shows them."""
    metrics = ("clones-count", "clones-uniques", "views-count", "views-uniques")
    return ", ".join(f"{metric.replace('-', ' ')} {item[metric]}" for metric in metrics)


def capture_long_ago(pipeline: Pipeline, github: SimulatedGitHub, first: datetime) -> None:
    """Capture on two old days, then set GitHub's clock to the present again."""
    for day in range(2):
        github.at(first + timedelta(days=day))
        assert pipeline.run().status == "SUCCEEDED"
    github.at(datetime.now(UTC))


def test_a_date_beyond_githubs_window_is_replayed_from_the_archive_without_a_call(
    pipeline: Pipeline, first: datetime
) -> None:
    """Damaged rows are restored, item for item, even years later and without a valid token."""
    with SimulatedGitHub(repositories=3, port=pipeline.port) as github:
        capture_long_ago(pipeline, github, first)
        kept, asked = pipeline.days(), len(github.calls)
        pipeline.forget()
        execution = pipeline.run({"date": before(first, 3)})
        assert len(github.calls) == asked

    summary = pipeline.summary(execution)
    assert execution.status == "SUCCEEDED"
    assert pipeline.days() == kept
    assert summary["subject"] == f"GitHub traffic {before(first, 3)}: 3 repositories stored again"
    for (name, day), item in kept.items():
        if day == before(first, 3):
            assert f"  {name}: {numbers(item)}" in summary["message"]


def test_a_date_that_neither_has_is_refused_with_the_dates_that_are_available(
    pipeline: Pipeline, first: datetime
) -> None:
    """A run that succeeds and shows nothing would look like a day without traffic."""
    with SimulatedGitHub(repositories=1, port=pipeline.port) as github:
        capture_long_ago(pipeline, github, first)
        asked = len(github.calls)
        begun = datetime.now(UTC)
        execution = pipeline.run({"date": before(first, 40)})
        assert len(github.calls) == asked

    message = pipeline.summary(execution)["message"]
    assert (execution.status, execution.error) == ("FAILED", "InvalidInputError")
    assert f"Neither GitHub nor any answer in the archive has {before(first, 40)}" in message
    # The archive contains answers of other tests, too: adjacent windows are shown as one span.
    spans = re.findall(r"(\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d)", message)
    assert any(begin <= before(first, 14) and before(first, 0) <= end for begin, end in spans), spans
    present = {begun, datetime.now(UTC)}  # midnight may be in between
    assert any(begin <= before(now, 14) and before(now, 0) <= end for begin, end in spans for now in present), spans


def test_a_date_just_before_the_first_answer_is_no_success(pipeline: Pipeline, first: datetime) -> None:
    """An object that could contain the date has to be read to find out that it does not."""
    with SimulatedGitHub(repositories=1, port=pipeline.port) as github:
        capture_long_ago(pipeline, github, first)
        execution = pipeline.run({"date": before(first, 16)})

    assert (execution.status, execution.error) == ("FAILED", "InvalidInputError")
    assert f"No answer in the archive has {before(first, 16)}" in pipeline.summary(execution)["message"]

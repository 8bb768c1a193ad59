"""Runs for one date: from GitHub while it has it, from the archive afterwards, and a clear no where neither has it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from simulated_github import SimulatedGitHub
from tests.integration.pipeline import Pipeline

NOW = datetime.now(UTC)
LONG_AGO = (NOW - timedelta(days=100)).replace(hour=9, minute=0, second=0, microsecond=0)


def ago(days: int) -> str:
    """Name the day some days before the old captures."""
    return (LONG_AGO - timedelta(days=days)).date().isoformat()


def numbers(item: dict[str, Any]) -> str:
    """Write an item's numbers as the summary does."""
    metrics = ("clones-count", "clones-uniques", "views-count", "views-uniques")
    return ", ".join(f"{metric.replace('-', ' ')} {item[metric]}" for metric in metrics)


def captured_long_ago(pipeline: Pipeline, github: SimulatedGitHub) -> None:
    """Capture on two days that GitHub has long forgotten by now, then bring GitHub back to the present."""
    for day in range(2):
        github.at(LONG_AGO + timedelta(days=day))
        assert pipeline.run().status == "SUCCEEDED"
    github.at(datetime.now(UTC))


def test_a_date_beyond_githubs_window_is_replayed_from_the_archive_without_a_call(pipeline: Pipeline) -> None:
    """Rows that were damaged come back, item for item, years later and without a token that works."""
    with SimulatedGitHub(repositories=3, port=pipeline.port) as github:
        captured_long_ago(pipeline, github)
        before, asked = pipeline.days(), len(github.calls)
        pipeline.forget()
        execution = pipeline.run({"date": ago(3)})
        assert len(github.calls) == asked

    summary = pipeline.summary(execution)
    assert execution.status == "SUCCEEDED"
    assert pipeline.days() == before
    assert summary["subject"] == f"GitHub traffic {ago(3)}: 3 repositories stored again"
    for (name, day), item in before.items():
        if day == ago(3):
            assert f"  {name}: {numbers(item)}" in summary["message"]


def test_a_date_that_neither_has_ends_with_the_dates_that_can_be_had(pipeline: Pipeline) -> None:
    """A run that succeeds and shows nothing would pass for a day without traffic."""
    with SimulatedGitHub(repositories=1, port=pipeline.port) as github:
        captured_long_ago(pipeline, github)
        asked = len(github.calls)
        execution = pipeline.run({"date": ago(40)})
        assert len(github.calls) == asked

    message = pipeline.summary(execution)["message"]
    assert (execution.status, execution.error) == ("FAILED", "InvalidInputError")
    assert f"Neither GitHub nor any answer in the archive has {ago(40)}" in message
    named = re.findall(r"(\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d)", message)
    for day in (ago(14), ago(0), (NOW - timedelta(days=14)).date().isoformat(), NOW.date().isoformat()):
        # Other tests' answers are in this archive too: neighbouring windows are told as one span.
        assert any(first <= day <= last for first, last in named), (day, named)


def test_a_date_just_before_the_first_answer_is_no_success(pipeline: Pipeline) -> None:
    """An object that could hold the date and does not is found out by reading it."""
    with SimulatedGitHub(repositories=1, port=pipeline.port) as github:
        captured_long_ago(pipeline, github)
        execution = pipeline.run({"date": ago(16)})

    assert (execution.status, execution.error) == ("FAILED", "InvalidInputError")
    assert f"No answer in the archive has {ago(16)}" in pipeline.summary(execution)["message"]

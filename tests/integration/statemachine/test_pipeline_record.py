"""The record after many runs: true, complete, and unchanged if GitHub returns nothing new."""

from datetime import UTC, datetime, timedelta

from simulated_github import SimulatedGitHub
from tests.integration.pipeline import Pipeline

FIRST = datetime(2026, 11, 2, 9, tzinfo=UTC)


def test_a_second_run_changes_no_item(pipeline: Pipeline) -> None:
    """Runs may be repeated; a write without a change would still cost money."""
    with SimulatedGitHub(repositories=5, port=pipeline.port, at=FIRST):
        pipeline.run()
        before = pipeline.tables()
        execution = pipeline.run()

    assert pipeline.tables() == before
    assert [receipt["items_changed"] for receipt in pipeline.receipts(execution)] == [0] * 5


def test_fourteen_runs_on_successive_days_store_the_true_numbers(pipeline: Pipeline) -> None:
    """Windows overlap, and the newest day comes late; still, every returned day has its true numbers."""
    with SimulatedGitHub(repositories=3, port=pipeline.port, at=FIRST) as github:
        for day in range(14):
            github.at(FIRST + timedelta(days=day))
            assert pipeline.run().status == "SUCCEEDED"
        last = FIRST.date() + timedelta(days=12)  # the last run's yesterday
        first = FIRST.date() - timedelta(days=14)
        truth = {
            (name, day): tuple(row)
            for name in github.names
            for day, row in github.truth(name, first.isoformat(), last.isoformat()).items()
        }

    assert pipeline.numbers() == truth
    assert len(truth) == 3 * 27
    assert all(item["views-complete"] and item["clones-complete"] for item in pipeline.days().values())


def test_a_rolling_window_never_lowers_a_stored_number(pipeline: Pipeline) -> None:
    """Until 2025-12-29 the oldest and the current day were incomplete, and zeros were omitted."""
    first = datetime(2025, 11, 3, 9, tzinfo=UTC)
    with SimulatedGitHub(repositories=["octo/docs"], port=pipeline.port, at=first) as github:
        for day in range(5):
            github.at(first + timedelta(days=day))
            assert pipeline.run().status == "SUCCEEDED"
        truth = github.truth("octo/docs", "2025-10-21", "2025-11-06")  # days that were complete at least once

    kept = pipeline.numbers()
    known = {day: kept.get(("octo/docs", day), (None,) * 4) for day in truth}
    assert known == {day: tuple(number or None for number in row) for day, row in truth.items()}


def test_a_renamed_repository_continues_its_history(pipeline: Pipeline) -> None:
    """GitHub's id is the identity: rows keep the first name, and both names lead to them."""
    with SimulatedGitHub(repositories=["octo/old"], port=pipeline.port, at=FIRST) as github:
        pipeline.run()
        github.rename("octo/old", to="acme/new")
        github.at(FIRST + timedelta(days=1))
        pipeline.run()
        (repo_id,) = (repository.id for repository in github.github.account)

    names = pipeline.repositories()
    assert {name for name, _ in pipeline.days()} == {"octo/old"}
    assert len(pipeline.days()) == 15
    assert names["name octo/old"]["repo-ids"] == names["name acme/new"]["repo-ids"] == {str(repo_id)}

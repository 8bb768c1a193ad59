"""A date that GitHub no longer returns: List repositories plans a replay from the archive without asking GitHub."""

from datetime import timedelta
from typing import Any

import pytest

from lambdas.shared.deployed_archive import archive
from simulated_github import SimulatedGitHub
from simulated_github.windows import WindowRules
from tests.unit.handlers import Account, account
from tests.unit.simulated_answers import answers, busy
from traffic.clock import from_text
from traffic.contract import ChildState, RunState
from traffic.errors import InvalidInputError

CAPTURED = "2026-09-10T09:00:00Z"
NOWHERE = "http://127.0.0.1:9"  # the discard port: a call to GitHub there fails


def archived(*times: str) -> list[str]:
    """Put answers of these times into the archive."""
    return [archive().put_answers(answers(from_text(time), WindowRules(regime="whole-days"), busy)) for time in times]


def replay(aws: Account, state: RunState) -> None:
    """Do what the Map does with each batch of a replay: it stores, but does not fetch."""
    for batch in archive().read_note(state["manifest"]["key"]) or []:
        assert batch["repositories"] == []
        child: ChildState = {"run": state["run"], "batch": batch}
        aws.store(child)


def test_the_manifest_holds_every_object_that_can_hold_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub returned a day for 14 days, and up to 17 if it was late; older and newer objects need not be read."""
    with account(monkeypatch, NOWHERE) as aws:
        times = [f"2026-09-{day:02}T09:00:00Z" for day in (9, 10, 27, 28)]
        keys = archived(*times)
        state = aws.list_repositories({"date": "2026-09-10"})
        batches = archive().read_note(state["manifest"]["key"])

    assert batches == [{"repositories": [], "key": key} for key in keys[1:3]]
    assert state["manifest"]["batches"] == 2


def test_a_replay_restores_lost_rows_and_reports_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither GitHub nor a token is needed."""
    with account(monkeypatch, NOWHERE) as aws:
        archived(CAPTURED)
        state = aws.list_repositories({"date": "2026-09-05"})
        replay(aws, state)
        summary = aws.summarize(state)
        kept: dict[str, Any] = aws.days()["octo/docs", "2026-09-05"]

    truth = busy((from_text(CAPTURED) - timedelta(days=5)).date())
    assert summary["outcome"] == "succeeded"
    assert summary["subject"] == "GitHub traffic 2026-09-05: 1 repository stored again"
    assert "stored again from 1 object of the archive (GitHub was not asked)" in summary["message"]
    assert f"views count {truth.views_count}, views uniques {truth.views_uniques}" in summary["message"]
    assert kept["views-count"] == truth.views_count


def test_an_object_that_could_not_be_stored_fails_the_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """An incomplete replay must not be reported as complete."""
    with account(monkeypatch, NOWHERE) as aws:
        archived(CAPTURED, "2026-09-11T09:00:00Z")
        state = aws.list_repositories({"date": "2026-09-05"})
        (first, _) = archive().read_note(state["manifest"]["key"]) or []
        aws.store({"run": state["run"], "batch": first})
        summary = aws.summarize(state)

    assert (summary["outcome"], summary["error"]) == ("failed", "IncompleteReplayError")
    assert "1 of 2 objects were not stored" in summary["message"]


def test_a_replay_in_which_no_answer_has_the_day_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first capture covers 14 days, and not a day more."""
    with account(monkeypatch, NOWHERE) as aws:
        archived(CAPTURED)
        state = aws.list_repositories({"date": "2026-08-25"})
        replay(aws, state)
        summary = aws.summarize(state)

    assert (summary["outcome"], summary["error"]) == ("failed", "InvalidInputError")
    assert "No answer in the archive has 2026-08-25. Available dates: 2026-08-27 to 2026-09-10" in (summary["message"])


def test_a_replay_does_not_read_listings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their folders look the same, but a listing contains no traffic."""
    with SimulatedGitHub() as github, account(monkeypatch, github.url) as aws:
        archived("2026-10-01T09:00:00Z")
        archive().put_listing("run-0", "2026-10-20T09:00:00Z", b"pages")
        assert archive().capture_dates() == ["2026-10-01"]
        with pytest.raises(InvalidInputError, match="2026-10-15"):
            aws.list_repositories({"date": "2026-10-15"})


def test_a_date_in_neither_github_nor_the_archive_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error lists the available dates."""
    with account(monkeypatch, NOWHERE) as aws:
        archived(CAPTURED)
        with pytest.raises(
            InvalidInputError, match=r"has 2026-07-01.*2026-08-27 to 2026-09-10, 2026-11-06 to 2026-11-"
        ):
            aws.list_repositories({"date": "2026-07-01"})


def test_a_date_inside_githubs_window_is_asked_of_github(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub's numbers may be newer than the archive's."""
    with (
        SimulatedGitHub(repositories=["octo/docs"], at="2026-11-20T09:00:00Z") as github,
        account(monkeypatch, github.url) as aws,
    ):
        state = aws.list_repositories({"date": "2026-11-06"})
        batches = archive().read_note(state["manifest"]["key"])

    assert [batch["repositories"][0]["name"] for batch in batches or []] == ["octo/docs"]
    assert "held" not in state["manifest"]


def test_a_continued_listing_never_becomes_a_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event's time is then no longer available: a past date would change its meaning between two pages."""
    with (
        SimulatedGitHub(repositories=120, at="2021-09-14T09:00:00Z") as github,
        account(monkeypatch, github.url) as aws,
    ):
        event = {"detail-type": "Scheduled Event", "time": "2021-09-14T09:00:00Z", "date": "2021-09-10"}
        begun = aws.list_repositories(event, seconds=10)  # no time for a page
        state = aws.list_repositories_from(begun)

    assert begun["listing"]["next"]
    assert state["manifest"]["repositories"] == 120

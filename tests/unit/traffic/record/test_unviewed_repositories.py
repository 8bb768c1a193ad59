"""Referrers and paths of an unviewed repository are not asked for: two calls fewer, and nothing is invented."""

from typing import Any

import pytest

from lambdas.shared.deployed_archive import archive
from simulated_github import SimulatedGitHub
from simulated_github.account import SimulatedRepository
from simulated_github.faults import retry_after
from simulated_github.sources import SeededTraffic
from simulated_github.windows import WindowRules
from tests.unit.handlers import Account, account, child
from traffic.record.expected import Replay
from traffic.record.merge import item_of_entry
from traffic.record.reports import read_reports

NAME = "octo/quiet"


class Unviewed(SeededTraffic):
    """Repositories that are cloned, but never viewed."""

    def counts(self, repository: SimulatedRepository, metric: Any, now: Any, per: Any) -> dict[str, Any]:
        """Return the answer to `/traffic/views` or `/traffic/clones`."""
        answer = super().counts(repository, metric, now, per)
        if metric == "clones":
            return answer
        rows = [{**row, "count": 0, "uniques": 0} for row in answer["views"]]
        return {"count": 0, "uniques": 0, "views": rows}


def unviewed() -> Unviewed:
    """Return the source of their numbers."""
    return Unviewed(seed=1, rules=WindowRules())


def endpoints(github: SimulatedGitHub) -> list[str | None]:
    """Return the endpoints that GitHub was asked for, in order."""
    return [call.endpoint for call in github.calls]


def as_replayed(aws: Account) -> dict[str, Any]:
    """Return the repository's entry, made from the archive only."""
    replay = Replay()
    for key in sorted(archive().keys("answers/")):
        for report in read_reports(archive().read_answers(key)):
            replay.add(report)
    assert aws.repositories()
    return item_of_entry(replay.entries[1])


def test_two_calls_capture_it_completely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Receipt, entry and archive agree that nothing is missing; referrers and paths are absent, not empty."""
    with SimulatedGitHub(repositories=[NAME], source=unviewed()) as github, account(monkeypatch, github.url) as aws:
        state = aws.fetch(child(NAME))
        aws.store(state)
        held = aws.repositories()["1"]
        (snapshot,) = aws.snapshots().values()
        (receipt,) = archive().read_note(next(iter(archive().keys("runs/run-1/receipts/")))) or []

        assert endpoints(github) == ["views", "clones"]
        assert state["batch"]["repositories"] == []
        assert set(receipt["answered"]) == {"views", "clones", "referrers", "paths"}
        assert held["captured-on"] == snapshot["captured-on"]
        assert {name: held[name] for name in held if name not in ("repo-id", "repo-name")} == as_replayed(aws)
    assert not {"referrers", "paths"} & snapshot.keys()
    assert set(snapshot["captured-at"]) == {"views", "clones"}
    assert set(held["active"]) == {"clones"}


def test_a_limit_between_views_and_clones_asks_for_both_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object with clones only would not show that referrers and paths were not needed: the archive must show it."""
    with SimulatedGitHub(repositories=[NAME], source=unviewed()) as github, account(monkeypatch, github.url) as aws:
        github.add_fault(retry_after(1), endpoint="clones", count=1)
        state = aws.fetch(child(NAME))
        aws.store(state)
        assert "captured-on" not in aws.repositories()["1"]
        state.pop("resume_at")
        aws.store(aws.fetch(state))

        held = aws.repositories()["1"]
        assert endpoints(github) == ["views", "clones", "views", "clones"]
        assert "captured-on" in held
        assert {name: held[name] for name in held if name not in ("repo-id", "repo-name")} == as_replayed(aws)

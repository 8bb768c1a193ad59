"""The result of a repository: its receipts and problems together, in any order."""

from itertools import permutations
from typing import Any

import pytest

from lambdas.summarize_run.outcome import NOT_REACHED, Result, gather
from traffic.contract import ENDPOINTS, Endpoint, Receipt
from traffic.github.answers import FAILED


def receipt(outcome: str, *answered: Endpoint, changed: int = 0, lowered: int = 0, day: str | None = None) -> Receipt:
    """Return a receipt of repository 1."""
    return {
        "id": 1,
        "name": "octo/docs",
        "repo_name": "octo/first-name",
        "answered": list(answered),
        "outcome": outcome,
        "detail": "" if outcome == "captured" else f"GitHub's words about {outcome}",
        "items_changed": changed,
        "lowered": lowered,
        "newest_day": day,
    }


def test_the_numbers_of_all_receipts_are_added_up() -> None:
    """After a limit, a repository has a receipt for each pass."""
    result = Result(1, "octo/docs")
    result.add(receipt("captured", "views", changed=3, lowered=1, day="2026-11-19"))
    result.add(receipt("captured", "clones", "referrers", "paths", changed=2, lowered=4, day="2026-11-18"))

    assert (result.items_changed, result.lowered, result.newest_day) == (5, 5, "2026-11-19")
    assert (result.repo_name, result.outcome, result.answered) == ("octo/first-name", "captured", frozenset(ENDPOINTS))


@pytest.mark.parametrize("lacking", ENDPOINTS)
def test_a_repository_is_captured_only_if_every_endpoint_answered(lacking: Endpoint) -> None:
    """Otherwise the missing answer would be lost without a report."""
    result = Result(1, "octo/docs")
    result.add(receipt("captured", *(endpoint for endpoint in ENDPOINTS if endpoint != lacking)))
    assert result.outcome == NOT_REACHED

    result.add(receipt("captured", lacking))
    assert result.outcome == "captured"


@pytest.mark.parametrize(
    "receipts",
    permutations([receipt("captured", *ENDPOINTS), receipt("no push access", "views")]),
)
def test_a_refusal_counts_more_than_a_capture(receipts: tuple[Receipt, ...]) -> None:
    """It comes from the same run, and a person must learn of it."""
    result = Result(1, "octo/docs")
    for each in receipts:
        result.add(each)

    assert (result.outcome, result.detail) == ("no push access", "GitHub's words about no push access")


def test_a_capture_counts_more_than_an_earlier_failure() -> None:
    """A later pass of the same run brought what the first one did not."""
    result = Result(1, "octo/docs")
    result.add(receipt(FAILED, "views"))
    result.add(receipt("captured", *ENDPOINTS))

    assert result.outcome == "captured"


def test_every_listed_repository_has_a_result() -> None:
    """A child execution that died left no receipt; another one left only what GitHub failed to answer."""
    batches: list[Any] = [{"repositories": [{"id": id_, "name": f"octo/{id_}"}]} for id_ in (1, 2, 3)]
    problems: list[Any] = [
        {"repo_id": id_, "repo": f"octo/{id_}", "endpoint": "views", "status": 502} for id_ in (1, 2, 4)
    ]
    problems.append({"repo_id": 5, "repo": "octo/5", "endpoint": "clones", "status": None})

    results = gather(batches, [receipt("captured", *ENDPOINTS)], problems)

    assert [(each.id, each.outcome, each.detail) for each in results] == [
        (1, "captured", ""),
        (2, FAILED, "views: 502"),
        (3, NOT_REACHED, ""),
        (4, FAILED, "views: 502"),
        (5, FAILED, "clones: no answer"),
    ]

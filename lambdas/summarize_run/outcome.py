"""Compares the listed repositories with the stored ones: the result of each, and the error of the run. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from traffic.clock import event_day, from_text
from traffic.contract import ENDPOINTS, ArchivedAnswer, Batch, Receipt, Recent, RunState
from traffic.github.answers import CAPTURED, FAILED, NO_PERMISSION
from traffic.wording import counted

NOT_REACHED = "not reached"

NAMED = 50  # repositories that the summary lists for each kind of failure or danger; the others are counted


class End(NamedTuple):
    """The end of one window that lists every day, as in `WindowEnd`, with its kind."""

    kind: str
    day: str
    behind: int


@dataclass(slots=True)  # there are 100,000 of them
class Result:
    """The result of one repository in a run.

    Attributes:
        id: GitHub's id.
        name: Its name at the time of the run.
        repo_name: The partition key of its days; empty if nothing was stored in this run.
        outcome: "captured", or the reason why not.
        detail: GitHub's own words.
        items_changed: How many days are new or have changed.
        lowered: The number of cells for which GitHub now reports less than is kept.
        newest_day: The newest day that GitHub reported.
        recent: GitHub's numbers for the newest complete day; None if no day was complete.
        answered: The endpoints that answered or did not have to be asked for.
        ends: The ends of the windows that GitHub returned.
    """

    id: int
    name: str
    repo_name: str = ""
    outcome: str = NOT_REACHED
    detail: str = ""
    items_changed: int = 0
    lowered: int = 0
    newest_day: str | None = None
    recent: Recent | None = None
    answered: frozenset[str] = frozenset()
    ends: frozenset[End] = frozenset()

    def add(self, receipt: Receipt) -> None:
        """Add one receipt. A repository counts as captured only if every endpoint answered."""
        self.repo_name = self.name if receipt["repo_name"] == self.name else receipt["repo_name"]  # one text, not two
        self.answered = _one_of_each(self.answered | set(receipt["answered"]))
        self.items_changed += receipt["items_changed"]
        self.lowered += receipt["lowered"]
        self.newest_day = intern(max(self.newest_day or "", receipt["newest_day"] or "")) or None
        ends = receipt.get("ends")
        if ends:
            self.ends = _one_of_all(self.ends | {End(kind, end["day"], end["behind"]) for kind, end in ends.items()})
        recent = receipt.get("recent")
        if recent is not None and recent["day"] > (self.recent["day"] if self.recent else ""):
            self.recent = recent
        if receipt["outcome"] != CAPTURED:
            self.outcome, self.detail = intern(receipt["outcome"]), intern(receipt["detail"])  # mostly the same
        elif self.answered.issuperset(ENDPOINTS) and self.outcome in (NOT_REACHED, FAILED):
            self.outcome = CAPTURED

    def add_problem(self, answer: ArchivedAnswer) -> None:
        """Add an endpoint that GitHub did not answer. A receipt says more, so it is not replaced."""
        if self.outcome == NOT_REACHED:
            self.outcome = FAILED
            self.detail = f"{answer['endpoint']}: {answer['status'] or 'no answer'}"


@lru_cache
def _one_of_each(answered: frozenset[str]) -> frozenset[str]:
    """Return the equal set that was made first: 100,000 results have only a few different sets."""
    return answered


@lru_cache
def _one_of_all(ends: frozenset[End]) -> frozenset[End]:
    """Return the equal set that was made first, as `_one_of_each` does."""
    return ends


def gather(batches: Iterable[Batch], receipts: Iterable[Receipt], problems: Iterable[ArchivedAnswer]) -> list[Result]:
    """Return the result of each listed repository, however its child execution ended."""
    results = {
        repository["id"]: Result(repository["id"], repository["name"])
        for batch in batches
        for repository in batch["repositories"]
    }
    for receipt in receipts:
        results.setdefault(receipt["id"], Result(receipt["id"], receipt["name"])).add(receipt)
    for answer in problems:
        results.setdefault(answer["repo_id"], Result(answer["repo_id"], answer["repo"])).add_problem(answer)
    return list(results.values())


def error_of(state: RunState, stopped: Mapping[str, str] | None, results: Sequence[Result]) -> str:
    """Return the name of the error that the run fails with; empty if it succeeded.

    One repository that fails does not fail the run. A run that captured nothing has failed.
    """
    if stopped is not None:
        return stopped["error"]
    if "problem" in state:
        return state["problem"]["Error"]
    if "unselected" in state.get("listing", {}):
        return "NothingSelectedError"
    if not results or any(result.outcome == CAPTURED for result in results):
        return ""
    if all(result.outcome == NO_PERMISSION for result in results):
        return "TokenPermissionError"
    return "NothingCapturedError"


def cause_of(state: RunState, stopped: Mapping[str, str] | None, results: Sequence[Result]) -> str:
    """Return the reason of the error that `error_of` returns, in words."""
    if stopped is not None:
        return stopped["cause"]
    if "problem" in state:
        return caught_cause(state)
    if "unselected" in state.get("listing", {}):
        return state["listing"]["unselected"]
    outcomes = Counter(result.outcome for result in results)
    return f"nothing was captured: {', '.join(f'{many} {outcome}' for outcome, many in sorted(outcomes.items()))}"


def caught_cause(state: RunState) -> str:
    """Return the words of the error that the definition caught."""
    caught = state.get("problem", {}).get("Cause", "")
    try:  # Lambda's errors come as JSON
        return str(json.loads(caught)["errorMessage"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return caught


def is_replay(state: RunState) -> bool:
    """Return whether List repositories planned to store a past date again from the archive."""
    return "held" in state.get("manifest", {})


def stored_again(results: Sequence[Result]) -> list[Result]:
    """Return the repositories with an answer in some object. A refusal on another day is not a failure of this run."""
    return [replace(result, outcome=CAPTURED, detail="") for result in results if result.answered]


def replay_error(
    state: RunState, results: Sequence[Result], *, stored: int, day_items: Mapping[str, Mapping[str, int]]
) -> tuple[str, str]:
    """Return the error that a replay from the archive fails with, and its cause; both empty if it succeeded.

    Args:
        state: The state of the run.
        results: The repositories that were stored again.
        stored: The number of archive objects that were stored again.
        day_items: The day's metrics by repository, as the table has them now.
    """
    missing = state["manifest"]["batches"] - stored
    if "problem" in state:
        return error_of(state, None, results), caught_cause(state)
    if missing:
        return (
            "IncompleteReplayError",
            f"{missing} of {counted(state['manifest']['batches'], 'object was', 'objects were')} not stored.",
        )
    if not any(day_items.values()):
        date, held = state["run"].get("date", ""), state["manifest"].get("held", "")
        return "InvalidInputError", f"No answer in the archive has {date}. Available dates: {held}."
    return "", ""


def today_of(state: RunState) -> str:
    """Return the day of the run: GitHub's own, otherwise that of EventBridge's event, otherwise that of the start."""
    listed_at = state.get("listing", {}).get("listed_at")
    return listed_at[:10] if listed_at else event_day(state.get("input"), from_text(state["run"]["started"]))

"""Compares what was listed with what was stored. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from traffic.clock import event_day, from_text
from traffic.contract import ENDPOINTS, ArchivedAnswer, Batch, Receipt, Recent, RunState
from traffic.github.answers import CAPTURED, FAILED, NO_PERMISSION

NOT_REACHED = "not reached"

NAMED = 50  # repositories named for each kind of failure or danger; the others are counted


class End(NamedTuple):
    """The end of one window of which GitHub lists every day: `WindowEnd`, with its kind."""

    kind: str
    day: str
    behind: int


@dataclass(slots=True)  # there are 100,000 of them
class Result:
    """What came of one repository in a run.

    Attributes:
        id: GitHub's id.
        name: Its name at the time of the run.
        repo_name: The key its days lie under; empty where nothing was ever stored in this run.
        outcome: "captured", or why not.
        detail: What GitHub said.
        items_changed: How many days are new or have changed.
        lowered: Cells for which GitHub now says less than is kept.
        newest_day: The newest day that GitHub reported.
        recent: What GitHub said of the newest whole day; None where it told none.
        answered: The endpoints that answered, or had nothing to be asked for.
        ends: Where the windows end that GitHub returned.
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
        """Count one receipt in. Captured is a repository only when all was answered that was to be asked."""
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
        """Count in what GitHub left unanswered, where no receipt says more."""
        if self.outcome == NOT_REACHED:
            self.outcome = FAILED
            self.detail = f"{answer['endpoint']}: {answer['status'] or 'no answer'}"


@lru_cache
def _one_of_each(answered: frozenset[str]) -> frozenset[str]:
    """Give the set that was made first: there are few different ones, and 100,000 that are the same."""
    return answered


@lru_cache
def _one_of_all(ends: frozenset[End]) -> frozenset[End]:
    """Return the set that was made first, as `_one_of_each` does."""
    return ends


def gather(batches: Iterable[Batch], receipts: Iterable[Receipt], problems: Iterable[ArchivedAnswer]) -> list[Result]:
    """Say for each listed repository what came of it, however its child execution ended."""
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
    """Name the error the run fails with; empty where it succeeded.

    One repository that fails does not fail the run; a run that captured none of several has failed.
    """
    if stopped is not None:
        return stopped["error"]
    if "problem" in state:
        return state["problem"]["Error"]
    if not results or any(result.outcome == CAPTURED for result in results):
        return ""
    if all(result.outcome == NO_PERMISSION for result in results):
        return "TokenPermissionError"
    return "NothingCapturedError"


def is_replay(state: RunState) -> bool:
    """Tell whether List repositories planned a replay."""
    return "held" in state.get("manifest", {})


def stored_again(results: Sequence[Result]) -> list[Result]:
    """Keep the repositories that answered in any object: what GitHub refused on another day is no failure now."""
    return [replace(result, outcome=CAPTURED, detail="") for result in results if result.answered]


def replay_error(
    state: RunState, results: Sequence[Result], *, stored: int, day_items: Mapping[str, Mapping[str, int]]
) -> tuple[str, str]:
    """Name the error that the replay fails with, and its cause; both empty where it succeeded.

    Args:
        state: What the definition carried here.
        results: The repositories that were stored again.
        stored: How many of the archive's objects were.
        day_items: The day's metrics by repository, as they are kept now.
    """
    missing = state["manifest"]["batches"] - stored
    if "problem" in state:
        return error_of(state, None, results), ""
    if missing:
        return "IncompleteReplayError", f"{missing} of {state['manifest']['batches']} objects were not stored."
    if not any(day_items.values()):
        date, held = state["run"].get("date", ""), state["manifest"].get("held", "")
        return "InvalidInputError", f"No answer in the archive has {date}. Dates that may be had: {held}."
    return "", ""


def today_of(state: RunState) -> str:
    """Return the day of the run: GitHub's own, otherwise that of EventBridge's event, otherwise that of the start."""
    listed_at = state.get("listing", {}).get("listed_at")
    return listed_at[:10] if listed_at else event_day(state.get("input"), from_text(state["run"]["started"]))

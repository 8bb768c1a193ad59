"""What came of a replay from the archive: of a run for a date that GitHub returns no longer. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lambdas.summarize_run.outcome import Result, error_of
from traffic.contract import RunState
from traffic.github.answers import CAPTURED


def is_replay(state: RunState) -> bool:
    """Tell whether List repositories planned a replay."""
    return "held" in state.get("manifest", {})


def stored_again(results: Sequence[Result]) -> list[Result]:
    """Keep the repositories that answered in any object: what GitHub refused on another day is no failure now."""
    return [replace(result, outcome=CAPTURED, detail="") for result in results if result.answered]


def verdict(
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

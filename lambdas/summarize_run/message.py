"""The summary as people read it: plain text for the e-mail and the terminal. Pure."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

from lambdas.shared.answers import BLOCKED, CAPTURED, FAILED, GONE, NO_PERMISSION, NO_PUSH_ACCESS, SSO_NEEDED
from lambdas.shared.contract import RunState
from lambdas.summarize_run.outcome import NOT_REACHED, Result
from lambdas.summarize_run.watch import (
    Watch,
    count,
    late_lines,
    lost_lines,
    situation,
    token_lines,
    unlisted_lines,
    urgency_line,
)

MAX_SUBJECT = 100  # characters; SNS's limit
MAX_MESSAGE = 60_000  # bytes; SNS and Step Functions allow 262,144, and nobody reads as many
NAMED = 50  # repositories named for each kind of failure; the rest is counted

CURES = {
    FAILED: "GitHub failed to answer; the next run asks again.",
    NOT_REACHED: "The run ended before them; look at the execution, then start it again.",
    NO_PUSH_ACCESS: "Ask an administrator for push access, or exclude them.",
    NO_PERMISSION: "Give the token the permission Administration (read).",
    SSO_NEEDED: "Authorize the token for the organization: GitHub > Settings > Developer settings > Configure SSO.",
    BLOCKED: "GitHub blocks access; its message says why.",
    GONE: "Deleted, hidden or moved out of reach; what was captured is kept.",
    "GitHubAuthError": "Replace the token: traffic token.",
    "GitHubLimitError": "Nothing: the next run asks again. Another program may be using up the token's limit.",
    "GitHubRejectionError": "A bug in this program, or a GitHub that has changed: please report it.",
    "TokenPermissionError": "Give the token the permission Administration (read), or use a classic token with repo.",
    "InvalidInputError": "Start the execution again with a valid input.",
    "IncompleteReplayError": "Start the execution again: what is stored already does not change.",
    "InvalidSettingError": "Deploy again with a valid setting.",
    "TokenUnavailableError": "Look whether the secret exists and the functions' roles may read it.",
}


def subject(
    run_day: str, error: str, results: Sequence[Result], seen: Watch | None = None, done: str = "captured"
) -> str:
    """Say in at most 100 ASCII characters the day and the one thing to know."""
    captured = sum(result.outcome == CAPTURED for result in results)
    if error:
        text = f"GitHub traffic {run_day}: FAILED, {error}"
    elif captured == len(results):
        text = f"GitHub traffic {run_day}: {captured} repositories {done}"
    else:
        text = f"GitHub traffic {run_day}: {captured} of {len(results)} repositories {done}"
    if seen is not None and seen.token_days_left is not None and seen.token_ends_soon:
        text += f", token expires in {count(max(seen.token_days_left, 0))}"
    return _printable(text).encode("ascii", "replace").decode()[:MAX_SUBJECT]


def message(
    state: RunState,
    problem: tuple[str, str],
    results: Sequence[Result],
    seen: Watch | None = None,
    day_items: Mapping[str, Mapping[str, int]] | None = None,
) -> str:
    """Write the summary.

    Args:
        state: What the definition carried here.
        problem: The error that the run fails with and what is known of its cause; both empty where it succeeded.
        results: What came of each repository.
        seen: What is in danger; None for a replay from the archive, which knows nothing of today.
        day_items: For a re-run of one day, that day's metrics by repository.
    """
    error, cause = problem
    lines = [
        f"The run failed: {error}." if error else "The run succeeded.",
        *([_printable(cause)] if error and cause else []),
        *([f"What to do: {CURES[error]}"] if error in CURES else []),
    ]
    sections = [
        _counts(state, results),
        _watch(seen),
        _one_day(state, day_items),
        *_failures(results, seen),
        [_printable(line) for line in (unlisted_lines(seen, NAMED) if seen else [])],
        [_printable(line) for line in (lost_lines(seen, NAMED) if seen else [])],
        _listing(state),
        [f"Execution: {_printable(state['run']['id'])}"],
    ]
    for section in sections:
        lines += ["", *section] if section else []
    return _bounded(lines)


def _counts(state: RunState, results: Sequence[Result]) -> list[str]:
    captured = sum(result.outcome == CAPTURED for result in results)
    changed = sum(result.items_changed for result in results)
    done = "captured"
    if "held" in state.get("manifest", {}):
        done = f"stored again from {state['manifest']['batches']} objects of the archive, GitHub was not asked"
    lines = [f"{captured} of {len(results)} repositories {done}, {changed} days new or changed."]
    newest = max((result.newest_day or "" for result in results), default="")
    if newest:
        lines.append(f"Newest day GitHub reported: {newest}.")
    lowered = sum(result.lowered for result in results)
    if lowered:
        lines.append(f"{lowered} numbers were lower than before; the higher ones are kept.")
    return lines


def _watch(seen: Watch | None) -> list[str]:
    return [*token_lines(seen), *late_lines(seen), *urgency_line(seen)] if seen else []


def cause_text(state: RunState, stopped: Mapping[str, str] | None) -> str:
    """Give the words of what ended the run."""
    if stopped is not None:
        return stopped["cause"]
    caught = state.get("problem", {}).get("Cause", "")
    try:  # Lambda's errors come as JSON
        return str(json.loads(caught)["errorMessage"])
    except (ValueError, TypeError, KeyError):
        return caught


def _one_day(state: RunState, day_items: Mapping[str, Mapping[str, int]] | None) -> list[str]:
    if not day_items or "date" not in state["run"]:
        return []
    lines = [f"{state['run']['date']}:"]
    for name, metrics in sorted(day_items.items())[:NAMED]:
        numbers = ", ".join(f"{metric.replace('-', ' ')} {value}" for metric, value in sorted(metrics.items()))
        lines.append(f"  {_printable(name)}: {numbers or 'GitHub reports nothing'}")
    if len(day_items) > NAMED:
        lines.append(f"  and {len(day_items) - NAMED} more")
    return lines


def _failures(results: Sequence[Result], seen: Watch | None) -> list[list[str]]:
    """Write a section for each kind of failure."""
    by_outcome: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.outcome != CAPTURED:
            by_outcome[result.outcome].append(result)
    sections: list[list[str]] = []
    for outcome, failed in sorted(by_outcome.items()):
        lines = [f"{len(failed)} {outcome}. {CURES.get(outcome, '')}".rstrip()]
        lines += [_failure(result, seen) for result in failed[:NAMED]]
        if len(failed) > NAMED:
            lines.append(f"  and {len(failed) - NAMED} more")
        sections.append(lines)
    return sections


def _failure(result: Result, seen: Watch | None) -> str:
    line = f"  {_printable(result.name)} {_printable(result.detail)}".rstrip()
    if seen is not None and result.id in seen.failing:
        line += f" ({situation(seen.failing[result.id], seen.today)})"
    return line


def _listing(state: RunState) -> list[str]:
    listing = state.get("listing")
    if not listing:
        return []
    lines: list[str] = []
    hidden = listing.get("hidden_organizations")
    if hidden:
        lines.append(f"{len(hidden)} organizations are hidden from the token. {CURES[SSO_NEEDED]}")
    missing = listing.get("missing", [])
    if missing:
        names = ", ".join(_printable(name) for name in missing[:NAMED])
        lines.append(f"{len(missing)} repositories of the settings were not found: {names}")
    if "token_expires" in listing:
        lines.append(f"The token expires on {_printable(listing['token_expires'])}.")
    return lines


def _bounded(lines: Sequence[str]) -> str:
    """Join lines, and count those that would go beyond the limit instead of sending them."""
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line.encode()) + 1
        if size > MAX_MESSAGE:
            return "\n".join([*kept, f"({len(lines) - len(kept)} lines more)"])
        kept.append(line)
    return "\n".join(kept)


def _printable(text: str) -> str:
    """Take from a stranger's text what could move a cursor or end a line."""
    return "".join(char if char.isprintable() else "?" for char in text)

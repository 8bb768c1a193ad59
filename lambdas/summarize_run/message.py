"""The summary as people read it: plain text for the e-mail and the terminal. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from lambdas.summarize_run.dangers import (
    Dangers,
    excluded_line,
    late_lines,
    lost_lines,
    situation,
    token_lines,
    unlisted_lines,
    unreached_line,
    urgency_line,
)
from lambdas.summarize_run.deadlines import count
from lambdas.summarize_run.headline import Facts, first_line, names_and_owners, printable
from lambdas.summarize_run.outcome import NAMED, NOT_REACHED, Result
from lambdas.summarize_run.refusals import waiting_lines
from lambdas.summarize_run.stale import stale_lines
from traffic.contract import RunState
from traffic.github.answers import (
    ADDRESS_NOT_ALLOWED,
    BLOCKED,
    CAPTURED,
    FAILED,
    GONE,
    LIFETIME_FORBIDDEN,
    NO_PERMISSION,
    NO_PUSH_ACCESS,
    SSO_NEEDED,
    version_end_text,
)
from traffic.github.tokens import token_text
from traffic.news_text import news_sections
from traffic.planning import not_due_text
from traffic.settings import misfit_lines
from traffic.wording import and_more, counted, plural, repositories

MAX_MESSAGE = 60_000  # bytes; SNS and Step Functions allow 262,144, and nobody reads that much

RAN_OUT = "Start the execution again. If it fails the same way, the function's log shows how far it came."

CURES = {
    FAILED: "GitHub failed to answer; the next run asks again.",
    NOT_REACHED: "The run or their child execution ended too early: traffic executions RUN shows why.",
    NO_PUSH_ACCESS: "Give the token Administration (read) if it is fine-grained, or repo if it is classic, and its"
    " owner push access; or exclude them.",
    NO_PERMISSION: "Give the token the permission Administration (read).",
    SSO_NEEDED: "Authorize the token for the organization: GitHub > Settings > Developer settings > Configure SSO.",
    LIFETIME_FORBIDDEN: "Shorten the token's lifetime at the address that GitHub names, or make a new token.",
    ADDRESS_NOT_ALLOWED: "Have the address added to the organization's IP allow list, or run from a network it allows.",
    BLOCKED: "GitHub blocks access; its message says why.",
    GONE: "Deleted, hidden or moved out of reach; what was captured is kept.",
    "ArchiveBusyError": "Start the execution again: what is stored already does not change.",
    "GitHubUnavailableError": "Nothing: the next run asks again. If it fails too, see https://www.githubstatus.com",
    "TableBusyError": "Start the execution again: what is stored already does not change.",
    "GitHubAuthError": "Replace the token: traffic token. If there are several: traffic token --owner OWNER.",
    "GitHubLimitError": "Nothing: the next run asks again. Another program may be using up the token's limit.",
    "GitHubRejectionError": "This is a bug in this program, or GitHub has changed: please report it.",
    "TokenPermissionError": "Give the token the permission Administration (read), or use a classic token with repo.",
    "InvalidInputError": "Start the execution again with a valid input.",
    "NothingSelectedError": "Correct the settings (traffic settings shows them), or give the token repositories that it"
    " can push to.",
    "IncompleteReplayError": "Start the execution again: what is stored already does not change.",
    "InvalidSettingError": "Deploy again with a valid setting.",
    "TokenUnavailableError": "Check that the secret exists and that the functions' roles may read it.",
    "Sandbox.Timedout": RAN_OUT,
    "States.Timeout": RAN_OUT,
    "Runtime.ExitError": RAN_OUT,
    "Lambda.Unknown": RAN_OUT,
    "Runtime.OutOfMemory": "Raise the function's memory in stacks/functions.py, deploy, and start the execution again.",
}


def message(facts: Facts, links: Sequence[str]) -> str:
    """Write the summary: healthy or not, what changed, what failed and what to do about it, deadlines, links."""
    state, results, dangers, error = facts.state, facts.results, facts.dangers, facts.error
    sections = [
        [
            first_line(error, facts.cause, facts.concerns, len(dangers.refusals.known) if dangers else 0),
            *([f"What to do: {CURES[error]}"] if error in CURES else []),
        ],
        _counts(state, results),
        _one_day(state, facts.day_items),
        *news_sections(facts.news, digest=facts.digest),
        *_failures(results, dangers, every=facts.digest or bool(error)),
        *(_dangers(facts, dangers) if dangers else []),
        _listing(state),
        [f"Execution: {state['run']['id']}", *links],
    ]
    written = "\n\n".join("\n".join(printable(line) for line in section) for section in sections if section)
    return _bounded(written.split("\n"), len(links) + 1)


def links(execution_arn: str | None, *, console: str | None) -> list[str]:
    """Write where to look further: the execution in the console, and the command that makes the report.

    Args:
        execution_arn: The ARN of the execution; None if the run does not know it.
        console: The address of AWS's console in the region of the run; None on a laptop, which has no console.
    """
    report = f"Charts and all history: traffic report{' --aws' if console else ''}"
    if console is None or execution_arn is None:
        return [report]
    region = execution_arn.split(":")[3]
    return [f"{console}/states/home?region={region}#/v2/executions/details/{execution_arn}", report]


def _counts(state: RunState, results: Sequence[Result]) -> list[str]:
    captured = sum(result.outcome == CAPTURED for result in results)
    changed = sum(result.items_changed for result in results)
    done = "captured"
    if "held" in state.get("manifest", {}):
        objects = counted(state["manifest"]["batches"], "object", "objects")
        done = f"stored again from {objects} of the archive (GitHub was not asked)"
    lines = [f"{captured} of {repositories(len(results))} {done}, {count(changed)} new or changed."]
    waiting = not_due_text(state.get("manifest", {}).get("not_due", {}))
    if waiting:
        lines.append(waiting)
    newest = max((result.newest_day or "" for result in results), default="")
    if newest:
        lines.append(f"Newest day GitHub reported: {newest}.")
    lowered = sum(result.lowered for result in results)
    if lowered:
        lower = counted(lowered, "number was", "numbers were")
        lines.append(f"{lower} lower than before; the higher {plural(lowered, 'one is', 'ones are')} kept.")
    return lines


def _dangers(facts: Facts, dangers: Dangers) -> list[list[str]]:
    stale = {result.id: result.name for result in facts.results if result.id in dangers.stale.ends}
    return [
        waiting_lines(dangers.refusals.waiting, NAMED) if facts.digest else [],
        [*token_lines(dangers), *late_lines(dangers), *urgency_line(dangers), *unreached_line(dangers)],
        stale_lines(dangers.stale, stale, NAMED),
        [*unlisted_lines(dangers, NAMED), *excluded_line(dangers)],
        lost_lines(dangers, NAMED),
    ]


def _one_day(state: RunState, day_items: Mapping[str, Mapping[str, int]]) -> list[str]:
    if not day_items or "date" not in state["run"]:
        return []
    lines = [f"{state['run']['date']}:"]
    for name, metrics in sorted(day_items.items())[:NAMED]:
        numbers = ", ".join(f"{metric.replace('-', ' ')} {value}" for metric, value in sorted(metrics.items()))
        lines.append(f"  {name}: {numbers or 'GitHub reports nothing'}")
    return lines + and_more(len(day_items), NAMED)


def _failures(results: Sequence[Result], dangers: Dangers | None, *, every: bool) -> list[list[str]]:
    """Write a section for each kind of failure. Refusals as before are counted, unless `every` failure is wanted."""
    known = dangers.refusals.known if dangers and not every else frozenset()
    by_outcome: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.outcome != CAPTURED and result.id not in known:
            by_outcome[result.outcome].append(result)
    sections: list[list[str]] = []
    for outcome, failed in sorted(by_outcome.items()):
        lines = [f"{len(failed)} {outcome}. {CURES.get(outcome, '')}".rstrip()]
        lines += [line for result in failed[:NAMED] for line in _failure(result, dangers)]
        sections.append(lines + and_more(len(failed), NAMED))
    if known:
        them = plural(len(known), "it", "them")
        sections.append([f"{len(known)} not captured: GitHub refuses {them} as before. Monday's summary lists {them}."])
    return sections


def _failure(result: Result, dangers: Dangers | None) -> list[str]:
    lines = [f"  {result.name}", *([f"    {result.detail}"] if result.detail else [])]
    if dangers is not None and result.id in dangers.failing:
        lines.append(f"    {situation(dangers.failing[result.id], dangers.today)}")
    return lines


def _listing(state: RunState) -> list[str]:
    listing = state.get("listing")
    if not listing:
        return []
    lines: list[str] = []
    hidden = listing.get("hidden_organizations")
    if hidden:
        organizations = counted(len(hidden), "organization is", "organizations are")
        lines.append(f"{organizations} hidden from the token. {CURES[SSO_NEEDED]}")
    names, owners = names_and_owners(listing.get("missing", ()))
    if names:
        lines.append(f"Repositories in the settings that were not found ({len(names)}): {_named(names)}")
    if owners:
        lines.append(f"Owners in the settings without repositories ({len(owners)}): {_named(owners)}")
    lines += [f"{line}." for line in misfit_lines(listing.get("globs", {}))]
    if "version_end" in listing:
        end = version_end_text(listing["version_end"])
        lines.append(f"{end[0].upper()}{end[1:]}. Update this program before that.")
    expiring = {owner: token["expires"] for owner, token in listing.get("tokens", {}).items() if "expires" in token}
    lines += [f"T{token_text(owner)[1:]} expires on {expires}." for owner, expires in sorted(expiring.items())[:NAMED]]
    return lines


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def _bounded(lines: Sequence[str], last: int) -> str:
    """Join lines. If they exceed the limit, leave out lines before the last few, and write how many."""
    room = MAX_MESSAGE - sum(len(line.encode()) + 1 for line in lines[-last:]) - len("(1000000 lines more)\n\n")
    kept: list[str] = []
    for line in lines[:-last]:
        room -= len(line.encode()) + 1
        if room < 0:
            left_out = len(lines) - last - len(kept)
            return "\n".join([*kept, f"({left_out} {plural(left_out, 'line', 'lines')} more)", "", *lines[-last:]])
        kept.append(line)
    return "\n".join(lines)

"""Healthy or not: the summary's subject, its first line, and the kind that subscriptions filter by. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lambdas.summarize_run.dangers import Dangers
from lambdas.summarize_run.deadlines import count
from lambdas.summarize_run.outcome import Result
from traffic.clock import start_of
from traffic.contract import RunState
from traffic.github.answers import CAPTURED, ends_soon
from traffic.news_text import highlight
from traffic.settings import matches_nothing
from traffic.unusual import News
from traffic.wording import plural, repositories

MAX_SUBJECT = 100  # characters; SNS's limit
DIGEST = 0  # date.weekday() of the runs whose summary covers the week: Monday, when Sunday is the newest day

Kind = Literal["healthy", "problem", "digest"]

WANTED: dict[str, tuple[Kind, ...]] = {  # by the value of the setting SummaryMail
    "all": ("healthy", "problem", "digest"),
    "weekly": ("problem", "digest"),
    "problems": ("problem",),
}


@dataclass(frozen=True)
class Facts:
    """What a summary reports.

    Attributes:
        state: The state of the run.
        results: The result of each repository.
        error: The error that the run fails with; empty if it succeeded.
        cause: The reason of the error, in words; empty if it is not known, or if there is no error.
        concerns: What somebody should look at, in a few words each.
        dangers: What is in danger; None for a replay from the archive, which did not ask GitHub.
        news: What changed; None for a replay, or if GitHub returned no day completely.
        digest: Whether to sum up the week.
        day_items: For a re-run of one day, that day's metrics by repository.
    """

    state: RunState
    results: Sequence[Result]
    error: str
    cause: str = ""
    concerns: Sequence[str] = ()
    dangers: Dangers | None = None
    news: News | None = None
    digest: bool = False
    day_items: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def is_digest(today: str) -> bool:
    """Return whether the run of a day sums up the week."""
    return start_of(today).weekday() == DIGEST


def kind_of(error: str, concerns: Sequence[str], *, digest: bool) -> Kind:
    """Return the kind of a summary. A problem is a problem on the day of the digest, too."""
    if error or concerns:
        return "problem"
    return "digest" if digest else "healthy"


def concerns_of(state: RunState, results: Sequence[Result], dangers: Dangers) -> list[str]:
    """Write, in a few words each, what somebody should look at; empty if the run was healthy."""
    listing = state.get("listing", {})
    not_captured = sum(result.outcome != CAPTURED for result in results) - len(dangers.refusals.known)
    names, owners = names_and_owners(listing.get("missing", ()))
    counted = {
        "not captured": not_captured,
        "not listed any more": len(dangers.unlisted),
        "with stale answers": dangers.stale.in_danger,
        "with lost days": len(dangers.lost),
        "of the settings not found": len(names),
    }
    concerns = [f"{repositories(many)} {what}" for what, many in counted.items() if many]
    if owners:
        concerns.append(f"{len(owners)} {plural(len(owners), 'owner', 'owners')} of the settings without repositories")
    idle = sum(matches_nothing(glob) for globs in listing.get("globs", {}).values() for glob in globs)
    if idle:
        concerns.append(f"{idle} {plural(idle, 'glob', 'globs')} of the settings without any effect")
    if dangers.token_ends_soon:
        concerns.append(_token(dangers))
    if dangers.is_late:
        concerns.append("GitHub is late")
    if ends_soon(listing.get("version_end", {}), dangers.today):
        concerns.append("GitHub ends the API's version soon")
    if listing.get("hidden_organizations"):
        concerns.append("organizations are hidden from the token")
    return concerns


def names_and_owners(missing: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate the names of repositories from the owners that are in the settings and were not listed."""
    return [name for name in missing if "/" in name], [name for name in missing if "/" not in name]


def first_line(error: str, cause: str, concerns: Sequence[str], refused: int = 0) -> str:
    """Write whether the run was healthy.

    Args:
        error: The error that the run fails with; empty if it succeeded.
        cause: The reason of the error, if known.
        concerns: What somebody should look at.
        refused: The number of repositories that GitHub refuses as before.
    """
    if error:
        return f"The run failed: {cause.rstrip('.')} ({error})." if cause else f"The run failed: {error}."
    if concerns:
        return f"Needs attention: {', '.join(concerns)}."
    rest = f", except {repositories(refused)} that GitHub refuses as before" if refused else ""
    return f"Healthy: everything was captured{rest}."


def subject(facts: Facts, run_day: str) -> str:
    """Write the day and the most important fact, in at most 100 ASCII characters."""
    listed, captured = len(facts.results), sum(result.outcome == CAPTURED for result in facts.results)
    text = f"GitHub traffic {run_day}: "
    if facts.error:
        text += f"FAILED, {facts.error}"
    else:
        done = "captured" if facts.dangers else "stored again"
        text += f"{'' if captured == listed else f'{captured} of '}{repositories(listed)} {done}"
    name, fact = highlight(facts.news, digest=facts.digest)
    if facts.dangers is not None and facts.dangers.token_ends_soon:
        name, fact = "", _token(facts.dangers)
    elif facts.dangers is not None and facts.dangers.is_late:
        name, fact = "", "GitHub is late"
    if fact:
        text += f", {shortened(name, MAX_SUBJECT - len(text) - len(fact) - 4)}{': ' if name else ''}{fact}"
    return printable(text).encode("ascii", "replace").decode()[:MAX_SUBJECT]


def shortened(text: str, room: int) -> str:
    """Cut a text to at most `room` characters."""
    return text if len(text) <= room else f"{text[: max(room - 3, 0)]}..."


def printable(text: str) -> str:
    """Replace characters of a stranger's text that could move a cursor or end a line."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _token(dangers: Dangers) -> str:
    return f"token expires in {count(max(dangers.token_days_left or 0, 0))}"

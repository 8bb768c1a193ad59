"""Healthy or not: the summary's subject, its first line, and the kind that subscriptions filter by. Pure."""

from collections.abc import Sequence
from typing import Literal

from lambdas.summarize_run.dangers import Watch
from lambdas.summarize_run.deadlines import count
from lambdas.summarize_run.facts import Account
from lambdas.summarize_run.news_text import highlight
from lambdas.summarize_run.outcome import Result
from traffic.clock import start_of
from traffic.contract import RunState
from traffic.github.answers import CAPTURED, ends_soon

MAX_SUBJECT = 100  # characters; SNS's limit
DIGEST = 0  # date.weekday() of the runs that sum the week up: Monday, when Sunday is the newest day

Kind = Literal["healthy", "problem", "digest"]

WANTED: dict[str, tuple[Kind, ...]] = {  # by the value of the setting SummaryMail
    "all": ("healthy", "problem", "digest"),
    "weekly": ("problem", "digest"),
    "problems": ("problem",),
}


def is_digest(today: str) -> bool:
    """Tell whether a run of a day sums the week up."""
    return start_of(today).weekday() == DIGEST


def kind_of(error: str, concerns: Sequence[str], *, digest: bool) -> Kind:
    """Tell of which kind a summary is: a problem comes first, also on the day of the digest."""
    if error or concerns:
        return "problem"
    return "digest" if digest else "healthy"


def concerns_of(state: RunState, results: Sequence[Result], seen: Watch) -> list[str]:
    """Name, in a few words each, what somebody should look at; empty where a run was healthy."""
    listing = state.get("listing", {})
    not_captured = sum(result.outcome != CAPTURED for result in results) - len(seen.refusals.known)
    names, owners = names_and_owners(listing.get("missing", ()))
    counted = {
        "not captured": not_captured,
        "not listed any more": len(seen.unlisted),
        "with stale answers": seen.stale.in_danger,
        "with lost days": len(seen.lost),
        "of the settings not found": len(names),
    }
    said = [f"{_repositories(many)} {what}" for what, many in counted.items() if many]
    if owners:
        said.append(
            f"{'1 owner' if len(owners) == 1 else f'{len(owners)} owners'} of the settings without repositories"
        )
    if not results:
        said.append("nothing was listed")
    if seen.token_ends_soon:
        said.append(_token(seen))
    if seen.is_late:
        said.append("GitHub is late")
    if ends_soon(listing.get("version_end", {}), seen.today):
        said.append("GitHub ends the API's version soon")
    if listing.get("hidden_organizations"):
        said.append("organizations are hidden from the token")
    return said


def names_and_owners(missing: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part what the listing did not bring of the settings: names of repositories, and owners."""
    return [name for name in missing if "/" in name], [name for name in missing if "/" not in name]


def first_line(error: str, concerns: Sequence[str], refused: int = 0) -> str:
    """Say whether all is well.

    Args:
        error: What the run fails with; empty where it succeeded.
        concerns: What somebody should look at.
        refused: How many repositories GitHub refuses as it did before.
    """
    if error:
        return f"The run failed: {error}."
    if concerns:
        return f"Needs attention: {', '.join(concerns)}."
    rest = f", except {_repositories(refused)} that GitHub refuses as before" if refused else ""
    return f"Healthy: everything was captured{rest}."


def subject(told: Account, run_day: str) -> str:
    """Say in at most 100 ASCII characters the day and the one thing to know."""
    listed, captured = len(told.results), sum(result.outcome == CAPTURED for result in told.results)
    text = f"GitHub traffic {run_day}: "
    if told.error:
        text += f"FAILED, {told.error}"
    else:
        done = "captured" if told.seen else "stored again"
        text += f"{captured if captured == listed else f'{captured} of {listed}'} repositories {done}"
    name, said = highlight(told.changed, digest=told.digest)
    if told.seen is not None and told.seen.token_ends_soon:
        name, said = "", _token(told.seen)
    elif told.seen is not None and told.seen.is_late:
        name, said = "", "GitHub is late"
    if said:
        text += f", {shortened(name, MAX_SUBJECT - len(text) - len(said) - 4)}{': ' if name else ''}{said}"
    return printable(text).encode("ascii", "replace").decode()[:MAX_SUBJECT]


def shortened(text: str, room: int) -> str:
    """Cut a text to so many characters."""
    return text if len(text) <= room else f"{text[: max(room - 3, 0)]}..."


def printable(text: str) -> str:
    """Take from a stranger's text what could move a cursor or end a line."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _token(seen: Watch) -> str:
    return f"token expires in {count(max(seen.token_days_left or 0, 0))}"


def _repositories(many: int) -> str:
    return "1 repository" if many == 1 else f"{many} repositories"

"""The numbers that the alarms watch: what a run captured, and how near the deadlines are."""

from collections.abc import Sequence

from lambdas.shared.metrics import write
from lambdas.summarize_run.dangers import Watch
from lambdas.summarize_run.outcome import Result
from traffic.errors import GitHubAuthError
from traffic.github.answers import CAPTURED

SERVICE = "summarize_run"  # the dimension `service`


def publish(results: Sequence[Result], seen: Watch, error: str) -> None:
    """Write what a run captured, and how near the deadlines are; what is not known is not written.

    `Failed` leaves out what GitHub refuses as it did before: an alarm that never ends would hide the next failure.

    `TokenExpiring` is 1 or 0 and always written: where a token that ends is replaced by one that never does, GitHub
    says no more when it ends, and an alarm on `TokenDaysLeft` would stay as it was for good.
    """
    captured = sum(result.outcome == CAPTURED for result in results)
    write(
        SERVICE,
        {
            "Captured": captured,
            "Failed": len(results) - captured - len(seen.refusals.known),
            "NewestDayAgeDays": seen.newest_day_age,
            "TokenDaysLeft": seen.token_days_left,
            "TokenExpiring": int(seen.token_ends_soon or error == GitHubAuthError.__name__),
        },
    )


def publish_refusal() -> None:
    """Write that the token is refused, where nothing could even be listed."""
    write(SERVICE, {"TokenExpiring": 1})


def publish_subscriptions(confirmed: int | None) -> None:
    """Write how many e-mail addresses get the summaries; what is not known is not written."""
    if confirmed is not None:
        write(SERVICE, {"EmailSubscriptions": confirmed})

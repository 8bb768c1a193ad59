"""What a summary tells of, gathered for those who write it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lambdas.summarize_run.dangers import Watch
from lambdas.summarize_run.news import News
from lambdas.summarize_run.outcome import Result
from traffic.contract import RunState


@dataclass(frozen=True)
class Account:
    """What a summary tells of.

    Attributes:
        state: What the definition carried here.
        results: What came of each repository.
        error: The error that the run fails with; empty where it succeeded.
        cause: What is known of the error's cause.
        concerns: In a few words each, what somebody should look at.
        seen: What is in danger; None for a replay from the archive, which knows nothing of today.
        changed: What changed; None for a replay, and where GitHub told no day whole.
        digest: Whether to sum the week up.
        day_items: For a re-run of one day, that day's metrics by repository.
    """

    state: RunState
    results: Sequence[Result]
    error: str
    cause: str = ""
    concerns: Sequence[str] = ()
    seen: Watch | None = None
    changed: News | None = None
    digest: bool = False
    day_items: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

"""Reads an execution's history: which states it passed through, how often each was tried, and why it failed.

Source:
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

ENDED_BADLY = ("Failed", "TimedOut", "Aborted")


@dataclass
class StateVisit:
    """One passage through a state.

    Attributes:
        name: The state's name in the definition.
        kind: `Task`, `Map`, `Wait`, `Choice`, `Pass`, `Succeed` or `Fail`.
        left: None while the state is being visited.
        attempts: How often its task was started; 0 for a state without a task.
        failures: `Error: cause` of each attempt that failed, in order.
        until: The end of a Wait state, from the state's input, such as `2026-11-20T09:30:00Z`.
    """

    name: str
    kind: str
    entered: datetime
    left: datetime | None = None
    attempts: int = 0
    failures: list[str] = field(default_factory=list)
    until: str | None = None

    @property
    def retries(self) -> int:
        """How often the task was started again."""
        return max(self.attempts - 1, 0)

    def seconds(self, now: datetime) -> float:
        """Return how long the visit took, or has taken until now."""
        return ((self.left or now) - self.entered).total_seconds()


def state_visits(events: Iterable[Mapping[str, Any]]) -> list[StateVisit]:
    """Read the passages through states from a history, in its order.

    The definition has no Parallel state and its Map is distributed. So states follow one another, and each event
    belongs to the state that was entered last.
    """
    visits: list[StateVisit] = []
    for event in events:
        kind, moment = event["type"], event["timestamp"]
        if kind.endswith("StateEntered"):
            _leave(visits, moment)
            visits.append(_entered(event))
        elif kind.endswith("StateExited") or kind.startswith("Execution"):
            _leave(visits, moment)
        elif kind in ("TaskScheduled", "LambdaFunctionScheduled") and visits:
            visits[-1].attempts += 1
        elif kind.endswith(ENDED_BADLY) and visits:
            visits[-1].failures.append(_reason(event))
    return visits


def _entered(event: Mapping[str, Any]) -> StateVisit:
    details = event.get("stateEnteredEventDetails", {})
    visit = StateVisit(details.get("name", "?"), event["type"].removesuffix("StateEntered"), event["timestamp"])
    if visit.kind in ("Fail", "Succeed"):
        visit.left = visit.entered  # they end the execution: its history has no event for leaving them
    if visit.kind == "Wait":
        visit.until = _resume_at(details.get("input"))
    return visit


def _leave(visits: list[StateVisit], moment: datetime) -> None:
    if visits and visits[-1].left is None:
        visits[-1].left = moment


def _reason(event: Mapping[str, Any]) -> str:
    """Return why something failed, as its event reports it: `GitHubUnavailableError: ...`."""
    details: Mapping[str, Any] = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
    return explain(details.get("error"), details.get("cause")) or str(event["type"])


def explain(error: str | None, cause: str | None) -> str:
    """Join an error and its cause. If the cause is Lambda's report in JSON, use only the message in it.

    Source:
        https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    try:
        reported = json.loads(cause or "")
        cause = reported.get("errorMessage") or cause
    except (ValueError, AttributeError):
        pass  # a cause is free text, unless Lambda wrote it
    return ": ".join(part for part in (error, cause) if part)


def waiting_until(newest_first: Iterable[Mapping[str, Any]], now: datetime) -> datetime | None:
    """Return until when an execution waits at the rate limit.

    Args:
        newest_first: The last events of its history, the newest first.
        now: A `resume_at` before this moment is over already.

    Returns:
        The time at which it continues; None if it is not waiting.
    """
    for event in newest_first:
        if event["type"].endswith(("Scheduled", "Started")):
            return None
        text = event.get("stateEnteredEventDetails", {}).get("input") or event.get("taskSucceededEventDetails", {}).get(
            "output"
        )
        resume_at = _resume_at(text)
        if resume_at is not None:
            moment = datetime.fromisoformat(resume_at)
            return moment if moment > now else None
    return None


def _resume_at(text: str | None) -> str | None:
    """Find `resume_at` in a state's input or in a function's answer."""
    try:
        payload = json.loads(text or "{}")
    except ValueError:  # the API cuts long texts
        return None
    if isinstance(payload, dict):
        payload = payload.get("Payload", payload)
    found = payload.get("resume_at") if isinstance(payload, dict) else None
    return found if isinstance(found, str) else None

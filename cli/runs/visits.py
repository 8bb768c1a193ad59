"""What an execution's history tells: which state ran when, how often it was tried, and why it failed.

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
        attempts: How often its task was begun; 0 for a state without one.
        failures: `Error: cause` of each attempt that failed, in order.
        until: Until when a Wait state waits, as the state's input says.
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
        """How often the task was begun again."""
        return max(self.attempts - 1, 0)

    def seconds(self, now: datetime) -> float:
        """Say how long the visit took, or has taken until now."""
        return ((self.left or now) - self.entered).total_seconds()


def state_visits(events: Iterable[Mapping[str, Any]]) -> list[StateVisit]:
    """Read the passages through states from a history, in its order.

    The definition has no Parallel state and its Map is distributed, so that states follow one
    another and an event belongs to the state entered last.
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
            visits[-1].failures.append(why(event))
    return visits


def _entered(event: Mapping[str, Any]) -> StateVisit:
    details = event.get("stateEnteredEventDetails", {})
    visit = StateVisit(details.get("name", "?"), event["type"].removesuffix("StateEntered"), event["timestamp"])
    if visit.kind in ("Fail", "Succeed"):
        visit.left = visit.entered  # they end the execution: nothing is ever told of leaving them
    if visit.kind == "Wait":
        visit.until = _resume_at(details.get("input"))
    return visit


def _leave(visits: list[StateVisit], moment: datetime) -> None:
    if visits and visits[-1].left is None:
        visits[-1].left = moment


def why(event: Mapping[str, Any]) -> str:
    """Say why something failed, in the words of its event: `GitHubUnavailableError: ...`."""
    details: Mapping[str, Any] = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
    return explain(details.get("error"), details.get("cause")) or str(event["type"])


def explain(error: str | None, cause: str | None) -> str:
    """Join an error and its cause; of what Lambda reports as JSON, the message alone.

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
    """Say until when an execution waits at the rate limit.

    Args:
        newest_first: The last events of its history, the newest first.
        now: A `resume_at` before it is over already.

    Returns:
        The time it goes on, or None where it is at work.
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
    """Find `resume_at` in a state's input or in what a function answered."""
    try:
        payload = json.loads(text or "{}")
    except ValueError:  # the console's API cuts long texts
        return None
    if isinstance(payload, dict):
        payload = payload.get("Payload", payload)
    found = payload.get("resume_at") if isinstance(payload, dict) else None
    return found if isinstance(found, str) else None

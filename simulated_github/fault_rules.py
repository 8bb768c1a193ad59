"""Rules that decide which calls fail, and how."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypedDict

from simulated_github.faults import FAULTS, Fault
from simulated_github.simulated_clock import format_time, parse_time

EndpointKind = Literal["views", "clones", "referrers", "paths", "repository", "list", "user", "rate_limit"]
ENDPOINT_KINDS = ("views", "clones", "referrers", "paths", "repository", "list", "user", "rate_limit")


class FaultRuleError(ValueError):
    """A rule in JSON is wrong; its author has to correct it."""


class Strikes(TypedDict, total=False):
    """Conditions on a call; a call must fulfil all that are given."""

    repository: str  # owner/name, the current name or the one in the call
    endpoint: EndpointKind
    first: int  # the first matching call to fail, counted from 1
    count: int  # number of calls to fail; absent: all
    every: int  # only each nth matching call fails: with 2, faults alternate with good answers
    since: str  # simulated time
    until: str


@dataclass
class FaultRule:
    """A fault, its conditions, and the number of calls that matched."""

    fault: Fault
    repository: str | None = None
    endpoint: EndpointKind | None = None
    first: int = 1
    count: int | None = None
    every: int = 1
    since: datetime | None = None
    until: datetime | None = None
    matched: int = field(default=0, init=False)

    def strikes(self, names: set[str], endpoint: str | None, now: datetime) -> bool:
        """Count a call if it matches, and return whether it fails.

        Args:
            names: The repository's current name and the one in the call, in lower case.
            endpoint: The endpoint of the call.
            now: The simulated time.
        """
        if self.repository is not None and self.repository.lower() not in names:
            return False
        if self.endpoint is not None and self.endpoint != endpoint:
            return False
        if (self.since and now < self.since) or (self.until and now >= self.until):
            return False
        self.matched += 1
        turn, rest = divmod(self.matched - self.first, self.every)
        return turn >= 0 and rest == 0 and (self.count is None or turn < self.count)

    def as_json(self) -> dict[str, Any]:
        """Return the rule for `GET /_faults`."""
        return {
            "fault": self.fault.name,
            "repository": self.repository,
            "endpoint": self.endpoint,
            "first": self.first,
            "count": self.count,
            "every": self.every,
            "since": self.since and format_time(self.since),
            "until": self.until and format_time(self.until),
            "matched": self.matched,
        }


def fault_rule(fault: Fault, strikes: Strikes) -> FaultRule:
    """Return the rule for a fault and its conditions."""
    times = {"since": _time(strikes.get("since")), "until": _time(strikes.get("until"))}
    return FaultRule(fault, **{**strikes, **times})  # type: ignore[arg-type]  # the TypedDict has the same fields


def rule_from_json(content: Any) -> FaultRule:
    """Parse `{"fault": "server_error", "arguments": {"status": 502}, "endpoint": "views", "count": 2}`.

    Raises:
        FaultRuleError: The fault, an argument, the endpoint or a time is unknown or wrong.
    """
    if not isinstance(content, dict) or content.get("fault") not in FAULTS:
        raise FaultRuleError(f'"fault" must be one of {", ".join(FAULTS)}')
    strikes = {key: value for key, value in content.items() if key not in {"fault", "arguments"} and value is not None}
    if strikes.get("endpoint", "views") not in ENDPOINT_KINDS:
        raise FaultRuleError(f'"endpoint" must be one of {", ".join(ENDPOINT_KINDS)}')
    if not all(isinstance(strikes.get(key, 1), int) for key in ("first", "count", "every")):
        raise FaultRuleError('"first", "count" and "every" must be integers')
    if strikes.get("every", 1) < 1:
        raise FaultRuleError('"every" must be 1 or more')
    try:
        fault = FAULTS[content["fault"]](**content.get("arguments", {}))
        return fault_rule(fault, strikes)  # type: ignore[arg-type]  # FaultRule rejects other keys
    except (TypeError, KeyError, ValueError) as exc:
        raise FaultRuleError(str(exc)) from exc


def _time(text: str | None) -> datetime | None:
    """Parse a time, if there is one."""
    return None if text is None else parse_time(text)

"""Where and when a fault strikes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypedDict

from simulated_github.faults import FAULTS, Fault
from simulated_github.simulated_clock import format_time, parse_time

EndpointKind = Literal["views", "clones", "referrers", "paths", "repository", "list", "user", "rate_limit"]
ENDPOINT_KINDS = ("views", "clones", "referrers", "paths", "repository", "list", "user", "rate_limit")


class FaultRuleError(ValueError):
    """A rule that came as JSON cannot be understood; its author has to mend it."""


class Strikes(TypedDict, total=False):
    """Where and when; what is absent does not matter."""

    repository: str  # owner/name, current or as asked for
    endpoint: EndpointKind
    first: int  # the matching call that it begins with, from 1
    count: int  # matching calls that it strikes; absent: all that come
    every: int  # of the matching calls each so many, from the first on: 2 lets a fault alternate with fine answers
    since: str  # simulated time
    until: str


@dataclass
class FaultRule:
    """A fault, where and when it strikes, and how often it might have."""

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
        """Count a call if it matches, and tell whether the fault strikes it.

        Args:
            names: The repository's current name and the one it was asked for, in lower case.
            endpoint: What was asked for.
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
        """Write it for `GET /_faults`."""
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
    """Make a rule."""
    times = {"since": _time(strikes.get("since")), "until": _time(strikes.get("until"))}
    return FaultRule(fault, **{**strikes, **times})  # type: ignore[arg-type]  # the TypedDict has the same fields


def rule_from_json(content: Any) -> FaultRule:
    """Read `{"fault": "server_error", "arguments": {"status": 502}, "endpoint": "views", "count": 2}`.

    Raises:
        FaultRuleError: There is no such fault, argument, endpoint or time.
    """
    if not isinstance(content, dict) or content.get("fault") not in FAULTS:
        raise FaultRuleError(f'"fault" must be one of {", ".join(FAULTS)}')
    strikes = {key: value for key, value in content.items() if key not in {"fault", "arguments"} and value is not None}
    if strikes.get("endpoint", "views") not in ENDPOINT_KINDS:
        raise FaultRuleError(f'"endpoint" must be one of {", ".join(ENDPOINT_KINDS)}')
    if not all(isinstance(strikes.get(key, 1), int) for key in ("first", "count", "every")):
        raise FaultRuleError('"first", "count" and "every" must be whole numbers')
    if strikes.get("every", 1) < 1:
        raise FaultRuleError('"every" must be 1 or more')
    try:
        fault = FAULTS[content["fault"]](**content.get("arguments", {}))
        return fault_rule(fault, strikes)  # type: ignore[arg-type]  # FaultRule refuses other keys
    except (TypeError, KeyError, ValueError) as exc:
        raise FaultRuleError(str(exc)) from exc


def _time(text: str | None) -> datetime | None:
    """Read a time, if there is one."""
    return None if text is None else parse_time(text)

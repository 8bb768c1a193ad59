"""The rules of the record: how what GitHub says now joins what is kept. Pure functions, no order, no clock.

Both merges are idempotent, commutative and associative, so answers stored late, twice or in any order end in the
same table. An absent cell is the identity: it changes nothing, and nothing is ever filled in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from traffic.record.spans import Spans, join


@dataclass(frozen=True)
class Day:
    """What is known of one day of one repository.

    Attributes:
        metrics: Of the four metrics (`views-count` ...) those that GitHub reported; a missing one is unknown, not zero.
        complete: Which of `views` and `clones` were returned for the whole day at least once.
    """

    metrics: Mapping[str, int] = field(default_factory=dict)
    complete: frozenset[str] = frozenset()


def merge_days(one: Day, other: Day) -> Day:
    """Join two reports of the same day: per metric the highest value ever reported is kept."""
    metrics = dict(one.metrics)
    for metric, value in other.metrics.items():
        metrics[metric] = max(value, metrics.get(metric, value))
    return Day(metrics, one.complete | other.complete)


def lowered(kept: Day, seen: Day) -> int:
    """Count the cells for which GitHub now says less than it said before."""
    return sum(value < kept.metrics.get(metric, value) for metric, value in seen.metrics.items())


@dataclass(frozen=True)
class Name:
    """A name that a repository bore.

    Attributes:
        first: The first capture under it, a time.
        last: The last day it was captured under it.
    """

    first: str
    last: str


@dataclass(frozen=True)
class Entry:
    """What is known of one repository, beside its days.

    Attributes:
        names: Every `owner/name` it bore.
        newest_day: The newest day GitHub reported; None before the first.
        captured_on: The last day on which everything that was to be asked was answered; None before the first.
        refusals: For each outcome but "captured", the last day it came.
        refused_before: For each of these outcomes, the last day it came before that one.
        covered: For views and for clones, the days that some answer covered whole.
        active: For views and for clones, the newest day on which there were any.
    """

    names: Mapping[str, Name] = field(default_factory=dict)
    newest_day: str | None = None
    captured_on: str | None = None
    refusals: Mapping[str, str] = field(default_factory=dict)
    covered: Mapping[str, Spans] = field(default_factory=dict)
    active: Mapping[str, str] = field(default_factory=dict)
    refused_before: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The current name: the one last seen; of two on the same day, the one that came later."""
        return max(self.names, key=lambda name: (self.names[name].last, self.names[name].first, name))


def merge_entries(one: Entry, other: Entry) -> Entry:
    """Join two reports of the same repository: per fact, the latest (for a name's beginning, the earliest) is kept."""
    names = dict(one.names)
    for name, seen in other.names.items():
        kept = names.get(name, seen)
        names[name] = Name(min(kept.first, seen.first), max(kept.last, seen.last))
    return Entry(
        names,
        _latest(one.newest_day, other.newest_day),
        _latest(one.captured_on, other.captured_on),
        _newest(one.refusals, other.refusals),
        {kind: join(one.covered.get(kind, ()), other.covered.get(kind, ())) for kind in (*one.covered, *other.covered)},
        _newest(one.active, other.active),
        _refused_before(one, other),
    )


def _refused_before(one: Entry, other: Entry) -> dict[str, str]:
    """Return the second newest day of each outcome: Summarize run reads the entry when the newest is already in it."""
    before: dict[str, str] = {}
    for outcome in (*one.refusals, *other.refusals):
        kept = (one.refusals, one.refused_before, other.refusals, other.refused_before)
        days = sorted({days[outcome] for days in kept if outcome in days})
        if len(days) > 1:
            before[outcome] = days[-2]
    return before


def _newest(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    return {name: max(one.get(name, ""), other.get(name, "")) for name in (*one, *other)}


def _latest(one: str | None, other: str | None) -> str | None:
    return max(one or "", other or "") or None

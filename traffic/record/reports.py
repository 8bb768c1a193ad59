"""Reads what one archive object reports about each of its repositories. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from traffic.clock import from_text
from traffic.contract import ENDPOINTS, OF_VIEWERS, ArchivedAnswer, Endpoint, ImportedHistory, WindowEnd
from traffic.github.answers import CAPTURED, Answer
from traffic.record.merge import Day, Entry, Name, Snapshot, Statement, merge_snapshots
from traffic.record.spans import Spans
from traffic.record.traffic_answers import (
    WindowAnswer,
    complete_days,
    days_behind,
    last_days,
    nobody_viewed,
    read_days,
    read_statement,
    read_window,
)


@dataclass(frozen=True)
class Report:
    """What GitHub, or another tool, reported about one repository.

    Attributes:
        repo_id: GitHub's numeric id.
        name: The `owner/name` under which the repository was asked for.
        captured_at: The time of GitHub's last answer.
        days: The views and clones of each day.
        answered: The endpoints that answered; if nobody viewed anything, also those that list viewers.
        outcome: "captured", or why not.
        detail: GitHub's message if it did not answer.
        covered: For views and for clones, the days that GitHub reported completely.
        snapshots: By day of capture, what GitHub reported of the window, apart from the days.
        imported: Whether another tool reported this.
        new: Whether GitHub confirmed the name.
        ends: For views and for clones, the end of the window, if GitHub lists every day of it.
    """

    repo_id: int
    name: str
    captured_at: str
    days: Mapping[str, Day]
    answered: tuple[Endpoint, ...]
    outcome: str = CAPTURED
    detail: str = ""
    covered: Mapping[str, Spans] = field(default_factory=dict)
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    imported: bool = False
    new: bool = True
    ends: Mapping[str, WindowEnd] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        """What this report adds to the repository's entry. An import does not change how far GitHub was captured."""
        day = self.captured_at[:10]
        return Entry(
            names={self.name: Name(self.captured_at, day)} if self.new else {},
            newest_day=None if self.imported else max(self.days, default=None),
            captured_on=day if ENDPOINTS[-1] in self.answered else None,
            refusals={} if self.outcome == CAPTURED else {self.outcome: day},
            covered=self.covered,
            active={} if self.imported else self._active(),
        )

    def _active(self) -> dict[str, str]:
        """Return the newest day with any views, and the newest with any clones."""
        return {
            kind: max(days)
            for kind in ("views", "clones")
            if (days := [day for day, seen in self.days.items() if seen.metrics.get(f"{kind}-count")])
        }


@dataclass
class _Draft:
    capture: dict[Endpoint, WindowAnswer] = field(default_factory=dict)
    answered: list[Endpoint] = field(default_factory=list)
    outcome: str = CAPTURED
    detail: str = ""
    name: str = ""
    captured_at: str = ""
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    unviewed: bool = False

    def everything_answered(self) -> tuple[Endpoint, ...]:
        """Return the endpoints that answered; if nobody viewed anything, also those that need not be asked then."""
        needless = OF_VIEWERS if self.unviewed and "clones" in self.answered else ()
        return (*self.answered, *(endpoint for endpoint in needless if endpoint not in self.answered))


def read_reports(lines: Iterable[ArchivedAnswer | ImportedHistory]) -> list[Report]:
    """Return a report for each repository in an archive object, in the order of its lines; imports come last."""
    drafts: dict[int, _Draft] = {}
    imports: list[Report] = []
    for answer in lines:
        if "source" in answer:
            imports.append(_imported(answer))
            continue
        draft = drafts.setdefault(answer["repo_id"], _Draft())
        draft.name = answer["repo"]
        draft.captured_at = max(draft.captured_at, answer["captured_at"])
        if answer["outcome"] == CAPTURED:
            _add(draft, answer, json.loads(answer["body"]))
        else:
            draft.outcome, draft.detail = answer["outcome"], _detail(answer)
    return [_report(repo_id, draft) for repo_id, draft in drafts.items()] + imports


def _add(draft: _Draft, answer: ArchivedAnswer, body: Any) -> None:
    endpoint = answer["endpoint"]
    draft.answered.append(endpoint)
    draft.unviewed |= nobody_viewed(endpoint, body)
    if endpoint in ("views", "clones"):
        draft.capture[endpoint] = read_window(endpoint, body, from_text(answer["captured_at"]), answer["headers"])
    statement = read_statement(endpoint, body, answer["captured_at"])
    if statement is not None:
        day = answer["captured_at"][:10]
        draft.snapshots[day] = merge_snapshots(draft.snapshots.get(day, {}), {endpoint: statement})


def _report(repo_id: int, draft: _Draft) -> Report:
    ends = last_days(draft.capture)
    return Report(
        repo_id,
        draft.name,
        draft.captured_at,
        read_days(draft.capture),
        draft.everything_answered(),
        draft.outcome,
        draft.detail,
        {kind: spans for kind, spans in complete_days(draft.capture).items() if spans},
        _until(draft, ends),
        ends={
            kind: {"day": day, "behind": days_behind(day, draft.capture[kind].captured_at)}
            for kind, day in ends.items()
        },
    )


def _until(draft: _Draft, ends: Mapping[Endpoint, str]) -> dict[str, Snapshot]:
    """Add to the totals of each window its last day: GitHub may have answered from a copy that is weeks old."""
    snapshots = dict(draft.snapshots)
    for kind, last in ends.items():
        day = draft.capture[kind].today
        if kind in snapshots.get(day, {}):
            snapshots[day] = {**snapshots[day], kind: replace(snapshots[day][kind], until=last)}
    return snapshots


def _imported(line: ImportedHistory) -> Report:
    return Report(
        line["repo_id"],
        line["repo"],
        line["imported_at"],
        {day: Day(metrics) for day, metrics in line["days"].items()},
        (),
        snapshots={
            day: {endpoint: Statement(kept["said"], kept["since"]) for endpoint, kept in window.items()}  # type: ignore[misc]
            for day, window in line["snapshots"].items()
        },
        imported=True,
        new=line["new"],
    )


def _detail(answer: ArchivedAnswer) -> str:
    """Return the status and GitHub's message, in one line."""
    message = Answer(answer["status"], answer["headers"], answer["body"].encode()).message()
    return f"{answer['status'] or 'no answer'}: {message}"

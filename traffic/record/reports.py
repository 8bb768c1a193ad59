"""Reads what GitHub's traffic answers, and imports, report about each repository. Pure.

Source:
    https://docs.github.com/en/rest/metrics/traffic
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from traffic.clock import day_of, days_before, from_text, start_of
from traffic.contract import ENDPOINTS, OF_VIEWERS, ArchivedAnswer, Endpoint, ImportedHistory, Recent, WindowEnd
from traffic.github.answers import CAPTURED, Answer
from traffic.github.bodies import WINDOW_DAYS, day_of_row, nobody_viewed
from traffic.record.merge import Day, Entry, Name, Snapshot, Statement, merge_days, merge_snapshots
from traffic.record.spans import Spans, spans_of, within

WINDOW = timedelta(hours=336)

# Since then GitHub lists 14 complete UTC days, including zeros; an older GitHub Enterprise Server may not.
# Source: recorded answers from before and after. https://docs.github.com/en/rest/metrics/traffic does not mention it.
REGIME_CHANGE = datetime(2025, 12, 30, tzinfo=UTC)

# A header that only answers of a GitHub Enterprise Server have.
# Source: https://docs.github.com/en/enterprise-server@3.8/rest/enterprise-admin ("Version information")
ENTERPRISE = "x-github-enterprise-version"

MOST_ROWS = 10  # GitHub lists no more; the limit keeps an item far below DynamoDB's 400 KB whatever a server sends
LONGEST_TITLE = 256  # bytes of UTF-8
LONGEST_PATH = 1024  # bytes of UTF-8

READY = 7  # o'clock UTC: before this hour GitHub may not have counted yesterday

WEEKLY = ("views-count", "clones-count")  # no uniques: those of several days are never added

LATEST = 7  # days after which a day that a rolling window still leaves out had no traffic


class Report(NamedTuple):
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
    covered: Mapping[str, Spans] = {}
    snapshots: Mapping[str, Snapshot] = {}
    imported: bool = False
    new: bool = True
    ends: Mapping[str, WindowEnd] = {}

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


class WindowAnswer(NamedTuple):
    """The days that one views or clones answer lists.

    Attributes:
        rows: `count` and `uniques` of each day.
        captured_at: The time of the answer.
        enterprise: Whether an Enterprise Server answered, which may still have the older kind of window.
    """

    rows: Mapping[str, tuple[int, int]]
    captured_at: datetime
    enterprise: bool = False

    @property
    def today(self) -> str:
        """The UTC day of the capture."""
        return day_of(self.captured_at)


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
            snapshots[day] = {**snapshots[day], kind: snapshots[day][kind]._replace(until=last)}
    return snapshots


def _imported(line: ImportedHistory) -> Report:
    return Report(
        line["repo_id"],
        line["repo"],
        line["imported_at"],
        {day: Day(metrics, sources=dict.fromkeys(metrics, line["source"])) for day, metrics in line["days"].items()},
        (),
        snapshots={day: _imported_snapshot(said) for day, said in line["snapshots"].items()},
        imported=True,
        new=line["new"],
    )


def _imported_snapshot(said: Mapping[Any, Any]) -> Snapshot:
    return {part: Statement(kept["said"], kept["since"], source=kept.get("source", "")) for part, kept in said.items()}


def _detail(answer: ArchivedAnswer) -> str:
    """Return the status and GitHub's message, in one line."""
    message = Answer(answer["status"], answer["headers"], answer["body"].encode()).message()
    return f"{answer['status'] or 'no answer'}: {message}"


def recent(days: Mapping[str, Day]) -> Recent | None:
    """Sum up the newest complete day, and the two weeks that end with it.

    Returns:
        None if no day is complete. Without `weeks` if one of their 14 days is not.
    """
    complete = [day for day, seen in days.items() if "views" in seen.complete]
    if not complete:
        return None
    newest = max(complete)
    summed: Recent = {"day": newest, "views": days[newest].metrics["views-count"]}
    before = days.get(days_before(newest, 7), Day())
    if "views" in before.complete:
        summed["before"] = before.metrics["views-count"]
    fortnight = [days.get(days_before(newest, age), Day()) for age in range(14)]
    if all(day.complete == {"views", "clones"} for day in fortnight):
        summed["weeks"] = [_sums(fortnight[:7]), _sums(fortnight[7:])]
    return summed


def _sums(days: Sequence[Day]) -> list[int]:
    return [sum(day.metrics[metric] for day in days) for metric in WEEKLY]


def read_statement(endpoint: Endpoint, body: Any, captured_at: str) -> Statement | None:
    """Read what an answer that `check_body` accepted reports of the window, apart from the days.

    Returns:
        The statement; None if the answer has no totals, because the days' numbers must not be added up instead.
    """
    if endpoint in ("views", "clones"):
        totals = {f"{endpoint}-{field}": body.get(field) for field in ("count", "uniques")}
        if not all(isinstance(total, int) and 0 <= total < 10**15 for total in totals.values()):
            return None
        return Statement(totals, captured_at)
    read = _path if endpoint == "paths" else _referrer
    return Statement({endpoint: [read(row) for row in body[:MOST_ROWS]]}, captured_at)


def _path(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": _cut(row["path"], LONGEST_PATH),
        "title": _cut(row.get("title"), LONGEST_TITLE),
        "count": row["count"],
        "uniques": row["uniques"],
    }


def _referrer(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"referrer": _cut(row["referrer"], LONGEST_TITLE), "count": row["count"], "uniques": row["uniques"]}


def _cut(text: Any, longest: int) -> str:
    """Cut a text to a number of bytes of UTF-8, but not within a character."""
    return str(text or "").encode("utf-8", "replace")[:longest].decode("utf-8", "ignore")


def read_window(
    endpoint: Endpoint, body: Mapping[str, Any], captured_at: datetime, headers: Mapping[str, str] | None = None
) -> WindowAnswer:
    """Read the days of a views or clones answer that `check_body` accepted."""
    rows = {day_of_row(row): (row["count"], row["uniques"]) for row in body[endpoint]}
    return WindowAnswer(rows, captured_at, enterprise=ENTERPRISE in (headers or {}))


def read_days(capture: Mapping[Endpoint, WindowAnswer]) -> dict[str, Day]:
    """Return the days of one capture, with their metrics and whether these are complete.

    Args:
        capture: The windows of views and clones, or of the one that GitHub answered.
    """
    complete = complete_days(capture)
    days: dict[str, Day] = {}
    for endpoint, window in capture.items():
        for day, (count, uniques) in window.rows.items():
            kinds = frozenset({endpoint}) if within(day, complete[endpoint]) else frozenset()
            seen = Day({f"{endpoint}-count": count, f"{endpoint}-uniques": uniques}, kinds)
            days[day] = merge_days(days.get(day, Day()), seen)
    return days


def complete_days(capture: Mapping[Endpoint, WindowAnswer]) -> dict[Endpoint, Spans]:
    """Return the days that one capture covers completely; in a rolling window this includes days without traffic.

    If GitHub lists every day, including zeros, each listed day is complete. If it leaves out days without traffic, the
    oldest day is truncated and the newest may be unfinished. GitHub can be late for views and clones separately.
    """
    every_day = _lists_every_day(capture)
    return {
        endpoint: spans_of(day for day in window.rows if day < window.today) if every_day else _rolling(window)
        for endpoint, window in capture.items()
    }


def last_days(capture: Mapping[Endpoint, WindowAnswer]) -> dict[Endpoint, str]:
    """Return the last day of each window, if GitHub lists every day of it, including zeros.

    Otherwise nothing is returned: if days without traffic are left out, missing newest days prove nothing.
    """
    complete = complete_days(capture) if _lists_every_day(capture) else {}
    return {endpoint: spans[-1][1] for endpoint, spans in complete.items() if spans}


def days_behind(day: str, captured_at: datetime) -> int:
    """Count the days by which a window that ends on a day ends too early for the time of its capture.

    Source: recorded answers since March 2026. The newest day is two days old before 05:00 UTC, and yesterday in all of
    249 samples after 07:00.
    """
    usual = 1 if captured_at.hour >= READY else 2
    return max((start_of(day_of(captured_at)) - start_of(day)).days - usual, 0)


def _lists_every_day(capture: Mapping[Endpoint, WindowAnswer]) -> bool:
    """Return which kind of window a capture has: a block of complete days (true), or a rolling window (false).

    A zero proves a block, and so does a day that a rolling window has already left; the current day proves a rolling
    window. A block of 14 days up to yesterday without a zero can be either. Then the day on which GitHub changed
    decides. An Enterprise Server's window is then taken for rolling: a truncated day must not pass for a complete one.
    """
    windows = capture.values()
    if any(window.today in window.rows for window in windows):
        return False
    if any(count == 0 or _beyond(day, window) for window in windows for day, (count, _) in window.rows.items()):
        return True
    return all(_is_block(each) and each.captured_at >= REGIME_CHANGE and not each.enterprise for each in windows)


def _beyond(day: str, window: WindowAnswer) -> bool:
    """Return whether a day is too old for a rolling window, allowing an hour for answers that GitHub has cached."""
    return start_of(day) + timedelta(hours=24 + 1) <= window.captured_at - WINDOW


def _is_block(window: WindowAnswer) -> bool:
    return len(window.rows) == WINDOW_DAYS and len(spans_of(window.rows)) == 1


def _rolling(window: WindowAnswer) -> Spans:
    """Return the days between the truncated and the newest one, and days so old that GitHub cannot still be late."""
    oldest = day_of(window.captured_at - WINDOW - timedelta(microseconds=1) + timedelta(days=1))
    newest = max((day for day in window.rows if day <= window.today), default="")
    last = days_before(window.today, LATEST + 1)
    if newest:
        last = max(last, days_before(newest, 1))
    return ((oldest, last),) if oldest <= last else ()

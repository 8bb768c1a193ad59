"""What GitHub's windows contain, as lines of the archive: the simulated windows without HTTP."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from simulated_github.true_traffic import DayTraffic, Tally
from simulated_github.windows import Window, WindowRules, midnight, rows, window
from traffic.clock import to_text
from traffic.contract import ArchivedAnswer, Endpoint

Truth = Callable[[date], DayTraffic]

METRICS: tuple[Endpoint, Endpoint] = ("views", "clones")


def busy(day: date) -> DayTraffic:
    """Invent a day with traffic in every hour."""
    number = day.toordinal()
    return DayTraffic(2400 + number * 37 % 999, 240 + number % 97, 1200 + number * 53 % 777, 120 + number % 41)


def quiet(day: date) -> DayTraffic:
    """Invent a day of a repository that is visited sometimes, and never cloned."""
    return DayTraffic(24, 2, 0, 0) if day.toordinal() % 5 == 0 else DayTraffic(0, 0, 0, 0)


def answers(
    at: datetime, rules: WindowRules, truth: Truth, *, name: str = "octo/docs", run: str = "run"
) -> list[ArchivedAnswer]:
    """Return GitHub's answers at a time for the four endpoints of a repository."""
    seen = window(at, rules)
    bodies: dict[Endpoint, object] = {kind: _body(kind, seen, truth) for kind in METRICS}
    bodies |= {"referrers": [], "paths": []}
    written = [answer(kind, body, at, name=name, run=run) for kind, body in bodies.items()]
    if rules.regime == "rolling":  # which GitHub itself no longer uses
        for line in written:
            line["headers"]["x-github-enterprise-version"] = "3.18.0"
    return written


def answer(
    endpoint: Endpoint, body: object, at: datetime, *, name: str = "octo/docs", run: str = "run"
) -> ArchivedAnswer:
    """Return one good answer about the repository 1 as Fetch traffic archives it."""
    return {
        "run": run,
        "repo_id": 1,
        "repo": name,
        "endpoint": endpoint,
        "captured_at": to_text(at),
        "status": 200,
        "headers": {},
        "body": json.dumps(body),
        "outcome": "captured",
    }


def body_of(kind: Endpoint, days: Mapping[str, tuple[int, int]]) -> dict[str, object]:
    """Return the body of a views or clones answer."""
    listed = [
        {"timestamp": f"{day}T00:00:00Z", "count": count, "uniques": uniques}
        for day, (count, uniques) in sorted(days.items())
    ]
    return {"count": sum(count for count, _ in days.values()), "uniques": 1, kind: listed}


def returned_complete(day: str, seen: Window) -> bool:
    """Return whether a window has a complete day. This is the truth that the answers only show."""
    begin = midnight(date.fromisoformat(day))
    return seen.start <= begin and begin + timedelta(days=1) <= seen.end


def nine_o_clock(day: date) -> datetime:
    """Return the time of the daily run."""
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def _body(kind: Endpoint, seen: Window, truth: Truth) -> dict[str, object]:
    def tally(day: date) -> Tally:
        found = truth(day)
        return found.views if kind == "views" else found.clones

    return body_of(kind, {str(row.day): (row.tally.count, row.tally.uniques) for row in rows(tally, seen)})


def highest(answered: Iterable[ArchivedAnswer]) -> dict[str, dict[str, int]]:
    """Return the highest number of all answers for each day and metric, directly from the bodies."""
    cells: dict[str, dict[str, int]] = {}
    for line in answered:
        kind = line["endpoint"]
        for row in json.loads(line["body"])[kind] if kind in ("views", "clones") else ():
            day = cells.setdefault(row["timestamp"][:10], {})
            for field in ("count", "uniques"):
                day[f"{kind}-{field}"] = max(row[field], day.get(f"{kind}-{field}", 0))
    return cells

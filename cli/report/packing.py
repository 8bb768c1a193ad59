"""Packs histories for the page: a small overview, and a compressed part for each repository's own page.

The scripts beside this file read both. Pure.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from cli.report.histories import RepositoryHistory
from traffic.record.reading import DayRow, ListedRow

RECENT = 28  # days: complete weeks, so that each weekday counts equally
SPARK = 91  # days of the sparkline in the overview: 13 weeks

NOTHING = DayRow("", "", (None, None, None, None))

Packed = dict[str, Any]


def overview_row(history: RepositoryHistory, newest: int | None) -> Packed:
    """Return a repository's row of the overview.

    Args:
        history: The repository.
        newest: The newest day of all repositories, so that all rows cover the same recent days.

    Returns:
        `name`, `former`, and `last` day; `views` and `clones` of all days; `recentViews`, `recentClones` and
        `peakVisitors` (of the day with the most, because uniques of days are never added) of the last `RECENT` days;
        `spark`, the views of the last `SPARK` days. A sum is null if GitHub reported none of its numbers.
    """
    end = newest if newest is not None else 0
    recent = _cells(history, range(end - RECENT + 1, end + 1))
    everything = list(history.days.values())
    return {
        "name": history.name,
        "former": list(history.former),
        "last": max(history.days, default=None),
        "views": _sum(everything, 0),
        "clones": _sum(everything, 2),
        "recentViews": _sum(recent, 0),
        "peakVisitors": max((day.metrics[1] for day in recent if day.metrics[1] is not None), default=None),
        "recentClones": _sum(recent, 2),
        "spark": [day.metrics[0] for day in _cells(history, range(end - SPARK + 1, end + 1))],
    }


def repository_data(history: RepositoryHistory) -> Packed:
    """Return everything about a repository, in columns, which compress better than rows.

    Returns:
        `start`, the first day, as days since 1970-01-01; `views`, `visitors`, `clones`, `cloners` by day from then
        on; `complete`, a digit a day: 1 if the views are complete, plus 2 if the clones are; `notes`; `captures`, the
        days; `referrers` and `paths`, each with `names` and, by capture, `rows` of a name's index, views and uniques.
    """
    start, end = min(history.days, default=0), max(history.days, default=-1)
    days = _cells(history, range(start, end + 1))
    columns = zip(*(day.metrics for day in days), strict=True) if days else ([], [], [], [])
    captured = dict(sorted(history.captures.items()))
    return {
        "start": start,
        **dict(zip(("views", "visitors", "clones", "cloners"), map(list, columns), strict=True)),
        "complete": "".join(str(day.complete[0] + 2 * day.complete[1]) for day in days),
        "notes": sorted(history.notes),
        "captures": list(captured),
        "referrers": _lists(item.get("referrers") for item in captured.values()),
        "paths": _lists(item.get("paths") for item in captured.values()),
    }


def deflated(data: Packed) -> str:
    """Write data as JSON, compressed in the format `deflate-raw` of DecompressionStream, in base64.

    Source:
        https://developer.mozilla.org/en-US/docs/Web/API/DecompressionStream/DecompressionStream
    """
    compressor = zlib.compressobj(level=9, wbits=-15)
    text = json.dumps(data, separators=(",", ":")).encode()
    return base64.b64encode(compressor.compress(text) + compressor.flush()).decode()


def _cells(history: RepositoryHistory, days: range) -> list[DayRow]:
    return [history.days.get(day, NOTHING) for day in days]


def _sum(days: Iterable[DayRow], metric: int) -> int | None:
    known = [number for day in days if (number := day.metrics[metric]) is not None]
    return sum(known) if known else None


def _lists(captured: Iterable[Sequence[ListedRow] | None]) -> Packed:
    """Write rows with each name once; a capture without an answer is null, not an empty list."""
    names: dict[str, int] = {}
    rows = [None if listed is None else _numbers(listed, names) for listed in captured]
    return {"names": list(names), "rows": rows}


def _numbers(listed: Sequence[ListedRow], names: dict[str, int]) -> list[int]:
    return [number for row in listed for number in (names.setdefault(row.name, len(names)), row.views, row.uniques)]

"""Packs histories for the page: a small overview, and a compressed part for each repository's own page.

The scripts beside this file read both. Pure.
"""

import base64
import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cli.report.histories import RepositoryHistory
from traffic.record.reading import ListedRow

RECENT = 28  # days: complete weeks, so that each weekday counts equally
SPARK = 91  # days of the sparkline in the overview: 13 weeks

Packed = dict[str, Any]


@dataclass(frozen=True)
class PackedRepository:
    """What the page has of a repository.

    Attributes:
        history: Its history. Only the last days are kept of it.
        views: The views of all days; None if GitHub reported none.
        clones: The clones of all days.
        data: Everything about it, compressed.
    """

    history: RepositoryHistory
    views: int | None
    clones: int | None
    data: str

    def row(self, newest: int | None) -> Packed:
        """Return its row of the overview; see `overview_row`."""
        return overview_row(self.history, newest) | {"views": self.views, "clones": self.clones}


def pack(history: RepositoryHistory) -> PackedRepository:
    """Compress a history, and forget of it what the overview does not need."""
    views, _, clones, _ = history.metrics
    packed = PackedRepository(history, _sum(views), _sum(clones), deflated(repository_data(history)))
    history.forget_all_but_the_last(SPARK)
    return packed


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
    recent = range(end - RECENT + 1, end + 1)
    views, _, clones, _ = history.metrics
    return {
        "name": history.name,
        "former": list(history.former),
        "last": history.last,
        "views": _sum(views),
        "clones": _sum(clones),
        "recentViews": _sum(history.cells(0, recent)),
        "peakVisitors": max((cell for cell in history.cells(1, recent) if cell is not None), default=None),
        "recentClones": _sum(history.cells(2, recent)),
        "spark": history.cells(0, range(end - SPARK + 1, end + 1)),
    }


def repository_data(history: RepositoryHistory) -> Packed:
    """Return everything about a repository, in columns, which compress better than rows.

    Returns:
        `start`, the first day, as days since 1970-01-01; `views`, `visitors`, `clones`, `cloners` by day from then
        on; `complete`, a digit a day: 1 if the views are complete, plus 2 if the clones are; `imported`, the same for
        views and clones that only an import has, or an empty text if there are none; `notes`; `captures`, the days;
        `referrers` and `paths`, each with `names` and, by capture, `rows` of a name's index, views and uniques.
    """
    captured = dict(sorted(history.captures.items()))
    return {
        "start": history.start,
        **dict(zip(("views", "visitors", "clones", "cloners"), history.metrics, strict=True)),
        "complete": history.complete,
        "imported": history.imported if history.imported.strip("0") else "",
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


def _sum(cells: Iterable[int | None]) -> int | None:
    known = [cell for cell in cells if cell is not None]
    return sum(known) if known else None


def _lists(captured: Iterable[Sequence[ListedRow] | None]) -> Packed:
    """Write rows with each name once; a capture without an answer is null, not an empty list."""
    names: dict[str, int] = {}
    rows = [None if listed is None else _numbers(listed, names) for listed in captured]
    return {"names": list(names), "rows": rows}


def _numbers(listed: Sequence[ListedRow], names: dict[str, int]) -> list[int]:
    return [number for row in listed for number in (names.setdefault(row.name, len(names)), row.views, row.uniques)]

"""The columns of each relation, in order. Pure.

Exports write these names; in SQL each `-` is a `_`. `docs/data.md` describes the columns.
"""

from collections.abc import Mapping
from dataclasses import replace

from cli.export_formats import Sheet
from traffic.contract import METRICS

TEXT, DAY, TIME, NUMBER, FLAG = "VARCHAR", "DATE", "TIMESTAMPTZ", "BIGINT", "BOOLEAN"  # as DuckDB names types

COMPLETE = ("views-complete", "clones-complete")

_LISTED = {**dict.fromkeys(("views-count", "views-uniques", "repo-id"), NUMBER), "current-name": TEXT}

_SHEETS = (
    Sheet(
        "days",
        {
            "repo-name": TEXT,
            "timestamp": TIME,
            **dict.fromkeys((*METRICS, "repo-id"), NUMBER),
            "current-name": TEXT,
            **dict.fromkeys(COMPLETE, FLAG),
        },
        key=("repo-name", "timestamp"),
        filled=("repo-name", "timestamp", "current-name", *COMPLETE),
    ),
    Sheet("referrers", {"repo-name": TEXT, "captured-on": DAY, "referrer": TEXT, **_LISTED}),
    Sheet("paths", {"repo-name": TEXT, "captured-on": DAY, "path": TEXT, "title": TEXT, **_LISTED}),
    Sheet(
        "totals",
        {
            "repo-name": TEXT,
            "captured-on": DAY,
            **dict.fromkeys(METRICS, NUMBER),
            **dict.fromkeys(("views-until", "clones-until"), DAY),
            "repo-id": NUMBER,
            "current-name": TEXT,
        },
        key=("repo-id", "captured-on"),
    ),
    Sheet(
        "numbers",
        {
            "repo-name": TEXT,
            "captured-on": DAY,
            "stars": NUMBER,
            "stars-source": TEXT,
            "forks": NUMBER,
            "forks-source": TEXT,
            "repo-id": NUMBER,
            "current-name": TEXT,
        },
        key=("repo-id", "captured-on"),
    ),
    Sheet(
        "repositories",
        {
            "repo-name": TEXT,
            "repo-id": NUMBER,
            **dict.fromkeys(("current-name", "former-names"), TEXT),
            **dict.fromkeys(
                ("first-captured-on", "captured-on", "newest-day", "views-active-on", "clones-active-on"), DAY
            ),
        },
        key=("repo-id",),
    ),
    Sheet("notes", {"repo-name": TEXT, "day": DAY, "text": TEXT, "repo-id": NUMBER, "current-name": TEXT}),
)

RELATIONS: Mapping[str, Sheet] = {sheet.name: sheet for sheet in _SHEETS}

SOURCES = [f"{metric}-source" for metric in METRICS]  # the tool whose import alone has a number


def sheet_of(name: str, *, sources: bool = False) -> Sheet:
    """Return the columns of a relation; for days, on request, also those of the sources."""
    sheet = RELATIONS[name]
    return replace(sheet, columns={**sheet.columns, **dict.fromkeys(SOURCES, TEXT)}) if sources else sheet

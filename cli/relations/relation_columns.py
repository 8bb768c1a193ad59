"""The columns of each relation, in order. Pure.

Exports write these names; in SQL each `-` is a `_`. `docs/data.md` describes the columns.
"""

from collections.abc import Mapping

from traffic.contract import METRICS

TEXT, DAY, TIME, NUMBER, FLAG = "VARCHAR", "DATE", "TIMESTAMPTZ", "BIGINT", "BOOLEAN"  # as DuckDB names types

Columns = Mapping[str, str]  # types by name

_LISTED: Columns = {
    **dict.fromkeys(("views-count", "views-uniques", "repo-id"), NUMBER),
    "current-name": TEXT,
}

RELATIONS: Mapping[str, Columns] = {
    "days": {
        "repo-name": TEXT,
        "timestamp": TIME,
        **dict.fromkeys((*METRICS, "repo-id"), NUMBER),
        "current-name": TEXT,
        **dict.fromkeys(("views-complete", "clones-complete"), FLAG),
    },
    "referrers": {"repo-name": TEXT, "captured-on": DAY, "referrer": TEXT, **_LISTED},
    "paths": {"repo-name": TEXT, "captured-on": DAY, "path": TEXT, "title": TEXT, **_LISTED},
    "totals": {
        "repo-name": TEXT,
        "captured-on": DAY,
        **dict.fromkeys(METRICS, NUMBER),
        **dict.fromkeys(("views-until", "clones-until"), DAY),
        "repo-id": NUMBER,
        "current-name": TEXT,
    },
    "repositories": {
        "repo-name": TEXT,
        "repo-id": NUMBER,
        **dict.fromkeys(("current-name", "former-names"), TEXT),
        **dict.fromkeys(("first-captured-on", "captured-on", "newest-day", "views-active-on", "clones-active-on"), DAY),
    },
    "notes": {"repo-name": TEXT, "day": DAY, "text": TEXT, "repo-id": NUMBER, "current-name": TEXT},
}

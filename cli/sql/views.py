"""The views that a question in SQL can use, with their columns: the same on this machine and in AWS. Pure.

The columns are those of the exports (`cli.relations.relation_columns`), as `in_sql` writes them; a test compares them.
"""

from collections.abc import Mapping

TEXT, DAY, NUMBER, FLAG = "VARCHAR", "DATE", "BIGINT", "BOOLEAN"  # the types of columns, as both databases name them

_METRICS = dict.fromkeys(("views_count", "views_uniques", "clones_count", "clones_uniques"), NUMBER)
_CAPTURE = {"repo_name": TEXT, "captured_on": DAY}
_VIEWED = {"views_count": NUMBER, "views_uniques": NUMBER}
_REPOSITORY = {"repo_id": NUMBER, "current_name": TEXT}

VIEWS: Mapping[str, Mapping[str, str]] = {
    "days": {
        "repo_name": TEXT,
        "day": DAY,
        **_METRICS,
        **_REPOSITORY,
        **dict.fromkeys(("views_complete", "clones_complete"), FLAG),
    },
    "repositories": {
        "repo_name": TEXT,
        **_REPOSITORY,
        "former_names": TEXT,
        **dict.fromkeys(("first_captured_on", "captured_on", "newest_day", "views_active_on", "clones_active_on"), DAY),
    },
    "referrers": {**_CAPTURE, "referrer": TEXT, **_VIEWED, **_REPOSITORY},
    "paths": {**_CAPTURE, "path": TEXT, "title": TEXT, **_VIEWED, **_REPOSITORY},
    "totals": {**_CAPTURE, **_METRICS, **dict.fromkeys(("views_until", "clones_until"), DAY), **_REPOSITORY},
    "numbers": {
        **_CAPTURE,
        **{
            f"{part}{ending}": type_
            for part in ("stars", "forks")
            for ending, type_ in (("", NUMBER), ("_source", TEXT))
        },
        **_REPOSITORY,
    },
    "runs": dict.fromkeys(("run", "started", "outcome", "error", "subject"), TEXT),
}

OF_THE_RECORD = tuple(view for view in VIEWS if view != "runs")


def in_sql(column: str) -> str:
    """Return the name of an export's column as it is in SQL: a `-` would have to be quoted, and a day is no time."""
    return "day" if column == "timestamp" else column.replace("-", "_")

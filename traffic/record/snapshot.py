"""What GitHub says about its window of 14 days as a whole: one set for each endpoint and day of capture. Pure.

A later capture of the same day replaces the set, and rows of two sets are never mixed: they are undated, so a mixture
would be an answer that GitHub never gave. The same set again changes nothing, so that a second run on the same day
writes nothing.

Source:
    https://docs.github.com/en/rest/metrics/traffic
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from traffic.contract import Endpoint

MOST_ROWS = 10  # GitHub lists no more; the bound keeps an item far below DynamoDB's 400 KB whatever a server sends
LONGEST_TITLE = 256  # bytes of UTF-8
LONGEST_PATH = 1024  # bytes of UTF-8


@dataclass(frozen=True)
class Statement:
    """What one endpoint said about the window.

    Attributes:
        said: Numbers and lists by the names of their attributes in the table: `views-count`, `referrers` ...
        since: The first capture of the day that said so, a time.
        until: The last day of the window that the numbers cover, which can be old; None where GitHub does not say.
    """

    said: Mapping[str, Any]
    since: str
    until: str | None = None


Snapshot = Mapping[Endpoint, Statement]


def merge_statements(one: Statement, other: Statement) -> Statement:
    """Join two statements of one endpoint on the same day: the later one is kept.

    Two that say the same are one, said when the first of them was. So their order does not matter, but for a set that
    GitHub gave, took back and gave again within a day, when what came between is stored last: telling that would take a
    write for every capture. Storing the day's objects again in their order mends it.
    """
    if one.said == other.said:  # whatever their windows: records made before `until` was kept must stay as they are
        return Statement(one.said, min(one.since, other.since), max(one.until or "", other.until or "") or None)
    return max(one, other, key=lambda each: (each.since, json.dumps(each.said, sort_keys=True)))


def merge_snapshots(one: Snapshot, other: Snapshot) -> Snapshot:
    """Join two snapshots of one repository and day, endpoint by endpoint: one that is absent changes nothing."""
    merged = dict(one)
    for endpoint, seen in other.items():
        merged[endpoint] = merge_statements(merged[endpoint], seen) if endpoint in merged else seen
    return merged


def read_statement(endpoint: Endpoint, body: Any, captured_at: str) -> Statement | None:
    """Read what an answer that `check_body` accepted says of the whole window.

    Returns:
        The statement; None where the answer has no totals, as they are not ours to add up.
    """
    if endpoint in ("views", "clones"):
        totals = {f"{endpoint}-{field}": body.get(field) for field in ("count", "uniques")}
        if not all(isinstance(total, int) and 0 <= total < 10**15 for total in totals.values()):
            return None
        return Statement(totals, captured_at)
    read = _path if endpoint == "paths" else _referrer
    return Statement({endpoint: [read(row) for row in body[:MOST_ROWS]]}, captured_at)


def without_prefix(snapshot: Snapshot, names: Iterable[str]) -> Snapshot:
    """Take `/owner/name` off the paths, under whatever of a repository's names: a rename must not break their series.

    Returns:
        The snapshot with paths that begin with `/`, which alone is the repository's front page. A path that is under
        none of the names stays as it is.
    """
    if "paths" not in snapshot:
        return snapshot
    prefixes = {f"/{name.lower()}" for name in names}
    rows = [{**row, "path": _relative(row["path"], prefixes)} for row in snapshot["paths"].said["paths"]]
    return {**snapshot, "paths": replace(snapshot["paths"], said={"paths": rows})}


def _relative(path: str, prefixes: set[str]) -> str:
    parts = path.split("/", 3)  # "", owner, name, rest
    if "/".join(parts[:3]).lower() not in prefixes:
        return path
    return "/" + "".join(parts[3:])


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
    """Cut a text to so many bytes of UTF-8, and never within a character."""
    return str(text or "").encode("utf-8", "replace")[:longest].decode("utf-8", "ignore")

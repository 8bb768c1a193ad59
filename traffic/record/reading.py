"""The one room that reads the record: the days, repositories and captures that are kept.

`traffic/record/tables.py` merges and writes, and reads only what a merge needs.
"""

import difflib
from collections.abc import Iterator
from itertools import compress
from sys import intern
from typing import NamedTuple

from traffic.contract import METRICS
from traffic.errors import RecordError
from traffic.record.item_table import RawItem, Table
from traffic.record.merge import SOURCES, Day, Entry, entry_of_item, pointer_key


class DayRow(NamedTuple):
    """One day of one repository; rows sort by repository and day.

    Attributes:
        repo_name: The key of the repository's rows, which never changes; a bare name in rows of the first version.
        timestamp: The beginning of the day in UTC, `2026-11-20T00:00:00Z`.
        metrics: The numbers in the order of `METRICS`; None if GitHub did not report one.
        complete: Whether GitHub reported the complete day: views, clones.
        repo_id: GitHub's id; None in rows of the first version.
        sources: For each of the numbers, the tool whose import alone has it; None if GitHub reported it.
    """

    repo_name: str
    timestamp: str
    metrics: tuple[int | None, ...]
    complete: tuple[bool, bool] = (False, False)
    repo_id: int | None = None
    sources: tuple[str | None, ...] = (None,) * len(METRICS)

    @property
    def day(self) -> str:
        """The UTC day, `2026-11-20`."""
        return self.timestamp[:10]

    @property
    def known(self) -> Day:
        """What is known of the day, without the metrics that GitHub did not report."""
        metrics = {name: value for name, value in zip(METRICS, self.metrics, strict=True) if value is not None}
        return Day(metrics, frozenset(compress(("views", "clones"), self.complete)))


class KeptRepository(NamedTuple):
    """One captured repository.

    Attributes:
        id: GitHub's numeric id.
        repo_name: The key of its rows.
        entry: What is known of it.
    """

    id: int
    repo_name: str
    entry: Entry

    @property
    def name(self) -> str:
        """The current `owner/name`."""
        return self.entry.name if self.entry.names else self.repo_name


class Found(NamedTuple):
    """The repository that a name leads to.

    Attributes:
        repo_name: The key of its rows.
        name: The current `owner/name`; for rows of the first version their key.
        id: GitHub's numeric id; None if only rows of the first version are kept.
        others: Ids of other repositories that had the same name.
    """

    repo_name: str
    name: str
    id: int | None = None
    others: tuple[int, ...] = ()


class ListedRow(NamedTuple):
    """A row of GitHub's list of referrers or paths."""

    name: str
    views: int
    uniques: int


class Capture(NamedTuple):
    """What GitHub reported on one day about a repository's last 14 days.

    Attributes:
        repo_id: GitHub's numeric id.
        day: The UTC day of the capture.
        raw: The item, not yet converted.
    """

    repo_id: int
    day: str
    raw: RawItem

    def listed(self, endpoint: str) -> list[ListedRow] | None:
        """Return the rows of `referrers` or `paths`; None if GitHub did not answer."""
        if endpoint not in self.raw:
            return None
        name = endpoint.removesuffix("s")
        rows = (row["M"] for row in self.raw[endpoint]["L"])
        return [ListedRow(row[name]["S"], int(row["count"]["N"]), int(row["uniques"]["N"])) for row in rows]


class Record:
    """Everything that is kept. A read may miss a write of the last second, which makes it cost half.

    Attributes:
        traffic: The table of days.
        repositories: The table of repositories.
        snapshots: The table of captures.
    """

    def __init__(self, traffic: Table, repositories: Table, snapshots: Table) -> None:
        self.traffic = traffic
        self.repositories = repositories
        self.snapshots = snapshots

    def days(self, repo_name: str, *, since: str | None = None) -> Iterator[DayRow]:
        """Read the days of one repository, the oldest first.

        Args:
            repo_name: The key of its rows.
            since: The first day to read.
        """
        begin = {"timestamp": since or "0"}
        return map(_day_row, self.traffic.query({"repo-name": repo_name}, begin, consistent=False))

    def every_repository(self) -> Iterator[KeptRepository]:
        """Read all repositories."""
        for item in self.repositories.every_item(having="repo-name", consistent=False):  # the others are names
            yield KeptRepository(int(item["repo-id"]), item["repo-name"], entry_of_item(item))

    def captures(self, repo_id: int, *, since: str, until: str) -> Iterator[Capture]:
        """Read the captures of one repository from one day to another, the oldest first."""
        found = self.snapshots.query({"repo-id": str(repo_id)}, {"captured-on": since}, end=until, consistent=False)
        for raw in found:
            yield Capture(repo_id, raw["captured-on"]["S"], raw)

    def repository(self, asked: str) -> Found:
        """Find a repository as `find` does.

        Raises:
            RecordError: Nothing is kept; the message suggests names that look like the one asked for.
        """
        found = self.find(asked)
        if found:
            return found
        close = " or ".join(self.close_names(asked))
        hint = f"did you mean {close}?" if close else "expected owner/name or an id of a captured repository."
        raise RecordError(f"Nothing is kept of a repository {asked!r}: {hint}")

    def find(self, asked: str) -> Found | None:
        """Find a repository by its current or a former name in any case, by `owner/name~ID`, or by its id.

        Rows of the first version have no entry among the repositories: they are found by their key alone.

        Returns:
            Of several repositories that had the name: the one that has it now, otherwise the one whose rows have the
            name as their key, otherwise the one with the lowest id. None if nothing is kept.
        """
        id_ = asked.rsplit("~", 1)[-1]
        pointer = {} if id_.isdecimal() else self.repositories.item({"repo-id": pointer_key(asked)})
        ids = sorted(map(int, [id_] if id_.isdecimal() else pointer.get("repo-ids", ())))
        found = [repository for each in ids if (repository := self._by_id(each))]
        if not found:
            return Found(asked, asked) if next(self.days(asked), None) else None
        current = [each for each in found if each.name.lower() == asked.lower()]
        owners = [each for each in found if str(each.id) == pointer.get("owner-id")]
        chosen = [*current, *owners, *found][0]
        return Found(chosen.repo_name, chosen.name, chosen.id, tuple(each for each in ids if each != chosen.id))

    def close_names(self, asked: str) -> list[str]:
        """Return up to three known names that end with a name or look like it."""
        items = self.repositories.every_item(["names"], having="names", consistent=False)
        known = {name.lower(): name for name in sorted(name for item in items for name in item["names"])}
        same_end = [name for name in known if name.endswith("/" + asked.lower())]
        close = same_end + difflib.get_close_matches(asked.lower(), known, n=3)
        return [known[name] for name in dict.fromkeys(close)][:3]

    def _by_id(self, id_: int) -> KeptRepository | None:
        item = self.repositories.item({"repo-id": str(id_)})
        return KeptRepository(id_, item["repo-name"], entry_of_item(item)) if item else None


def _day_row(raw: RawItem) -> DayRow:
    return DayRow(
        intern(raw["repo-name"]["S"]),  # one string for each repository and day, not for each row
        intern(raw["timestamp"]["S"]),
        tuple([int(raw[metric]["N"]) if metric in raw else None for metric in METRICS]),
        ("views-complete" in raw, "clones-complete" in raw),
        int(raw["repo-id"]["N"]) if "repo-id" in raw else None,
        _sources(raw[SOURCES]["M"]) if SOURCES in raw else (None,) * len(METRICS),
    )


def _sources(raw: RawItem) -> tuple[str | None, ...]:
    return tuple([intern(raw[metric]["S"]) if metric in raw else None for metric in METRICS])

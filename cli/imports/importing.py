"""Imports a history: writes it into the archive first, then lets Store traffic merge it."""

from collections.abc import Mapping
from dataclasses import dataclass

from cli.imports.tool_history import ToolHistory
from cli.stack.token_access import identity
from cli.terminal import CommandError
from traffic.contract import METRICS, ImportedHistory
from traffic.github.client import GitHub
from traffic.record.archive import Archive
from traffic.record.merge import Snapshot, Statement
from traffic.record.reading import Record
from traffic.record.reports import read_reports
from traffic.record.tables import Snapshots, Tables, store_report


@dataclass(frozen=True)
class ImportTarget:
    """The repository that a history concerns.

    Attributes:
        repo_id: GitHub's numeric id.
        name: `owner/name`.
        repo_name: The partition key of its rows.
        new: Whether the record does not have it yet.
    """

    repo_id: int
    name: str
    repo_name: str
    new: bool


@dataclass(frozen=True)
class ImportPlan:
    """What an import would change.

    Attributes:
        target: The repository.
        history: What the other tool kept of it.
        added: Days that the record does not have.
        raised: Cells that the record does not have, or has with a lower value.
        higher: Cells that the record has with a higher value, which stays.
        same: Cells that are equal.
    """

    target: ImportTarget
    history: ToolHistory
    added: int
    raised: int
    higher: int
    same: int


def identify(record: Record, name: str, github: GitHub | None) -> ImportTarget:
    """Find a repository's id in the record, otherwise at GitHub.

    Args:
        record: The record.
        name: `owner/name`, now or formerly, or `owner/name~ID`.
        github: GitHub's API; None without a token.

    Raises:
        CommandError: The repository is unknown, or several had the name.
    """
    found = record.find(name)
    if found and found.others:
        keys = ", ".join(f"{name}~{id_}" for id_ in (found.id, *found.others))
        raise CommandError(f"Several repositories had the name {name}: choose {keys} (`traffic show` shows each).")
    if found and found.id:
        return ImportTarget(found.id, name.rsplit("~", 1)[0], found.repo_name, new=False)
    if github is None:
        raise CommandError(
            f"{name} is not in the record yet, so its id is unknown: store a token with `traffic token`, so that "
            "GitHub can be asked for it, or capture the repository once with `traffic run`."
        )
    repo_id, full_name = identity(github, name)
    known = record.find(str(repo_id))
    if known and known.id:
        raise CommandError(f"{name} is repository {repo_id}, which the record has under another name: use that one.")
    return ImportTarget(repo_id, full_name, full_name, new=True)


def plan(record: Record, target: ImportTarget, history: ToolHistory) -> ImportPlan:
    """Count what an import would change, and change nothing.

    Raises:
        CommandError: Rows of these days belong to another repository.
    """
    kept = {row.day: row for row in record.days(target.repo_name)}
    added = raised = higher = same = 0
    for day, seen in history.days.items():
        row = kept.get(day)
        if row and row.repo_id not in (None, target.repo_id):
            raise CommandError(f"{target.repo_name} {day} belongs to another repository: `traffic verify` shows more.")
        added += row is None
        for metric, value in seen.metrics.items():
            before = row.metrics[METRICS.index(metric)] if row else None
            raised += before is None or value > before
            higher += before is not None and value < before
            same += value == before
    return ImportPlan(target, history, added, raised, higher, same)


def bring(record: Record, archive: Archive, planned: ImportPlan, imported_at: str) -> str:
    """Archive a history, then merge it as Store traffic does. A second import changes nothing.

    Args:
        record: The record.
        archive: The archive.
        planned: The history.
        imported_at: The time of the import, by which it can be taken back.

    Returns:
        The key of the import in the archive.

    Raises:
        CommandError: The history is in the archive, but rows of the repository belong to another one.
        TableBusyError: The history is in the archive, but others kept changing an item; `traffic rebuild` stores it.
    """
    target, history = planned.target, planned.history
    line: ImportedHistory = {
        "source": history.source,
        "files": history.files,
        "repo_id": target.repo_id,
        "repo": target.name,
        "imported_at": imported_at,
        "new": target.new,
        "days": {day: dict(seen.metrics) for day, seen in sorted(history.days.items())},
        "snapshots": _snapshots(history.snapshots),
    }
    key = archive.put_import(line)
    tables, snapshots = Tables(record.traffic, record.repositories), Snapshots(record.snapshots)
    (report,) = read_reports([line])
    stored = store_report(tables, snapshots, report)
    if stored.conflict:
        raise CommandError(f"{stored.conflict}: `traffic verify` shows more.")
    return key


def _snapshots(snapshots: Mapping[str, Snapshot]) -> dict[str, dict[str, object]]:
    return {day: {part: _statement(kept) for part, kept in said.items()} for day, said in sorted(snapshots.items())}


def _statement(kept: Statement) -> dict[str, object]:
    source = {"source": kept.source} if kept.source else {}
    return {"said": dict(kept.said), "since": kept.since, **source}

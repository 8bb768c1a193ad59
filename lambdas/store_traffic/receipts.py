"""Merges one repository's report into the tables, and returns the receipt that Summarize run reads."""

from dataclasses import replace

from lambdas.shared.deployed import snapshots, tables
from traffic.contract import Receipt
from traffic.errors import IdentityConflictError
from traffic.record.merge import Day, lowered, without_prefix
from traffic.record.reports import Report
from traffic.unusual import recent

CONFLICT = "rows belong to another repository"  # a receipt's outcome; `traffic verify` shows which


def store(report: Report) -> Receipt:
    """Merge a report into the tables.

    Rows that belong to another repository are left unchanged. The receipt reports them, and the other repositories of
    the archive object are stored.
    """
    if not report.new and tables().repository(report.repo_id) is None:
        report = replace(
            report, new=True
        )  # the object that made it known is gone from the archive, so only this one has its name
    repo_name, entry = tables().store_repository(report.repo_id, report.entry)
    outcome, detail = report.outcome, report.detail
    changed: list[str] = []
    kept: dict[str, Day] = {}
    try:
        changed, kept = tables().store_days(repo_name, report.repo_id, report.days)
    except IdentityConflictError as exc:
        outcome, detail = CONFLICT, str(exc)
    for day, snapshot in report.snapshots.items():
        snapshots().store(report.repo_id, day, without_prefix(snapshot, entry.names))
    receipt: Receipt = {
        "id": report.repo_id,
        "name": report.name,
        "repo_name": repo_name,
        "answered": list(report.answered),
        "outcome": outcome,
        "detail": detail,
        "items_changed": len(changed),
        "lowered": sum(lowered(kept[day], seen) for day, seen in report.days.items() if day in kept),
        "newest_day": max(report.days, default=None),
    }
    newest = recent(report.days)
    if newest:
        receipt["recent"] = newest
    if report.ends:
        receipt["ends"] = dict(report.ends)
    return receipt

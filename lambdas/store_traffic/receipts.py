"""Merges one repository's report into the tables, and returns the receipt that Summarize run reads."""

from lambdas.shared.deployed_tables import snapshots, tables
from traffic.contract import Receipt
from traffic.record.merge import lowered
from traffic.record.reports import Report, recent
from traffic.record.tables import store_report

CONFLICT = "rows belong to another repository"  # a receipt's outcome; `traffic verify` shows which


def store(report: Report) -> Receipt:
    """Merge a report into the tables.

    Rows that belong to another repository are left unchanged. The receipt reports them, and the other repositories of
    the archive object are stored.
    """
    stored = store_report(tables(), snapshots(), report)
    outcome, detail = (CONFLICT, stored.conflict) if stored.conflict else (report.outcome, report.detail)
    receipt: Receipt = {
        "id": report.repo_id,
        "name": report.name,
        "repo_name": stored.repo_name,
        "answered": list(report.answered),
        "outcome": outcome,
        "detail": detail,
        "items_changed": len(stored.changed),
        "lowered": sum(lowered(stored.kept[day], seen) for day, seen in report.days.items() if day in stored.kept),
        "newest_day": max(report.days, default=None),
    }
    newest = recent(report.days)
    if newest:
        receipt["recent"] = newest
    if report.ends:
        receipt["ends"] = dict(report.ends)
    return receipt

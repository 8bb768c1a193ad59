"""Merges one repository's report into the tables, and returns the receipt that Summarize run reads."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lambdas.shared.deployed import snapshots, tables
from traffic.clock import days_before
from traffic.contract import Receipt, Recent
from traffic.errors import IdentityConflictError
from traffic.record.merge import Day, lowered, without_prefix
from traffic.record.reports import Report

CONFLICT = "rows belong to another repository"  # a receipt's outcome; `traffic verify` shows which

WEEK = 7  # days
WEEKLY = ("views-count", "clones-count")  # no uniques: those of several days are never added


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


def recent(days: Mapping[str, Day]) -> Recent | None:
    """Sum up the newest complete day, and the two weeks that end with it.

    Returns:
        None if no day is complete. Without `weeks` if one of their 14 days is not.
    """
    complete = [day for day, seen in days.items() if "views" in seen.complete]
    if not complete:
        return None
    newest = max(complete)
    summed: Recent = {"day": newest, "views": days[newest].metrics["views-count"]}
    before = days.get(days_before(newest, WEEK), Day())
    if "views" in before.complete:
        summed["before"] = before.metrics["views-count"]
    fortnight = [days.get(days_before(newest, age), Day()) for age in range(2 * WEEK)]
    if all(day.complete == {"views", "clones"} for day in fortnight):
        summed["weeks"] = [_sums(fortnight[:WEEK]), _sums(fortnight[WEEK:])]
    return summed


def _sums(days: Sequence[Day]) -> list[int]:
    return [sum(day.metrics[metric] for day in days) for metric in WEEKLY]

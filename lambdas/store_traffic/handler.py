"""Store traffic: merges what the archive holds into the tables."""

from collections.abc import Sequence
from dataclasses import replace

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.shared.deployed import archive, snapshots, tables
from lambdas.store_traffic.recent import recent
from traffic.contract import ChildState, Receipt, receipts_prefix
from traffic.errors import IdentityConflictError
from traffic.github.answers import CAPTURED
from traffic.record.merge import Day, lowered
from traffic.record.reports import Report, read_reports
from traffic.record.snapshot import without_prefix

CONFLICT = "rows belong to another repository"  # a receipt's outcome; `traffic verify` shows which

STATE = "Store traffic"  # in the definition

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: ChildState, context: LambdaContext) -> None:  # noqa: ARG001 (Lambda's signature)
    """Merge one archive object into the tables, and leave a receipt for each of its repositories.

    Idempotent: a second call changes no item. Returns nothing: what the state machine needs it has already.

    Raises:
        TableBusyError: DynamoDB is throttled or contended; the state machine retries.
    """
    run_id, key = event["run"]["id"], event["batch"]["key"]
    logger.append_keys(run=run_id, state=STATE)
    receipts = [store(report) for report in read_reports(archive().read_answers(key))]
    name = key.rsplit("/", 1)[1].removesuffix(".jsonl.gz")
    archive().put_note(f"{receipts_prefix(run_id)}{name}.json", receipts)
    log(receipts)
    logger.info("stored traffic", key=key, changed=sum(receipt["items_changed"] for receipt in receipts))


def log(receipts: Sequence[Receipt]) -> None:
    """Log what was stored of each repository. Counts and outcomes: no traffic."""
    for receipt in receipts:
        say = logger.info if receipt["outcome"] == CAPTURED else logger.warning
        say(
            "stored repository",
            repository=receipt["name"],
            outcome=receipt["outcome"],
            changed=receipt["items_changed"],
            lowered=receipt["lowered"],
        )


def store(report: Report) -> Receipt:
    """Merge what GitHub said about one repository into the tables.

    Rows that belong to another repository are left alone, and the receipt says so: the other repositories of the object
    have nothing to do with it.
    """
    if not report.new and tables().repository(report.repo_id) is None:
        report = replace(report, new=True)  # what made it known is gone from the archive: its name is told here alone
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

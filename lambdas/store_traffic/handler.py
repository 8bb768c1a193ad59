"""Store traffic: merges what the archive holds into the tables."""

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.shared.archive import archive
from lambdas.shared.contract import ChildState, Receipt, receipts_prefix
from lambdas.shared.merge import lowered
from lambdas.shared.tables import Tables, tables
from lambdas.store_traffic.record import Report, read_reports

logger = Logger()


@logger.inject_lambda_context
def lambda_handler(event: ChildState, context: LambdaContext) -> None:  # noqa: ARG001 (Lambda's signature)
    """Merge one archive object into the tables, and leave a receipt for each of its repositories.

    Idempotent: a second call changes no item. Returns nothing: what the state machine needs it has already.

    Raises:
        TableBusyError: DynamoDB is throttled or contended; the state machine retries.
        IdentityConflictError: Rows belong to another repository; nothing of theirs was written.
    """
    run_id, key = event["run"]["id"], event["batch"]["key"]
    receipts = [store(tables(), report) for report in read_reports(archive().read_answers(key))]
    name = key.rsplit("/", 1)[1].removesuffix(".jsonl.gz")
    archive().put_note(f"{receipts_prefix(run_id)}{name}.json", receipts)
    logger.info("stored traffic", run=run_id, key=key, changed=sum(receipt["items_changed"] for receipt in receipts))


def store(record: Tables, report: Report) -> Receipt:
    """Merge what GitHub said about one repository into the tables."""
    repo_name = record.store_repository(report.repo_id, report.entry)
    changed, kept = record.store_days(repo_name, report.repo_id, report.days)
    return {
        "id": report.repo_id,
        "name": report.name,
        "repo_name": repo_name,
        "answered": list(report.answered),
        "outcome": report.outcome,
        "detail": report.detail,
        "items_changed": len(changed),
        "lowered": sum(lowered(kept[day], seen) for day, seen in report.days.items()),
        "newest_day": max(report.days, default=None),
    }

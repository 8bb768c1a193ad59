"""Store traffic: merges an archive object into the tables."""

from collections.abc import Sequence

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.shared.deployed_archive import archive
from lambdas.store_traffic.receipts import store
from traffic.contract import ChildState, Receipt, receipts_prefix
from traffic.github.answers import CAPTURED
from traffic.record.reports import read_reports

STATE = "Store traffic"  # in the definition

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: ChildState, context: LambdaContext) -> None:  # noqa: ARG001 (Lambda's signature)
    """Merge one archive object into the tables, and write a receipt for each of its repositories.

    Idempotent: a second call changes no item. It returns nothing, because the state machine needs nothing more.

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
    """Log what was stored of each repository. Counts and outcomes, no traffic."""
    for receipt in receipts:
        log_record = logger.info if receipt["outcome"] == CAPTURED else logger.warning
        log_record(
            "stored repository",
            repository=receipt["name"],
            outcome=receipt["outcome"],
            changed=receipt["items_changed"],
            lowered=receipt["lowered"],
        )

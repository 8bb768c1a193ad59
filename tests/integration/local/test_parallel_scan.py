"""The engine's tables, read through DynamoDB's API in parallel segments, as `--aws` reads those in AWS."""

from pathlib import Path
from typing import Any

from local.engine import running_engine
from traffic.record.item_table import ItemTable

SEGMENTS, ITEMS = 4, 600
FILLING = "x" * 10_000  # so that each segment has more than one page of a megabyte


def test_each_page_of_each_segment_is_read_once(tmp_path: Path) -> None:
    """A page that is read twice costs twice; one that is left out is lost in the export."""
    asked: list[tuple[int, int, Any]] = []

    def record(params: dict[str, Any], **_rest: Any) -> None:
        asked.append((params["Segment"], params["TotalSegments"], params.get("ExclusiveStartKey")))

    with running_engine(tmp_path) as engine:
        dynamodb = engine.client("dynamodb")
        keys = {"repo-name": "HASH", "timestamp": "RANGE"}
        dynamodb.create_table(
            TableName="Days",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
        )
        for begin in range(0, ITEMS, 25):
            puts = [
                {
                    "PutRequest": {
                        "Item": {
                            "repo-name": {"S": f"octo/{number}"},
                            "timestamp": {"S": f"{number:04}"},
                            "filling": {"S": FILLING},
                        }
                    }
                }
                for number in range(begin, begin + 25)
            ]
            dynamodb.batch_write_item(RequestItems={"Days": puts})
        dynamodb.meta.events.register("provide-client-params.dynamodb.Scan", record)
        table = ItemTable(dynamodb, "Days", segments=SEGMENTS)

        read = [item["repo-name"]["S"] for item in table.scan(consistent=False)]
        later = [text for page in table.pages({"timestamp": "0500"}) for text in page]

    assert sorted(read) == sorted(f"octo/{number}" for number in range(ITEMS))
    assert len(later) == 100
    assert {(segment, total) for segment, total, _ in asked} == {(segment, SEGMENTS) for segment in range(SEGMENTS)}
    pages = [(segment, str(start)) for segment, _, start in asked]
    assert all(pages.count(page) == 2 for page in pages), "once in each of the two scans"
    assert len(pages) > 2 * SEGMENTS, "the table has to have more pages than segments"

"""The engine's tables, through DynamoDB's API: they are on disk, and answer as DynamoDB does."""

import json
import os
import resource
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.engine import Engine, running_engine
from local.history_folder import HistoryFolder
from local.recovery import recover
from local.stored_history import StoredTable, is_complete
from tests.integration.engine_stack import TABLE, archive, deploy_small, put_row, rows
from traffic.record.item_table import ItemTable

DAYS = [f"2026-{number:04}" for number in range(60)]
NAMES = ["octo/a", "octo/b", "octo/\u00fcml\u00e4ut", "octo/z"]
PAGES = "Pages"  # a table with more than one page


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine with a table of several megabytes."""
    with running_engine(tmp_path_factory.mktemp("tables") / "history") as running:
        create(running, PAGES)
        client = running.client("dynamodb")
        for name in NAMES:
            for start in range(0, len(DAYS), 20):
                puts = [{"PutRequest": {"Item": item(name, day)}} for day in DAYS[start : start + 20]]
                client.batch_write_item(RequestItems={PAGES: puts})
        yield running


def create(engine: Engine, table: str) -> None:
    """Create a table with a sort key."""
    engine.client("dynamodb").create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}, {"AttributeName": "day", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("name", "day")],
        BillingMode="PAY_PER_REQUEST",
    )


def item(name: str, day: str) -> dict[str, Any]:
    """Return an item of 30 KB."""
    number = {} if day.endswith("7") else {"number": {"N": day[-2:]}}
    return {"name": {"S": name}, "day": {"S": day}, "filling": {"S": "x" * 30_000}, **number}


def pages(engine: Engine, operation: str, **request: Any) -> list[list[tuple[str, str]]]:
    """Read all pages, one after the other; return the keys on each."""
    found = []
    while True:
        page = getattr(engine.client("dynamodb"), operation)(TableName=PAGES, **request)
        assert page["Count"] == len(page["Items"])
        found.append([(each["name"]["S"], each["day"]["S"]) for each in page["Items"]])
        if "LastEvaluatedKey" not in page:
            return found
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def joined(found: list[list[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Return the keys of all pages."""
    return [key for page in found for key in page]


EVERY = [(name, day) for name in sorted(NAMES) for day in DAYS]


def test_a_scan_reads_every_item_once_a_megabyte_at_a_time(engine: Engine) -> None:
    """And in the order of the keys."""
    found = pages(engine, "scan")

    assert joined(found) == EVERY
    assert [len(page) for page in found[:-1]] == [34] * 7  # 34 x 30 KB are a megabyte
    assert [len(page) for page in pages(engine, "scan", Limit=100)] == [34] * 7 + [2]
    assert [len(page) for page in pages(engine, "scan", Limit=30)] == [30] * 8 + [0]


def test_a_write_sets_and_removes_attributes_if_nobody_changed_them(engine: Engine) -> None:
    """A day of an import loses its sources when GitHub reports as much."""
    create(engine, "Removing")
    table, key = ItemTable(engine.client("dynamodb"), "Removing"), {"name": "octo/docs", "day": "2026-11-19"}
    imported = {"views-count": 5, "sources": {"views-count": "csv"}}
    assert table.write(key, {}, imported)

    assert not table.write(key, {**imported, "sources": {"views-count": "json"}}, {"sources": None})
    assert table.write(key, imported, {"views-count": 6, "sources": None})
    assert table.write(key, {"views-count": 6}, {"views-count": 7, "sources": None}), "a condition alone"
    assert table.item(key) == {**key, "views-count": 7}


def test_segments_of_a_scan_share_the_items(engine: Engine) -> None:
    """Each item is in one of them."""
    segments = [joined(pages(engine, "scan", Segment=number, TotalSegments=3)) for number in range(3)]

    assert sorted(joined(segments)) == EVERY
    assert all(segment == sorted(segment) for segment in segments)
    assert len(list(filter(None, segments))) > 1


def test_a_scan_filters_and_projects_each_page(engine: Engine) -> None:
    """The filter applies after the page is read, as in DynamoDB."""
    names = {"#name": "name", "#day": "day", "#number": "number"}
    found = pages(
        engine,
        "scan",
        FilterExpression="attribute_exists(#number)",
        ProjectionExpression="#name, #day",
        ExpressionAttributeNames=names,
    )

    assert joined(found) == [(name, day) for name, day in EVERY if not day.endswith("7")]
    assert len(found) == 8


@pytest.mark.parametrize(
    ("condition", "begin", "end"),
    [
        ("", 0, 60),
        (" AND #day = :low", 10, 11),
        (" AND #day >= :low", 10, 60),
        (" AND #day > :low", 11, 60),
        (" AND #day <= :high", 0, 51),
        (" AND #day < :high", 0, 50),
        (" AND #day BETWEEN :low AND :high", 10, 51),
        (" AND begins_with(#day, :prefix)", 20, 30),
    ],
)
@pytest.mark.parametrize("forward", [True, False])
def test_a_query_reads_a_range_in_both_directions(
    engine: Engine, condition: str, begin: int, end: int, forward: bool
) -> None:
    """Whatever the condition on the sort key, page by page."""
    values = {":name": "octo/b", ":low": DAYS[10], ":high": DAYS[50], ":prefix": "2026-002"}
    used = {name: {"S": value} for name, value in values.items() if name == ":name" or name in condition}
    request = {
        "KeyConditionExpression": f"#name = :name{condition}",
        "ExpressionAttributeNames": {"#name": "name", **({"#day": "day"} if condition else {})},
        "ExpressionAttributeValues": used,
        "ScanIndexForward": forward,
    }

    wanted = [("octo/b", day) for day in DAYS[begin:end]]
    assert joined(pages(engine, "query", **request)) == (wanted if forward else wanted[::-1])
    assert joined(pages(engine, "query", Limit=7, **request)) == (wanted if forward else wanted[::-1])


def test_a_query_with_an_error_is_refused_also_if_its_range_is_read_from_the_file(engine: Engine) -> None:
    """`name` is a reserved word."""
    with pytest.raises(ClientError, match="reserved keyword: name"):
        engine.client("dynamodb").query(
            TableName=PAGES, KeyConditionExpression="name = :name", ExpressionAttributeValues={":name": {"S": "octo/a"}}
        )


def test_the_file_contains_what_the_api_reads(engine: Engine) -> None:
    """Readers without the engine see the same items, while it runs."""
    read = list(StoredTable(HistoryFolder(engine.history).tables, PAGES).scan())

    assert [(each["name"]["S"], each["day"]["S"]) for each in read] == EVERY
    assert read[0] == engine.client("dynamodb").get_item(TableName=PAGES, Key=key(*EVERY[0]))["Item"]


def key(name: str, day: str) -> dict[str, Any]:
    """Return the key of an item."""
    return {"name": {"S": name}, "day": {"S": day}}


def test_a_write_of_another_process_is_seen_and_respected(engine: Engine) -> None:
    """`traffic rebuild` writes beside the engine; a condition compares with what it wrote."""
    place = key("octo/other", "2026-0001")
    database = sqlite3.connect(HistoryFolder(engine.history).tables)
    with database:
        text = json.dumps({**place, "number": {"N": "5"}})
        database.execute("INSERT INTO items VALUES (?, 'octo/other', '2026-0001', ?)", (PAGES, text))
    database.close()
    client = engine.client("dynamodb")
    request = {
        "TableName": PAGES,
        "Key": place,
        "UpdateExpression": "SET #number = :new",
        "ConditionExpression": "#number = :old",
        "ExpressionAttributeNames": {"#number": "number"},
    }

    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.update_item(**request, ExpressionAttributeValues={":new": {"N": "9"}, ":old": {"N": "4"}})
    client.update_item(**request, ExpressionAttributeValues={":new": {"N": "9"}, ":old": {"N": "5"}})

    assert client.get_item(TableName=PAGES, Key=place)["Item"]["number"] == {"N": "9"}
    assert client.delete_item(TableName=PAGES, Key=place, ReturnValues="ALL_OLD")["Attributes"]["number"] == {"N": "9"}
    assert "Item" not in client.get_item(TableName=PAGES, Key=place)


def test_a_write_that_does_not_reach_the_disk_is_refused(engine: Engine) -> None:
    """After a few tries the run fails; nothing of the write is seen."""
    client, place = engine.client("dynamodb"), key("octo/full", "2026-0001")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (0, limit))
    try:
        with pytest.raises(
            ClientError, match=r"\(InternalServerError\).*could not be written: disk I/O error"
        ) as raised:
            client.put_item(TableName=PAGES, Item=place)
    finally:
        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (limit, limit))

    assert raised.value.response["Error"]["Code"] == "InternalServerError"
    assert raised.value.response["ResponseMetadata"]["RetryAttempts"] == 0  # the state machine retries
    assert "Item" not in client.get_item(TableName=PAGES, Key=place)
    client.put_item(TableName=PAGES, Item=place)
    client.delete_item(TableName=PAGES, Key=place)


def test_a_transaction_writes_all_of_its_items_or_none(engine: Engine) -> None:
    """Also one of statements, which ministack rolls back by replacing the tables."""
    client = engine.client("dynamodb")
    create(engine, "Transactions")
    puts = [{"Put": {"TableName": "Transactions", "Item": key("octo/a", day)}} for day in ("1", "2")]
    check = {"ConditionExpression": "attribute_exists(#name)", "ExpressionAttributeNames": {"#name": "name"}}
    client.transact_write_items(TransactItems=puts)

    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        client.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "Transactions", "Item": key("octo/a", "3")}},
                {"Put": {"TableName": "Transactions", "Item": key("octo/a", "4"), **check}},
            ]
        )
    with pytest.raises(ClientError, match="TransactionCanceled"):
        client.execute_transaction(
            TransactStatements=[
                {"Statement": "INSERT INTO \"Transactions\" VALUE {'name': 'octo/a', 'day': '5'}"},
                {"Statement": "INSERT INTO \"Transactions\" VALUE {'name': 'octo/a', 'day': '1'}"},
            ]
        )

    assert client.scan(TableName="Transactions")["Items"] == [key("octo/a", "1"), key("octo/a", "2")]
    client.put_item(TableName="Transactions", Item=key("octo/a", "6"))
    stored = StoredTable(HistoryFolder(engine.history).tables, "Transactions")
    assert [each["day"]["S"] for each in stored.scan()] == ["1", "2", "6"]


def test_a_deleted_table_is_empty_if_it_is_created_again(engine: Engine) -> None:
    """Its owner wished so."""
    client = engine.client("dynamodb")
    create(engine, "Deleted")
    client.put_item(TableName="Deleted", Item=key("octo/a", "1"))
    assert client.describe_table(TableName="Deleted")["Table"]["ItemCount"] == 1

    client.delete_table(TableName="Deleted")
    create(engine, "Deleted")

    assert client.scan(TableName="Deleted")["Items"] == []
    assert client.describe_table(TableName="Deleted")["Table"]["ItemCount"] == 0


def test_a_backup_is_restored_into_the_file(engine: Engine) -> None:
    """The table that it makes is on disk, too."""
    client = engine.client("dynamodb")
    create(engine, "Saved")
    client.put_item(TableName="Saved", Item=key("octo/a", "1"))
    backup = client.create_backup(TableName="Saved", BackupName="backup")["BackupDetails"]["BackupArn"]
    client.put_item(TableName="Saved", Item=key("octo/a", "2"))

    client.restore_table_from_backup(TargetTableName="Restored", BackupArn=backup)

    assert client.scan(TableName="Restored")["Items"] == [key("octo/a", "1")]
    stored = StoredTable(HistoryFolder(engine.history).tables, "Restored")
    assert list(stored.scan()) == [key("octo/a", "1")]


def test_what_was_stored_is_there_after_a_kill(tmp_path: Path) -> None:
    """No generation contains the stack; the deployment that creates its table adopts the rows."""
    history = HistoryFolder(tmp_path / "history")
    with running_engine(history.root) as engine:
        deploy_small(engine, tmp_path)
        put_row(engine, "octo/docs")
        os.kill(engine.pid, signal.SIGKILL)
    history.marker.unlink()  # a deployment ends with a save
    assert [each["repo-name"]["S"] for each in StoredTable(history.tables, TABLE).scan()] == ["octo/docs"]

    with running_engine(history.root) as engine:
        deploy_small(engine, tmp_path)
        assert rows(engine) == ["octo/docs"]
        assert engine.client("dynamodb").describe_table(TableName=TABLE)["Table"]["ItemCount"] == 1


def test_an_object_that_could_not_be_stored_is_stored_by_the_next_engine(tmp_path: Path) -> None:
    """Although the engine ended properly, the tables do not count as complete."""
    history = HistoryFolder(tmp_path / "history")
    with running_engine(history.root) as engine:
        outputs = deploy_small(engine, tmp_path)
        assert not is_complete(history)
        recover(engine, outputs)
        assert is_complete(history)
        archive(engine, outputs, "1", "octo/docs")
    assert not is_complete(history)

    with running_engine(history.root) as engine:
        assert recover(engine, outputs) == 1
        assert rows(engine) == ["octo/docs"]
    assert is_complete(history)

    with running_engine(history.root) as engine:
        assert recover(engine, outputs) == 0
        os.kill(engine.pid, signal.SIGKILL)
    assert not is_complete(history)


def test_tables_that_are_missing_are_written_again_from_the_archive(tmp_path: Path) -> None:
    """Somebody deleted the file, or moved a damaged one away."""
    history = HistoryFolder(tmp_path / "history")
    with running_engine(history.root) as engine:
        outputs = deploy_small(engine, tmp_path)
        archive(engine, outputs, "1", "octo/docs")
        recover(engine, outputs)
    history.tables.unlink()
    assert not is_complete(history)

    with running_engine(history.root) as engine:
        assert recover(engine, outputs) == 1
        assert rows(engine) == ["octo/docs"]

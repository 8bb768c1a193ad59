"""One table of DynamoDB: every page and every key is read, and a busy DynamoDB is reported as such."""

from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from traffic.errors import TableBusyError
from traffic.record.item_table import ItemTable, item_of


class PagedDynamoDB:
    """Returns a table's three items one by one, records what it is asked, and fails on demand."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.requests: list[dict[str, Any]] = []

    def scan(self, *, ExclusiveStartKey: Any = None, **request: Any) -> Any:  # noqa: N803 (boto3's names)
        """Return one item, and where to continue."""
        if self.failure:
            raise self.failure
        self.requests.append(request)
        number = int(ExclusiveStartKey["n"]["N"]) + 1 if ExclusiveStartKey else 1
        key = {"n": {"N": str(number)}}
        return {"Items": [key], **({"LastEvaluatedKey": key} if number < 3 else {})}

    query = scan


class BusyDynamoDB:
    """Leaves keys of some batches unprocessed, as a throttled DynamoDB does.

    Attributes:
        left: How many of the next batches stay incomplete.
    """

    def __init__(self, left: int) -> None:
        self.left = left
        self.asked: list[list[str]] = []

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803 (boto3's names)
        """Return all items, or only the first one."""
        keys = RequestItems["table"]["Keys"]
        assert RequestItems["table"]["ConsistentRead"] is True
        self.asked.append([key["n"]["S"] for key in keys])
        if not self.left:
            return {"Responses": {"table": keys}}
        self.left -= 1
        return {"Responses": {"table": keys[:1]}, "UnprocessedKeys": {"table": {"Keys": keys[1:]}}}


def throttled() -> ClientError:
    """Return what boto3 raises for a throttled table."""
    return ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}, "Scan")


class SegmentedDynamoDB:
    """A table of segments, each with three pages of one item, as a parallel scan reads it."""

    def __init__(self) -> None:
        self.pages: list[tuple[int, int]] = []
        self.together = Barrier(4, timeout=10)

    def scan(self, *, Segment: int, TotalSegments: int, ExclusiveStartKey: Any = None, **request: Any) -> Any:  # noqa: N803
        """Return one item, and where to continue; the first pages wait for each other."""
        assert (TotalSegments, request) == (4, {"TableName": "table", "ConsistentRead": False})
        number = int(ExclusiveStartKey["n"]["N"]) + 1 if ExclusiveStartKey else 1
        if number == 1:
            self.together.wait()
        self.pages.append((Segment, number))
        key = {"n": {"N": str(number)}}
        more = {"LastEvaluatedKey": key} if number < 3 else {}
        return {"Items": [{**key, "segment": {"N": str(Segment)}}], **more}


def test_segments_are_read_at_the_same_time_and_each_page_once() -> None:
    """A scan of a million days takes minutes, and each page costs money."""
    dynamodb = SegmentedDynamoDB()

    read = list(ItemTable(dynamodb, "table", segments=4).every_item(consistent=False))

    every = [(segment, number) for segment in range(4) for number in (1, 2, 3)]
    assert sorted((item["segment"], item["n"]) for item in read) == sorted(dynamodb.pages) == every


def test_pages_are_the_items_as_dynamodb_writes_them() -> None:
    """Whoever reads a million of them has no time to convert each."""
    assert list(ItemTable(PagedDynamoDB(), "table").pages()) == [
        ['{"n": {"N": "1"}}'],
        ['{"n": {"N": "2"}}'],
        ['{"n": {"N": "3"}}'],
    ]


def test_items_before_the_first_sort_key_stay_in_dynamodb() -> None:
    """Nobody should wait for years of days to see the last week."""
    dynamodb = PagedDynamoDB()

    list(ItemTable(dynamodb, "table").pages({"timestamp": "2026-11-20"}))

    assert dynamodb.requests == 3 * [
        {
            "TableName": "table",
            "ConsistentRead": False,
            "FilterExpression": "#sort >= :begin",
            "ExpressionAttributeNames": {"#sort": "timestamp"},
            "ExpressionAttributeValues": {":begin": {"S": "2026-11-20"}},
        }
    ]


def test_a_table_is_read_to_its_last_page() -> None:
    """A page holds at most a megabyte: reading one page would leave out repositories."""
    dynamodb = PagedDynamoDB()

    assert [item["n"] for item in ItemTable(dynamodb, "table").every_item()] == [1, 2, 3]
    assert dynamodb.requests == [{"TableName": "table", "ConsistentRead": True}] * 3


def test_a_scan_asks_for_the_wanted_attributes_of_the_wanted_items() -> None:
    """Unwanted attributes take memory, and unwanted items time."""
    dynamodb = PagedDynamoDB()

    list(ItemTable(dynamodb, "table").every_item(["n", "names"], having="repo-name", consistent=False))

    assert dynamodb.requests[0] == {
        "TableName": "table",
        "ConsistentRead": False,
        "ProjectionExpression": "#0, #1",
        "FilterExpression": "attribute_exists(#having)",
        "ExpressionAttributeNames": {"#0": "n", "#1": "names", "#having": "repo-name"},
    }


def test_a_partition_is_read_to_its_last_page() -> None:
    """Years of days do not fit into one page: a record would be missed."""
    dynamodb = PagedDynamoDB()

    found = ItemTable(dynamodb, "table").query({"key": "octo/docs"}, {"day": "2026"}, ["day", "views"], end="2027")

    assert [item["n"] for item in map(item_of, found)] == [1, 2, 3]
    assert dynamodb.requests == 3 * [
        {
            "TableName": "table",
            "ConsistentRead": True,
            "KeyConditionExpression": "#0 = :key AND #1 BETWEEN :begin AND :end",
            "ExpressionAttributeNames": {"#0": "key", "#1": "day", "#2": "views"},
            "ExpressionAttributeValues": {":key": {"S": "octo/docs"}, ":begin": {"S": "2026"}, ":end": {"S": "2027"}},
            "ProjectionExpression": "#0, #1, #2",
        }
    ]


def test_keys_that_dynamodb_left_are_asked_for_again() -> None:
    """A throttled read is not a missing item: otherwise a day's numbers would be lowered."""
    dynamodb = BusyDynamoDB(left=2)

    found = ItemTable(dynamodb, "table").items([{"n": "a"}, {"n": "b"}, {"n": "c"}])

    assert found == [{"n": "a"}, {"n": "b"}, {"n": "c"}]
    assert dynamodb.asked == [["a", "b", "c"], ["b", "c"], ["c"]]


def test_keys_that_dynamodb_never_returns_raise_what_the_definition_retries() -> None:
    """The state machine waits and tries again; an incomplete set of items would be merged wrongly."""
    dynamodb = BusyDynamoDB(left=100)
    keys = [{"n": str(number)} for number in range(7)]

    with pytest.raises(TableBusyError, match=r"^DynamoDB left 2 keys of table unread$"):
        ItemTable(dynamodb, "table").items(keys)
    assert len(dynamodb.asked) == 5


def test_more_keys_than_dynamodb_takes_at_once_are_asked_for_in_parts() -> None:
    """DynamoDB refuses a batch of more than 100 keys."""
    dynamodb = BusyDynamoDB(left=0)
    keys = [{"n": str(number)} for number in range(101)]

    assert ItemTable(dynamodb, "table").items(keys) == keys
    assert [len(asked) for asked in dynamodb.asked] == [100, 1]
    assert ItemTable(dynamodb, "table").item({"n": "a"}) == {"n": "a"}


def test_an_item_has_pythons_types() -> None:
    """A number is an integer; a fraction must not be rounded silently."""
    raw = {
        "count": {"N": "12345678901"},
        "odd": {"N": "-1.5"},
        "complete": {"BOOL": True},
        "ids": {"SS": ["1", "2"]},
        "rows": {"L": [{"M": {"count": {"N": "3"}, "path": {"S": "/"}}}]},
    }

    assert item_of(raw) == {
        "count": 12345678901,
        "odd": Decimal("-1.5"),
        "complete": True,
        "ids": {"1", "2"},
        "rows": [{"count": 3, "path": "/"}],
    }


@pytest.mark.parametrize(
    "failure",
    [
        throttled(),
        ConnectionClosedError(endpoint_url="https://dynamodb"),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_table_that_cannot_be_read_now_raises_what_the_definition_retries(failure: Exception) -> None:
    """With boto3's name for the error, a run would end without its summary."""
    with pytest.raises(TableBusyError) as refused:
        list(ItemTable(PagedDynamoDB(failure), "table").every_item())
    assert str(refused.value) == f"table: {failure}"


def test_a_denied_read_keeps_its_name() -> None:
    """A retry cannot add a permission."""
    denied = ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "Scan")

    with pytest.raises(ClientError, match="AccessDenied"):
        list(ItemTable(PagedDynamoDB(denied), "table").every_item())

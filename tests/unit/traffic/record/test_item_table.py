"""A table read whole, and a DynamoDB that cannot be reached."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from traffic.errors import TableBusyError
from traffic.record.item_table import ItemTable


class PagedDynamoDB:
    """Gives a table of three items one by one, and fails when it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure

    def scan(self, *, TableName: str, ConsistentRead: bool, ExclusiveStartKey: Any = None) -> Any:  # noqa: N803
        """Give one item, and where to go on."""
        assert (TableName, ConsistentRead) == ("table", True)
        if self.failure:
            raise self.failure
        number = int(ExclusiveStartKey["n"]["N"]) + 1 if ExclusiveStartKey else 1
        key = {"n": {"N": str(number)}}
        return {"Items": [key], **({"LastEvaluatedKey": key} if number < 3 else {})}


def throttled() -> ClientError:
    """What boto3 raises of a throttled table."""
    return ClientError({"Error": {"Code": "ProvisionedThroughputExceededException", "Message": ""}}, "Scan")


def test_a_table_is_read_to_its_last_page() -> None:
    """A page holds a megabyte at most: who stopped there would watch over a part of the repositories."""
    assert [item["n"] for item in ItemTable(PagedDynamoDB(), "table").every_item()] == [1, 2, 3]


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
    """Under boto3's own name for it a run would end without its summary."""
    with pytest.raises(TableBusyError):
        list(ItemTable(PagedDynamoDB(failure), "table").every_item())

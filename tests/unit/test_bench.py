"""What the benchmarks measure, held to where it does not depend on the machine."""

from contextlib import nullcontext
from typing import Any

from simulated_github import SimulatedGitHub
from tests.bench import first_version
from tests.bench.writes import writes_by_changed_item


def test_each_changed_item_is_written_once_and_no_other() -> None:
    """A write is paid for also where it changes nothing."""
    rows = {what: (made, changed) for what, made, changed in writes_by_changed_item()}

    assert all(made == changed for made, changed in rows.values())
    assert rows["second run"] == (0, 0)
    assert rows["next day"][0] > 0


class FakeTable:
    """A table that keeps what the batch writer is given."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def batch_writer(self) -> Any:
        """Be the batch writer too."""
        return nullcontext(self)

    def put_item(self, *, Item: dict[str, Any]) -> None:  # noqa: N803 (boto3's name)
        """Keep an item."""
        self.items.append(Item)


def test_the_first_versions_loop_makes_two_calls_each_and_writes_every_day() -> None:
    """What we are compared with must do what it did, and no less."""
    table = FakeTable()
    with SimulatedGitHub(repositories=3) as github:
        written = first_version.capture(github.url, github.names, table)
        endpoints = [call.endpoint for call in github.calls]

    assert endpoints == ["views", "clones"] * 3
    assert written == len(table.items) == 3 * 14
    assert all({"views-count", "clones-uniques"} < item.keys() for item in table.items)

"""Promise: what the cost table says a run uses is what a run uses, counted on the real handlers and definition."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from cli.runs import cost_table, prices
from cli.runs.cost_table import requests_and_logs, transitions, writes
from lambdas.fetch_traffic import handler as fetch_traffic
from lambdas.fetch_traffic.batch import _least
from lambdas.list_repos import due
from lambdas.list_repos import handler as list_repos
from lambdas.store_traffic import handler as store_traffic
from lambdas.summarize_run import handler as summarize_run
from simulated_github import SimulatedGitHub
from tests.bench.functions import BATCH, FLEET, LATENCY, RECEIPTS, batch_of
from tests.unit.handlers import Account, account
from tests.unit.whole_run import run
from traffic import planning
from traffic.contract import ENDPOINTS
from traffic.deadline import LONGEST_RUN

DEFINITION = json.loads((Path(__file__).parents[4] / "statemachine" / "capture_traffic.asl.json").read_text())

# The way of a run, and of a child, in which all is well: at each choice the state that follows.
WELL = {
    "All listed?": "Capture repositories",
    "Summary wanted?": "Publish summary",
    "Run succeeded?": "Finish run",
    "Anything to fetch?": "Fetch traffic",
    "Anything fetched?": "Store traffic",
    "All fetched?": "Finish batch",
}

ITEM_OVERHEAD = 100  # bytes that DynamoDB stores beside each item
# Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html

# What Lambda logs itself of each call.
# Source: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
LAMBDA_LINES = """\
START RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95 Version: $LATEST
END RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95
REPORT RequestId: 8f507cfc-xmpl-4697-b07a-ac58fc914c95  Duration: 15.74 ms  Billed Duration: 16 ms  Memory Size: 128 MB\
  Max Memory Used: 56 MB  Init Duration: 130.49 ms
XRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1   SegmentId: 07f5xmpl2d1f6f85 Sampled: true
"""


@dataclass
class Used:
    """What a run of some repositories used, on a day when all of them were known.

    Attributes:
        calls: The requests to AWS: operation and parameters.
        logged: Bytes that the functions wrote to their logs.
        writes: Units in which it wrote items.
        answers: Bytes of each object of answers that there is after it.
        run_files: Bytes of its manifest and receipts.
        items: All items of the three tables after it.
    """

    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    logged: int = 0
    answers: list[int] = field(default_factory=list)
    run_files: int = 0
    writes: int = 0
    items: Mapping[Any, Mapping[str, Any]] = field(default_factory=dict)

    def count(self, *operations: str) -> int:
        """Count the requests of some kinds."""
        return sum(operation in operations for operation, _ in self.calls)


@pytest.fixture(scope="module")
def used_in_batches() -> Iterator[Used]:
    """A run of three repositories on their second day, in one child with three batches."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(due, "SINGLES", 0)
        monkeypatch.setattr(due, "BATCH", 1)
        yield second_day(monkeypatch, 3)


@pytest.fixture(scope="module")
def used() -> Iterator[Mapping[int, Used]]:
    """Runs of one repository and of three on their second day."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield {size: second_day(monkeypatch, size) for size in (1, 3)}


def second_day(monkeypatch: pytest.MonkeyPatch, size: int) -> Used:
    """Run on two days, and note what the second run used."""
    found, log = Used(), io.StringIO()
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def noted(client: Any, operation: str, request: Mapping[str, Any]) -> Any:
        found.calls.append((operation, {name: value for name, value in request.items() if name != "Body"}))
        return real(client, operation, request)

    names = [f"octo/repository-{number}" for number in range(size)]
    with (
        SimulatedGitHub(repositories=names, at="2026-11-20T09:00:00Z", regime="whole-days") as github,
        account(monkeypatch, github.url) as aws,
    ):
        run(aws, "first")
        github.at("2026-11-21T09:00:00Z")
        before = stored(aws)
        for handler in (list_repos, fetch_traffic, store_traffic, summarize_run):
            monkeypatch.setattr(handler.logger.registered_handler, "stream", log)
        monkeypatch.setattr(BaseClient, "_make_api_call", noted)
        run(aws, "second")
        monkeypatch.setattr(BaseClient, "_make_api_call", real)
        found.logged = len(log.getvalue())
        found.items = stored(aws)
        found.writes = sum(units(item, 1024) for key, item in found.items.items() if before.get(key) != item)
        listed = aws.s3.list_objects_v2(Bucket="archive", Prefix="answers/")
        found.answers = [each["Size"] for each in listed["Contents"]]
        kept = aws.s3.list_objects_v2(Bucket="archive", Prefix="runs/second/")["Contents"]
        found.run_files = sum(each["Size"] for each in kept if "summary" not in each["Key"])
    return found


def item_size(value: Any) -> int:
    """Count the bytes of an item as DynamoDB charges for them.

    Source:
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    if isinstance(value, Mapping):
        return 3 + sum(len(name.encode()) + 1 + item_size(inner) for name, inner in value.items())
    if isinstance(value, list | set):
        return 3 + sum(1 + item_size(inner) for inner in value)
    if isinstance(value, str):
        return len(value.encode())
    return 1 if isinstance(value, bool) else 2 + len(str(value)) // 2


def full_snapshot() -> Mapping[str, Any]:
    """Write a snapshot with the ten referrers and ten paths that GitHub returns at most, of usual lengths."""
    times = dict.fromkeys(("views", "clones", "referrers", "paths"), "2026-11-20T09:00:00Z")
    path = {"path": "/octo/a-usual-name/blob/main/docs/a-guide.md", "title": "docs/a-guide.md at main · octo " * 2}
    counts = {"count": 1234, "uniques": 567}
    return {
        "repo-id": "123456789", "captured-on": "2026-11-20", "captured-at": times,
        "views-count": 12345, "views-uniques": 1234, "clones-count": 12345, "clones-uniques": 1234,
        "referrers": [{"referrer": "news.ycombinator.com", **counts}] * 10, "paths": [{**path, **counts}] * 10,
    }  # fmt: skip


def units(item: Mapping[str, Any], size: int) -> int:
    """Count the units that an item is read or written in."""
    return ceil(item_size(item) / size)


def stored(aws: Account) -> dict[Any, Mapping[str, Any]]:
    """Read all items of the three tables."""
    return {**aws.days(), **aws.repositories(), **{(*key, "snapshot"): item for key, item in aws.snapshots().items()}}


def way(states: Mapping[str, Any], name: str, *, until: str = "") -> list[str]:
    """Follow the states from one on to the end, or to another one, where all is well."""
    following = WELL.get(name) or states[name].get("Next")
    return [name, *(way(states, following, until=until) if following and following != until else [])]


def test_the_states_of_a_run_and_of_a_child_are_those_of_the_definition() -> None:
    """Each state entered is paid for; a state more in the children is the largest part of a large fleet's bill."""
    child = DEFINITION["States"]["Capture repositories"]["ItemProcessor"]
    run_states = len(way(DEFINITION["States"], DEFINITION["StartAt"]))
    child_states = len(way(child["States"], child["StartAt"]))

    assert run_states == prices.RUN_STATES.value
    assert transitions(children=1, rounds=1) == run_states + child_states
    assert transitions(children=7, rounds=7) == run_states + 7 * child_states
    assert prices.AT_ONCE.value == planning.AT_ONCE
    assert prices.SINGLES.value == due.SINGLES


@pytest.mark.parametrize("between", ["Next batch", "Wait for rate limit"])
def test_from_one_batch_to_the_next_and_over_a_pause_there_are_as_many_states_as_the_table_says(between: str) -> None:
    """A child with a user's batches goes in circles, and pays for each state of a circle."""
    states = DEFINITION["States"]["Capture repositories"]["ItemProcessor"]["States"]
    leads = [choice["Next"] for choice in states["All fetched?"]["Choices"]]
    circle = [between, *way(states, states[between]["Next"], until="Finish batch")]

    assert between in leads
    assert circle[-1] == "All fetched?"
    assert transitions(children=1, rounds=9) - transitions(children=1, rounds=8) == len(circle)


def test_a_run_pauses_as_often_as_the_response_time_of_a_minute_demands() -> None:
    """A tenth of GitHub's limits is left to others, and each pause makes Fetch and Store run once more."""
    assert prices.CALLS_A_MINUTE.value == planning.calls_a_minute(LATENCY)
    assert prices.CALLS_AN_HOUR.value == planning.calls_an_hour(5000, LATENCY)
    assert prices.CALLS.value == planning.MOST_CALLS
    assert cost_table.rounds(200) == cost_table.children(200) == 200
    assert (cost_table.children(1000), cost_table.rounds(1000)) == (1, 20 + 8)
    assert (cost_table.starts(3), cost_table.starts(200), cost_table.starts(10_000)) == (3, 4, 1 + 8)


def test_a_run_makes_as_many_requests_to_s3_as_the_table_says(used: Mapping[int, Used]) -> None:
    """Writing costs twelve times as much as reading, and a list as much as a write."""
    for size, found in used.items():
        expected = requests_and_logs(size, size, size, calls=2 + 2 * size)
        assert found.count("PutObject", "ListObjectsV2") == expected[prices.PUT]
        assert found.count("GetObject") == expected[prices.GET]  # one stands for the Map's own, of the manifest


def test_a_child_with_several_batches_makes_as_many_requests_to_s3_as_the_table_says(used_in_batches: Used) -> None:
    """Each batch is a line of the manifest, which Fetch traffic reads by itself."""
    expected = requests_and_logs(3, 1, 3, calls=2 + 2 * 3)

    assert used_in_batches.count("PutObject", "ListObjectsV2") == expected[prices.PUT]
    assert used_in_batches.count("GetObject") == expected[prices.GET]


def test_a_repository_is_read_and_written_in_as_many_units_as_the_table_says(used: Mapping[int, Used]) -> None:
    """A unit is 4 KB read consistently, or 1 KB written: each item begins one of its own, but for those of a query."""
    for size, found in used.items():
        keys = [
            key
            for operation, request in found.calls
            if operation == "BatchGetItem"
            for table in request["RequestItems"].values()
            for key in table["Keys"]
        ]
        days = {
            " ".join(key): item
            for key, item in found.items.items()
            if kind_of(key) == "day" and "repository-0" in key[0]
        }
        assert units(days, 4096) == 1  # fifteen of them
        assert all(units(item, 4096) == 1 for item in found.items.values())
        assert len(keys) + size == size * prices.REPOSITORY_READS.value
        assert found.count("Query") >= size
        assert size * 3 <= found.writes <= writes(size, changed_days=size)
        assert found.count("UpdateItem") == size * 3  # the day, the entry, the snapshot


def test_items_and_objects_are_no_larger_than_the_table_says_and_not_much_smaller(used: Mapping[int, Used]) -> None:
    """Three years of them are the largest part of the bill."""
    largest: dict[str, int] = {"day": 0, "entry": 0, "name": 0, "snapshot": 0}
    for key, item in used[3].items.items():
        kind = kind_of(key)
        largest[kind] = max(largest[kind], item_size(item) + ITEM_OVERHEAD)

    assert close(largest["day"], prices.DAY_BYTES)
    full = item_size(full_snapshot()) + ITEM_OVERHEAD  # the simulated names and titles are short
    assert largest["snapshot"] < full
    assert close(full, prices.SNAPSHOT_BYTES)
    assert units(full_snapshot(), 1024) == prices.SNAPSHOT_WRITES.value
    assert close(largest["entry"] + largest["name"], prices.ENTRY_BYTES)
    assert close(max(used[1].answers), prices.ANSWERS_BYTES)
    assert close(used[1].run_files, prices.RUN_BYTES)


def test_functions_log_no_more_than_the_table_says_and_not_much_less(used: Mapping[int, Used]) -> None:
    """A line for each repository costs as much as the requests to S3."""
    for size, found in used.items():
        calls = 2 + 2 * size
        expected = requests_and_logs(size, size, size, calls)[prices.LOGGED] * prices.GIGABYTE
        assert expected / 2 < found.logged + calls * len(LAMBDA_LINES) <= expected


def kind_of(key: str | tuple[str, ...]) -> str:
    """Say what kind of item has a key in `stored`."""
    if isinstance(key, tuple):
        return "snapshot" if "snapshot" in key else "day"
    return "name" if " " in key else "entry"


def close(measured: float, amount: prices.Amount) -> bool:
    """Tell whether the table says somewhat more than was measured here: GitHub's names and answers can be longer."""
    return amount.value / 2 < measured <= amount.value


def test_aws_key_is_used_as_often_as_the_longest_run_allows() -> None:
    """Two functions use the table `RepoTraffic`, and DynamoDB asks for the key once in five minutes for each."""
    assert prices.KEY_USES.value == 2 * (LONGEST_RUN / timedelta(minutes=5))


def measured() -> Mapping[tuple[str, str], tuple[float, float]]:
    """Read from the benchmarks what each function took with its memory: seconds cold, and seconds warm if measured."""
    page = (Path(__file__).parents[4] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    cut = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines()]
    rows = [cells for cells in cut if cells[0] in prices.MEMORY and int(cells[2]) == prices.MEMORY[cells[0]]]
    return {(cells[0], cells[1]): (float(cells[7]), float(cells[8]) if len(cells) > 8 else 0.0) for cells in rows}


@pytest.mark.parametrize("function", ["FetchTraffic", "StoreTraffic"])
def test_fetch_and_store_take_no_longer_than_the_table_says_and_not_much_less(function: str) -> None:
    """The longest part of the functions' bill for a large fleet."""
    (_, one), (_, batch) = (measured()[function, batch_of(size)] for size in (1, BATCH))
    total, _ = measured()[function, batch_of(1)]
    start, first, more = {
        "FetchTraffic": (prices.FETCH_START, prices.FETCH, prices.FETCH_MORE),
        "StoreTraffic": (prices.STORE_START, prices.STORE, prices.STORE_MORE),
    }[function]

    assert one <= first.value <= 3 * one + 0.1  # a shorter time is mostly chance
    assert batch <= first.value + (BATCH - 1) * more.value <= 3 * batch
    assert total - 2 * one <= start.value <= 3 * total


def test_children_rest_as_long_as_the_table_says() -> None:
    """Up to 200 repositories, the children of a user keep GitHub's response time of a minute by resting."""
    took = [0.15] * len(ENDPOINTS)
    rests = {
        many: _least(
            {"repositories": [], "share": {"children": planning.AT_ONCE, "calls": len(ENDPOINTS) * many}}, took
        )
        for many in (45, 46)
    }

    assert prices.UNRESTED.value == 45
    assert rests[45] == 0
    assert rests[46] <= prices.RESTED.value <= 1.1 * rests[46]


def test_list_and_summarize_take_no_longer_than_the_table_says_and_not_much_less() -> None:
    """They have the most memory, so each of their seconds costs the most."""
    listed = sum(seconds for (_, what), (seconds, _) in measured().items() if f"{FLEET:,} repositories, call" in what)
    summarized, _ = measured()["SummarizeRun", f"{FLEET:,} repositories, {FLEET // RECEIPTS:,} receipts"]
    waited = FLEET / 100 * LATENCY  # GitHub answered at once where it was measured

    assert listed + waited <= prices.LIST.value + FLEET * prices.LIST_MORE.value <= 3 * (listed + waited)
    assert summarized <= prices.SUMMARIZE.value + FLEET * prices.SUMMARIZE_MORE.value <= 3 * summarized

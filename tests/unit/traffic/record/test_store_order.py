"""Store traffic on tables in memory: answers stored late, twice, in any order or at once result in the same tables."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import permutations

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fake_dynamodb import FakeDynamoDB
from traffic.errors import IdentityConflictError, TableBusyError
from traffic.record.merge import Day, Entry, Name, Snapshot, Statement, pointer_key

EXAMPLES = settings(max_examples=3 * settings().max_examples, deadline=None)
FIRST_DAY = date(2026, 11, 6)


def seen_on(day: str, name: str = "octo/docs") -> Entry:
    """Return what a capture of one day adds to a repository's entry."""
    return Entry({name: Name(f"{day}T09:00:00Z", day)}, newest_day=day, captured_on=day)


def store(table: FakeDynamoDB, captured_on: str, days: Mapping[str, Day], repo_id: int = 1) -> None:
    """Do what Store traffic does with one repository of an archive object."""
    repo_name, _ = table.tables.store_repository(repo_id, seen_on(captured_on))
    table.tables.store_days(repo_name, repo_id, days)
    totals = {"views-count": sum(day.metrics.get("views-count", 0) for day in days.values()), "views-uniques": 1}
    table.snapshots.store(repo_id, captured_on, {"views": Statement(totals, f"{captured_on}T09:00:00Z")})


def text(offset: int) -> str:
    """Return the day that is so many days after the first."""
    return str(FIRST_DAY + timedelta(days=offset))


some_day = st.builds(
    Day,
    st.dictionaries(st.sampled_from(["views-count", "views-uniques", "clones-count"]), st.integers(0, 4)),
    st.frozensets(st.sampled_from(["views", "clones"])),
    sources=st.just({}),
)
captures = st.dictionaries(
    st.integers(14, 20).map(text),
    st.dictionaries(st.integers(0, 13).map(text), some_day, max_size=4),
    min_size=1,
    max_size=5,
)


@given(captures, st.data())
@EXAMPLES
def test_answers_stored_late_or_twice_or_in_any_order_result_in_the_same_tables(
    captured: Mapping[str, Mapping[str, Day]], data: st.DataObject
) -> None:
    """After a crash between Fetch and Store, answers are stored days later, or all again."""
    in_order, shuffled = FakeDynamoDB(), FakeDynamoDB()
    for captured_on, days in sorted(captured.items()):
        store(in_order, captured_on, days)
    for captured_on in data.draw(st.permutations([*captured, *captured])):
        store(shuffled, captured_on, captured[captured_on])

    assert shuffled.dump() == in_order.dump()


@given(captures)
@EXAMPLES
def test_storing_again_writes_nothing(captured: Mapping[str, Mapping[str, Day]]) -> None:
    """Every write costs money, a refused one too, and a second run on the same day changes no item."""
    table = FakeDynamoDB()
    for captured_on, days in sorted(captured.items()):
        store(table, captured_on, days)
    writes = table.writes

    for captured_on, days in captured.items():
        store(table, captured_on, days)

    assert table.writes == writes


def test_only_the_days_that_change_are_written() -> None:
    """One or two days of a window of 14 change each morning: writing all of them costs seven times as much."""
    table = FakeDynamoDB()
    window = {text(offset): Day({"views-count": 5}) for offset in range(14)}
    table.tables.store_days("octo/docs", 1, window)
    writes = table.writes

    changed, _ = table.tables.store_days("octo/docs", 1, {**window, text(13): Day({"views-count": 6})})

    assert (changed, table.writes - writes) == ([text(13)], 1)


@given(some_day, some_day, some_day)
@EXAMPLES
def test_two_writers_at_once_lose_no_update(kept: Day, one: Day, other: Day) -> None:
    """A manual run can overlap with the daily one: what it writes between read and write must survive."""
    table, alone = FakeDynamoDB(), FakeDynamoDB()
    for day in (kept, one, other):
        alone.tables.store_days("octo/docs", 1, {text(0): day})
    table.tables.store_days("octo/docs", 1, {text(0): kept})
    table.between = lambda: table.tables.store_days("octo/docs", 1, {text(0): other})

    table.tables.store_days("octo/docs", 1, {text(0): one})
    if table.between is not None:  # the first writer had nothing to write, so nothing could interfere
        table.tables.store_days("octo/docs", 1, {text(0): other})

    assert table.dump() == alone.dump()


def test_two_writers_of_an_entry_and_of_a_snapshot_lose_no_update() -> None:
    """A name lost here would never lead to its repository again."""
    table = FakeDynamoDB()
    table.tables.store_repository(1, seen_on("2026-11-18"))
    table.between = lambda: table.tables.store_repository(1, seen_on("2026-11-20", "octo/manual"))
    table.tables.store_repository(1, seen_on("2026-11-19", "octo/handbook"))
    early, late = (Statement({"referrers": [hour]}, f"2026-11-20T{hour}:00:00Z") for hour in ("09", "10"))
    table.between = lambda: table.snapshots.store(1, "2026-11-20", {"referrers": late})
    table.snapshots.store(1, "2026-11-20", {"referrers": early})

    found = table.tables.repository(1)
    assert found is not None
    assert found[1].names.keys() == {"octo/docs", "octo/manual", "octo/handbook"}
    assert table.dump()["RepoTrafficSnapshots"]["1", "2026-11-20"]["referrers"] == ["10"]


def test_a_new_repository_stored_twice_at_once_gets_one_key() -> None:
    """Two keys for one id would split its history."""
    table = FakeDynamoDB()
    table.between = lambda: table.tables.store_repository(1, seen_on("2026-11-20"))

    repo_name, _ = table.tables.store_repository(1, seen_on("2026-11-20"))

    assert repo_name == "octo/docs"
    assert table.dump()["RepoTrafficRepositories"]["1",]["repo-name"] == "octo/docs"


@pytest.mark.parametrize("order", permutations([1, 2, 3]))
def test_repositories_that_had_one_name_never_share_rows(order: tuple[int, ...]) -> None:
    """A repository deleted and created again twice has three histories, and the name leads to each of them."""
    table = FakeDynamoDB()
    for repo_id in order:
        store(table, "2026-11-20", {text(13): Day({"views-count": repo_id})}, repo_id)

    stored = table.dump()
    rows = stored["RepoTraffic"]
    first, *others = order
    assert {key[0]: item["repo-id"] for key, item in rows.items()} == {
        "octo/docs": first,
        **{f"octo/docs~{repo_id}": repo_id for repo_id in others},
    }
    assert stored["RepoTrafficRepositories"][(pointer_key("OCTO/docs"),)]["repo-ids"] == {"1", "2", "3"}


def test_rows_of_another_repository_are_refused_before_the_first_is_written() -> None:
    """After the loss of the table of repositories a name can lead to wrong rows: they must not be mixed."""
    table = FakeDynamoDB()
    table.tables.store_days("octo/docs", 2, {text(0): Day({"views-count": 1})})
    table.tables.store_days("octo/docs", 1, {text(1): Day({"views-count": 1})})
    before = table.dump()

    with pytest.raises(IdentityConflictError, match="octo/docs 2026-11-07 belongs to id 1, not to 2"):
        table.tables.store_days("octo/docs", 2, {text(0): Day({"views-count": 2}), text(1): Day({"views-count": 2})})

    assert table.dump() == before


def test_rows_without_an_id_are_adopted() -> None:
    """Imported rows have no id until the repository is captured."""
    table = FakeDynamoDB()
    key = {"repo-name": {"S": "octo/docs"}, "timestamp": {"S": f"{text(0)}T00:00:00Z"}}
    table.items["RepoTraffic"]["octo/docs", f"{text(0)}T00:00:00Z"] = {**key, "views-count": {"N": "9"}}

    table.tables.store_days("octo/docs", 1, {text(0): Day({"views-count": 4, "clones-count": 2})})

    (item,) = table.dump()["RepoTraffic"].values()
    assert (item["views-count"], item["clones-count"], item["repo-id"]) == (9, 2, 1)


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_a_throttled_table_raises_what_the_definition_retries(code: str) -> None:
    """With boto3's name for the error, the state machine would give up the batch."""
    table = FakeDynamoDB()

    with table.refusing(code), pytest.raises(TableBusyError):
        table.tables.store_repository(1, seen_on("2026-11-20"))
    with table.refusing("AccessDeniedException"), pytest.raises(ClientError):
        table.tables.store_repository(1, seen_on("2026-11-20"))


def test_days_that_others_keep_changing_are_given_up() -> None:
    """An endless loop costs money; the state machine tries again later."""
    table = FakeDynamoDB()
    table.tables.store_days("octo/docs", 1, {text(0): Day({"views-count": 0})})
    count = iter(range(1, 100))

    def interfere() -> None:
        table.tables.store_days(
            "octo/docs", 1, {text(0): Day({"clones-count": next(count), "views-count": next(count)})}
        )
        table.between = interfere

    table.between = interfere
    with pytest.raises(TableBusyError, match=r"^octo/docs kept changing while 1 day of it was merged$"):
        table.tables.store_days("octo/docs", 1, {text(0): Day({"views-count": 1000})})
    assert table.dump()["RepoTraffic"]["octo/docs", f"{text(0)}T00:00:00Z"]["views-count"] == 10


def test_an_entry_that_others_keep_changing_is_given_up() -> None:
    """Without its entry a repository cannot be found by name, so the run must not succeed."""
    table = FakeDynamoDB()
    days = map(text, range(100))

    def interfere() -> None:
        table.tables.store_repository(1, seen_on(next(days)))
        table.between = interfere

    table.tables.store_repository(1, seen_on(next(days)))
    table.between = interfere
    with pytest.raises(TableBusyError, match=r"^the entry of repository 1 kept changing while it was merged$"):
        table.tables.store_repository(1, seen_on(text(200)))
    found = table.tables.repository(1)
    assert found is not None
    assert found[1].captured_on == text(5), "the other writer's days are kept, ours is not"


def test_a_snapshot_that_others_keep_changing_is_given_up() -> None:
    """A dropped snapshot is lost for good if the run succeeds: GitHub does not report the same window again."""
    table = FakeDynamoDB()
    hours = iter(range(23))

    def clones(hour: int) -> Snapshot:
        totals = {"clones-count": hour, "clones-uniques": 1}
        return {"clones": Statement(totals, f"2026-11-20T{hour:02}:00:00Z")}

    def interfere() -> None:
        table.snapshots.store(1, "2026-11-20", clones(next(hours)))
        table.between = interfere

    table.between = interfere
    with pytest.raises(
        TableBusyError, match=r"^1 2026-11-20 in RepoTrafficSnapshots kept changing while it was merged$"
    ):
        table.snapshots.store(1, "2026-11-20", clones(23))
    assert table.dump()["RepoTrafficSnapshots"]["1", "2026-11-20"]["clones-count"] == 4


def test_storing_a_snapshot_returns_whether_it_changed() -> None:
    """A second run on the same day must write nothing."""
    table = FakeDynamoDB()
    seen: Snapshot = {"referrers": Statement({"referrers": []}, "2026-11-20T09:00:00Z")}

    assert table.snapshots.store(1, "2026-11-20", seen) is True
    assert table.snapshots.store(1, "2026-11-20", seen) is False

"""Promise: after any loss, a rebuild restores the tables item for item, and never takes anything from them."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cli.commands.verify import verify
from tests.unit.backends import BACKENDS, Backend, Items, backend, readable
from tests.unit.fake_dynamodb import FakeDynamoDB
from tests.unit.simulated_answers import answer, body_of
from traffic.contract import METRICS, ArchivedAnswer, Endpoint
from traffic.errors import TableBusyError
from traffic.record import expected
from traffic.record.archive import Archive
from traffic.record.item_table import ATTEMPTS
from traffic.record.merge import without_prefix
from traffic.record.rebuilding import rebuild
from traffic.record.reports import read_reports

EXAMPLES = settings(max_examples=60, deadline=None, phases=[Phase.generate])

FIRST = datetime(2026, 11, 20, 9, tzinfo=UTC)
NAMES = ("octo/docs", "octo/Docs", "octo/web")

Lines = list[ArchivedAnswer]


@dataclass(frozen=True)
class Capture:
    """What GitHub answered about a repository.

    Attributes:
        id: GitHub's id.
        name: Its name at that time.
        counts: The views and clones of the days before.
        path: A path that people visited.
        refused: Whether GitHub answered neither views nor clones.
    """

    id: int
    name: str
    counts: Sequence[int]
    path: str
    refused: bool

    def lines(self, at: datetime) -> Lines:
        """Write the answers as lines of the archive."""
        counts = [*self.counts, 0]  # a zero: GitHub lists every day of the window
        days = {f"{at - timedelta(days=ago):%Y-%m-%d}": (count, count // 2) for ago, count in enumerate(counts, 1)}
        row = {"path": self.path, "title": "", "count": 2, "uniques": 1}
        bodies: dict[Endpoint, object] = {"views": body_of("views", days), "clones": body_of("clones", days)}
        lines = [answer(kind, body, at, name=self.name) for kind, body in (bodies | {"paths": [row]}).items()]
        for line in lines:
            line["repo_id"] = self.id
            if self.refused and line["endpoint"] != "paths":
                line |= {"outcome": "no push access", "body": '{"message": "Must have push access"}', "status": 403}
        return lines


class InMemory:
    """An archive in memory, with its objects in the order of the captures."""

    def __init__(self, objects: Sequence[Lines]) -> None:
        self._objects = {f"{number:04}": lines for number, lines in enumerate(objects)}

    def stored_keys(self) -> list[str]:
        """Return the keys."""
        return list(self._objects)

    def read_answers(self, key: str) -> Lines:
        """Read an object."""
        return self._objects[key]


def archived(captures: Sequence[Sequence[Capture]], hours: int = 10) -> Archive:
    """Archive captures, each of them some hours after the one before."""
    times = [FIRST + timedelta(hours=hours * number) for number in range(len(captures))]
    objects = [[line for each in batch for line in each.lines(at)] for at, batch in zip(times, captures, strict=True)]
    return cast("Archive", InMemory(objects))


def stored(archive: Archive) -> Items:
    """Return the tables as Store traffic writes them, object by object."""
    dynamodb = FakeDynamoDB()
    for key in archive.stored_keys():
        for report in read_reports(archive.read_answers(key)):
            repo_name, entry = dynamodb.tables.store_repository(report.repo_id, report.entry)
            dynamodb.tables.store_days(repo_name, report.repo_id, report.days)
            for day, snapshot in report.snapshots.items():
                dynamodb.snapshots.store(report.repo_id, day, without_prefix(snapshot, entry.names))
    return dynamodb.items


paths = st.sampled_from(["/octo/docs", "/octo/docs/issues", "/octo/web/pulls", "/elsewhere/else"])
captures = st.builds(
    Capture,
    st.integers(1, 3),
    st.sampled_from(NAMES),
    st.lists(st.integers(0, 12), min_size=1, max_size=4),
    paths,
    st.booleans(),
)
batches = st.lists(captures, min_size=1, max_size=3, unique_by=lambda each: each.id)


def damaged(data: st.DataObject, items: Items) -> Items:
    """Remove items and attributes, and lower numbers of days."""
    damaged = deepcopy(items)
    for table, found in damaged.items():
        for key in data.draw(st.sets(st.sampled_from(sorted(found)))) if found else ():
            item, names = found[key], sorted(found[key].keys() - set(KEY_NAMES[table]))
            if data.draw(st.booleans()):
                del found[key]
                continue
            for name in data.draw(st.sets(st.sampled_from(names))):
                if name in METRICS and table == "RepoTraffic" and item[name]["N"] != "0":
                    item[name] = {"N": str(int(item[name]["N"]) - 1)}
                else:
                    del item[name]
    return damaged


KEY_NAMES: Mapping[str, tuple[str, ...]] = {
    "RepoTraffic": ("repo-name", "timestamp"),
    "RepoTrafficRepositories": ("repo-id",),
    "RepoTrafficSnapshots": ("repo-id", "captured-on"),
}


@pytest.fixture(params=BACKENDS)
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Empty tables on one of the backends."""
    with backend(request.param, tmp_path) as made:
        yield made


@pytest.mark.parametrize("kind", BACKENDS)
@pytest.mark.parametrize("most", [1, 400_000])
@given(st.lists(batches, min_size=1, max_size=5), st.data())
@EXAMPLES
def test_any_loss_is_restored_item_for_item(
    kind: str, most: int, captured: list[list[Capture]], data: st.DataObject
) -> None:
    """Whether little is put away in between or much: the tables become what Store traffic made of the archive."""
    archive = archived(captured)
    whole = stored(archive)
    lost = damaged(data, whole)
    before = expected.MOST
    expected.MOST = most
    try:
        with tempfile.TemporaryDirectory() as folder, backend(kind, Path(folder)) as tables:
            tables.put(deepcopy(lost))
            written, left = rebuild(tables.record, archive)

            assert readable(tables.items()) == readable(whole)
            assert (written, left) == (changed(lost, whole), [])
            assert tables.writes == written, "each item once"
            assert verify(tables.record, archive) == []
            assert rebuild(tables.record, archive) == (0, [])
            assert tables.writes == written, "nothing is written into tables that are right"
    finally:
        expected.MOST = before


def changed(before: Items, after: Items) -> int:
    """Count the items that differ."""
    was = readable(before)
    return sum(item != was[table].get(key) for table, found in readable(after).items() for key, item in found.items())


ONE_DAY = [[Capture(1, "octo/docs", [8], "/octo/docs", refused=False)]]
DAY = ("octo/docs", "2026-11-19T00:00:00Z")
CAPTURE = ("1", "2026-11-20")


def test_what_a_table_holds_beyond_the_archive_is_listed_and_stays(tables: Backend) -> None:
    """Higher numbers, other attributes, unknown days, repositories and captures: only a person can judge them."""
    archive = archived(ONE_DAY)
    items = stored(archive)
    days, repositories, snapshots = items.values()
    days[DAY] |= {"views-count": {"N": "9"}, "stars": {"N": "1"}}
    days["octo/docs", "2020-01-01T00:00:00Z"] = row("octo/docs", "2020-01-01", 1)
    days["octo/gone", "2020-01-01T00:00:00Z"] = row("octo/gone", "2020-01-01", 2)
    days["docs", "2020-01-01T00:00:00Z"] = row("docs", "2020-01-01", 3)  # of the first version
    repositories["1",]["newest-day"] = {"S": "2026-12-01"}
    repositories["2",] = {"repo-id": {"S": "2"}, "repo-name": {"S": "octo/gone"}}
    repositories["name octo/docs",]["repo-ids"] = {"SS": ["1", "2"]}
    snapshots[CAPTURE]["views-count"] = {"N": "99"}
    snapshots[CAPTURE]["captured-at"]["M"]["views"] = {"S": "2026-11-20T23:00:00Z"}
    snapshots["2", "2026-11-20"] = {"repo-id": {"S": "2"}, "captured-on": {"S": "2026-11-20"}}
    tables.put(deepcopy(items))

    written, left = rebuild(tables.record, archive)

    assert (written, tables.writes) == (0, 0)
    assert readable(tables.items()) == readable(items)
    assert [(each.kind, " ".join(each.key), each.attribute, each.archive, each.held) for each in left] == [
        ("differs", "1", "newest-day", "2026-11-19", "2026-12-01"),
        ("extra", "2", "", None, None),
        ("differs", "name octo/docs", "repo-ids", {"1"}, {"1", "2"}),
        ("extra", "octo/docs 2020-01-01T00:00:00Z", "", None, None),
        ("differs", "octo/docs 2026-11-19T00:00:00Z", "stars", None, 1),
        ("differs", "octo/docs 2026-11-19T00:00:00Z", "views-count", 8, 9),
        ("differs", "1 2026-11-20", "captured-at", AT, {**AT, "views": "2026-11-20T23:00:00Z"}),
        ("differs", "1 2026-11-20", "views-count", 8, 99),
        ("extra", "octo/gone 2020-01-01T00:00:00Z", "", None, None),
        ("extra", "2 2026-11-20", "", None, None),
    ]
    assert verify(tables.record, archive)[-3].kind == "first version"


AT = dict.fromkeys(("views", "clones", "paths"), "2026-11-20T09:00:00Z")


def test_an_item_that_is_lower_in_one_number_and_higher_in_another_is_written_and_listed(tables: Backend) -> None:
    """The merge takes the best of both."""
    archive = archived(ONE_DAY)
    items = stored(archive)
    items["RepoTraffic"][DAY] |= {"views-count": {"N": "9"}, "clones-count": {"N": "1"}}
    tables.put(items)

    written, (left,) = rebuild(tables.record, archive)

    held = readable(tables.items())["RepoTraffic"][DAY]
    assert (written, held["views-count"], held["clones-count"]) == (1, 9, 8)
    assert (left.attribute, left.archive, left.held) == ("views-count", 8, 9)


def test_rows_of_another_repository_are_listed_and_none_is_written_beside_them(tables: Backend) -> None:
    """Store traffic refuses them, too."""
    archive = archived([[Capture(1, "octo/docs", [8, 7], "/octo/docs", refused=False)]])
    items = stored(archive)
    items["RepoTraffic"][DAY]["repo-id"] = {"N": "7"}
    del items["RepoTraffic"]["octo/docs", "2026-11-18T00:00:00Z"]
    tables.put(deepcopy(items))

    written, left = rebuild(tables.record, archive)

    assert written == 0
    assert readable(tables.items()) == readable(items)
    assert [(each.kind, each.attribute) for each in left] == [("missing", ""), ("differs", "repo-id")]


def test_a_rebuild_gives_way_to_a_run_that_writes_meanwhile(tables: Backend) -> None:
    """Between the read and the write of an item, the run stored a higher number: the higher one stays."""
    archive = archived(ONE_DAY)
    whole = stored(archive)
    tables.put(without(whole, "RepoTraffic", DAY))
    higher = deepcopy(whole)
    higher["RepoTraffic"][DAY] |= {"views-count": {"N": "50"}, "clones-count": {"N": "3"}}
    tables.before_next_write(lambda: tables.put(deepcopy(higher)))

    written, left = rebuild(tables.record, archive)

    held = readable(tables.items())["RepoTraffic"][DAY]
    assert (held["views-count"], held["clones-count"]) == (50, 8)
    assert (written, tables.writes) == (1, 2)
    assert [each.attribute for each in left] == ["views-count"]


def test_a_name_that_a_run_gives_to_another_repository_meanwhile_stays_with_it(tables: Backend) -> None:
    """The key of the rows is decided by who owns the name when the entry is written: rows of two must never mix."""
    archive = archived(ONE_DAY)
    other = stored(archived([[replace(ONE_DAY[0][0], id=2)]]))
    tables.put({table: {} for table in KEY_NAMES})
    tables.before_next_write(lambda: tables.put(deepcopy(other)))

    rebuild(tables.record, archive)

    found = readable(tables.items())
    assert {key: item["repo-id"] for key, item in found["RepoTraffic"].items() if key[1] == DAY[1]} == {
        DAY: 2,
        ("octo/docs~1", DAY[1]): 1,
    }
    assert found["RepoTrafficRepositories"]["1",]["repo-name"] == "octo/docs~1"
    assert found["RepoTrafficRepositories"]["name octo/docs",] == {
        "repo-id": "name octo/docs", "owner-id": "2", "repo-ids": {"1", "2"},
    }  # fmt: skip


def test_an_item_that_keeps_changing_ends_the_rebuild(tables: Backend) -> None:
    """It names the item, and can be repeated."""
    archive = archived(ONE_DAY)
    whole = stored(archive)
    counts = iter(range(100))

    def raised() -> None:
        higher = without(whole, "RepoTraffic", DAY)
        higher["RepoTraffic"][DAY] = {**whole["RepoTraffic"][DAY], "views-count": {"N": str(next(counts) % 7)}}
        tables.put(higher)
        tables.before_next_write(raised)

    tables.put(without(whole, "RepoTraffic", DAY))
    tables.before_next_write(raised)

    with pytest.raises(TableBusyError, match=r"^octo/docs 2026-11-19T00:00:00Z in RepoTraffic kept changing"):
        rebuild(tables.record, archive)
    assert next(counts) == ATTEMPTS


def test_an_interrupted_rebuild_goes_on_where_it_ended(tables: Backend) -> None:
    """What was written is written, and the next one writes the rest."""
    archive = archived([[Capture(1, "octo/docs", [8, 7, 6], "/octo/docs", refused=False)]])
    whole = stored(archive)
    tables.put({table: {} for table in KEY_NAMES})

    def after(writes: int) -> None:
        if writes == 0:
            raise KeyboardInterrupt
        tables.before_next_write(lambda: after(writes - 1))

    tables.before_next_write(lambda: after(4))
    with pytest.raises(KeyboardInterrupt):
        rebuild(tables.record, archive)
    assert len([key for found in tables.items().values() for key in found]) == 4

    total = sum(map(len, whole.values()))
    assert rebuild(tables.record, archive) == (total - 4, [])
    assert readable(tables.items()) == readable(whole)


def test_several_repositories_are_written_at_the_same_time(tables: Backend) -> None:
    """In AWS each call takes milliseconds, so one after another would take hours."""
    archive = archived([[Capture(id_, f"octo/r{id_}", [8], "/", refused=False)] for id_ in range(1, 40)], hours=0)
    whole = stored(archive)

    written, left = rebuild(tables.record, archive, at_once=4)

    assert (written, left) == (sum(map(len, whole.values())), [])
    assert readable(tables.items()) == readable(whole)


def without(items: Items, table: str, key: tuple[str, ...]) -> Items:
    """Return all items but one."""
    return {
        name: {each: deepcopy(item) for each, item in found.items() if (name, each) != (table, key)}
        for name, found in items.items()
    }


def row(name: str, day: str, views: int) -> dict[str, Any]:
    """Return an item of the table of days, in DynamoDB's own form."""
    return {
        "repo-name": {"S": name}, "timestamp": {"S": f"{day}T00:00:00Z"}, "views-count": {"N": str(views)},
    }  # fmt: skip

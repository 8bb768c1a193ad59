"""Promise: a number that only an import has is told apart from GitHub's, and no earlier record becomes wrong by it."""

import random
import tempfile
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cli.commands.verify import verify
from tests.unit.backends import BACKENDS, Backend, backend, readable
from tests.unit.fake_s3 import FakeS3
from tests.unit.traffic.record.test_undoing import (
    CAPTURE,
    DAY,
    ID,
    Numbers,
    as_stored,
    capture,
    fill,
    history,
    imports,
    store,
)
from traffic.record import expected
from traffic.record.archive import Archive
from traffic.record.merge import Day, Statement
from traffic.record.rebuilding import rebuild
from traffic.record.tables import Snapshots, Tables

EXAMPLES = settings(max_examples=25, deadline=None, phases=[Phase.generate])

# Views by day, referrers by day of capture, the tool, and stars and forks.
Imported = tuple[dict[str, int], dict[str, str], str, Numbers]

captures = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=5), max_size=3)


def merged(tables: Backend, day: Day) -> None:
    """Merge a report of one day into the tables."""
    Tables(tables.record.traffic, tables.record.repositories).store_days("octo/docs", ID, {DAY[1][:10]: day})


def held(tables: Backend) -> dict[str, object]:
    """Return the day's numbers and sources."""
    item = readable(tables.items())["RepoTraffic"][DAY]
    return {name: value for name, value in item.items() if name not in ("repo-name", "timestamp", "repo-id")}


def imported(tool: str, **metrics: int) -> Day:
    """Return what another tool says of the day."""
    named = {name.replace("_", "-"): value for name, value in metrics.items()}
    return Day(named, sources=dict.fromkeys(named, tool))


def archived(captured: list[list[int]], imports_: list[Imported]) -> Archive:
    """Archive what GitHub and other tools say."""
    archive = Archive("bucket", FakeS3())
    for number, counts in enumerate(captured):
        capture(archive, number, counts)
    for second, (views, lists, tool, numbers) in enumerate(imports_):
        archive.put_import(history(views, new=not captured, second=second, tool=tool, numbers=numbers, **lists))
    return archive


def forget_sources(tables: Backend, chance: random.Random) -> None:
    """Take sources out of items, as items of an earlier version have none, or only those of a later import."""
    items = deepcopy(tables.items())
    for item in items["RepoTraffic"].values():
        sources = item.get("sources", {"M": {}})["M"]
        left = {metric: tool for metric, tool in sources.items() if chance.random() < 0.5}
        item.pop("sources", None)
        if left:
            item["sources"] = {"M": left}
    tables.put(items)


def test_a_number_loses_its_source_when_github_reports_at_least_as_much(tables: Backend) -> None:
    """On both backends: an attribute that is set has to be removed again."""
    merged(tables, imported("csv", views_count=5, clones_count=3))
    assert held(tables) == {
        "views-count": 5,
        "clones-count": 3,
        "sources": {"views-count": "csv", "clones-count": "csv"},
    }

    merged(tables, Day({"views-count": 5, "clones-count": 2}))
    assert held(tables) == {"views-count": 5, "clones-count": 3, "sources": {"clones-count": "csv"}}

    merged(tables, Day({"clones-count": 4}))
    assert held(tables) == {"views-count": 5, "clones-count": 4}


def test_a_write_checks_numbers_and_sources_together(tables: Backend) -> None:
    """Otherwise two writers at once could leave an import's number as GitHub's: each wrote an attribute of its own."""
    merged(tables, imported("csv", views_count=5))
    tables.before_next_write(lambda: merged(tables, imported("csv", views_count=9)))
    merged(tables, Day({"views-count": 5}))
    assert held(tables) == {"views-count": 9, "sources": {"views-count": "csv"}}

    tables.before_next_write(lambda: merged(tables, Day({"views-count": 9})))
    merged(tables, imported("csv", views_count=12))
    assert held(tables) == {"views-count": 12, "sources": {"views-count": "csv"}}


@pytest.mark.parametrize("kind", BACKENDS)
@given(captures, st.lists(imports, max_size=3), st.randoms(use_true_random=False))
@EXAMPLES
def test_the_order_of_answers_and_imports_does_not_matter(
    kind: str,
    captured: list[list[int]],
    imports_: list[Imported],
    chance: random.Random,
) -> None:
    """What is stored late, twice or by a rebuild ends in the same items, with the same sources."""
    archive = archived(captured, imports_)
    keys = archive.stored_keys() * 2
    chance.shuffle(keys)
    with tempfile.TemporaryDirectory() as folder, backend(kind, Path(folder)) as tables:
        record = tables.record
        store(Tables(record.traffic, record.repositories), Snapshots(record.snapshots), archive, keys)

        assert readable(tables.items())["RepoTraffic"] == as_stored(archive)["RepoTraffic"]
        assert [each for each in verify(record, archive) if each.table == "RepoTraffic"] == []


@pytest.mark.parametrize("kind", BACKENDS)
@given(captures, st.lists(imports, min_size=1, max_size=3), st.randoms(use_true_random=False))
@EXAMPLES
def test_a_record_of_before_verifies_and_a_rebuild_adds_its_sources(
    kind: str,
    captured: list[list[int]],
    imports_: list[Imported],
    chance: random.Random,
) -> None:
    """Nobody should be frightened by an upgrade, and an earlier import can be told apart as well."""
    archive = archived(captured, imports_)
    with tempfile.TemporaryDirectory() as folder, backend(kind, Path(folder)) as tables:
        fill(tables, archive)
        forget_sources(tables, chance)

        assert verify(tables.record, archive) == []
        rebuild(tables.record, archive)

        assert readable(tables.items()) == as_stored(archive)
        assert rebuild(tables.record, archive) == (0, [])


def test_a_rebuild_of_a_long_history_restores_the_sources(
    tables: Backend, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is merged of many days goes to a temporary file, and comes back with its sources."""
    monkeypatch.setattr(expected, "MOST", 1)
    capture(archive, 0, [4])
    archive.put_import(history({"2026-11-19": 9, "2026-11-18": 7}))

    rebuild(tables.record, archive)

    assert readable(tables.items()) == as_stored(archive)
    assert held(tables)["sources"] == {"views-count": "csv"}


def test_a_wrong_source_is_a_difference_that_a_rebuild_repairs(tables: Backend, archive: Archive) -> None:
    """What is lenient towards older records must not be blind: a number of GitHub's must not pass for an import's."""
    capture(archive, 0, [4])
    archive.put_import(history({"2026-11-19": 9}))
    fill(tables, archive)
    right = deepcopy(tables.items())
    items = deepcopy(right)
    items["RepoTraffic"][DAY]["sources"] = {"M": {"views-count": {"S": "ghs"}, "clones-count": {"S": "csv"}}}
    tables.put(items)

    (found,) = verify(tables.record, archive)

    assert (found.attribute, found.archive) == ("sources", {"views-count": "csv"})
    assert rebuild(tables.record, archive) == (1, [])
    assert readable(tables.items()) == readable(right)


def test_a_number_that_nothing_explains_keeps_its_source(tables: Backend, archive: Archive) -> None:
    """Its import is gone from the archive: a rebuild removes nothing, and names it."""
    capture(archive, 0, [4])
    fill(tables, archive)
    merged(tables, imported("csv", views_count=9))

    written, left = rebuild(tables.record, archive)

    assert (written, [(each.attribute, each.archive, each.held) for each in left]) == (
        0,
        [("sources", None, {"views-count": "csv"}), ("views-count", 4, 9)],
    )


def running(tables: Backend, part: str, number: int, since: str, source: str = "") -> None:
    """Merge a running number into the tables; without a source it is GitHub's."""
    statement = Statement({part: number}, f"2026-11-20T{since}:00Z", source=source)
    Snapshots(tables.record.snapshots).store(ID, "2026-11-20", {part: statement})  # type: ignore[dict-item]


def snapshot(tables: Backend) -> dict[str, object]:
    """Return the attributes of the day's snapshot."""
    item = readable(tables.items())["RepoTrafficSnapshots"][CAPTURE]
    return {name: value for name, value in item.items() if name not in ("repo-id", "captured-on")}


def test_a_running_number_loses_its_source_when_github_reports_one(tables: Backend) -> None:
    """On both backends: an attribute that is set has to be removed again. A later, lower number is the right one."""
    running(tables, "stars", 9, "00:00", "ghrs (reconstructed)")
    running(tables, "forks", 3, "00:00", "ghrs (reconstructed)")
    running(tables, "stars", 8, "23:00", "ghrs")
    assert snapshot(tables) == {
        "stars": 8,
        "forks": 3,
        "captured-at": {"stars": "2026-11-20T23:00:00Z", "forks": "2026-11-20T00:00:00Z"},
        "sources": {"stars": "ghrs", "forks": "ghrs (reconstructed)"},
    }

    running(tables, "stars", 7, "23:00")
    running(tables, "forks", 3, "09:00")
    assert snapshot(tables) == {
        "stars": 7,
        "forks": 3,
        "captured-at": {"stars": "2026-11-20T23:00:00Z", "forks": "2026-11-20T09:00:00Z"},
    }


def test_a_write_checks_running_numbers_and_sources_together(tables: Backend) -> None:
    """Otherwise two writers at once could leave an import's number as GitHub's, or GitHub's as an import's."""
    running(tables, "stars", 9, "23:00", "ghrs")
    tables.before_next_write(lambda: running(tables, "stars", 9, "23:00"))
    running(tables, "stars", 11, "23:00", "ghrs")

    assert snapshot(tables) == {"stars": 9, "captured-at": {"stars": "2026-11-20T23:00:00Z"}}


def test_a_source_without_a_number_is_removed(tables: Backend, archive: Archive) -> None:
    """What GitHub reported must not pass for an import's either."""
    capture(archive, 0, [4])
    fill(tables, archive)
    items = deepcopy(tables.items())
    items["RepoTrafficSnapshots"][CAPTURE]["sources"] = {"M": {"views": {"S": "csv"}}}
    tables.put(items)

    assert rebuild(tables.record, archive) == (1, [])
    assert readable(tables.items()) == as_stored(archive)


def test_a_snapshot_of_before_verifies_and_keeps_its_item(tables: Backend, archive: Archive) -> None:
    """Its item has no stars and no sources, and its import's object names no source for its lists."""
    capture(archive, 0, [4])
    archive.put_import(history({"2026-11-18": 7}, d2026_11_21="a.example"))
    fill(tables, archive)
    before = readable(tables.items())

    assert not {"stars", "forks", "sources"} & {
        name for item in before["RepoTrafficSnapshots"].values() for name in item
    }
    assert verify(tables.record, archive) == []
    assert rebuild(tables.record, archive) == (0, [])
    assert readable(tables.items()) == before


@pytest.mark.parametrize("wrong", [None, {"stars": "aaa"}, {"stars": "csv", "views": "csv"}])
def test_a_wrong_source_of_a_running_number_is_repaired(
    tables: Backend, archive: Archive, wrong: dict[str, str] | None
) -> None:
    """No earlier version stored stars, so there is nothing to be lenient about."""
    capture(archive, 0, [4])
    archive.put_import(history({}, numbers={("2026-11-20", "stars"): (9, True)}))
    fill(tables, archive)
    right = readable(tables.items())
    items = deepcopy(tables.items())
    item = items["RepoTrafficSnapshots"][CAPTURE]
    del item["sources"]
    if wrong:
        item["sources"] = {"M": {part: {"S": tool} for part, tool in wrong.items()}}
    tables.put(items)

    (found,) = verify(tables.record, archive)

    assert (found.attribute, found.archive, found.held) == ("sources", {"stars": "csv"}, wrong)
    assert rebuild(tables.record, archive) == (1, [])
    assert readable(tables.items()) == right


def test_a_rebuild_of_a_long_history_restores_stars_with_their_sources(
    tables: Backend, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is merged of many snapshots goes to a temporary file, and comes back with its sources."""
    monkeypatch.setattr(expected, "MOST", 1)
    capture(archive, 0, [4])
    archive.put_import(history({}, numbers={("2026-11-20", "stars"): (9, True), ("2020-01-01", "forks"): (1, False)}))

    rebuild(tables.record, archive)

    assert readable(tables.items()) == as_stored(archive)
    assert snapshot(tables)["sources"] == {"stars": "csv"}

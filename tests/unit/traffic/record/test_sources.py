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
from tests.unit.traffic.record.test_undoing import DAY, ID, as_stored, capture, fill, history, imports, store
from traffic.record import expected
from traffic.record.archive import Archive
from traffic.record.merge import Day
from traffic.record.rebuilding import rebuild
from traffic.record.tables import Snapshots, Tables

EXAMPLES = settings(max_examples=25, deadline=None, phases=[Phase.generate])

Imported = tuple[dict[str, int], dict[str, str], str]  # views by day, referrers by day of capture, and the tool

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
    for second, (views, lists, tool) in enumerate(imports_):
        archive.put_import(history(views, new=not captured, second=second, tool=tool, **lists))
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

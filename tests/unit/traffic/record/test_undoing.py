"""Promise: an import that is taken back leaves the record as if it had never been, and nothing else changes."""

import tempfile
from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cli.commands.verify import verify
from tests.unit.backends import BACKENDS, Backend, backend, readable
from tests.unit.fake_dynamodb import FakeDynamoDB
from tests.unit.fake_s3 import FakeS3
from tests.unit.simulated_answers import answer, body_of
from traffic.contract import Endpoint, ImportedHistory
from traffic.errors import RecordError
from traffic.record.archive import Archive
from traffic.record.rebuilding import rebuild
from traffic.record.reports import read_reports
from traffic.record.tables import store_report
from traffic.record.undoing import undo

EXAMPLES = settings(max_examples=60, deadline=None, phases=[Phase.generate])

FIRST = datetime(2026, 11, 20, 9, tzinfo=UTC)

ID = 1
DAY = ("octo/docs", "2026-11-19T00:00:00Z")


def capture(archive: Archive, number: int, counts: list[int], id_: int = ID, name: str = "octo/docs") -> str:
    """Archive what GitHub answers on a day about the days before it."""
    at = FIRST + timedelta(days=number)
    days = {f"{at - timedelta(days=ago):%Y-%m-%d}": (count, min(count, 1)) for ago, count in enumerate(counts, 1)}
    row = {"referrer": f"r{number}.example", "count": 2, "uniques": 1}
    bodies: dict[Endpoint, object] = {"views": body_of("views", days), "clones": body_of("clones", days)}
    lines = [answer(kind, body, at, name=name) for kind, body in (bodies | {"referrers": [row]}).items()]
    for line in lines:
        line["repo_id"] = id_
    return archive.put_answers(lines)


Numbers = Mapping[tuple[str, str], tuple[int, bool]]  # by day and part, whether GitHub reported it in the evening


def history(
    days: Mapping[str, int],
    *,
    new: bool = False,
    second: int = 0,
    tool: str = "csv",
    numbers: Numbers | None = None,
    **snapshots: str,
) -> ImportedHistory:
    """Return what another tool kept.

    Args:
        days: Views by day.
        new: Whether the import made the repository known.
        second: The second of the import.
        tool: The tool.
        numbers: Stars and forks; those that GitHub did not report have another source, and midnight as their time.
        snapshots: A referrer by day of capture, as in `d2026_11_18="a.example"`.
    """
    since = "T00:00:00Z"
    line: ImportedHistory = {
        "source": tool,
        "files": ["views.csv"],
        "repo_id": ID,
        "repo": "octo/docs",
        "imported_at": f"2026-11-25T10:00:{second:02}Z",
        "new": new,
        "days": {day: {"views-count": count, "views-uniques": min(count, 1)} for day, count in days.items()},
        "snapshots": {
            (day := name[1:].replace("_", "-")): {
                "referrers": {
                    "said": {"referrers": [{"referrer": who, "count": 9, "uniques": 3}]},
                    "since": f"{day}{since}",
                }
            }
            for name, who in snapshots.items()
        },
    }
    for (day, part), (number, reported) in (numbers or {}).items():
        line["snapshots"].setdefault(day, {})[part] = {
            "said": {part: number},
            "since": f"{day}T23:00:00Z" if reported else f"{day}{since}",
            "source": tool if reported else f"{tool} (reconstructed)",
        }
    return line


def store(tables: Any, snapshots: Any, archive: Archive, keys: list[str]) -> None:
    """Store archive objects as Store traffic does."""
    for key in keys:
        for report in read_reports(archive.read_answers(key)):
            store_report(tables, snapshots, report)


def as_stored(archive: Archive) -> dict[str, Any]:
    """Return the tables as Store traffic writes them from what is archived."""
    dynamodb = FakeDynamoDB()
    store(dynamodb.tables, dynamodb.snapshots, archive, archive.stored_keys())
    return readable(dynamodb.items)


def fill(tables: Backend, archive: Archive) -> None:
    """Write what Store traffic writes from the archive."""
    dynamodb = FakeDynamoDB()
    store(dynamodb.tables, dynamodb.snapshots, archive, archive.stored_keys())
    tables.put(deepcopy(dynamodb.items))


def take_back(tables: Backend, archive: Archive, key: str) -> tuple[int, list[Any]]:
    """Take an import back."""
    return undo(tables.record, archive, key, on_progress=lambda _line: None)


days = st.dictionaries(
    st.integers(0, 6).map(lambda ago: f"{FIRST - timedelta(days=ago - 2):%Y-%m-%d}"), st.integers(0, 9), max_size=6
)
imports = st.tuples(
    days,
    st.dictionaries(st.sampled_from(["d2026_11_20", "d2026_11_21"]), st.sampled_from("ab")),
    st.sampled_from(["csv", "andry81"]),
    st.dictionaries(
        st.tuples(st.sampled_from(["2026-11-20", "2026-11-22"]), st.sampled_from(["stars", "forks"])),
        st.tuples(st.integers(0, 11), st.booleans()),
    ),
)


@pytest.mark.parametrize("kind", BACKENDS)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=5), max_size=4),
    st.lists(imports, min_size=1, max_size=3),
    st.booleans(),
    st.data(),
)
@EXAMPLES
def test_the_record_is_as_if_the_import_had_never_been(
    kind: str, captured: list[list[int]], imported: list[Any], new: bool, data: st.DataObject
) -> None:
    """Whatever GitHub and other imports say of the same days, before it or after it."""
    archive = Archive("bucket", FakeS3())
    for number, counts in enumerate(captured):
        capture(archive, number, counts)
    capture(archive, 0, [3], id_=2, name="octo/web")  # another repository, which must not change
    keys = [
        archive.put_import(history(views, new=new or not captured, second=second, tool=tool, numbers=numbers, **lists))
        for second, (views, lists, tool, numbers) in enumerate(imported)
    ]
    key = data.draw(st.sampled_from(keys))
    with tempfile.TemporaryDirectory() as folder, backend(kind, Path(folder)) as tables:
        fill(tables, archive)
        before = tables.writes

        changed, left = take_back(tables, archive, key)

        assert left == []
        assert readable(tables.items()) == as_stored(archive)
        assert verify(tables.record, archive) == []
        assert rebuild(tables.record, archive) == (0, [])
        assert tables.writes - before == changed, "each item once"
        assert take_back(tables, archive, key) == (0, []), "it can be repeated"


def test_the_object_is_kept_where_nothing_reads_it(archive: Archive) -> None:
    """A person can still look at it; the archive is never lost."""
    key = archive.put_import(history({"2026-11-01": 5}))

    archive.set_aside(key)

    assert archive.stored_keys() == []
    assert list(archive.keys("undone/")) == [key.replace("imports/", "undone/")]
    assert archive.set_aside(key)["days"] == {"2026-11-01": {"views-count": 5, "views-uniques": 1}}
    with pytest.raises(RecordError, match="has no import 'imports/x'"):
        archive.set_aside("imports/x")


def test_a_cell_that_nothing_explains_is_left_and_named(tables: Backend, archive: Archive) -> None:
    """A person changed it, or an object of the archive is gone."""
    capture(archive, 0, [4])
    key = archive.put_import(history({"2026-11-19": 9, "2026-11-18": 7}))
    fill(tables, archive)
    items = tables.items()
    items["RepoTraffic"][DAY]["views-count"] = {"N": "12"}
    tables.put(deepcopy(items))

    changed, (left,) = take_back(tables, archive, key)

    held = readable(tables.items())["RepoTraffic"]
    assert changed == 2, "the source of this number, and the other day"
    assert (left.key, left.attribute, left.archive, left.held) == (DAY, "views-count", 4, 12)
    assert held[DAY]["views-count"] == 12
    assert "sources" not in held[DAY]
    assert ("octo/docs", "2026-11-18T00:00:00Z") not in held


def test_what_a_part_of_a_day_has_from_github_stays(tables: Backend, archive: Archive) -> None:
    """Clones of GitHub, and views that only the import had."""
    at = FIRST
    line = answer("clones", body_of("clones", {"2026-11-19": (5, 2)}), at, name="octo/docs")
    line["repo_id"] = ID
    archive.put_answers([line])
    key = archive.put_import(history({"2026-11-19": 9}))
    fill(tables, archive)

    assert take_back(tables, archive, key) == (1, [])

    held = readable(tables.items())["RepoTraffic"][DAY]
    assert (held["clones-count"], held["repo-id"]) == (5, ID)
    assert "views-count" not in held


def test_the_key_of_a_repository_that_was_captured_since_stays(tables: Backend, archive: Archive) -> None:
    """Rows of many days have it; the import was the first to know the repository, under a name that it has no more."""
    key = archive.put_import(history({"2026-11-01": 5}, new=True))
    capture(archive, 9, [4], name="octo/handbook")
    fill(tables, archive)

    take_back(tables, archive, key)

    held = readable(tables.items())
    assert held["RepoTrafficRepositories"][str(ID),]["repo-name"] == "octo/docs"
    assert {row for row, _ in held["RepoTraffic"]} == {"octo/docs"}
    assert ("octo/docs", "2026-11-01T00:00:00Z") not in held["RepoTraffic"]


def test_an_interrupted_undo_goes_on_where_it_ended(tables: Backend, archive: Archive) -> None:
    """The object is set aside first: what was removed is not stored again by a rebuild meanwhile."""
    capture(archive, 0, [4])
    key = archive.put_import(history({f"2026-11-{day:02}": 7 for day in range(1, 9)}))
    fill(tables, archive)

    def after(writes: int) -> None:
        if writes == 0:
            raise KeyboardInterrupt
        tables.before_next_write(lambda: after(writes - 1))

    tables.before_next_write(lambda: after(3))
    with pytest.raises(KeyboardInterrupt):
        take_back(tables, archive, key)

    assert take_back(tables, archive, key) == (5, [])
    assert readable(tables.items()) == as_stored(archive)


def test_an_undo_gives_way_to_a_writer(tables: Backend, archive: Archive) -> None:
    """A higher number of GitHub's that comes in between stays."""
    capture(archive, 0, [4])
    key = archive.put_import(history({"2026-11-19": 9}))
    fill(tables, archive)
    higher = tables.items()
    higher["RepoTraffic"][DAY] |= {"views-count": {"N": "50"}}
    del higher["RepoTraffic"][DAY]["sources"]
    tables.before_next_write(lambda: tables.put(deepcopy(higher)))

    changed, left = take_back(tables, archive, key)

    assert readable(tables.items())["RepoTraffic"][DAY]["views-count"] == 50
    assert (changed, [each.attribute for each in left]) == (0, ["views-count"])


CAPTURE = (str(ID), "2026-11-20")


def test_stars_and_forks_of_an_import_are_taken_back_alone(tables: Backend, archive: Archive) -> None:
    """What GitHub reported in a capture of the same day stays, as does what another import explains."""
    capture(archive, 0, [4])
    fill(tables, archive)
    before = readable(tables.items())
    archive.put_import(history({}, numbers={("2026-11-20", "stars"): (7, False)}))
    fill(tables, archive)
    with_one = readable(tables.items())
    key = archive.put_import(
        history(
            {},
            second=1,
            numbers={
                ("2026-11-20", "stars"): (9, True),
                ("2026-11-20", "forks"): (2, False),
                ("2020-01-01", "forks"): (1, False),
            },
        )
    )
    fill(tables, archive)
    held = readable(tables.items())["RepoTrafficSnapshots"]
    assert (held[CAPTURE]["stars"], held[CAPTURE]["forks"], held[CAPTURE]["views-count"]) == (9, 2, 4)
    assert held[CAPTURE]["sources"] == {"stars": "csv", "forks": "csv (reconstructed)"}

    assert take_back(tables, archive, key) == (2, [])

    assert readable(tables.items()) == with_one
    assert with_one["RepoTrafficSnapshots"][CAPTURE]["stars"] == 7
    (other,) = archive.keys("imports/")
    assert take_back(tables, archive, other) == (1, [])
    assert readable(tables.items()) == before


def test_a_running_number_that_nothing_explains_is_left_and_named(tables: Backend, archive: Archive) -> None:
    """A person changed it: neither the import nor the rest of the archive has it."""
    key = archive.put_import(history({}, new=True, numbers={("2026-11-20", "stars"): (7, True)}))
    fill(tables, archive)
    items = tables.items()
    items["RepoTrafficSnapshots"][CAPTURE]["stars"] = {"N": "12"}
    tables.put(deepcopy(items))

    _, left = take_back(tables, archive, key)

    assert [(each.kind, each.table, each.key) for each in left] == [("extra", "RepoTrafficSnapshots", CAPTURE)]
    assert readable(tables.items())["RepoTrafficSnapshots"][CAPTURE]["stars"] == 12

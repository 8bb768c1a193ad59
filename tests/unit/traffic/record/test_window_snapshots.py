"""GitHub's totals and lists of its window are kept as GitHub reported them: not summed, not invented, not unlimited."""

from typing import Any

import pytest

from simulated_github import faults
from tests.unit.backends import Backend, readable
from tests.unit.recorded import record
from traffic.contract import Endpoint
from traffic.record.merge import Statement, merge_statements, without_prefix
from traffic.record.reports import read_statement
from traffic.record.tables import Snapshots

AT = "2026-11-20T09:00:00Z"
TWO_DAYS = {
    "count": 9,
    "uniques": 4,  # one visitor came on both days
    "views": [
        {"timestamp": "2026-11-18T00:00:00Z", "count": 5, "uniques": 3},
        {"timestamp": "2026-11-19T00:00:00Z", "count": 4, "uniques": 2},
    ],
}


def window(endpoint: Endpoint, body: Any) -> dict[str, Any]:
    """Return what a body reports about the window."""
    statement = read_statement(endpoint, body, AT)
    assert statement is not None
    return dict(statement.said)


def test_the_windows_unique_visitors_are_githubs_and_not_the_sum_of_the_days() -> None:
    """A person who comes on two days is one visitor: the sum is up to five times too large."""
    assert window("views", TWO_DAYS) == {"views-count": 9, "views-uniques": 4}


@pytest.mark.parametrize("lacking", ["count", "uniques"])
def test_totals_that_github_left_out_are_absent(lacking: str) -> None:
    """A missing total must not be computed from the days."""
    assert read_statement("views", {key: value for key, value in TWO_DAYS.items() if key != lacking}, AT) is None


def test_a_list_from_a_server_is_kept_within_bounds() -> None:
    """DynamoDB allows an item 400 KB: a stranger's titles must not exceed that."""
    row = {"path": "/octo/docs/" + "\U0001f600" * 4_000, "title": "é" * 4_000, "count": 3, "uniques": 2}

    kept = window("paths", [row] * 50)["paths"]

    assert len(kept) == 10
    assert 1020 < len(kept[0]["path"].encode()) <= 1024
    assert kept[0]["title"] == "é" * 128


@pytest.mark.parametrize(
    ("path", "relative"),
    [
        ("/octo/docs", "/"),
        ("/octo/docs/issues/1", "/issues/1"),
        ("/Octo/Docs/blob/main/a b", "/blob/main/a b"),
        ("/octo/manual/wiki", "/wiki"),
        ("/octo/docs-2", "/octo/docs-2"),
        ("//evil", "//evil"),
        ("", ""),
    ],
)
def test_paths_lose_the_names_of_their_repository_and_no_others(path: str, relative: str) -> None:
    """A rename must not split the series of a page, or add another repository's page to it."""
    rows = [{"path": path, "title": "", "count": 1, "uniques": 1}]

    found = without_prefix({"paths": Statement({"paths": rows}, AT)}, ["octo/docs", "octo/manual"])

    assert found["paths"].said["paths"][0]["path"] == relative


def test_the_totals_of_a_stale_window_are_kept_with_its_last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are stored for the day of capture: without the window's end they would look like that day's totals."""
    with record(monkeypatch, "octo/docs", regime="whole-days") as kept:
        kept.capture("2026-11-01T09:00:00Z")
        kept.github.add_fault(faults.stale_copy("2026-11-01T09:00:00Z"), endpoint="views")
        kept.capture("2026-11-09T09:00:00Z")
        first, stale = (item for _, item in sorted(kept.aws.snapshots().items()))

    assert (first["views-until"], first["clones-until"]) == ("2026-10-31", "2026-10-31")
    assert (stale["views-until"], stale["clones-until"]) == ("2026-10-31", "2026-11-08")
    assert (stale["views-count"], stale["views-uniques"]) == (first["views-count"], first["views-uniques"])


def test_a_rolling_window_has_no_last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves out days without traffic, so its last row does not prove where it ends."""
    with record(monkeypatch, "octo/docs", regime="rolling", base_path="/api/v3") as kept:
        kept.capture("2026-11-01T09:00:00Z")
        (item,) = kept.aws.snapshots().values()

    assert "views-count" in item
    assert not {"views-until", "clones-until"} & item.keys()


def test_a_later_answer_without_a_last_day_leaves_none_of_the_earlier_answer(tables: Backend) -> None:
    """The earlier answer's last day would be wrong for the later answer's totals."""
    snapshots, day = Snapshots(tables.record.snapshots), AT[:10]
    early = Statement({"views-count": 3, "views-uniques": 2}, f"{day}T08:00:00Z", "2026-11-18")
    late = Statement({"views-count": 4, "views-uniques": 2}, AT)

    assert [snapshots.store(7, day, {"views": said}) for said in (early, late, late)] == [True, True, False]

    (item,) = readable(tables.items())["RepoTrafficSnapshots"].values()
    assert {name: item.get(name) for name in ("views-count", "views-until")} == {"views-count": 4, "views-until": None}


def test_the_same_totals_of_two_windows_are_kept_with_the_first_time_and_the_newer_end() -> None:
    """Records from before the end was stored have the first capture's time: it must not change."""
    early = Statement({"views-count": 0, "views-uniques": 0}, "2026-11-20T04:00:00Z", "2026-11-18")
    late = Statement({"views-count": 0, "views-uniques": 0}, "2026-11-20T09:00:00Z", "2026-11-19")
    landed = Statement({"views-count": 0, "views-uniques": 0}, "2026-11-20T04:00:00Z")

    assert merge_statements(early, late) == merge_statements(late, early) == merge_statements(landed, late)
    assert merge_statements(early, late) == Statement(early.said, early.since, late.until)

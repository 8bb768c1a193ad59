"""The receipt of one repository: what Store traffic changed, and what it did not."""

from collections.abc import Mapping

import pytest

from lambdas.store_traffic import receipts
from tests.unit.fake_dynamodb import FakeDynamoDB
from traffic.record.merge import Day, Statement
from traffic.record.reports import Report

COMPLETE = frozenset({"views", "clones"})


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> FakeDynamoDB:
    """Make the tables that Store traffic uses."""
    made = FakeDynamoDB()
    monkeypatch.setattr(receipts, "tables", lambda: made.tables)
    monkeypatch.setattr(receipts, "snapshots", lambda: made.snapshots)
    return made


def report(days: Mapping[str, Day], repo_id: int = 1) -> Report:
    """Return a report about octo/docs."""
    return Report(
        repo_id,
        "octo/docs",
        "2026-11-20T09:00:00Z",
        days,
        ("views", "clones"),
        snapshots={"2026-11-20": {"views": Statement({"views-count": 9, "views-uniques": 4}, "2026-11-20T09:00:00Z")}},
        ends={"views": {"day": "2026-11-19", "behind": 0}},
    )


@pytest.mark.usefixtures("tables")
def test_a_receipt_counts_changed_items_and_lowered_numbers() -> None:
    """A lower number is not stored, so only the receipt shows that GitHub reported one."""
    first = receipts.store(
        report(
            {
                "2026-11-17": Day({"views-count": 8, "views-uniques": 3, "clones-count": 2}),
                "2026-11-18": Day({"views-count": 5}),
            }
        )
    )
    second = receipts.store(
        report(
            {
                "2026-11-17": Day({"views-count": 7, "views-uniques": 2, "clones-count": 3}),
                "2026-11-18": Day({"views-count": 4}),
                "2026-11-19": Day({"views-count": 0}),
            }
        )
    )

    assert (first["items_changed"], first["lowered"], first["newest_day"]) == (2, 0, "2026-11-18")
    assert (second["items_changed"], second["lowered"], second["newest_day"]) == (2, 3, "2026-11-19")


@pytest.mark.usefixtures("tables")
def test_a_receipt_has_what_the_report_has() -> None:
    """Summarize run reads receipts only."""
    assert receipts.store(report({})) == {
        "id": 1,
        "name": "octo/docs",
        "repo_name": "octo/docs",
        "answered": ["views", "clones"],
        "outcome": "captured",
        "detail": "",
        "items_changed": 0,
        "lowered": 0,
        "newest_day": None,
        "ends": {"views": {"day": "2026-11-19", "behind": 0}},
    }


def test_rows_of_another_repository_are_reported_and_the_rest_is_stored(tables: FakeDynamoDB) -> None:
    """The other repositories of the archive object are stored, so the error must be in the receipt."""
    tables.tables.store_days("octo/docs", 2, {"2026-11-19": Day({"views-count": 1})})

    receipt = receipts.store(report({"2026-11-19": Day({"views-count": 5})}))

    assert (receipt["outcome"], receipt["items_changed"]) == ("rows belong to another repository", 0)
    assert receipt["detail"] == "octo/docs 2026-11-19 belongs to id 2, not to 1"
    assert tables.dump()["RepoTraffic"]["octo/docs", "2026-11-19T00:00:00Z"]["views-count"] == 1
    assert tables.dump()["RepoTrafficSnapshots"]["1", "2026-11-20"]["views-count"] == 9

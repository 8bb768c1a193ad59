"""The module that reads the record finds days, repositories and captures by every name that people use."""

from typing import Any

import pytest

from tests.unit.cli_stack import Stack, fresh_stack
from traffic.errors import RecordError
from traffic.record.item_table import ItemTable
from traffic.record.merge import Entry, Name
from traffic.record.reading import DayRow, Found, KeptRepository, ListedRow, Record

stack = pytest.fixture(fresh_stack)

COMPLETE = {"views-complete": True, "clones-complete": True}


@pytest.fixture
def record(stack: Stack) -> Record:
    """Make the tables of the stack."""
    return stack.deployment.record


def test_days_are_read_in_order_and_unknown_numbers_are_none(stack: Stack, record: Record) -> None:
    """A zero in place of an unknown number would be an invented measurement."""
    stack.day("octo/docs", "2026-11-20", {"views-count": 0, "clones-uniques": 12, "repo-id": 7, **COMPLETE})
    stack.day("octo/docs", "2026-11-19", {"views-count": 5, "views-uniques": 2, "views-complete": True})
    stack.day("octo/docs", "2026-11-18", {"clones-count": 1, "clones-complete": True})
    stack.day("octo/web", "2026-11-19", {"views-count": 8})

    rows = [
        DayRow("octo/docs", "2026-11-18T00:00:00Z", (None, None, 1, None), (False, True)),
        DayRow("octo/docs", "2026-11-19T00:00:00Z", (5, 2, None, None), (True, False)),
        DayRow("octo/docs", "2026-11-20T00:00:00Z", (0, None, None, 12), (True, True), 7),
    ]
    assert list(record.days("octo/docs")) == rows
    assert list(record.days("octo/docs", since="2026-11-19")) == rows[1:]
    assert [row.day for row in rows] == ["2026-11-18", "2026-11-19", "2026-11-20"]


def test_a_day_has_the_source_of_each_number(stack: Stack, record: Record) -> None:
    """In the order of the numbers; None for what GitHub reported."""
    day = {"repo-name": "octo/docs", "timestamp": "2026-11-18T00:00:00Z", "views-count": 1, "clones-count": 2}
    stack._put("RepoTraffic", {**day, "sources": {"clones-count": "csv"}})

    (row,) = record.days("octo/docs")

    assert row.sources == (None, None, "csv", None)


def test_repositories_are_read_without_the_items_of_their_names(stack: Stack, record: Record) -> None:
    """The same table maps names to ids: such items are not repositories."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-10-01", "octo/manual": "2026-11-20"})
    stack._put("RepoTrafficRepositories", {"repo-id": "8", "repo-name": "octo/web"})

    names = {
        "octo/docs": Name("2026-10-01T09:00:00Z", "2026-10-01"),
        "octo/manual": Name("2026-11-20T09:00:00Z", "2026-11-20"),
    }
    docs, web = sorted(record.every_repository())
    assert (docs, docs.name) == (KeptRepository(7, "octo/docs", Entry(names)), "octo/manual")
    assert (web, web.name) == (KeptRepository(8, "octo/web", Entry()), "octo/web")


def test_a_capture_lists_referrers_and_paths_or_none_if_github_did_not_answer(stack: Stack, record: Record) -> None:
    """An empty list is an answer of GitHub; a missing one is not."""
    rows = [{"path": "/issues", "title": "Issues", "count": 12, "uniques": 5}]
    stack._put("RepoTrafficSnapshots", {"repo-id": "7", "captured-on": "2026-11-19", "paths": rows, "referrers": []})
    stack._put("RepoTrafficSnapshots", {"repo-id": "8", "captured-on": "2026-11-20"})

    (first,) = record.captures(7, since="2026-11-19", until="2026-11-19")
    (second,) = record.captures(8, since="2026-11-01", until="2026-11-30")
    assert (first.repo_id, first.day) == (7, "2026-11-19")
    assert first.listed("paths") == [ListedRow("/issues", 12, 5)]
    assert first.listed("referrers") == []
    assert (second.repo_id, second.day, second.listed("paths")) == (8, "2026-11-20", None)


def test_a_shared_name_means_the_current_repository_then_the_key_owner_then_the_lowest_id(
    stack: Stack, record: Record
) -> None:
    """People must not confuse two histories: the other repositories are always listed."""
    stack.repository("10", "octo/a~10", names={"octo/a": "2026-10-01", "octo/moved": "2026-11-20"})
    stack.repository("9", "octo/a", names={"octo/a": "2026-10-02", "octo/gone": "2026-11-20"})
    stack.repository("8", "octo/a~8", names={"octo/a": "2026-10-03", "octo/left": "2026-11-20"})
    stack.pointer("octo/a", owner="9", ids={"10", "9", "8"})

    assert record.find("octo/A") == Found("octo/a", "octo/gone", 9, (8, 10))

    stack.pointer("octo/a", owner="11", ids={"11", "10", "9", "8"})
    assert record.find("octo/a") == Found("octo/a~8", "octo/left", 8, (9, 10, 11))

    stack.repository("10", "octo/a~10", names={"octo/moved": "2026-10-01", "octo/a": "2026-11-20"})
    stack.pointer("octo/a", owner="9", ids={"10", "9", "8"})
    assert record.find("octo/a") == Found("octo/a~10", "octo/a", 10, (8, 9))


def test_a_repository_is_found_by_its_id_and_rows_of_the_first_version_by_their_key(
    stack: Stack, record: Record
) -> None:
    """The first version stored bare names, which can even look like an id."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-10-01", "octo/manual": "2026-11-20"})
    stack.day("2048", "2024-01-01", {"views-count": 3})
    stack.pointer("octo/early", owner="99", ids={"99"})

    assert record.find("7") == record.find("octo/elsewhere~7") == Found("octo/docs", "octo/manual", 7)
    assert record.find("2048") == Found("2048", "2048")
    assert record.find("octo/early") is None, "the name is written before the repository"
    assert record.find("99") is None


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("docs", "did you mean Octo/docs or hubot/docs?"),
        ("octo/dosc", "did you mean Octo/docs or hubot/docs?"),
        ("99", "expected owner/name or an id of a captured repository."),
    ],
)
def test_an_unknown_name_is_answered_with_names_like_it(stack: Stack, record: Record, asked: str, hint: str) -> None:
    """Most unknown names are misspelt, or have no owner."""
    stack.repository("7", "octo/docs", names={"Octo/docs": "2026-11-20"})
    stack.repository("8", "hubot/docs", names={"hubot/docs": "2026-11-20"})

    with pytest.raises(RecordError) as refused:
        record.repository(asked)

    assert str(refused.value) == f"Nothing is kept of a repository {asked!r}: {hint}"


def test_at_most_three_names_are_suggested(stack: Stack, record: Record) -> None:
    """A hundred repositories of one name must not fill the screen."""
    for number in range(5):
        stack.repository(str(number), f"owner-{number}/docs", names={f"owner-{number}/docs": "2026-11-20"})

    found = record.close_names("docs")

    assert len(found) == 3
    assert all(name.endswith("/docs") for name in found)


class Recorder:
    """An empty DynamoDB that records whether a read is consistent."""

    def __init__(self) -> None:
        self.consistent: list[bool] = []

    def scan(self, *, ConsistentRead: bool, **_request: Any) -> Any:  # noqa: N803 (boto3's names)
        """Return an empty page."""
        self.consistent.append(ConsistentRead)
        return {"Items": []}

    query = scan


def test_only_verify_pays_for_consistent_reads() -> None:
    """A consistent read costs twice as much; only a comparison needs it."""
    dynamodb = Recorder()
    record = Record(*(ItemTable(dynamodb, name) for name in ("days", "repositories", "captures")))

    captures = record.captures(7, since="2026-11-19", until="2026-11-19")
    for read in (record.days("octo/docs"), record.every_repository(), captures, record.traffic.pages()):
        assert list(read) in ([], [[]])
    record.close_names("octo/docs")
    assert dynamodb.consistent == [False] * 5

    for table in (record.traffic, record.repositories, record.snapshots):
        assert list(table.every_item()) == []
    assert dynamodb.consistent[5:] == [True] * 3
    assert [table.name for table in (record.traffic, record.repositories, record.snapshots)] == [
        "days", "repositories", "captures"
    ]  # fmt: skip

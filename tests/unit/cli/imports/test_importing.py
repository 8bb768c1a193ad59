"""What an import would change, which repository it concerns, and which rows of the first version it reads."""

from typing import Any

import pytest

from cli.imports.first_version_rows import read_first_version
from cli.imports.importing import ImportPlan, ImportTarget, identify, plan
from cli.imports.tool_history import FILLED_ZEROS, ToolHistory
from cli.terminal import CommandError
from tests.unit.cli_stack import Stack, fresh_stack
from traffic.record.item_table import ItemTable
from traffic.record.reading import Record

stack = pytest.fixture(fresh_stack)

VIEWS, UNIQUES, CLONES = "views-count", "views-uniques", "clones-count"
DOCS = ImportTarget(repo_id=7, name="octo/docs", repo_name="octo/docs", new=False)


@pytest.fixture
def record(stack: Stack) -> Record:
    """Two repositories, which had a name one after the other."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-11-20"})
    stack.repository("8", "octo/old", names={"octo/site": "2026-11-20"})
    stack.pointer("octo/docs", owner="7", ids={"7", "8"})
    return stack.deployment.record


def history(**days: dict[str, int | None]) -> ToolHistory:
    """Return what a tool kept."""
    kept = ToolHistory("a tool")
    for day, metrics in days.items():
        kept.add_day(day.removeprefix("d").replace("_", "-"), metrics)
    return kept


def error_of(question: Any) -> str:
    """Return the text of the error that a question ends with."""
    with pytest.raises(CommandError) as failed:
        question()
    return str(failed.value)


def test_each_cell_of_an_import_is_counted_once(stack: Stack, record: Record) -> None:
    """New days, raised, higher and equal cells are what a person decides by."""
    stack.day("octo/docs", "2026-11-18", {"repo-id": 7, VIEWS: 9, UNIQUES: 3, CLONES: 0})
    stack.day("octo/docs", "2026-11-19", {"repo-id": 7, VIEWS: 5})
    found = history(
        d2026_11_17={VIEWS: 0},
        d2026_11_18={VIEWS: 8, UNIQUES: 3, CLONES: 1},
        d2026_11_19={VIEWS: 6, UNIQUES: 2, CLONES: None},
    )

    assert plan(record, DOCS, found) == ImportPlan(DOCS, found, added=1, raised=4, higher=1, same=1)


def test_days_of_another_repository_end_an_import(stack: Stack, record: Record) -> None:
    """Rows without an id, which the first version wrote, do not."""
    stack.day("octo/docs", "2026-11-18", {VIEWS: 9})
    stack.day("octo/docs", "2026-11-19", {"repo-id": 9, VIEWS: 9})

    assert plan(record, DOCS, history(d2026_11_18={VIEWS: 9})).same == 1
    assert error_of(lambda: plan(record, DOCS, history(d2026_11_19={VIEWS: 9}))) == (
        "octo/docs 2026-11-19 belongs to another repository: `traffic verify` shows more."
    )


def test_a_repository_in_the_record_is_found_under_every_name(record: Record) -> None:
    """GitHub is not asked, so no token is needed."""
    assert identify(record, "octo/site", None) == ImportTarget(8, "octo/site", "octo/old", new=False)
    assert identify(record, "octo/docs~7", None).repo_id == 7


def test_a_name_that_two_repositories_had_is_ambiguous(record: Record) -> None:
    """The message lists what to type instead."""
    assert error_of(lambda: identify(record, "octo/docs", None)) == (
        "Several repositories had the name octo/docs: choose octo/docs~7, octo/docs~8 (`traffic show` shows each)."
    )


def test_an_unknown_repository_needs_a_token(record: Record) -> None:
    """Only GitHub knows its id."""
    assert error_of(lambda: identify(record, "octo/web", None)) == (
        "octo/web is not in the record yet, so its id is unknown: store a token with `traffic token`, so"
        " that GitHub can be asked for it, or capture the repository once with `traffic run`."
    )


def test_a_repository_that_the_record_has_under_another_name_is_refused(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was renamed since the last run: its days must not get a second key."""
    monkeypatch.setattr("cli.imports.importing.identity", lambda _github, name: (8 if name == "octo/new" else 9, name))
    github: Any = object()

    assert error_of(lambda: identify(record, "octo/new", github)) == (
        "octo/new is repository 8, which the record has under another name: use that one."
    )
    assert identify(record, "octo/web", github) == ImportTarget(9, "octo/web", "octo/web", new=True)


def read(stack: Stack, owner: str | None = "octo", **owners: str) -> dict[str, ToolHistory]:
    """Read the rows of the first version."""
    table = ItemTable(stack.deployment.client("dynamodb"), "RepoTraffic")
    return read_first_version(table, owners, owner, place="here")


def test_the_first_versions_rows_become_histories_without_zeros(stack: Stack) -> None:
    """Rows of this version are left out; each repository gets the owner that was given for it."""
    stack.day("octo/docs", "2024-03-01", {VIEWS: 5})
    stack.day("docs", "2024-03-01", {VIEWS: 9, UNIQUES: 4, CLONES: 0})
    stack.day("docs", "2024-03-02", {VIEWS: 0, UNIQUES: 0})
    stack.day("web", "2024-03-01", {VIEWS: 1})

    found = read(stack, web="acme")

    assert list(found) == ["octo/docs", "acme/web"]
    docs = found["octo/docs"]
    assert (docs.source, docs.files, docs.left_out[FILLED_ZEROS]) == ("first version", ["docs"], 3)
    assert {day: dict(seen.metrics) for day, seen in docs.days.items()} == {"2024-03-01": {VIEWS: 9, UNIQUES: 4}}


def test_owners_that_are_missing_or_not_needed_are_reported(stack: Stack) -> None:
    """Days of two owners' repositories with one name must never be merged."""
    stack.day("docs", "2024-03-01", {VIEWS: 9})
    stack.day("web", "2024-03-01", {VIEWS: 1})

    assert error_of(lambda: read(stack, None)) == (
        "Who owns docs, web? The first version kept no owners: add --owner OWNER for all of them, or --owner docs=OWNER"
        " for each one."
    )
    assert error_of(lambda: read(stack, None, docs="octo")).startswith("Who owns web? ")
    assert error_of(lambda: read(stack, wbe="octo")) == "The first version has no repository 'wbe', only docs, web."
    assert list(read(stack, None, docs="octo", web="octo")) == ["octo/docs", "octo/web"]


def test_a_table_without_rows_of_the_first_version_is_reported(stack: Stack) -> None:
    """A person may have chosen the wrong stack."""
    stack.day("octo/docs", "2024-03-01", {VIEWS: 5})

    assert error_of(lambda: read(stack)) == (
        "The table in here has no row of the first version: there is nothing to import."
    )


@pytest.mark.parametrize("value", [-1, "9"])
def test_a_number_that_the_first_version_cannot_have_written_is_reported(stack: Stack, value: Any) -> None:
    """Somebody changed the row by hand."""
    stack.day("docs", "2024-03-01", {VIEWS: value})

    assert error_of(lambda: read(stack)).startswith("docs 2024-03-01T00:00:00Z has {'views-count': ")
    assert error_of(lambda: read(stack)).endswith("}, expected integers from 0: correct the row.")

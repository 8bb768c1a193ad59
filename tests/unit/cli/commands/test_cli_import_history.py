"""`traffic import`: which options it accepts, and what it prints."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cli.command import Target
from cli.commands import import_history
from cli.commands.import_history import check, of_first_version
from cli.imports.importing import ImportPlan
from cli.main import main
from cli.stack.deployment import Deployment
from cli.terminal import UsageError
from tests.unit.cli_stack import Stack, fresh_stack

stack = pytest.fixture(fresh_stack)

ACTION = "repository-traffic-action"
FILE = Path("views.csv")


@pytest.mark.parametrize(
    ("tool", "paths", "repository", "owners", "error"),
    [
        (
            "first-version",
            [FILE],
            None,
            [],
            "first-version reads the deployed table: leave PATH and --repository out.",
        ),
        (
            "first-version",
            [],
            "octo/docs",
            [],
            "first-version reads the deployed table: leave PATH and --repository out.",
        ),
        (ACTION, [FILE], "octo/docs", ["octo"], "--owner is for first-version only: use --repository OWNER/NAME."),
        (
            ACTION,
            [],
            "octo/docs",
            [],
            "Which files of repository-traffic-action? Add their paths, or the folder that holds them.",
        ),
        *(
            (
                ACTION,
                [FILE],
                name,
                [],
                f"--repository is {name!r}, expected OWNER/NAME: the files do not contain it.",
            )
            for name in (None, "", "docs", "/docs", "octo/", "octo/docs/x")
        ),
    ],
)
def test_options_that_cannot_be_combined_are_refused(
    tool: str, paths: Sequence[Path], repository: str | None, owners: Sequence[str], error: str
) -> None:
    """The message contains the given value and the expected one."""
    with pytest.raises(UsageError) as refused:
        check(tool, paths, repository, owners)

    assert str(refused.value) == error


def test_options_that_belong_together_are_accepted() -> None:
    """Owners are for the first version, files for the other tools."""
    check("first-version", [], None, ["octo"])
    check(ACTION, [FILE], "octo/docs", [])


@pytest.mark.parametrize("given", [["a", "b"], ["docs="], ["=octo"], [""], ["a", "docs=b", ""]])
def test_incomplete_owners_are_refused(stack: Stack, given: list[str]) -> None:
    """One owner for all repositories, and one for each other."""
    with pytest.raises(UsageError) as refused:
        of_first_version(stack.deployment, given)

    assert str(refused.value) == (
        f"--owner is {' and '.join(map(repr, given))}, expected OWNER once, and NAME=OWNER for each other."
    )


@pytest.fixture
def upgraded(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack with a row of the first version, and one of this version."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-11-20"})
    stack.day("octo/docs", "2024-03-01", {"repo-id": 7, "views-count": 3})
    stack.day("docs", "2024-03-01", {"views-count": 9, "views-uniques": 0})
    stack.day("docs", "2024-03-02", {"views-count": 4})

    @contextmanager
    def opened(target: Target) -> Iterator[Deployment]:
        assert target == Target()
        yield replace(stack.deployment, place="here")

    monkeypatch.setattr(import_history, "opened", opened)
    return stack


def test_a_dry_run_shows_the_plan_and_changes_nothing(
    upgraded: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its row has the first and the last day, and what would happen to each cell."""
    monkeypatch.setattr(import_history, "bring", lambda *_given: pytest.fail("nothing may be imported"))

    assert main(["import", "first-version", "--owner", "octo", "--dry-run"]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "octo/docs\t7\t2\t2024-03-01\t2024-03-02\t1\t2\t0\t0\t0",
        "1 zeros were left out: that tool writes a zero also if GitHub did not report the day.",
        "Nothing was changed: this was a dry run.",
    ]
    assert upgraded.saves == 0


def test_each_planned_history_is_imported_and_saved(
    upgraded: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The state is written to disk once, at the end."""
    brought: list[str] = []

    def bring(archive: object, store: object, planned: ImportPlan) -> None:
        assert archive
        assert store
        assert upgraded.saves == 0
        brought.append(planned.target.name)

    monkeypatch.setattr(import_history, "bring", bring)

    assert main(["import", "first-version", "--owner", "docs=octo"]) == 0

    assert brought == ["octo/docs"]
    assert upgraded.saves == 1
    assert capsys.readouterr().out.splitlines()[-1] == "Imported 1 repository."


def test_an_import_whose_plan_nobody_reads_to_its_end_is_done(upgraded: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """`traffic import ... | head` asks for less to read, not for half an import."""
    brought: list[str] = []
    monkeypatch.setattr(import_history, "bring", lambda _archive, _store, planned: brought.append(planned.target.name))
    monkeypatch.setattr(import_history, "table", lambda *_given: (_ for _ in ()).throw(BrokenPipeError()))

    assert main(["import", "first-version", "--owner", "docs=octo"]) == 0

    assert (brought, upgraded.saves) == (["octo/docs"], 1)

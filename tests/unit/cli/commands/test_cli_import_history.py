"""`traffic import`: which options it accepts, and what it prints."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cli.command import Target
from cli.commands import import_history
from cli.commands.import_history import Options, read_options
from cli.imports.importing import ImportPlan
from cli.imports.naming import GivenNames
from cli.main import main
from cli.stack.deployment import Deployment
from tests.unit.cli_stack import Stack, fresh_stack

stack = pytest.fixture(fresh_stack)

ACTION = "repository-traffic-action"
WHICH = "Add their paths, or the folder that holds them."
NEEDLESS = "first-version reads the deployed table: leave PATH, --repository and --columns out."


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        (["first-version", "views.csv"], NEEDLESS),
        (["first-version", "--repository", "octo/docs"], NEEDLESS),
        (["--as", "first-version", "--columns", "day=a,views=b"], NEEDLESS),
        ([ACTION, "--repository", "octo/docs"], f"Which files of {ACTION}? {WHICH}"),
        ([], f"Which files? {WHICH}"),
        *(
            (["a", "--repository", name], f"--repository is {name!r}, expected OWNER/NAME, or PATH=OWNER/NAME.")
            for name in ("", "docs", "/docs", "octo/", "octo/docs/x", "octo/do cs")
        ),
        (["a", "--repository", "a=docs"], "--repository is 'docs', expected OWNER/NAME, or PATH=OWNER/NAME."),
        (
            ["a", "--repository", "octo/docs", "--repository", "octo/web"],
            "--repository is 'octo/docs' and 'octo/web', expected one, or PATH=OWNER/NAME for each.",
        ),
        *(
            (
                ["a", *(word for owner in owners for word in ("--owner", owner))],
                f"--owner is {' and '.join(map(repr, owners))}, expected OWNER once, and NAME=OWNER for each other.",
            )
            for owners in (["a", "b"], ["docs="], ["=octo"], [""], ["a", "docs=b", ""])
        ),
        (
            ["a", "--columns", "day=a,stars=b"],
            (
                "--columns has 'stars', expected MEANING=COLUMN with one of day, repository, views,"
                " views-uniques, clones, clones-uniques, as in day=date,views=count"
            ),
        ),
        *(
            (
                ["a", "--columns", text],
                f"--columns is {text!r}, expected each meaning once, the day and a number among them.",
            )
            for text in ("day=a", "views=a", "day=a,day=b,views=c")
        ),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: Sequence[str], error: str
) -> None:
    """The message contains the given value and the expected one."""
    monkeypatch.setattr(import_history, "opened", lambda *_given: pytest.fail("nothing may be opened"))

    assert main(["import", *typed]) == 2

    assert capsys.readouterr().err == f"traffic: error: {error}\n"


@pytest.mark.parametrize("tool", ["github-repo-stats", ACTION, "first-version"])
def test_a_tools_name_that_is_also_a_path_is_refused_with_both_spellings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tool: str
) -> None:
    """A clone of the tool has its name, and nobody can tell which of the two a person means."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / tool).mkdir()

    assert main(["import", tool, "--owner", "octo"]) == 2

    assert f"type `--as {tool}` for the tool, or `./{tool}` for the path" in capsys.readouterr().err
    assert read_options([f"./{tool}"], None, [], [], None).paths == [Path(tool)]
    assert read_options([tool], "csv", [], [], None).paths == [Path(tool)]


def test_a_tool_is_named_before_the_paths_or_by_an_option() -> None:
    """Commands that were written for earlier versions still work."""
    given = GivenNames("octo/docs", {}, None, {})
    for words, tool in (([ACTION, "views.csv"], None), (["views.csv"], ACTION)):
        assert read_options(words, tool, ["octo/docs"], [], None) == Options(ACTION, [Path("views.csv")], given, {})
    columns = read_options(["a.csv"], None, [], [], "day=when,views-uniques=people").columns
    assert columns == {"when": "day", "people": "views-uniques"}


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
        "octo/docs\t7\t2\t2024-03-01\t2024-03-02\t1\t2\t0\t0\t0\t0\t0",
        "Left out: zeros, because this tool writes a zero also where it does not know the number (1).",
        "Nothing was changed: this was a dry run.",
    ]
    assert upgraded.saves == 0


def test_each_planned_history_is_imported_and_saved(
    upgraded: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The state is written to disk once, at the end."""
    brought: list[str] = []

    def bring(record: object, archive: object, planned: ImportPlan, at: str) -> str:
        assert record
        assert archive
        assert upgraded.saves == 0
        brought.append(planned.target.name)
        return f"imports/import_date=2026-11-20/import-{at.replace('-', '').replace(':', '')}-abc.jsonl.gz"

    monkeypatch.setattr(import_history, "bring", bring)

    assert main(["import", "first-version", "--owner", "docs=octo"]) == 0

    assert brought == ["octo/docs"]
    assert upgraded.saves == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"Imported 1 repository\. `traffic import --undo \d{8}T\d{6}Z` takes it back\.", last)


def test_an_import_whose_plan_nobody_reads_to_its_end_is_done(upgraded: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """`traffic import ... | head` asks for less to read, not for half an import."""
    brought: list[str] = []

    def bring(_record: object, _archive: object, planned: ImportPlan, _at: str) -> str:
        brought.append(planned.target.name)
        return ""

    monkeypatch.setattr(import_history, "bring", bring)
    monkeypatch.setattr(import_history, "table", lambda *_given: (_ for _ in ()).throw(BrokenPipeError()))

    assert main(["import", "first-version", "--owner", "docs=octo"]) == 0

    assert (brought, upgraded.saves) == (["octo/docs"], 1)

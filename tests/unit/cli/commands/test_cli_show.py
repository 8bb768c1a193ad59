"""`traffic show` on tables as the functions leave them."""

import pytest

from cli.commands.show import show
from tests.unit.cli_stack import Stack, fresh_stack
from traffic.errors import RecordError

stack = pytest.fixture(fresh_stack)


def test_a_former_name_leads_to_the_days(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody who knows a repository by its old name finds its complete history, in any case."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-10-01", "octo/manual": "2026-11-20"})
    stack.day("octo/docs", "2026-11-19", {"views-count": 5, "views-uniques": 2, "views-complete": True})
    stack.day("octo/docs", "2026-11-20", {"clones-count": 0, "clones-uniques": 0})

    show(stack.deployment.record, "Octo/DOCS")

    output = capsys.readouterr()
    assert output.out == "2026-11-19\t5\t2\t\t\tpartial\n2026-11-20\t\t\t0\t0\tpartial\n"
    assert output.err == "Octo/DOCS is octo/manual (id 7).\n"


def test_a_day_that_github_reported_completely_is_not_marked(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """The mark is for numbers that may be too low."""
    complete = {"views-count": 1, "clones-count": 0, "views-complete": True, "clones-complete": True}
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-11-20"})
    stack.day("octo/docs", "2026-11-20", complete)

    show(stack.deployment.record, "7")

    assert capsys.readouterr().out == "2026-11-20\t1\t\t0\t\t\n"


def test_sources_are_shown_on_request(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A number that GitHub never reported is told apart, with the tool that it comes from."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-11-20"})
    day = {"repo-name": "octo/docs", "timestamp": "2026-11-18T00:00:00Z", "views-count": 5, "views-uniques": 2}
    stack._put("RepoTraffic", {**day, "sources": {"views-count": "csv", "views-uniques": "csv"}})
    more = {"timestamp": "2026-11-19T00:00:00Z", "clones-count": 3, "clones-uniques": 1}
    sources = {"views-count": "csv", "clones-count": "andry81", "clones-uniques": "andry81"}
    stack._put("RepoTraffic", {**day, **more, "sources": sources})
    stack._put("RepoTraffic", {**day, "timestamp": "2026-11-21T00:00:00Z"})

    show(stack.deployment.record, "octo/docs", sources=True)

    assert capsys.readouterr().out == (
        "2026-11-18\t5\t2\t\t\tpartial\tcsv\n"
        "2026-11-19\t5\t2\t3\t1\tpartial\tcsv (views), andry81 (clones, unique cloners)\n"
        "2026-11-20\t\t\t\t\tmissing\t\n"
        "2026-11-21\t5\t2\t\t\tpartial\t\n"
    )


def test_the_first_day_can_be_chosen(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Years of days do not fit a screen."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-11-20"})
    for day in ("2026-11-18", "2026-11-19", "2026-11-20"):
        stack.day("octo/docs", day, {"views-count": 1})

    show(stack.deployment.record, "octo/docs", since="2026-11-19")

    assert [line[:10] for line in capsys.readouterr().out.splitlines()] == ["2026-11-19", "2026-11-20"]


def test_of_several_repositories_with_a_name_the_one_that_has_it_now_is_shown(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repository that was deleted and created again has two histories; neither may pass for the other."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-10-01", "octo/old": "2026-11-20"})
    stack.repository("8", "octo/docs~8", names={"octo/docs": "2026-11-20"})
    stack.pointer("octo/docs", owner="7", ids={"7", "8"})
    stack.day("octo/docs", "2026-10-01", {"views-count": 1})
    stack.day("octo/docs~8", "2026-11-20", {"views-count": 2})

    show(stack.deployment.record, "octo/docs")

    output = capsys.readouterr()
    assert output.out == "2026-11-20\t2\t\t\t\tpartial\n"
    assert output.err == ("Several repositories had the name octo/docs; this is 8. The others: `traffic show 7`.\n")


def test_rows_of_the_first_version_are_found_by_their_key(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """An upgraded table holds rows that no entry among the repositories leads to."""
    stack.day("docs", "2024-01-01", {"views-count": 3})

    show(stack.deployment.record, "docs")

    assert capsys.readouterr() == ("2024-01-01\t3\t\t\t\tpartial\n", "")


def test_an_unknown_name_is_answered_with_names_like_it(stack: Stack) -> None:
    """Most unknown names are misspelt ones, or lack their owner."""
    stack.repository("7", "octo/docs", names={"Octo/docs": "2026-11-20"})

    with pytest.raises(RecordError, match="did you mean Octo/docs"):
        show(stack.deployment.record, "octo/dosc")
    with pytest.raises(RecordError, match="did you mean Octo/docs"):
        show(stack.deployment.record, "docs")
    with pytest.raises(RecordError, match="expected owner/name or an id"):
        show(stack.deployment.record, "99")


def test_a_terminal_shows_headings_and_explains_the_remarks(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person reads the number beside the remark as too low, not as final."""
    complete = {"views-complete": True, "clones-complete": True}
    stack.day("docs", "2026-11-19", {"views-count": 1234, **complete})
    stack.day("docs", "2026-11-20", {"views-count": 2, "views-complete": True})
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")

    show(stack.deployment.record, "docs", since="2026-11-19")
    assert capsys.readouterr().out.splitlines() == [
        "DAY         VIEWS  UNIQUE VISITORS  CLONES  UNIQUE CLONERS  REMARK",
        "2026-11-19   1234",
        "2026-11-20      2                                           partial",
        "partial: GitHub has not reported the complete day, or deleted it before it was asked.",
    ]

    stack.day("docs", "2026-11-20", {"views-count": 2, **complete})
    show(stack.deployment.record, "docs", since="2026-11-20")
    assert capsys.readouterr().out.splitlines()[1:] == ["2026-11-20      2"]


@pytest.fixture
def holed(stack: Stack) -> Stack:
    """Days before and after three days and one day without a capture."""
    complete = {"views-complete": True, "clones-complete": True}
    for day in ("2026-02-26", "2026-02-27", "2026-03-03", "2026-03-05"):
        stack.day("docs", day, {"views-count": 7, **complete})
    return stack


def test_days_without_a_capture_are_gaps_on_a_terminal(
    holed: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Skipped silently, the week after a holiday looks like the week itself."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "120")

    show(holed.deployment.record, "docs")

    assert [line.split() for line in capsys.readouterr().out.splitlines()][1:] == [
        ["2026-02-26", "7"],
        ["2026-02-27", "7"],
        ["2026-02-28", "missing:", "3", "days,", "until", "2026-03-02"],
        ["2026-03-03", "7"],
        ["2026-03-04", "missing"],
        ["2026-03-05", "7"],
        ["missing:", "no", "capture", "has", "the", "day."],
    ]


def test_days_without_a_capture_have_a_line_each_in_a_pipe(holed: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """A program adds up or draws days, and must not draw a line over a gap; also not at the first day asked for."""
    show(holed.deployment.record, "docs", since="2026-03-01")

    assert capsys.readouterr().out.splitlines() == [
        "2026-03-01\t\t\t\t\tmissing",
        "2026-03-02\t\t\t\t\tmissing",
        "2026-03-03\t7\t\t\t\t",
        "2026-03-04\t\t\t\t\tmissing",
        "2026-03-05\t7\t\t\t\t",
    ]


def test_days_before_the_first_and_after_the_last_capture_are_no_gaps(
    holed: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody captured the repository before, and the newest days are not reported yet."""
    show(holed.deployment.record, "docs", since="2026-01-01")

    lines = capsys.readouterr().out.splitlines()
    assert (lines[0][:10], lines[-1][:10]) == ("2026-02-26", "2026-03-05")

"""`traffic report` reads the tables, and writes the file."""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.commands.report import _size, write_report
from cli.main import main
from cli.report import page
from cli.report.histories import EPOCH, RepositoryHistory, read_histories
from cli.report.packing import overview_row, repository_data
from cli.terminal import CommandError
from tests.unit.cli_stack import Stack, fresh_stack
from tests.unit.report_days import columns
from traffic.record.notes import Note, put_note
from traffic.record.reading import ListedRow

stack = pytest.fixture(fresh_stack)

MADE_AT = datetime(2026, 11, 21, 9, tzinfo=UTC)

NOV_18 = datetime(2026, 11, 18, tzinfo=UTC).toordinal() - EPOCH


@pytest.fixture
def filled(stack: Stack) -> Stack:
    """Store a renamed repository with a missing day, a row of the first version, and a note."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-10-01", "octo/manual": "2026-11-20"})
    complete = {"views-complete": True, "clones-complete": True}
    stack.day("octo/docs", "2026-11-18", {"views-count": 5, "views-uniques": 2, "views-complete": True})
    stack.day("octo/docs", "2026-11-20", {"views-count": 0, "views-uniques": 0, "clones-count": 3, **complete})
    stack.day("docs", "2024-01-01", {"views-count": 3})
    referrers = [{"referrer": "Google", "count": 4, "uniques": 2}]
    stack._put("RepoTrafficSnapshots", {"repo-id": "7", "captured-on": "2026-11-20", "referrers": referrers})
    put_note(stack.deployment.archive, Note("octo/docs", "2026-11-20", "v2 </script>"))
    return stack


def packed_parts(html: str) -> list[dict[str, Any]]:
    """Unpack the repositories of a page."""
    texts = re.findall(r'<script type="text/plain" id="packed-\d+">([^<]+)</script>', html)
    return [json.loads(zlib.decompress(base64.b64decode(text), wbits=-15)) for text in texts]


def histories(stack: Stack) -> list[RepositoryHistory]:
    """Read the histories of a stack, sorted by name."""
    found = list(read_histories(stack.deployment.record, stack.deployment.archive))
    return sorted(found, key=lambda history: history.name.lower())


def summary_of(html: str) -> dict[str, Any]:
    """Read the overview of a page."""
    found = re.search(r'<script type="application/json" id="summary">(.+?)</script>', html)
    assert found
    summary: dict[str, Any] = json.loads(found[1])
    return summary


def test_the_file_holds_exactly_what_the_tables_hold(filled: Stack, tmp_path: Path) -> None:
    """A missing number is null and zero is zero. Rows of the first version have a repository of their own."""
    path = tmp_path / "report.html"
    write_report(filled.deployment, path, made_at=MADE_AT)
    html = path.read_text(encoding="utf-8")

    rows = summary_of(html)["repositories"]
    old, manual = packed_parts(html)

    assert [(row["name"], row["former"], row["views"]) for row in rows] == [
        ("docs", [], 3),
        ("octo/manual", ["octo/docs"], 5),
    ]
    assert old["views"] == [3]
    assert {name: manual[name] for name in ("start", "views", "visitors", "clones", "cloners", "complete")} == {
        "start": NOV_18,
        "views": [5, None, 0],
        "visitors": [2, None, 0],
        "clones": [None, None, 3],
        "cloners": [None, None, None],
        "complete": "103",
    }
    assert manual["notes"] == [[NOV_18 + 2, "v2 </script>"]]
    assert manual["referrers"] == {"names": ["Google"], "rows": [[0, 4, 2]]}
    assert manual["paths"] == {"names": [], "rows": [None]}


def test_the_page_marks_what_only_an_import_has(stack: Stack) -> None:
    """GitHub never reported these days; nothing is packed for a repository without an import."""
    day = {"repo-name": "octo/docs", "views-count": 5, "clones-count": 1}
    both = {"views-uniques": "csv", "clones-count": "csv"}
    for number, sources in enumerate([{"views-count": "csv"}, {"clones-uniques": "csv"}, None, both]):
        item = {**day, "timestamp": f"2026-11-{18 + number}T00:00:00Z"}
        if sources:
            stack._put("RepoTraffic", {**item, "sources": sources})
    stack.day("octo/web", "2026-11-18", {"views-count": 5})

    docs, web = histories(stack)

    assert (docs.imported, repository_data(docs)["imported"]) == ("1203", "1203")
    assert (web.imported, repository_data(web)["imported"]) == ("0", "")


def test_the_command_prints_the_path_the_size_and_that_the_file_is_private(
    filled: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """People need that to decide whether and to whom they mail it."""
    path = tmp_path / "report.html"

    write_report(filled.deployment, path, made_at=MADE_AT)

    size = path.stat().st_size // 1000
    assert capsys.readouterr().out == f"{path}: 2 repositories, {size} KB. Private: it names your referrers.\n"


def test_an_interrupted_report_does_not_change_the_earlier_one(
    filled: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C must not delete the report of last week."""
    path = tmp_path / "report.html"
    path.write_text("last week's", encoding="utf-8")

    def interrupted(*_arguments: object, **_more: object) -> Iterator[str]:
        yield "half"
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.commands.report.page_parts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report(filled.deployment, path, made_at=MADE_AT)

    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8") == "last week's"


def test_without_any_history_the_command_explains_how_to_begin(stack: Stack, tmp_path: Path) -> None:
    """An empty page would look like a fault."""
    with pytest.raises(CommandError) as caught:
        write_report(replace(stack.deployment, options=" --aws"), tmp_path / "report.html", made_at=MADE_AT)
    assert str(caught.value) == "Nothing is stored yet: `traffic run --aws` captures the traffic."
    assert list(tmp_path.iterdir()) == []


def test_two_repositories_with_the_same_name_have_a_page_each(stack: Stack) -> None:
    """One was deleted, and another was created under its name: both histories must be reachable."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-10-01"})
    stack.repository("8", "octo/docs~8", names={"octo/docs": "2026-11-20"})

    assert [history.name for history in histories(stack)] == ["octo/docs", "octo/docs~8"]


def test_recent_sums_cover_the_same_days_for_all_repositories_and_never_add_uniques() -> None:
    """A repository without recent numbers must not show an older month as recent."""
    cells = {NOV_18 - ago: ((10, 4, None, None), "3") for ago in range(40)}
    silent = RepositoryHistory("octo/silent", **columns({NOV_18 - 60: cells[NOV_18]}))

    row = overview_row(RepositoryHistory("octo/docs", **columns(cells)), NOV_18)

    assert (row["recentViews"], row["views"], row["peakVisitors"]) == (280, 400, 4)
    assert (row["recentClones"], row["clones"]) == (None, None)
    assert overview_row(silent, NOV_18)["recentViews"] is None
    assert len(row["spark"]) == 91
    assert row["spark"][-40:] == [10] * 40
    assert row["spark"][0] is None


def test_the_last_capture_of_each_week_is_kept(stack: Stack) -> None:
    """Each capture covers 14 days, so one a week covers every day, and the file is a seventh of the size."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-11-24"})
    for day in range(18, 25):  # a Wednesday to a Tuesday
        stack._put("RepoTrafficSnapshots", {"repo-id": "7", "captured-on": f"2026-11-{day}", "referrers": []})

    (history,) = histories(stack)

    assert repository_data(history)["captures"] == [NOV_18 + 4, NOV_18 + 6]


@pytest.mark.parametrize(
    "seen", [{}, {"views-count": 0}, {"clones-count": 0}, {"referrers": []}, {"paths": []}], ids=str
)
def test_a_day_with_imported_stars_alone_is_no_capture(stack: Stack, seen: dict[str, object]) -> None:
    """It would hide the referrers and paths of its week."""
    stack.repository("7", "octo/docs", names={"octo/docs": "2026-11-24"})
    stack._put("RepoTrafficSnapshots", {"repo-id": "7", "captured-on": "2026-11-18", "referrers": []})
    stack._put("RepoTrafficSnapshots", {"repo-id": "7", "captured-on": "2026-11-20", "stars": 0, **seen})

    (history,) = histories(stack)

    assert repository_data(history)["captures"] == [NOV_18 + (2 if seen else 0)]


def test_nothing_embedded_can_end_its_script() -> None:
    """Other people choose the name of a repository and the text of a note."""
    assert page.embedded({"text": "</script><!--"}) == '{"text":"\\u003c/script>\\u003c!--"}'


def test_the_policy_allows_only_the_scripts_and_styles_of_the_page(filled: Stack, tmp_path: Path) -> None:
    """With a wrong hash the page stays empty; with one too many, a stranger's script could run."""
    path = tmp_path / "report.html"
    write_report(filled.deployment, path, made_at=MADE_AT)
    html = path.read_text(encoding="utf-8")
    inline = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", html, re.DOTALL)

    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    assert len(hashes) == len(page.SCRIPTS) + len(page.STYLES)
    assert sorted(re.findall(r"sha256-([^&]+)", html)) == sorted(hashes)


# SHA-256 of `dist/` in the release 1.6.31 of uPlot. To compare: `npm pack uplot@1.6.31`, unpack it, and sum the files.
UPLOT = {
    "uplot.iife.min.js": "2d27e8ad3d228164525ce213f9dc716f39b4e3aee0cc773fb3491c96cf4921a2",
    "uplot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


@pytest.mark.parametrize(("name", "published"), UPLOT.items())
def test_the_chart_library_is_the_published_one(name: str, published: str) -> None:
    """Nobody can review a minified file, and the author of youplot could change it. The sum is that of uPlot's file."""
    assert hashlib.sha256((page.UPLOT / name).read_bytes()).hexdigest() == published
    assert page.UPLOT / name in (*page.SCRIPTS, *page.STYLES)


def test_the_page_holds_the_licence_of_the_chart_library(filled: Stack, tmp_path: Path) -> None:
    """Every copy of uPlot must hold its copyright notice and its permission notice, and each report is a copy."""
    path = tmp_path / "report.html"
    write_report(filled.deployment, path, made_at=MADE_AT)
    html = path.read_text(encoding="utf-8")

    (notice,) = re.findall(r"<!-- The charts are drawn by uPlot .*?-->", html, re.DOTALL)
    assert "The MIT License (MIT). Copyright (c) 2022 Leon Sorokin" in notice
    assert "The above copyright notice and this permission notice shall be included in all copies" in notice
    assert "uPlot (v1.6.31)" in html


def test_long_reading_shows_its_progress(
    filled: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A million days take a minute, and a silent command seems to hang."""
    monkeypatch.setattr("cli.terminal.MANY", 2)

    histories(filled)

    assert capsys.readouterr().err == "Read 2 days.\n"


def test_the_command_writes_the_named_file_and_shows_its_progress(
    filled: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Packing a thousand repositories takes ten seconds."""
    monkeypatch.setattr("cli.commands.report.opened", lambda _target: nullcontext(filled.deployment))
    monkeypatch.setattr("cli.commands.report.MANY", 1)
    monkeypatch.chdir(tmp_path)

    assert main(["report"]) == 0
    assert capsys.readouterr().err == "Packed 1 repositories.\nPacked 2 repositories.\n"
    assert main(["report", "--output", "other.html"]) == 0

    assert sorted(file.name for file in tmp_path.iterdir()) == ["other.html", "traffic-report.html"]
    made_at = datetime.fromisoformat(summary_of((tmp_path / "other.html").read_text(encoding="utf-8"))["madeAt"])
    assert abs(datetime.now(UTC) - made_at) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("size", "written"),
    [
        (0, "1 KB"),
        (1_999, "1 KB"),
        (87_654, "87 KB"),
        (999_999, "999 KB"),
        (1_000_000, "1.0 MB"),
        (12_345_678, "12.3 MB"),
    ],
)
def test_a_size_is_written_for_people(size: int, written: str) -> None:
    """Mail servers give their limits in MB."""
    assert _size(size) == written


def test_earlier_names_notes_and_lists_belong_to_their_repository(stack: Stack) -> None:
    """Two repositories have rows, captures and notes, in an order that differs from that of their names."""
    stack.repository("8", "octo/b", names={"octo/b": "2026-11-20"})
    stack.repository("7", "octo/c", names={"octo/c": "2026-10-01", "octo/x": "2026-10-09", "Octo/A": "2026-11-20"})
    stack.day("octo/c", "1970-01-02", {"clones-uniques": 4})
    for id_ in ("7", "9"):  # 9 has captures but no repository
        paths = [{"path": f"/{id_}", "title": "", "count": 3, "uniques": 2}]
        stack._put("RepoTrafficSnapshots", {"repo-id": id_, "captured-on": "1970-01-04", "paths": paths})
        stack._put("RepoTrafficSnapshots", {"repo-id": id_, "captured-on": "1970-01-05", "referrers": []})
    for note in (Note("octo/b", "1970-01-03", "b"), Note("octo/new", "1970-01-04", "no rows")):
        put_note(stack.deployment.archive, note)

    renamed, other, noted = histories(stack)

    days = columns({1: ((None, None, None, 4), "0")})
    captures: dict[int, dict[str, list[ListedRow]]] = {3: {"paths": [ListedRow("/7", 3, 2)]}, 4: {"referrers": []}}
    assert renamed == RepositoryHistory("Octo/A", ("octo/c", "octo/x"), **days, captures=captures)
    assert other == RepositoryHistory("octo/b", notes=[(2, "b")])
    assert noted == RepositoryHistory("octo/new", notes=[(3, "no rows")])

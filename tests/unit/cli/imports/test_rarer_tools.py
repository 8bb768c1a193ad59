"""What `traffic import` reads from files of piebro, gitlytics and ghtraf, in the forms that their code writes."""

import json
from pathlib import Path

import pytest

from cli.imports.recognizing import find
from cli.imports.tool_history import EMPTY_FILES, FILLED_ZEROS, UNDATED, UNTIMED_NUMBERS
from tests.unit.cli.imports.files import found, numbers, only, write

COUNTS = "date,count,uniques\n2024-03-01,8,2\n2024-03-02,0,0\n"


def ranked(of: str, *rows: str) -> str:
    """Return a file of referrers (`ref`) or paths (`path`) of piebro, filled up to ten of them."""
    columns = [f"{of}_{number}{what}" for number in range(1, 11) for what in ("", "_count", "_uniques")]
    filled = [row + "," * (len(columns) - row.count(",")) for row in rows]
    return "\r\n".join([",".join(["date", *columns]), *filled]) + "\r\n"


PIEBRO = {
    "github_username.txt": "octo\n",
    "data/github_views/view-stats.csv": COUNTS,
    "data/github_clones/view-stats.csv": COUNTS,
    "data/github_referrers/view-stats.csv": ranked("ref", "2024-03-02,Google,9,3,t.co,2,1", "2024-03-03,Google,8,3"),
    "data/github_paths/view-stats.csv": ranked("path", "2024-03-02,/octo/view-stats,5,2"),
    "data/github_views/web.csv": COUNTS,
}


def test_a_data_repository_of_piebro_is_read_with_its_lists_and_its_owner(tmp_path: Path) -> None:
    """A row of a list is a capture; a repository's name can contain any word."""
    findings = found(tmp_path, PIEBRO)

    assert not findings.refusals
    stats, web = sorted(findings.parts, key=lambda part: part.label)
    assert [(part.label, part.history.source) for part in (stats, web)] == [
        ("octo/view-stats", "piebro"),
        ("octo/web", "piebro"),
    ]
    assert stats.told_by == "its name and github_username.txt"
    assert numbers(stats.history) == {
        "2024-03-01": {"views-count": 8, "views-uniques": 2, "clones-count": 8, "clones-uniques": 2},
        "2024-03-02": {"views-count": 0, "views-uniques": 0, "clones-count": 0, "clones-uniques": 0},
    }
    captured = {day: {name: kept.said for name, kept in said.items()} for day, said in stats.history.snapshots.items()}
    google = {"referrer": "Google", "count": 9, "uniques": 3}
    assert captured == {
        "2024-03-02": {
            "referrers": {"referrers": [google, {"referrer": "t.co", "count": 2, "uniques": 1}]},
            "paths": {"paths": [{"path": "/octo/view-stats", "count": 5, "uniques": 2, "title": ""}]},
        },
        "2024-03-03": {"referrers": {"referrers": [{**google, "count": 8}]}},
    }


def test_only_files_of_the_given_path_name_the_owner(tmp_path: Path) -> None:
    """What is above it is not the person's choice; without the file, the owner is asked for."""
    write(tmp_path, PIEBRO)

    assert {part.label for part in find([tmp_path / "data"], None, {}).parts} == {"view-stats", "web"}


def test_two_copies_of_piebro_are_never_joined(tmp_path: Path) -> None:
    """Each has a file of the same name for a repository of another owner."""
    findings = found(tmp_path, {f"{copy}/github_views/web.csv": COUNTS for copy in ("data", "archive")})

    assert [part.label for part in findings.parts] == ["web", "web"]


def test_a_list_without_rows_says_nothing(tmp_path: Path) -> None:
    """It does not refuse the other files."""
    assert only(tmp_path, {"github_paths/web.csv": ranked("path")}).left_out == {EMPTY_FILES: 1}


@pytest.mark.parametrize(
    ("name", "heading", "rest"),
    [
        ("traffic_2024-03.csv", "date,repo_name,views,unique_visitors,clones,unique_cloners,stars,forks", "7,1"),
        ("traffic_2024.csv", "date,repository,is_private,views,unique_visitors,clones,unique_cloners,stars", "7"),
    ],
)
def test_gitlytics_is_read_without_the_zeros_that_it_fills_in(
    tmp_path: Path, name: str, heading: str, rest: str
) -> None:
    """Of views and clones it writes a row for each day that one of them has, or for all days of the window."""
    private = "False," if "is_private" in heading else ""
    lines = [f"2024-03-01,octo/docs,{private}8,2,0,0,{rest}", f"2024-03-02,octo/web,{private}0,0,3,1,{rest}"]
    findings = found(tmp_path, {f"data/{name}": "\n".join([heading, *lines])})

    docs, web = sorted(findings.parts, key=lambda part: part.label)
    assert [(part.label, part.history.source) for part in (docs, web)] == [
        ("octo/docs", "gitlytics"),
        ("octo/web", "gitlytics"),
    ]
    assert numbers(docs.history) == {"2024-03-01": {"views-count": 8, "views-uniques": 2}}
    assert numbers(web.history) == {"2024-03-02": {"clones-count": 3, "clones-uniques": 1}}
    assert docs.history.left_out == {FILLED_ZEROS: 2, UNTIMED_NUMBERS: len(rest.split(","))}


def test_gitlytics_fills_zeros_in_also_if_it_keeps_views_alone(tmp_path: Path) -> None:
    """Each row is a day of the window, also one that GitHub did not report."""
    text = "date,repository,is_private,views,unique_visitors\n2024-03-01,octo/docs,False,0,0\n"

    history = only(tmp_path, {"traffic_2024-03.csv": text})

    assert (numbers(history), history.left_out) == ({}, {FILLED_ZEROS: 2})


def test_the_totals_that_gitlytics_exports_are_refused(tmp_path: Path) -> None:
    """They cover 14 days, and belong to no day."""
    heading = "Repository,Private,Stars,Forks,Total Views,Unique Visitors,Total Clones,Unique Cloners,Fetched At"
    findings = found(tmp_path, {"github_traffic_2024-03-01.csv": f"{heading}\nocto/docs,False,7,1,80,20,3,1,now\n"})

    assert not findings.parts
    assert "no column of it is one of days" in findings.refusals[0].reason


GHTRAF_DAY = {"date": "2024-03-01T00:00:00Z", "clones": 8, "uniqueClones": 2, "organicClones": 1, "ciRuns": 7}


def test_ghtraf_is_read_without_the_zeros_that_it_fills_in(tmp_path: Path) -> None:
    """It writes a row of zeros to prove that it ran, and zeros for uniques that GitHub did not report."""
    rows = [
        {**GHTRAF_DAY, "views": 5, "uniqueViews": 0, "capturedAt": "2024-03-02T03:00:00.000Z"},
        {"date": "2024-03-02T00:00:00Z", "clones": 0, "views": 0, "downloads": 0, "stars": 7},
    ]
    state = {"totalClones": 900, "dailyHistory": rows, "referrers": [{"source": "Google", "count": 9, "uniques": 3}]}
    archive = {"dailyHistory": [{"date": "2024-02-01T00:00:00Z", "clones": 3, "views": 4}]}

    history = only(tmp_path, {"state.json": json.dumps(state), "archive-2024-02.json": json.dumps(archive)})

    assert history.source == "ghtraf"
    assert numbers(history) == {
        "2024-02-01": {"clones-count": 3, "views-count": 4},
        "2024-03-01": {"clones-count": 8, "clones-uniques": 2, "views-count": 5},
    }
    assert history.left_out == {FILLED_ZEROS: 3, UNDATED: 1}


@pytest.mark.parametrize(("row", "wrong"), [("2024-03-01", "expected an object with date"), (
    {**GHTRAF_DAY, "date": "2024-03-01T09:31:00Z"}, "no day's")])  # fmt: skip
def test_a_wrong_row_of_ghtraf_is_refused(tmp_path: Path, row: object, wrong: str) -> None:
    """Early versions wrote the time of the run, which tells no day of GitHub's."""
    findings = found(tmp_path, {"state.json": json.dumps({"dailyHistory": [row]})})

    assert wrong in findings.refusals[0].reason


def test_an_empty_list_of_ghtraf_says_nothing(tmp_path: Path) -> None:
    """Its first run keeps one."""
    assert only(tmp_path, {"state.json": json.dumps({"dailyHistory": []})}).left_out == {EMPTY_FILES: 1}

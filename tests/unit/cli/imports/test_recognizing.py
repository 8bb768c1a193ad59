"""Which tool wrote a file, which files belong together, and which repository they belong to."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from cli.imports.github_repo_stats import GHRS_HEADING
from cli.imports.recognizing import Findings, find
from cli.imports.tool_history import FILLED_ZEROS, MONTHS, UNDATED, UNTIMED_NUMBERS
from tests.unit.cli.imports.files import found, numbers, only, write

AGGREGATE = f"{','.join(GHRS_HEADING)}\n2024-03-01 00:00:00+00:00,1,1,8,2\n"
VIEWS = "_date,total_views,unique_views\n2024-03-01,8,2\n"
CLONES = "_date,total_clones,unique_clones\n2024-03-01,3,1\n"
DAY = "2024-03-01"
GITHUBS = '{"views": [{"timestamp": "2024-03-01T00:00:00Z", "count": 1}]}'
COUNTS = "date,count,uniques\n2024-03-01,8,2\n"

BOTH = {"views-count": 8, "views-uniques": 2, "clones-count": 3, "clones-uniques": 1}


def told(findings: Findings, root: Path) -> list[tuple[str, str, str]]:
    """Return place, label and tool of each part."""
    parts = [
        (Path(part.place).relative_to(root).as_posix(), part.label, part.history.source) for part in findings.parts
    ]
    return sorted(parts)


def test_a_data_repository_of_many_is_never_merged_into_one(tmp_path: Path) -> None:
    """Sixty repositories lie in one tree, each in OWNER/NAME/ghrs-data."""
    names = [f"octo/repo-{number:02}" for number in range(30)] + [f"octo-org/repo-{number:02}" for number in range(30)]
    findings = found(tmp_path, {f"{name}/ghrs-data/views_clones_aggregate.csv": AGGREGATE for name in names})

    assert told(findings, tmp_path) == sorted((name, name, "github-repo-stats") for name in names)
    assert {len(part.history.files) for part in findings.parts} == {1}


@pytest.mark.parametrize(
    ("root", "label"), [("", "octo/alpha"), ("octo", "alpha"), ("octo/alpha", ""), ("octo/alpha/ghrs-data", "")]
)
def test_only_names_below_the_given_path_name_a_repository(tmp_path: Path, root: str, label: str) -> None:
    """The folders above are the person's own: `/home/me/ghrs-data` is not the repository home/me."""
    write(tmp_path, {"octo/alpha/ghrs-data/views_clones_aggregate.csv": AGGREGATE})

    (part,) = find([tmp_path / root], None, {}).parts

    assert part.label == label


@pytest.mark.parametrize(
    ("files", "places"),
    [
        (("views.csv", "clones.csv"), ["."]),
        (("traffic/views.csv", "traffic/clones.csv"), ["."]),
        (("views/2023/a.csv", "views/2024/a.csv"), ["."]),
        (("alpha-traffic/traffic/views.csv", "beta-traffic/traffic/views.csv"), ["alpha-traffic", "beta-traffic"]),
        (("alpha/views.csv", "beta/clones.csv"), ["alpha", "beta"]),
        # Names that tell only what a file contains, but each of these folders has a file of its own for the same.
        (("stats/views.csv", "data/views.csv", "data/clones.csv"), ["data", "stats"]),
    ],
)
def test_folders_are_joined_only_where_their_names_tell_what_they_contain(
    tmp_path: Path, files: tuple[str, ...], places: list[str]
) -> None:
    """To join two repositories would be to invent a history."""
    findings = found(tmp_path, {name: VIEWS if "clones" not in name else CLONES for name in files})

    assert [place for place, *_ in told(findings, tmp_path)] == places


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"views/alpha.csv": COUNTS, "clones/alpha.csv": COUNTS}, [(".", "alpha", "csv")]),
        ({"github_views/alpha.csv": COUNTS, "github_clones/alpha.csv": COUNTS}, [(".", "alpha", "piebro")]),
        ({"traffic-alpha/traffic_views.json": GITHUBS}, [("traffic-alpha", "alpha", "github-json")]),
        ({"traffic-stats/views.csv": VIEWS}, [(".", "", "repository-traffic-action")]),
        ({"views.csv": COUNTS}, [(".", "", "csv")]),
        ({"all.csv": f"date,repo,views\n{DAY},octo/a,1\n{DAY},b,1\n"}, [(".", "b", "csv"), (".", "octo/a", "csv")]),
    ],
)  # fmt: skip
def test_a_repository_is_named_by_a_column_a_folder_or_a_file(
    tmp_path: Path, files: Mapping[str, str], expected: list[tuple[str, str, str]]
) -> None:
    """The owner can be missing; nothing is guessed."""
    findings = found(tmp_path, files)

    assert not findings.refusals
    assert told(findings, tmp_path) == expected


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("_date,total_views,unique_views", "8,2"),
        ('"Date","TotalViews","UniqueViews"', '"8","2"'),
        ("date,views,unique_visitors", "8,2"),
        ("timestamp,count,uniques", "8,2"),
        ("day,views,views_uniques", "8,2"),
        ("date,views,view_uniques,stars", "8,2,7"),
    ],
)
def test_columns_are_recognized_by_their_names(tmp_path: Path, heading: str, cells: str) -> None:
    """As in the files of a dozen tools and of people's own scripts; other columns are no traffic."""
    assert numbers(only(tmp_path, {"views.csv": f"{heading}\r\n2024-03-01,{cells}\r\n"})) == {
        "2024-03-01": {"views-count": 8, "views-uniques": 2}
    }


def test_columns_can_be_named(tmp_path: Path) -> None:
    """Whatever they are called; the named ones alone are read."""
    write(tmp_path, {"all.csv": "when,project,hits,people,views\n2024-03-01,octo/a,8,2,99\n"})
    columns = {"when": "day", "project": "repository", "hits": "views-count", "people": "views-uniques"}

    (part,) = find([tmp_path], None, columns).parts

    assert (part.label, numbers(part.history)) == (
        "octo/a",
        {"2024-03-01": {"views-count": 8, "views-uniques": 2}},
    )


def test_a_row_of_views_and_clones_keeps_no_pair_of_zeros(tmp_path: Path) -> None:
    """Such a row was joined from two answers, and zeros fill what one of them lacked; one kind alone keeps zeros."""
    heading = "date,views,views_uniques,clones,clones_uniques\n"
    history = only(
        tmp_path / "one", {"daily.csv": f"{heading}2024-03-01,8,2,3,1\n2024-03-02,5,1,0,0\n2024-03-03,0,0,0,0\n"}
    )
    single = only(tmp_path / "two", {"views.csv": "date,count,uniques\n2024-03-03,0,0\n"})

    assert numbers(history) == {"2024-03-01": BOTH, "2024-03-02": {"views-count": 5, "views-uniques": 1}}
    assert dict(history.left_out) == {FILLED_ZEROS: 6}
    assert numbers(single) == {"2024-03-03": {"views-count": 0, "views-uniques": 0}}


def test_months_stars_without_a_time_and_lists_without_a_day_are_left_out(tmp_path: Path) -> None:
    """They are no traffic of a day; the rest of the folder is imported."""
    findings = found(
        tmp_path,
        {
            "views.csv": "date,count,uniques,GitHub Stars,forks\n2024-02,90,40,,\n2024-03-01,8,2,7,\n",
            "referrer-stats.csv": "repository_name,site,views,unique_visitors/cloners\ndocs,Google,3,2\n",
        },
    )

    (part,) = findings.parts
    assert not findings.refusals
    assert numbers(part.history) == {"2024-03-01": {"views-count": 8, "views-uniques": 2}}
    assert dict(part.history.left_out) == {MONTHS: 1, UNTIMED_NUMBERS: 1, UNDATED: 1}
    assert not part.history.snapshots


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        (
            "traffic.csv",
            "repo,timestamp,clones,unique_cloners,views,unique_visitors\nocto/a,2024-03-15T04:19:11Z,44,28,102,17\n",
            "expected a UTC day, 2026-11-20: the numbers at a time of day are totals of 14 days, and no day's.",
        ),
        ("views.csv", '"03/04",440\n"03/05",882\n', "'03/04,440': a date without a year could be any year's"),
        ("views.csv", "date,views\n03/04,440\n", "without a year it could be any year's"),
        ("a.csv", "x,y\n1,2\n", "and no column of it is one of days: name the columns with --columns"),
        ("a.csv", "date,count\n2024-03-01,2\n", "does not tell whether 'count' is of views or of clones"),
        ("a.csv", "date,name\n2024-03-01,2\n", "no column of it has views or clones"),
        ("a.csv", "date,views,total_views\n2024-03-01,2,2\n", "two of its columns mean the same"),
        ("a.csv", "date,repo,views\n2024-03-01,,2\n", "line 2: repo is '', expected a repository, octo/docs"),
        ("a.csv", "date,views,clones,uniques\n2024-03-01,2,2,1\n", "does not tell whether 'uniques' is of views or"),
        ("a.db", "no database", "is not a database of ghstats"),
    ],
)  # fmt: skip
def test_what_looks_like_days_and_is_not_is_refused(tmp_path: Path, name: str, text: str, error: str) -> None:
    """The traps of real files: nothing of them is imported."""
    findings = found(tmp_path, {name: text})

    assert not findings.parts
    (refusal,) = findings.refusals
    assert error in refusal.reason
    assert refusal.reason.startswith(str(tmp_path / name))


def test_a_column_that_is_named_and_missing_is_refused(tmp_path: Path) -> None:
    """A typing error would otherwise import nothing, silently."""
    write(tmp_path, {"views.csv": "when,views\n2024-03-01,8\n"})

    (refusal,) = find([tmp_path], None, {"wen": "day", "views": "views-count"}).refusals

    assert (
        refusal.reason == f"{tmp_path / 'views.csv'} has no column 'wen', which --columns names; it has 'when,views'."
    )


def test_a_refused_file_does_not_hide_the_others(tmp_path: Path) -> None:
    """A person sees at once what is right and what is wrong in a tree."""
    findings = found(tmp_path, {"alpha/views.csv": VIEWS, "beta/views.csv": VIEWS.replace("8", "-8")})

    assert told(findings, tmp_path) == [("alpha", "", "repository-traffic-action")]
    assert [each.path for each in findings.refusals] == [str(tmp_path / "beta" / "views.csv")]


def test_a_tool_that_is_named_reads_every_file(tmp_path: Path) -> None:
    """Also those that look like another's."""
    write(tmp_path, {"a.csv": VIEWS})

    assert not find([tmp_path], "csv", {}).refusals
    (refusal,) = find([tmp_path], "ghstats", {}).refusals
    assert "is not a database of ghstats" in refusal.reason
    (refusal,) = find([tmp_path], "json", {}).refusals
    assert "is not JSON" in refusal.reason


def test_ghstats_database_is_read_without_its_zeros(tmp_path: Path) -> None:
    """Each of its numbers defaults to 0: a zero does not tell whether GitHub reported one."""
    with closing(sqlite3.connect(tmp_path / "ghstats.db")) as database:
        database.executescript(
            "CREATE TABLE repos (id INTEGER PRIMARY KEY, name TEXT);"
            "CREATE TABLE repo_stats (repo_id INTEGER, date TEXT, stars INTEGER DEFAULT 0,"
            " clones_count INTEGER DEFAULT 0, clones_uniques INTEGER DEFAULT 0,"
            " views_count INTEGER DEFAULT 0, views_uniques INTEGER DEFAULT 0);"
            "INSERT INTO repos VALUES (7, 'octo/docs'), (8, 'octo/web');"
            "INSERT INTO repo_stats VALUES (7, '2024-03-01', 5, 3, 1, 8, 2), (7, '2024-03-02', 5, 0, 0, 0, 0),"
            " (8, '2024-03-01 00:00:00', 5, 0, 0, 4, 1);"
        )
    findings = find([tmp_path], None, {})

    assert {part.label: numbers(part.history) for part in findings.parts} == {
        "octo/docs": {"2024-03-01": BOTH},
        "octo/web": {"2024-03-01": {"views-count": 4, "views-uniques": 1}},
    }
    assert sum(part.history.left_out[FILLED_ZEROS] for part in findings.parts) == 6


def test_hidden_folders_and_other_files_are_passed_over(tmp_path: Path) -> None:
    """A clone has `.git`, pictures and settings."""
    write(tmp_path, {".git/x.json": "{", "a.png": "x", "package.json": json.dumps({"name": "x"}), "views.csv": VIEWS})

    findings = find([tmp_path], None, {})

    assert not findings.refusals
    assert told(findings, tmp_path) == [(".", "", "repository-traffic-action")]

"""What `traffic import` reads from the files of other tools, cell by cell, and how it refuses a wrong one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.imports.recognizing import find
from cli.imports.tool_history import EMPTY_FILES, FILLED_ZEROS, UNKNOWN_UNIQUES, ToolHistory
from cli.terminal import CommandError

HEADING = "time_iso8601,clones_total,clones_unique,views_total,views_unique"
VIEWS = "_date,total_views,unique_views\n"
TAKEN = "2024-03-03_231754"


def read(tool: str, folder: Path, files: Mapping[str, str]) -> ToolHistory:
    """Write files into a folder, and read them as those of a tool."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    found = find([folder], tool, {})
    for refusal in found.refusals:
        raise CommandError(refusal.reason)
    (part,) = found.parts
    return part.history


def stats(folder: Path, name: str, text: str) -> ToolHistory:
    """Read one file of github-repo-stats."""
    return read("github-repo-stats", folder, {name: text})


def action(folder: Path, name: str, text: str) -> ToolHistory:
    """Read one file of repository-traffic-action."""
    return read("repository-traffic-action", folder, {name: text})


def metrics(history: ToolHistory) -> dict[str, dict[str, int]]:
    """Return the numbers of each day."""
    return {day: dict(seen.metrics) for day, seen in history.days.items()}


@pytest.mark.parametrize(
    ("ending", "heading", "rows"),
    [
        ("top_referrers", "referrer,views_total,views_unique", [{"referrer": "/a", "count": 9, "uniques": 4}]),
        ("top_referrers", "referrers,count_total,count_unique", [{"referrer": "/a", "count": 9, "uniques": 4}]),
        ("top_paths", "url_path,views_total,views_unique", [{"path": "/a", "count": 9, "uniques": 4, "title": ""}]),
        ("top_paths", "url_paths,views_total,views_unique", [{"path": "/a", "count": 9, "uniques": 4, "title": ""}]),
    ],
)
def test_lists_under_the_headings_of_both_generations_are_read(
    tmp_path: Path, ending: str, heading: str, rows: list[dict[str, object]]
) -> None:
    """A folder of some years has files of both, and none of them may stop the import."""
    history = stats(tmp_path, f"{TAKEN}_{ending}_snapshot.csv", f"{heading}\n/a,9,4\n")

    (snapshot,) = history.snapshots.values()
    ((endpoint, kept),) = snapshot.items()
    assert list(history.snapshots) == ["2024-03-03"]
    assert endpoint == ("paths" if ending == "top_paths" else "referrers")
    assert (kept.said, kept.since) == ({endpoint: rows}, "2024-03-03T23:17:54Z")
    assert history.files == [f"{TAKEN}_{ending}_snapshot.csv"]


def test_a_list_is_read_in_its_order_up_to_ten_rows(tmp_path: Path) -> None:
    """GitHub lists no more than ten."""
    rows = "".join(f"/{number},{number},0\n" for number in range(12, 0, -1))
    history = stats(tmp_path, f"{TAKEN}_top_paths_snapshot.csv", f"url_path,views_total,views_unique\n{rows}")

    read_rows = history.snapshots["2024-03-03"]["paths"].said["paths"]
    assert [row["path"] for row in read_rows] == [f"/{number}" for number in range(12, 2, -1)]


def test_a_count_without_uniques_is_read_in_every_kind_of_file(tmp_path: Path) -> None:
    """Pandas leaves the other cell empty: what is known is kept, what is not stays unknown."""
    fragment = f"{HEADING}\n2024-03-01,,,5,\n2024-03-02,3,,,1\n2024-03-03,,2,,\n"
    assert metrics(stats(tmp_path / "one", f"{TAKEN}_views_clones_series_fragment.csv", fragment)) == {
        "2024-03-01": {"views-count": 5},
        "2024-03-02": {"clones-count": 3, "views-uniques": 1},
        "2024-03-03": {"clones-uniques": 2},
    }
    assert metrics(stats(tmp_path / "two", "views_clones_aggregate.csv", fragment)) == {
        "2024-03-01": {"views-count": 5},
        "2024-03-02": {"clones-count": 3, "views-uniques": 1},
        "2024-03-03": {"clones-uniques": 2},
    }
    assert metrics(action(tmp_path / "three", "views.csv", f"{VIEWS}2024-03-01,5,\n2024-03-02,,3\n")) == {
        "2024-03-01": {"views-count": 5},
        "2024-03-02": {"views-uniques": 3},
    }


def test_zeros_are_left_out_of_the_aggregate_alone(tmp_path: Path) -> None:
    """The tool invents them there; elsewhere GitHub reported them."""
    day = "2024-03-01,0,0,7,0\n"
    aggregate = stats(tmp_path / "one", "views_clones_aggregate.csv", f"{HEADING}\n{day}")
    fragment = stats(tmp_path / "two", "1_views_clones_series_fragment.csv", f"{HEADING}\n{day}")

    assert (metrics(aggregate), dict(aggregate.left_out)) == ({"2024-03-01": {"views-count": 7}}, {FILLED_ZEROS: 3})
    assert metrics(fragment) == {"2024-03-01": {"clones-count": 0, "clones-uniques": 0, "views-count": 7}}
    assert dict(fragment.left_out) == {UNKNOWN_UNIQUES: 1}


def test_views_and_clones_are_told_apart_by_the_name_of_the_file(tmp_path: Path) -> None:
    """Their columns have other names; the rest of a file's name does not matter."""
    history = read(
        "repository-traffic-action",
        tmp_path,
        {
            "traffic/views.csv": f"{VIEWS}2024-03-01,8,2\n",
            "clones.csv": "_date,total_clones,unique_clones\n2024-03-01,3,1\n",
        },
    )

    assert metrics(history) == {
        "2024-03-01": {"clones-count": 3, "clones-uniques": 1, "views-count": 8, "views-uniques": 2}
    }
    assert (history.source, history.files) == ("repository-traffic-action", ["clones.csv", "views.csv"])
    assert not history.left_out


def test_the_highest_of_several_files_is_kept(tmp_path: Path) -> None:
    """Two fragments can hold the same day; the later one can be truncated."""
    history = read(
        "github-repo-stats",
        tmp_path,
        {
            "1_views_clones_series_fragment.csv": f"{HEADING}\n2024-03-01,1,1,9,2\n",
            "2_views_clones_series_fragment.csv": f"{HEADING}\n2024-03-01,2,1,4,3\n",
        },
    )

    assert history.source == "github-repo-stats"
    assert metrics(history) == {
        "2024-03-01": {"clones-count": 2, "clones-uniques": 1, "views-count": 9, "views-uniques": 3}
    }


@pytest.mark.parametrize(
    "day",
    [
        "2024-03-01",
        " 2024-03-01 ",
        "2024-03-01 00:00:00",
        "2024-03-01T00:00:00Z",
        "2024-03-01 00:00:00.000",
        "2024-03-01 00:00:00+00:00",
        "2024-03-01T00:00:00+0000",
    ],
)
def test_a_day_is_read_in_every_spelling_of_the_tools(tmp_path: Path, day: str) -> None:
    """Their versions differ in how they write the midnight of a day."""
    assert metrics(action(tmp_path, "views.csv", f"{VIEWS}{day}, 8.0 ,2\n")) == {
        "2024-03-01": {"views-count": 8, "views-uniques": 2}
    }


def test_today_has_begun(tmp_path: Path) -> None:
    """GitHub reports the day that goes on, too."""
    today = datetime.now(UTC).date().isoformat()

    assert list(metrics(action(tmp_path, "views.csv", f"{VIEWS}{today},8,2\n"))) == [today]


def test_a_mark_of_byte_order_other_columns_first_and_empty_lines_do_not_matter(tmp_path: Path) -> None:
    """Spreadsheets write files like that."""
    text = "\ufeffunique_views,_date,total_views\r\n\r\n2,2024-03-01,8\r\n"

    assert metrics(action(tmp_path, "views.csv", text)) == {"2024-03-01": {"views-count": 8, "views-uniques": 2}}


def test_as_many_uniques_as_counts_are_taken(tmp_path: Path) -> None:
    """Each visitor can have looked once."""
    assert metrics(action(tmp_path, "views.csv", f"{VIEWS}2024-03-01,2,2\n"))["2024-03-01"]["views-uniques"] == 2


PATHS = "url_path,views_total,views_unique"
AGAIN = "Nothing was imported: correct or remove the line, then try again."


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        (
            "views.csv",
            f"a,{'b' * 300}\n",
            f"FILE begins with 'a,{'b' * 198}', expected '_date,total_views,unique_views': did that tool write it?",
        ),
        (
            "views.csv",
            f"{VIEWS}2024-03-01,8\n",
            "FILE, line 2: 2 cells, expected 3. Nothing was imported: use the complete file, then try again.",
        ),
        (
            "views.csv",
            f"{VIEWS}\n2024-02-30,8,2\n",
            f"FILE, line 3: _date is '2024-02-30', expected a UTC day, 2026-11-20. {AGAIN}",
        ),
        (
            "views.csv",
            f"{VIEWS}2024-03-01 12:00:00,8,2\n",
            (
                "FILE, line 2: _date is '2024-03-01 12:00:00', expected a UTC day, 2026-11-20: the numbers at a time"
                f" of day are totals of 14 days, and no day's. {AGAIN}"
            ),
        ),
        (
            "views.csv",
            f"{VIEWS}2124-03-01,8,2\n",
            f"FILE, line 2: _date is '2124-03-01', expected a day that has begun. {AGAIN}",
        ),
        (
            "views.csv",
            f"{VIEWS}2024-03-01,8.5,2\n",
            f"FILE, line 2: total_views is '8.5', expected an integer from 0, or nothing. {AGAIN}",
        ),
        (
            "views.csv",
            f"{VIEWS}2024-03-01,2,3\n",
            f"FILE, line 2: unique_views is '3', expected no more than the day's total, 2. {AGAIN}",
        ),
        (
            "views.csv",
            f'{VIEWS}"2024-03-01,8,2\n',
            "FILE, line 2: unexpected end of data. Expected a CSV file; nothing was imported.",
        ),
        (
            "2024-03-03_231754_top_paths_snapshot.csv",
            "url_path,views_total,views_unique\n/a,,1\n",
            f"FILE, line 2: views_total is '', expected an integer from 0. {AGAIN}",
        ),
        (
            "2024-03-03_231754_top_referrers_snapshot.csv",
            "referrers,count_total,count_unique\na,1,\n",
            f"FILE, line 2: count_unique is '', expected an integer from 0. {AGAIN}",
        ),
        (
            "2024-03-03_231754_top_paths_snapshot.csv",
            "path,views\n",
            (
                f"FILE begins with 'path,views', expected '{PATHS}' or 'url_paths,views_total,views_unique':"
                " did that tool write it?"
            ),
        ),
        *(
            (
                f"{taken}_top_paths_snapshot.csv",
                "url_path,views_total,views_unique\n/a,1,1\n",
                "FILE does not begin with the time of its capture, expected 2026-11-20_231754_...: was it renamed?",
            )
            for taken in ("old", "2024-02-30_231754", "2124-03-03_231754")
        ),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_its_value_and_what_was_expected(
    tmp_path: Path, name: str, text: str, error: str
) -> None:
    """A person finds and corrects the line without reading our code."""
    reader = action if name == "views.csv" else stats
    with pytest.raises(CommandError) as refused:
        reader(tmp_path, name, text)

    assert str(refused.value) == error.replace("FILE", str(tmp_path / name))


def test_a_path_without_files_is_refused(tmp_path: Path) -> None:
    """Also beside one that has some: the person meant something by it."""
    good, empty = tmp_path / "good", tmp_path / "empty"
    empty.mkdir()
    stats(good, "views_clones_aggregate.csv", f"{HEADING}\n2024-03-01,1,1,1,1\n")

    with pytest.raises(CommandError) as refused:
        find([good, empty], None, {})
    with pytest.raises(CommandError) as missing:
        find([tmp_path / "none"], None, {})

    endings = ".csv, .json, .db, .sqlite, .sqlite3"
    assert str(refused.value) == f"{empty} has no file that ends in {endings}: name another folder."
    assert str(missing.value) == f"{tmp_path / 'none'} does not exist: name the file or the folder that the tool wrote."


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A picture under the right name."""
    picture = tmp_path / "views.csv"
    picture.write_bytes(b"\xff\xfe\x00")

    (refusal,) = find([picture], None, {}).refusals

    assert refusal.reason.startswith(f"{picture} cannot be read as text: ")
    assert "can't decode byte 0xff" in refusal.reason
    assert refusal.reason.endswith(". Expected a CSV file in UTF-8.")


@pytest.mark.parametrize("text", ["", "\n", VIEWS, f"\ufeff{VIEWS}\n\n"])
def test_a_file_without_rows_says_nothing_and_refuses_nothing(tmp_path: Path, text: str) -> None:
    """A tool writes the heading before the first day."""
    history = read("repository-traffic-action", tmp_path, {"views.csv": text, "clones.csv": ""})

    assert history.empty
    assert dict(history.left_out) == {EMPTY_FILES: 2}


def test_of_a_day_that_a_file_has_often_the_highest_number_is_kept(tmp_path: Path) -> None:
    """A tool that only appends writes the same day again while it grows."""
    rows = "2024-03-01,8,2\n2024-03-02,1,1\n2024-03-01,9,2\n2024-03-01,4,1\n"

    assert metrics(action(tmp_path, "views.csv", f"{VIEWS}{rows}"))["2024-03-01"] == {
        "views-count": 9,
        "views-uniques": 2,
    }


def test_uniques_of_zero_beside_visits_are_not_known(tmp_path: Path) -> None:
    """Another tool filled them in; a day without visits keeps its zeros."""
    history = action(tmp_path, "views.csv", f"{VIEWS}2024-03-01,8,0\n2024-03-02,0,0\n2024-03-03,5,2\n")

    assert metrics(history) == {
        "2024-03-01": {"views-count": 8},
        "2024-03-02": {"views-count": 0, "views-uniques": 0},
        "2024-03-03": {"views-count": 5, "views-uniques": 2},
    }
    assert dict(history.left_out) == {UNKNOWN_UNIQUES: 1}

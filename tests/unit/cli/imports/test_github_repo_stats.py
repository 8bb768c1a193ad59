"""What `traffic import` reads from the files with stars and forks of github-repo-stats, and how it refuses them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.imports.recognizing import find
from cli.imports.tool_history import EMPTY_FILES
from tests.unit.cli.imports.files import found, only
from traffic.record.merge import Statement

FOLDER = "octo/docs/ghrs-data"
STARS = "time_iso8601,stars_cumulative\n"
FORKS = "time_iso8601,forks_cumulative\n"
REPORTED = "time_iso8601,stargazers_cumulative_snapshot\n"

TOOL = "github-repo-stats"
RECONSTRUCTED = "github-repo-stats (reconstructed)"


def test_stars_and_forks_are_parts_of_the_snapshots_of_their_days(tmp_path: Path) -> None:
    """What the tool computed is told apart from what GitHub reported. A day without a row stays unknown."""
    files = {
        "stargazers.csv": f"{STARS}2024-03-01 00:00:00+00:00,1\n2024-03-03 00:00:00+00:00,4\n",
        "forks.csv": f"{FORKS}2024-03-03 00:00:00+00:00,2\n",
        "stargazer-snapshots.csv": f"{REPORTED}2024-03-05 16:50:32+00:00,0\n2024-03-07 01:30:00+02:00,6\n",
    }
    findings = found(tmp_path, {f"{FOLDER}/{name}": text for name, text in files.items()})

    (part,) = findings.parts
    assert not findings.refusals
    assert (part.label, part.history.source, dict(part.history.left_out)) == ("octo/docs", TOOL, {})
    assert part.history.snapshots == {
        "2024-03-01": {"stars": Statement({"stars": 1}, "2024-03-01T00:00:00Z", source=RECONSTRUCTED)},
        "2024-03-03": {
            "stars": Statement({"stars": 4}, "2024-03-03T00:00:00Z", source=RECONSTRUCTED),
            "forks": Statement({"forks": 2}, "2024-03-03T00:00:00Z", source=RECONSTRUCTED),
        },
        "2024-03-05": {"stars": Statement({"stars": 0}, "2024-03-05T16:50:32Z", source=TOOL)},
        "2024-03-06": {"stars": Statement({"stars": 6}, "2024-03-06T23:30:00Z", source=TOOL)},
    }
    assert [part.history.counted(name) for name in ("stars", "forks", "views")] == [4, 1, 0]
    assert part.history.counted("stars", "forks") == 4


@pytest.mark.parametrize("reported", ["2024-03-01 00:00:00+00:00", "2024-03-01 09:00:00+00:00"])
def test_what_github_reported_replaces_what_the_tool_computed(tmp_path: Path, reported: str) -> None:
    """Whichever is higher: who starred later that day and left since is in neither."""
    for number in (1, 9):
        files = {"a.csv": f"{STARS}2024-03-01 18:00:00+00:00,5\n", "b.csv": f"{REPORTED}{reported},{number}\n"}
        (kept,) = only(tmp_path, files).snapshots.values()

        assert (kept["stars"].said, kept["stars"].source) == ({"stars": number}, TOOL)


def test_the_events_of_one_day_are_counted_to_its_end(tmp_path: Path) -> None:
    """The tool's raw files have a row for each star or fork; those in its data repository have one for each day."""
    text = f"{FORKS}2024-03-01 09:00:00+00:00,8\n2024-03-01 20:00:00+00:00,10\n2024-03-01 21:00:00+00:00,9\n"

    (kept,) = only(tmp_path, {"forks-raw.csv": text}).snapshots.values()

    assert kept == {"forks": Statement({"forks": 10}, "2024-03-01T00:00:00Z", source=RECONSTRUCTED)}


def test_an_empty_cell_is_unknown_and_an_empty_file_is_counted(tmp_path: Path) -> None:
    """Nothing is filled in."""
    history = only(tmp_path, {"a.csv": f"{STARS}2024-03-01 00:00:00+00:00,\n", "b.csv": FORKS})

    assert (history.snapshots, dict(history.left_out)) == ({}, {EMPTY_FILES: 1})


TOMORROW = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d %H:%M:%S}+00:00"


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("2024-03-01 00:00:00+00:00,1.5", "stars_cumulative is '1.5', expected an integer from 0"),
        ("2024-03-01 00:00:00+00:00,-1", "stars_cumulative is '-1', expected an integer from 0"),
        ("2024-03,1", "time_iso8601 is '2024-03', expected a time, 2026-11-20 09:00:00+00:00"),
        ("20240301,1", "time_iso8601 is '20240301', expected a time"),
        ("2024-03-32 00:00:00+00:00,1", "expected a time"),
        ("0001-01-01 00:00:00+01:00,1", "expected a time"),
        (f"{TOMORROW},1", f"time_iso8601 is '{TOMORROW}', expected a time that has come"),
    ],
)
def test_a_wrong_cell_is_refused(tmp_path: Path, row: str, wrong: str) -> None:
    """A number at an invented time would be an invented number."""
    (refusal,) = found(tmp_path, {"stargazers.csv": f"{STARS}{row}\n"}).refusals

    assert wrong in refusal.reason
    assert f"{tmp_path / 'stargazers.csv'}, line 2: " in refusal.reason


moments = st.datetimes(datetime(2020, 1, 1), datetime(2020, 1, 5)).map(lambda moment: moment.replace(microsecond=0))  # noqa: DTZ001


@given(
    st.dictionaries(moments, st.integers(0, 99), max_size=8), st.dictionaries(moments, st.integers(1, 99), max_size=8)
)
def test_a_number_is_one_of_its_day_and_of_its_file(
    tmp_path_factory: pytest.TempPathFactory, reported: dict[datetime, int], computed: dict[datetime, int]
) -> None:
    """Nothing is made up: each day has the last number that GitHub reported, or else the highest computed one."""
    texts = [
        heading + "".join(f"{moment}+00:00,{number}\n" for moment, number in rows.items())
        for heading, rows in ((REPORTED, reported), (STARS, computed))
    ]
    folder = tmp_path_factory.mktemp("stars")
    for number, text in enumerate(texts):
        (folder / f"{number}.csv").write_text(text)

    (part,) = find([folder], None, {}).parts

    read = {day: (kept["stars"].said["stars"], kept["stars"].source) for day, kept in part.history.snapshots.items()}
    expected: dict[str, tuple[int, str]] = {}
    for moment, number in sorted(computed.items(), key=lambda row: row[1]):
        expected[f"{moment:%Y-%m-%d}"] = (number, RECONSTRUCTED)
    for moment, number in sorted(reported.items()):
        expected[f"{moment:%Y-%m-%d}"] = (number, TOOL)
    assert read == expected

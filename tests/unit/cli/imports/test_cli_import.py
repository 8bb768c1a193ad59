"""`traffic import`: the history of other tools is merged into the record, verified and rebuilt with it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.command import Target
from cli.commands import import_history as command
from cli.commands.verify import verify
from cli.imports import taking_back
from cli.imports.github_repo_stats import GHRS_HEADING
from cli.imports.recognizing import find
from cli.imports.tool_history import FILLED_ZEROS, UNKNOWN_UNIQUES
from cli.main import main, traffic
from cli.terminal import CommandError, UsageError
from tests.unit.recorded import Record, record
from traffic.record.rebuilding import rebuild

AGGREGATE = ",".join(GHRS_HEADING)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Record]:
    """A record of one repository, and `octo/web`, which GitHub has but the record does not."""
    with record(monkeypatch, "octo/docs", "octo/web", seed=5) as made:
        made.capture("2026-11-20T09:00:00Z", "octo/docs")

        @contextmanager
        def opened(_: Target) -> Iterator[Any]:
            yield made.deployment

        monkeypatch.setattr(command, "opened", opened)
        monkeypatch.setattr(taking_back, "newest_executions", lambda *_given: [])
        monkeypatch.setenv("GITHUB_API_URL", made.github.url)
        monkeypatch.setenv("GITHUB_TOKEN", "any")
        monkeypatch.chdir(tmp_path)
        yield made


def bring(*arguments: str) -> int:
    """Run `traffic import`."""
    return int(traffic.main(["import", *arguments], standalone_mode=False))


def written(path: Path, text: str) -> str:
    """Write a file, and return its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def cells(record_: Record, repo_name: str, day: str) -> dict[str, int]:
    """Return the numbers of a day in the table."""
    item = record_.aws.days().get((repo_name, day), {})
    return {name: int(value) for name, value in item.items() if name.endswith(("-count", "-uniques"))}


def test_github_repo_stats_is_merged_and_its_invented_zeros_are_left_out(
    kept: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tool writes a zero for a number that GitHub did not report. To import that zero is to invent a number."""
    folder = tmp_path / "ghrs-data"
    written(folder / "views_clones_aggregate.csv", f"{AGGREGATE}\n2024-03-01 00:00:00+00:00,0,0,7,3\n")
    fragment = f"{AGGREGATE}\n2024-03-01 00:00:00+00:00,0,0,6,2\n2024-03-02 00:00:00+00:00,,,2.0,1.0\n"
    written(folder / "snapshots" / "2024-03-03_231754_views_clones_series_fragment.csv", fragment)
    referrers = "referrer,views_total,views_unique\nnews.example,9,4\n"
    written(folder / "snapshots" / "2024-03-03_231754_top_referrers_snapshot.csv", referrers)
    paths = "url_path,views_total,views_unique\n/octo/docs/issues,5,2\n"
    written(folder / "snapshots" / "2024-03-03_231754_top_paths_snapshot.csv", paths)

    assert bring("github-repo-stats", str(folder), "--repository", "octo/docs") == 0

    first = {"views-count": 7, "views-uniques": 3, "clones-count": 0, "clones-uniques": 0}
    assert cells(kept, "octo/docs", "2024-03-01") == first, "the zeros come from the fragment, which is GitHub's answer"
    assert cells(kept, "octo/docs", "2024-03-02") == {"views-count": 2, "views-uniques": 1}
    assert (
        "Left out: zeros, because this tool writes a zero also where it does not know the number (2)."
        in capsys.readouterr().out
    )
    snapshots = kept.dump()["RepoTrafficSnapshots"]
    imported = next(item for item in snapshots if item["captured-on"] == "2024-03-03")
    assert imported["referrers"] == [{"referrer": "news.example", "count": 9, "uniques": 4}]
    assert imported["paths"] == [{"path": "/issues", "title": "", "count": 5, "uniques": 2}]


STARS_AND_FORKS = {
    "stargazers.csv": "time_iso8601,stars_cumulative\n2020-01-02 00:00:00+00:00,1\n2026-11-20 00:00:00+00:00,4\n",
    "forks.csv": "time_iso8601,forks_cumulative\n2026-11-20 00:00:00+00:00,2\n",
    "stargazer-snapshots.csv": "time_iso8601,stargazers_cumulative_snapshot\n2026-11-20 08:00:00+00:00,3\n",
}


def test_stars_and_forks_are_planned_counted_verified_rebuilt_and_taken_back(
    kept: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way of a running number, beside what GitHub reported in a capture of the same day."""
    before = kept.dump()
    for name, text in STARS_AND_FORKS.items():
        written(tmp_path / "ghrs-data" / name, text)
    arguments = (str(tmp_path / "ghrs-data"), "--repository", "octo/docs")

    assert bring(*arguments, "--dry-run", "--json") == 0
    (planned,) = json.loads(capsys.readouterr().out)["repositories"]
    assert (planned["days"], planned["snapshots"], planned["stars"], planned["forks"]) == (0, 0, 2, 1)
    assert kept.dump() == before

    assert bring(*arguments) == 0
    printed = capsys.readouterr().out
    assert "Imported 1 repository with 3 numbers of stars and forks. " in printed
    (undone,) = re.findall(r"--undo (\d{8}T\d{6}Z)` takes it back", printed)
    snapshots = {item["captured-on"]: item for item in kept.dump()["RepoTrafficSnapshots"]}
    assert snapshots["2020-01-02"] == {
        "repo-id": snapshots["2026-11-20"]["repo-id"],
        "captured-on": "2020-01-02",
        "captured-at": {"stars": "2020-01-02T00:00:00Z"},
        "stars": 1,
        "sources": {"stars": "github-repo-stats (reconstructed)"},
    }
    today = snapshots["2026-11-20"]
    assert (today["stars"], today["forks"], today["captured-at"]["stars"]) == (3, 2, "2026-11-20T08:00:00Z")
    assert today["sources"] == {"stars": "github-repo-stats", "forks": "github-repo-stats (reconstructed)"}
    assert {"views-count", "referrers"} <= today.keys()

    assert verify(kept.deployment.record, kept.deployment.archive) == []
    assert rebuild(kept.deployment.record, kept.deployment.archive) == (0, [])
    kept.capture("2026-11-20T10:00:00Z", "octo/docs")
    assert verify(kept.deployment.record, kept.deployment.archive) == [], "a capture leaves the stars"

    bring("--undo", undone)
    assert "Took back the import of 1 repository: 2 items changed." in capsys.readouterr().out
    assert verify(kept.deployment.record, kept.deployment.archive) == []
    left = {item["captured-on"]: item for item in kept.dump()["RepoTrafficSnapshots"]}
    assert "2020-01-02" not in left
    assert not {"stars", "forks", "sources"} & left["2026-11-20"].keys()


@pytest.mark.usefixtures("kept")
def test_an_import_without_stars_and_forks_counts_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its receipt is as before."""
    bring(written(tmp_path / "views.csv", "date,views\n2024-03-01,8\n"), "--repository", "octo/docs")

    assert "Imported 1 repository. `traffic import --undo" in capsys.readouterr().out


def test_zeros_of_the_aggregate_alone_stay_unknown(kept: Record, tmp_path: Path) -> None:
    """An absent number is not zero, whoever wrote the zero."""
    file = written(tmp_path / "views_clones_aggregate.csv", f"{AGGREGATE}\n2024-03-01 00:00:00+00:00,0,0,7,3\n")

    bring("github-repo-stats", file, "--repository", "octo/docs")

    assert cells(kept, "octo/docs", "2024-03-01") == {"views-count": 7, "views-uniques": 3}


def test_the_traffic_action_is_merged_with_githubs_zeros(kept: Record, tmp_path: Path) -> None:
    """Its numbers are GitHub's, and an empty cell is an unknown number."""
    views = written(tmp_path / "views.csv", "_date,total_views,unique_views\n2024-03-01,0,0\n2024-03-02,8,2\n")
    clones = written(
        tmp_path / "clones.csv", "_date,total_clones,unique_clones\n2024-03-02 00:00:00,3.0,1.0\n2024-03-03,,\n"
    )

    bring("repository-traffic-action", views, clones, "--repository", "octo/docs")

    assert cells(kept, "octo/docs", "2024-03-01") == {"views-count": 0, "views-uniques": 0}
    both = {"views-count": 8, "views-uniques": 2, "clones-count": 3, "clones-uniques": 1}
    assert cells(kept, "octo/docs", "2024-03-02") == both
    assert not cells(kept, "octo/docs", "2024-03-03")
    days = kept.aws.days()
    assert days["octo/docs", "2024-03-02"]["sources"] == dict.fromkeys(both, "repository-traffic-action")
    assert "sources" not in days["octo/docs", "2026-11-18"], "GitHub reported it"


def test_the_first_versions_rows_are_merged_into_owners_repositories(
    kept: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    """An upgrade must not lose the rows of the first version, nor merge repositories of two owners with one name."""
    row = {"repo-name": "docs", "timestamp": "2024-03-01T00:00:00Z", "views-count": 9, "views-uniques": 4}
    kept.aws.dynamodb.Table("RepoTraffic").put_item(Item={**row, "clones-count": 0, "clones-uniques": 0})
    kept.aws.dynamodb.Table("RepoTraffic").put_item(Item={**row, "repo-name": "web", "views-count": 5})

    with pytest.raises(CommandError, match=r"Who owns docs, web\?"):
        bring("first-version")
    with pytest.raises(CommandError, match="Who owns web"):
        bring("first-version", "--owner", "docs=octo")
    with pytest.raises(CommandError, match="has no repository 'wbe', only docs, web"):
        bring("first-version", "--owner", "octo", "--owner", "wbe=octo")
    assert bring("first-version", "--owner", "octo") == 0

    assert cells(kept, "octo/docs", "2024-03-01") == {"views-count": 9, "views-uniques": 4}
    assert cells(kept, "octo/web", "2024-03-01") == {"views-count": 5, "views-uniques": 4}
    assert cells(kept, "docs", "2024-03-01")["views-count"] == 9
    assert (
        "Left out: zeros, because this tool writes a zero also where it does not know the number (2)."
        in capsys.readouterr().out
    )
    assert {difference.kind for difference in verify(kept.deployment.record, kept.deployment.archive)} == {
        "first version"
    }


def test_a_higher_number_stays_and_the_report_counts_it(
    kept: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another tool's truncated day must not lower GitHub's number, and a dry run shows that before."""
    day = "2026-11-15"
    ours = cells(kept, "octo/docs", day)
    views = written(
        tmp_path / "views.csv",
        f"_date,total_views,unique_views\n{day},{ours['views-count'] + 5},0\n2024-01-01,4,1\n",
    )
    before = kept.dump()

    assert bring("repository-traffic-action", views, "--repository", "octo/docs", "--dry-run") == 0

    output = capsys.readouterr().out
    assert output.splitlines()[0].split("\t")[2:] == ["2", "2024-01-01", day, "1", "3", "0", "0", "0", "0", "0"]
    assert "Nothing was changed" in output
    assert kept.dump() == before
    assert bring("repository-traffic-action", views, "--repository", "octo/docs") == 0
    assert cells(kept, "octo/docs", day) == {**ours, "views-count": ours["views-count"] + 5}


def test_imported_days_are_verified_rebuilt_and_imported_again_without_a_change(kept: Record, tmp_path: Path) -> None:
    """A day that is in a table only would be lost with it; and a person may import a file twice."""
    views = written(tmp_path / "views.csv", "_date,total_views,unique_views\n2024-03-01,8,2\n")
    bring("repository-traffic-action", views, "--repository", "octo/docs")
    bring("repository-traffic-action", views, "--repository", "octo/web")
    before = kept.dump()
    assert verify(kept.deployment.record, kept.deployment.archive) == []

    bring("repository-traffic-action", views, "--repository", "octo/web")
    assert kept.dump() == before
    kept.delete_items()
    rebuild(kept.deployment.record, kept.deployment.archive)

    assert kept.dump() == before
    assert verify(kept.deployment.record, kept.deployment.archive) == []


def test_an_import_with_a_clock_behind_githubs_is_rebuilt_too(kept: Record, tmp_path: Path) -> None:
    """An import needs the capture that made the repository known; ordered by time, it would be stored before that."""
    kept.capture("2127-01-01T09:00:00Z", "octo/web")
    views = written(tmp_path / "views.csv", "_date,total_views,unique_views\n2024-03-01,8,2\n")
    bring("repository-traffic-action", views, "--repository", "octo/web")
    before = kept.dump()

    kept.delete_items()
    rebuild(kept.deployment.record, kept.deployment.archive)

    assert kept.dump() == before
    assert verify(kept.deployment.record, kept.deployment.archive) == []


def test_an_import_whose_repository_is_gone_from_the_archive_is_rebuilt_under_its_name(
    kept: Record, tmp_path: Path
) -> None:
    """A person may have deleted answers; the imported days still belong to the repository."""
    views = written(tmp_path / "views.csv", "_date,total_views,unique_views\n2024-03-01,8,2\n")
    bring("repository-traffic-action", views, "--repository", "octo/docs")
    bucket = boto3.resource("s3").Bucket(kept.deployment.output("ArchiveBucket"))
    bucket.objects.filter(Prefix="answers/").delete()

    kept.delete_items()
    rebuild(kept.deployment.record, kept.deployment.archive)

    assert kept.days_of("octo/docs") == {"2024-03-01"}
    assert verify(kept.deployment.record, kept.deployment.archive) == []


def test_an_import_does_not_change_the_newest_day_of_github(kept: Record, tmp_path: Path) -> None:
    """Delays and lost days are computed from GitHub's answers, not from another tool's days."""
    entry = kept.aws.repositories()[str(kept.id_of("octo/docs"))]
    views = written(tmp_path / "views.csv", "_date,total_views,unique_views\n2026-11-22,8,2\n")

    bring("repository-traffic-action", views, "--repository", "octo/docs")

    assert kept.aws.repositories()[str(kept.id_of("octo/docs"))] == entry


def test_a_capture_after_the_import_continues_its_rows(kept: Record, tmp_path: Path) -> None:
    """The import used the key that the repository's own captures use."""
    views = written(tmp_path / "views.csv", "_date,total_views,unique_views\n2024-03-01,8,2\n")
    bring("repository-traffic-action", views, "--repository", "octo/web")

    kept.capture("2026-11-21T09:00:00Z", "octo/web")

    assert "2024-03-01" in kept.days_of("octo/web")
    assert "2026-11-20" in kept.days_of("octo/web")


def test_an_import_of_many_repositories_is_taken_back_by_one_receipt(
    kept: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is what the import printed; another import of the same days stays."""
    before = kept.dump()
    text = "date,repo,views,uniques\n2024-03-01,octo/docs,8,2\n2024-03-01,octo/web,5,1\n"
    first, second = written(tmp_path / "a.csv", text), written(tmp_path / "b.csv", text.replace("8,2", "9,2"))
    bring(first)
    one = receipt(capsys)
    kept_one = kept.dump()
    bring(second)
    two = receipt(capsys)
    assert one != two

    assert bring("--undo", two) == 0

    assert "Took back the import of 2 repositories: 1 item changed." in capsys.readouterr().out
    assert kept.dump() == kept_one
    assert bring("--undo", one) == 0
    assert kept.dump() == before
    assert verify(kept.deployment.record, kept.deployment.archive) == []
    assert bring("--undo", one) == 0, "it can be repeated"
    assert "0 items changed" in capsys.readouterr().out


def test_the_parts_of_one_repository_are_one_import_that_names_their_tools(
    kept: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person moved from one tool to another, and the files of both are in one tree."""
    written(
        tmp_path / "old" / "octo" / "docs" / "ghrs-data" / "views_clones_aggregate.csv",
        f"{AGGREGATE}\n2024-03-01,0,0,7,3\n",
    )
    written(tmp_path / "all.csv", "date,repo,views,uniques\n2024-03-02,octo/docs,8,0\n2024-03-02,other,5,0\n")

    assert bring(str(tmp_path), "--json", "--skip-refused") == 0

    printed = json.loads(capsys.readouterr().out)
    (found,) = printed["repositories"]
    assert (found["repository"], found["source"], found["days"]) == ("octo/docs", "csv, github-repo-stats", 2)
    assert [each["path"] for each in printed["refused"]] == [str(tmp_path)]
    assert printed["left_out"] == {FILLED_ZEROS: 2, UNKNOWN_UNIQUES: 1}, "of what was imported"
    (key,) = kept.deployment.archive.keys("imports/")
    assert found["import"] == key


def receipt(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the receipt that an import printed."""
    (found,) = re.findall(r"--undo (\d{8}T\d{6}Z)` takes it back", capsys.readouterr().out)
    return str(found)


def test_an_import_is_taken_back_by_its_key_in_the_archive(kept: Record, tmp_path: Path) -> None:
    """Imports of earlier versions printed no receipt."""
    before = kept.dump()
    views = written(tmp_path / "views.csv", "_date,total_views,unique_views\n2024-03-01,8,2\n")
    bring(views, "--repository", "octo/docs")
    (key,) = kept.deployment.archive.keys("imports/")

    assert bring("--undo", key) == 0

    assert kept.dump() == before


@pytest.mark.parametrize("given", ["", "20260101T000000Z", "yesterday", "answers/x"])
def test_an_unknown_receipt_is_refused_and_the_last_ones_are_shown(kept: Record, tmp_path: Path, given: str) -> None:
    """Nothing is changed."""
    with pytest.raises(UsageError, match=r"expected the receipt of an import, .*: there is no import\."):
        bring("--undo", given)
    views = written(tmp_path / "views.csv", "_date,total_views,unique_views\n2024-03-01,8,2\n")
    bring(views, "--repository", "octo/docs")
    before = kept.dump()

    with pytest.raises(UsageError, match=r"the last imports are \d{8}T\d{6}Z\."):
        bring("--undo", given)
    with pytest.raises(UsageError, match="leave paths and other options out"):
        bring("--undo", given, "--dry-run")
    assert kept.dump() == before


def test_nothing_is_taken_back_while_a_run_is_in_progress(
    kept: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run could have read what is taken back."""
    views = written(tmp_path / "views.csv", "_date,total_views,unique_views\n2024-03-01,8,2\n")
    bring(views, "--repository", "octo/docs")
    (key,) = kept.deployment.archive.keys("imports/")
    monkeypatch.setattr(taking_back, "newest_executions", lambda *_given: [{"status": "RUNNING"}])

    with pytest.raises(CommandError, match="A run is in progress: wait for its end"):
        bring("--undo", key)
    assert list(kept.deployment.archive.keys("imports/")) == [key]


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("views.csv", "a_date,views\n2024-03-01,8\n", r"begins with 'a_date,views'"),
        ("views.csv", "_date,total_views,unique_views\n2024-03-01,8\n", r"line 2: 2 cells, expected 3"),
        (
            "views.csv",
            "_date,total_views,unique_views\n2024-13-01,8,2\n",
            r"line 2: _date is '2024-13-01', expected a UTC",
        ),
        ("views.csv", "_date,total_views,unique_views\n2024-03-01 12:00:00,8,2\n", r"expected a UTC day"),
        ("views.csv", "_date,total_views,unique_views\n2124-03-01,8,2\n", r"expected a day that has begun"),
        ("views.csv", "_date,total_views,unique_views\n2024-03-01,-8,2\n", r"total_views is '-8', expected an integer"),
        ("views.csv", "_date,total_views,unique_views\n2024-03-01,8.5,2\n", r"total_views is '8.5'"),
        ("views.csv", "_date,total_views,unique_views\n2024-03-01,2,8\n", r"unique_views is '8', expected no more"),
        ("views.csv", '_date,total_views,unique_views\n"2024-03-01,8,2\n', r"line \d: .*expected a CSV|Expected a CSV"),
        ("other.csv", "a,b\n", r"begins with 'a,b', expected '_date,total_clones,unique_clones'"),
    ],
)
def test_a_file_that_is_not_what_it_claims_is_refused(
    kept: Record, tmp_path: Path, name: str, text: str, error: str
) -> None:
    """After half an import of a wrong file, nobody could trust the record again."""
    before = kept.dump()
    file = written(tmp_path / name, text)

    with pytest.raises(UsageError, match=error):
        bring("repository-traffic-action", file, "--repository", "octo/docs")

    assert kept.dump() == before


def test_a_binary_a_missing_and_a_renamed_file_are_refused(kept: Record, tmp_path: Path) -> None:
    """Each is a user's mistake, reported in one line."""
    (tmp_path / "views.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read as text"):
        bring("repository-traffic-action", str(tmp_path / "views.csv"), "--repository", "octo/docs")
    with pytest.raises(CommandError, match="does not exist"):
        bring("github-repo-stats", str(tmp_path / "nothing"), "--repository", "octo/docs")
    renamed = written(tmp_path / "old_top_paths_snapshot.csv", "url_path,views_total,views_unique\n/a,1,1\n")
    with pytest.raises(UsageError, match="does not begin with the time of its capture"):
        bring("github-repo-stats", renamed, "--repository", "octo/docs")
    assert len(kept.aws.days()) == len(kept.days_of("octo/docs"))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["repository-traffic-action", "x.csv", "--repository", "docs"], "--repository is 'docs'"),
        (["repository-traffic-action", "--repository", "octo/docs"], "Which files"),
        (["first-version", "x.csv"], "leave PATH"),
        (["first-version", "--owner", "a", "--owner", "b"], "expected OWNER once"),
        (["first-version", "--owner", "docs="], "expected OWNER once"),
    ],
)
def test_wrong_use_is_refused_before_anything_is_read(kept: Record, arguments: list[str], error: str) -> None:
    """The message contains the given value and the expected one."""
    with pytest.raises(UsageError, match=error):
        bring(*arguments)
    assert len(kept.function.runs) == 0


def test_an_unknown_repository_is_refused(kept: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows without an id could never be distinguished from those of another repository."""
    file = written(tmp_path / "views.csv", "_date,total_views,unique_views\n2024-03-01,8,2\n")
    with pytest.raises(UsageError, match="GitHub does not return the id of octo/none: 404"):
        bring("repository-traffic-action", file, "--repository", "octo/none")
    kept.github.rename("octo/web", "octo/site")
    with pytest.raises(UsageError, match="octo/web was renamed"):
        bring("repository-traffic-action", file, "--repository", "octo/web")
    monkeypatch.setenv("GITHUB_TOKEN", "")
    with pytest.raises(UsageError, match="store a token with `traffic token`"):
        bring("repository-traffic-action", file, "--repository", "octo/site")


def test_a_user_sees_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback for a user's mistake."""
    assert main(["import", "repository-traffic-action", str(tmp_path / "no"), "--repository", "octo/docs"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@given(
    st.dictionaries(
        st.dates(min_value=date(2020, 1, 1), max_value=date(2025, 1, 1)),
        st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(lambda pair: (max(pair), min(pair))),
        min_size=1,
        max_size=20,
    )
)
def test_every_day_of_a_file_is_read_without_a_change(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[Any, Any]
) -> None:
    """Nothing is dropped, rounded or shifted by a day."""
    text = "_date,total_views,unique_views\n" + "".join(
        f"{day},{count},{uniques}\n" for day, (count, uniques) in rows.items()
    )
    file = tmp_path_factory.mktemp("history") / "views.csv"
    file.write_text(text)

    (part,) = find([file], None, {}).parts

    assert {day: tuple(seen.metrics.values()) for day, seen in part.history.days.items()} == {
        day.isoformat(): numbers if numbers[1] or not numbers[0] else numbers[:1] for day, numbers in rows.items()
    }

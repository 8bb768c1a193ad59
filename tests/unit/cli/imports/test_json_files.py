"""What `traffic import` reads from files of JSON, in each form that tools keep them."""

import json
from pathlib import Path

import pytest

from cli.imports.tool_history import EMPTY_FILES, FILLED_ZEROS, MONTHS, OTHER_FILES, UNDATED, UNKNOWN_UNIQUES
from tests.unit.cli.imports.files import found, numbers, only

DAY = {"timestamp": "2024-03-01T00:00:00Z", "count": 8, "uniques": 2}
VIEWS_OF_DAY = {"2024-03-01": {"views-count": 8, "views-uniques": 2}}
CLONES_OF_DAY = {"2024-03-01": {"clones-count": 8, "clones-uniques": 2}}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("anything.json", {"count": 80, "uniques": 20, "views": [DAY]}, VIEWS_OF_DAY),
        ("clone.json", {"count": 80, "uniques": 20, "clones": [{**DAY, "count_minmax": [0, 9]}]}, CLONES_OF_DAY),
        (
            "both.json",
            {"views": {"views": [DAY]}, "clones": {"clones": [DAY]}},
            {"2024-03-01": {**VIEWS_OF_DAY["2024-03-01"], **CLONES_OF_DAY["2024-03-01"]}},
        ),
        ("traffic_views.json", [DAY], VIEWS_OF_DAY),
        ("clones/by_year/2024/2024-03-01.json", DAY, CLONES_OF_DAY),
        ("views.json", {"2024-03-01T00:00:00Z": {"count": 8, "uniques": 2}}, VIEWS_OF_DAY),
        ("views.json", {"2024-03-01": {"count": 8, "uniques": None}}, {"2024-03-01": {"views-count": 8}}),
        ("daily.json", {"2024-03-01": {"views": 8, "views_uniques": 2}}, VIEWS_OF_DAY),
        ("state.json", {"2024-03-01": {"clones": 8, "uniques": 2, "ciRuns": 1, "organic": 7}}, CLONES_OF_DAY),
        ("state.json", {"history": {"2024-03-01": {"clones": 8, "uniques": 2}}, "version": 1}, CLONES_OF_DAY),
        (
            "views.json",
            {"total": 8, "last_update": "2024-03-02T01:00:00Z", "daily": {"2024-03-01": 8}},
            {"2024-03-01": {"views-count": 8}},
        ),
        ("views_uniq.json", {"total": 2, "daily": {"2024-03-01": 2}}, {"2024-03-01": {"views-uniques": 2}}),
    ],
)
def test_each_form_is_read(tmp_path: Path, name: str, content: object, expected: object) -> None:
    """Numbers of days are taken, totals are not."""
    assert numbers(only(tmp_path, {name: json.dumps(content)})) == expected


def test_a_mark_of_byte_order_does_not_matter(tmp_path: Path) -> None:
    """Some tools on Windows write it."""
    assert numbers(only(tmp_path, {"views.json": "\ufeff" + json.dumps({"views": [DAY]})})) == VIEWS_OF_DAY


def test_counts_and_uniques_in_two_files_are_one_day(tmp_path: Path) -> None:
    """A zero of the one beside visits of the other is not known, wherever it stands."""
    history = only(
        tmp_path,
        {
            "views.json": json.dumps({"daily": {"2024-03-01": 8, "2024-03-02": 5, "2024-03-03": 0}}),
            "views_uniq.json": json.dumps({"daily": {"2024-03-01": 2, "2024-03-02": 0, "2024-03-03": 0}}),
        },
    )

    assert numbers(history) == {
        **VIEWS_OF_DAY,
        "2024-03-02": {"views-count": 5},
        "2024-03-03": {"views-count": 0, "views-uniques": 0},
    }
    assert dict(history.left_out) == {UNKNOWN_UNIQUES: 1}


def test_two_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """More uniques than visits: one of them is another repository's, or another number's."""
    findings = found(
        tmp_path,
        {
            "views.json": json.dumps({"daily": {"2024-03-01": 2}}),
            "views_uniq.json": json.dumps({"daily": {"2024-03-01": 8}}),
        },
    )

    assert not findings.parts
    assert [each.reason for each in findings.refusals] == [
        f"{tmp_path}: 2024-03-01 has 8 unique of 2 views. Two files of it are mixed up: correct them, then try again."
    ]


def test_months_are_left_out(tmp_path: Path) -> None:
    """Some tools add old days together: such a number is no day's."""
    rows = [{"timestamp": "2024-02", "count": 90, "uniques": 40}, DAY]
    history = only(tmp_path, {"clone.json": json.dumps({"count": 98, "uniques": 42, "clones": rows})})

    assert numbers(history) == CLONES_OF_DAY
    assert dict(history.left_out) == {MONTHS: 1}


def test_a_pair_of_zeros_beside_numbers_of_the_other_kind_is_left_out(tmp_path: Path) -> None:
    """Who joins two answers by day fills with zeros what one of them lacks."""
    content = {"2024-03-01": {"views": 8, "views_uniques": 2, "clones": 0, "clones_uniques": 0}}
    history = only(tmp_path, {"daily.json": json.dumps(content)})

    assert numbers(history) == VIEWS_OF_DAY
    assert dict(history.left_out) == {FILLED_ZEROS: 2}


def test_lists_by_day_of_capture_are_kept(tmp_path: Path) -> None:
    """The tool does not tell the hour, so an answer of the same day that we archived stays."""
    referrer, path = (
        {"referrer": "a.example", "count": 3, "uniques": 2},
        {"path": "/octo/docs", "title": "Docs", "count": 4, "uniques": 1},
    )
    history = only(
        tmp_path,
        {
            "referrers.json": json.dumps({"2024-03-01": [referrer], "2024-03-02": []}),
            "paths.json": json.dumps({"2024-03-01": [path]}),
        },
    )

    (day,) = history.snapshots
    assert day == "2024-03-01"
    kept = history.snapshots[day]
    assert (kept["referrers"].said, kept["referrers"].since) == ({"referrers": [referrer]}, "2024-03-01T00:00:00Z")
    assert kept["paths"].said == {"paths": [path]}


@pytest.mark.parametrize(
    ("name", "text", "why", "times"),
    [
        ("traffic_paths.json", json.dumps([{"path": "/a", "title": "", "count": 1, "uniques": 1}] * 2), UNDATED, 2),
        ("traffic_referrers.json", json.dumps([{"referrer": "a", "count": 1, "uniques": 1}]), UNDATED, 1),
        ("views.json", "", EMPTY_FILES, 1),
        ("views.json", "{}", EMPTY_FILES, 1),
        ("views.json", '{"count": 0, "uniques": 0, "views": []}', EMPTY_FILES, 1),
        ("package.json", '{"name": "site"}', OTHER_FILES, 1),
    ],
)
def test_what_says_nothing_is_left_out_and_named(tmp_path: Path, name: str, text: str, why: str, times: int) -> None:
    """It must not stop the import of a folder."""
    history = only(tmp_path, {name: text})

    assert history.empty
    assert dict(history.left_out) == {why: times}


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        (
            "views.json",
            '{"message": "Must have push access to repository", "documentation_url": "https://docs.github.com/rest"}',
            "it is an error of GitHub, 'Must have push access to repository', expected traffic",
        ),
        ("views.json", '{"views": [', "is not JSON"),
        ("views.json", '{"views": 8, "uniques": 1}', "has no numbers by day: did one of the tools write it?"),
        ("views.json", '{"2024-03-01T04:19:11Z": {"count": 8, "uniques": 1}}', "totals of 14 days, and no day's"),
        ("x.json", '{"2024-03-01": {"count": 8, "uniques": 1}}', "neither its content nor its name tells whether"),
        ("views.json", '{"2024-03-01": {"hits": 8}}', "2024-03-01 has {'hits': 8}, expected count and uniques"),
        ("views.json", '{"2024-03-01": {"count": -8}}', "2024-03-01 has -8, expected an integer from 0"),
        ("views.json", '{"2024-03-01": {"count": true}}', "2024-03-01 has True, expected an integer from 0"),
        (
            "views.json",
            '{"2024-03-01": {"count": 1, "uniques": 2}}',
            "2 uniques, expected no more than the day's total, 1",
        ),
        ("views.json", '{"views": [{"timestamp": "03/01", "count": 1}]}', "without a year it could be any year's"),
        (
            "views.json",
            '{"views": [[1, 2]]}',
            "views has '[1, 2]', expected an object with timestamp, count and uniques",
        ),
        ("views.json", '{"views": [{"timestamp": 5, "count": 1}]}', "5, expected a UTC day"),
        ("paths.json", '{"2024-03-01": [{"path": "/a", "count": 1}]}', "expected path, count and uniques"),
        ("paths.json", '{"2024-03-01": [5]}', "2024-03-01 has 5, expected rows of referrers or paths"),
    ],
)
def test_a_wrong_file_is_refused_with_what_was_expected(tmp_path: Path, name: str, text: str, error: str) -> None:
    """Nothing of it is taken."""
    findings = found(tmp_path, {name: text})

    assert not findings.parts
    (refusal,) = findings.refusals
    assert refusal.path == str(tmp_path / name)
    assert refusal.reason.startswith(str(tmp_path / name))
    assert error in refusal.reason

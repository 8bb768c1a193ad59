"""A true history, written as a tool writes it and read back, is that history or less of it, and never more."""

import json
import random
import sqlite3
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.imports.recognizing import find

Pair = tuple[int, int]
History = Mapping[str, tuple[Pair, Pair]]  # views and clones of each day, each a count and its uniques


def pairs(most: int) -> st.SearchStrategy[Pair]:
    """Return counts with uniques that they can have: a day with visits has a visitor."""
    return st.integers(0, most).flatmap(lambda count: st.tuples(st.just(count), st.integers(min(count, 1), count)))


histories: st.SearchStrategy[History] = st.dictionaries(
    st.dates(date(2020, 1, 1), date(2025, 1, 1)).map(date.isoformat),
    st.tuples(pairs(1000), pairs(1000)),
    min_size=1,
    max_size=12,
)


def of_kind(number: int, heading: str, row: str = "{day},{count},{uniques}") -> Callable[[History], str]:
    """Return what writes a CSV file of views (0) or clones (1)."""

    def write(history: History) -> str:
        lines = (row.format(day=day, count=each[number][0], uniques=each[number][1]) for day, each in history.items())
        return "\n".join([heading, *lines]) + "\n"

    return write


def joined(heading: str) -> Callable[[History], str]:
    """Return what writes views and clones in one row."""
    return lambda history: "\n".join(
        [heading, *(f"{day},{v},{vu},{c},{cu}" for day, ((v, vu), (c, cu)) in history.items())]
    )


def gitlytics(history: History) -> str:
    """Write a month of one repository, with the stars and forks of the last run."""
    rows = (f"{day},octo/docs,{v},{vu},{c},{cu},7,1" for day, ((v, vu), (c, cu)) in history.items())
    return "\n".join(["date,repo_name,views,unique_visitors,clones,unique_cloners,stars,forks", *rows]) + "\n"


def ghtraf(history: History) -> str:
    """Write a state, with totals and a part of the clones that are no GitHub's numbers."""
    rows = [
        {"date": f"{day}T00:00:00Z", "clones": c, "uniqueClones": cu, "views": v, "uniqueViews": vu, "organicClones": 9}
        for day, ((v, vu), (c, cu)) in history.items()
    ]
    return json.dumps({"totalClones": 10**6, "dailyHistory": rows})


def githubs(kind: str, number: int) -> Callable[[History], str]:
    """Return what writes GitHub's own form, with the totals that are no day's."""

    def write(history: History) -> str:
        rows = [
            {"timestamp": f"{day}T00:00:00Z", "count": each[number][0], "uniques": each[number][1]}
            for day, each in history.items()
        ]
        return json.dumps({"count": 10**6, "uniques": 10**6, kind: rows})

    return write


def keyed(number: int) -> Callable[[History], str]:
    """Return what writes objects by day."""
    return lambda history: json.dumps(
        {day: {"count": each[number][0], "uniques": each[number][1]} for day, each in history.items()}
    )


def numbers_by_day(number: int, which: int) -> Callable[[History], str]:
    """Return what writes one number by day."""
    return lambda history: json.dumps(
        {"total": 10**6, "daily": {day: each[number][which] for day, each in history.items()}}
    )


TOOLS: dict[str, dict[str, Callable[[History], str]]] = {
    "repository-traffic-action": {
        "views.csv": of_kind(0, "_date,total_views,unique_views"),
        "clones.csv": of_kind(1, "_date,total_clones,unique_clones", "{day} 00:00:00,{count}.0,{uniques}.0"),
    },
    "count and uniques": {
        "views.csv": of_kind(0, "date,count,uniques"),
        "clones.csv": of_kind(1, '"Date","TotalClones","UniqueClones"', '"{day}","{count}","{uniques}"'),
    },
    "many repositories": {
        "views.csv": of_kind(0, "repo,date,views,uniques", "octo/docs,{day},{count},{uniques}"),
        "clones.csv": of_kind(1, "date,repo,clones,uniques", "{day},octo/docs,{count},{uniques}"),
    },
    "piebro": {
        "github_views/docs.csv": of_kind(0, "date,count,uniques"),
        "github_clones/docs.csv": of_kind(1, "date,count,uniques"),
    },
    "gitlytics": {"traffic_2024-03.csv": gitlytics},
    "ghtraf": {"state.json": ghtraf},
    "one row": {"daily.csv": joined("date,views,views_uniques,clones,clones_uniques")},
    "github-repo-stats": {
        "ghrs-data/views_clones_aggregate.csv": joined(
            "time_iso8601,views_total,views_unique,clones_total,clones_unique"
        )
    },
    "GitHub's own form": {"views.json": githubs("views", 0), "clone.json": githubs("clones", 1)},
    "by day": {"views.json": keyed(0), "clones.json": keyed(1)},
    "numbers by day": {
        "views.json": numbers_by_day(0, 0),
        "views_uniq.json": numbers_by_day(0, 1),
        "clones.json": numbers_by_day(1, 0),
        "clones_uniq.json": numbers_by_day(1, 1),
    },
}


def unknown_uniques(history: History, chance: random.Random) -> History:
    """Write 0 for some uniques, as tools do that know the count alone."""

    def lost(pair: Pair) -> Pair:
        return (pair[0], 0) if chance.random() < 0.3 else pair

    return {day: (lost(views), lost(clones)) for day, (views, clones) in history.items()}


def truncated(history: History, chance: random.Random) -> History:
    """Write smaller numbers for some days, as in an answer before the day was over."""

    def less(pair: Pair) -> Pair:
        count = chance.randint(0, pair[0])
        return count, min(pair[1], count)

    return {day: (less(v), less(c)) if chance.random() < 0.5 else (v, c) for day, (v, c) in history.items()}


def shuffled(history: History, chance: random.Random) -> History:
    """Write the days in another order."""
    days = list(history)
    chance.shuffle(days)
    return {day: history[day] for day in days}


def is_true(day: str, metric: str, value: int, history: History) -> bool:
    """Whether a number that was read is the true one, or a truncated one, which is never higher."""
    views, clones = history[day]
    count, uniques = views if metric.startswith("views") else clones
    return value <= (uniques if metric.endswith("uniques") else count)


@pytest.mark.parametrize("tool", TOOLS)
@given(history=histories, seed=st.integers(0, 10**6), faulty=st.booleans())
def test_what_is_read_was_written_and_nothing_more(tool: str, history: History, seed: int, *, faulty: bool) -> None:
    """Without faults each number above 0 comes back; with faults, some are missing or lower, and none is made up."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    written = shuffled(history, chance)
    if faulty:
        written = unknown_uniques(truncated(written, chance), chance)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, write in TOOLS[tool].items():
            text = write(written)
            if faulty and file.endswith(".csv"):
                text = "\ufeff" + text.replace("\n", "\r\n") + "\r\n\r\n"
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8", newline="")
        if faulty:
            (folder / "package.json").write_text("{}")
        findings = find([folder], None, {})

    assert not findings.refusals
    read = {day: seen.metrics for part in findings.parts for day, seen in part.history.days.items()}
    for day, metrics in read.items():
        assert all(is_true(day, metric, value, history) for metric, value in metrics.items())
        for kind in ("views", "clones"):
            assert metrics.get(f"{kind}-uniques") != 0 or metrics.get(f"{kind}-count", 0) == 0
    if not faulty:
        expected = {
            (day, metric): value
            for day, (views, clones) in history.items()
            for metric, value in zip(
                ("views-count", "views-uniques", "clones-count", "clones-uniques"), (*views, *clones), strict=True
            )
            if value
        }
        above = {(day, metric): value for day, each in read.items() for metric, value in each.items() if value}
        assert above == expected


@given(history=histories)
def test_a_database_of_ghstats_is_read_as_it_is(history: History) -> None:
    """Its zeros are left out."""
    with tempfile.TemporaryDirectory() as name:
        with closing(sqlite3.connect(Path(name, "ghstats.db"))) as database:
            database.execute("CREATE TABLE repos (id, name)")
            database.execute("INSERT INTO repos VALUES (7, 'octo/docs')")
            database.execute(
                "CREATE TABLE repo_stats (repo_id, date, views_count, views_uniques, clones_count, clones_uniques)"
            )
            rows = [(7, day, *views, *clones) for day, (views, clones) in history.items()]
            database.executemany("INSERT INTO repo_stats VALUES (?, ?, ?, ?, ?, ?)", rows)
            database.commit()
        findings = find([Path(name)], None, {})

    read = {day: dict(seen.metrics) for part in findings.parts for day, seen in part.history.days.items()}
    names = ("views-count", "views-uniques", "clones-count", "clones-uniques")
    expected = {
        day: {name: value for name, value in zip(names, (*views, *clones), strict=True) if value}
        for day, (views, clones) in history.items()
    }
    assert read == {day: metrics for day, metrics in expected.items() if metrics}

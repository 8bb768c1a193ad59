"""Athena's views, computed from the archive, have the rows of the tables that Store traffic keeps."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cli.sql.prepared import PREPARED, prepared_question
from cli.sql.views import OF_THE_RECORD
from tests.unit.cli.sql.two_sides import Objects, athena_answers, everything, local_answers
from traffic.clock import to_text
from traffic.contract import archive_prefix, import_key

BEGIN = datetime(2026, 1, 20, 9, tzinfo=UTC)
NAMES = ("octo/docs", "octo/manual", "Octo/Docs", "octo/guide")


def window(kind: str, days: Mapping[date, tuple[int, int]], *, totals: bool = True) -> dict[str, Any]:
    """Return the body of an answer for views or clones."""
    rows = [
        {"timestamp": f"{day}T00:00:00Z", "count": count, "uniques": uniques}
        for day, (count, uniques) in sorted(days.items())
    ]
    body: dict[str, Any] = {kind: rows}
    if totals:
        body |= {"count": sum(count for count, _ in days.values()), "uniques": 3}
    return body


@dataclass
class History:
    """An archive that grows.

    Attributes:
        objects: Its objects.
        names: The names that each repository had so far; the last one is its current name.
        lines: The lines of the object that is being written.
    """

    objects: dict[str, list[Any]] = field(default_factory=dict)
    names: dict[int, list[str]] = field(default_factory=dict)
    lines: list[Any] = field(default_factory=list)

    def answer(self, id_: int, endpoint: str, at: datetime, body: Any, **more: Any) -> None:
        """Add an answer of GitHub to the object that is being written."""
        line = {
            "run": "run",
            "repo_id": id_,
            "repo": self.names[id_][-1],
            "endpoint": endpoint,
            "captured_at": to_text(at),
            "status": 200,
            "headers": {"date": "Fri, 20 Nov 2026 09:00:00 GMT"},
            "body": body if isinstance(body, str) else json.dumps(body),
            "outcome": "captured",
        }
        self.lines.append({**line, **more})

    def archive(self, at: datetime) -> None:
        """Write the object."""
        time = to_text(at).replace("-", "").replace(":", "")
        self.objects[f"{archive_prefix(to_text(at)[:10])}{time}-run-{len(self.objects):04}.jsonl.gz"] = self.lines
        self.lines = []

    def bring(
        self, id_: int, at: datetime, days: Mapping[str, Mapping[str, int]], snapshots: Mapping[str, Any]
    ) -> None:
        """Import what another tool kept."""
        new = id_ not in self.names
        self.names.setdefault(id_, [f"octo/brought-{id_}"])
        line = {
            "source": "tool",
            "files": ["views.csv"],
            "repo_id": id_,
            "repo": self.names[id_][-1],
            "imported_at": to_text(at),
            "new": new,
            "days": days,
            "snapshots": snapshots,
        }
        self.objects[import_key(to_text(at), f"{len(self.objects):04}", new=new)] = [line]


def rows_of_paths(history: History, id_: int, draw: Any) -> list[dict[str, Any]]:
    """Invent a list of paths, below names that the repository has or had."""
    names = [*history.names[id_], "octo/other"]
    ends = st.sampled_from(["", "/", "/issues/1", "/blob/main/a b"])
    paths = draw(st.lists(st.tuples(st.sampled_from(names), ends), unique=True, max_size=3))
    return [
        {"path": f"/{name}{end}", "title": None if end else "Docs", "count": 3, "uniques": 1} for name, end in paths
    ]


def running_numbers() -> st.SearchStrategy[dict[str, Any]]:
    """Invent stars and forks that a tool has, some of them of one time, and perhaps without a source."""
    statement = st.tuples(
        st.integers(0, 11), st.integers(0, 2), st.sampled_from([{}, {"source": "a"}, {"source": "b"}])
    )
    return st.dictionaries(st.sampled_from(["stars", "forks"]), statement).map(
        lambda drawn: {
            part: {"said": {part: number}, "since": f"{BEGIN.date()}T00:00:0{second}Z", **source}
            for part, (number, second, source) in drawn.items()
        }
    )


@st.composite
def histories(draw: Any) -> Objects:
    """Invent an archive with renames, lowered values, lost and late windows of both kinds, refusals and imports."""
    history, at = History(), BEGIN
    number = st.integers(0, 3)
    for step in range(draw(st.integers(1, 5))):
        at += timedelta(days=draw(st.integers(0, 3)), hours=draw(st.integers(1, 5)), seconds=1)
        if draw(st.booleans()):
            at = at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        if draw(st.integers(0, 3)) == 0:
            id_ = draw(st.integers(1, 4))
            days = draw(
                st.dictionaries(
                    st.integers(0, 40).map(lambda ago: str(BEGIN.date() - timedelta(days=ago))),
                    st.dictionaries(
                        st.sampled_from(["views-count", "views-uniques", "clones-count"]), number, min_size=1
                    ),
                    max_size=3,
                )
            )
            said = {"referrers": {"said": {"referrers": [{"referrer": "Bing", "count": 2, "uniques": 1}]}}}
            since = {"since": f"{BEGIN.date()}T00:00:0{step}Z"}
            statements = {name: each | since for name, each in said.items()}
            history.bring(id_, at, days, {str(BEGIN.date()): statements | draw(running_numbers())})
            continue
        names = draw(st.lists(st.sampled_from(NAMES), unique_by=str.lower, min_size=1))  # at one time, each has its own
        for id_, name in zip(draw(st.permutations([1, 2, 3])), names, strict=False):
            history.names.setdefault(id_, []).append(name)
            capture(draw, history, id_, at)
        history.archive(at)
    return history.objects


def capture(draw: Any, history: History, id_: int, at: datetime) -> None:
    """Invent what GitHub answers about one repository."""
    if draw(st.integers(0, 4)) == 0:
        history.answer(id_, "views", at, "<html>", status=403, outcome="no push access")
        return
    block, totals, enterprise = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    headers = {"x-github-enterprise-version": "3.18.0"} if enterprise else {}
    for kind in ("views", "clones"):
        if draw(st.integers(0, 4)) == 0:
            continue
        last = at.date() - timedelta(days=draw(st.sampled_from([0, 1, 1, 1, 2, 5, 20])))
        length = 14 if block else draw(st.integers(0, 14))
        days = {
            last - timedelta(days=ago): (draw(number := st.integers(0 if block else 1, 3)), draw(number))
            for ago in range(length)
            if block or draw(st.booleans())
        }
        history.answer(id_, kind, at + timedelta(seconds=1), window(kind, days, totals=totals), headers=headers)
    if draw(st.booleans()):
        referrers = draw(st.lists(st.sampled_from(["Google", "Bing", "t.co"]), unique=True))
        rows = [{"referrer": name, "count": draw(st.integers(1, 9)), "uniques": 1} for name in referrers]
        history.answer(id_, "referrers", at + timedelta(seconds=2), rows)
        history.answer(id_, "paths", at + timedelta(seconds=2), rows_of_paths(history, id_, draw))


@given(histories())
@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.generate])  # shrinking takes minutes
def test_the_views_have_the_rows_of_the_tables(objects: Objects) -> None:
    """The same question must not have two answers."""
    questions = [everything(view) for view in OF_THE_RECORD]

    for view, one, other in zip(
        OF_THE_RECORD, athena_answers(objects, *questions), local_answers(objects, *questions), strict=True
    ):
        assert one == other, view


def known_history() -> Objects:
    """Return an archive with a rename, lowered values, a hole, a refusal and an import."""
    history, days = History({}, {1: ["octo/docs"], 2: ["octo-org/web"]}), {}
    for step, name in enumerate(["octo/docs", "octo/docs", "octo/manual"]):
        at = BEGIN + timedelta(days=20 * step)
        history.names[1].append(name)
        for id_ in (1, 2):
            days = {at.date() - timedelta(days=ago): (10 * id_ + ago * step, 1) for ago in range(1, 15)}
            lowered = {day: (count - 5, 1) for day, (count, _) in days.items()}
            for minutes, seen in enumerate([days, lowered]):
                moment = at + timedelta(minutes=minutes)
                history.answer(id_, "views", moment, window("views", seen))
                history.answer(id_, "clones", moment, window("clones", seen))
                history.answer(id_, "referrers", moment, [{"referrer": "Bing", "count": 4 + id_, "uniques": 1}])
                history.answer(id_, "paths", moment, [{"path": f"/{name}", "title": "Docs", "count": 3, "uniques": 1}])
                history.archive(moment)
    history.bring(1, at, {"2025-01-01": {"views-count": 7}, str(BEGIN.date()): {"views-count": 99}}, {})
    history.objects["runs/run-1/summary.json"] = [SUMMARY]
    history.objects["runs/run-1/manifest.json"] = [[{"repositories": []}]]
    return history.objects


SUMMARY = {
    "run": {"id": "run-1", "started": "2026-01-20T09:00:00Z", "deadline": "2026-01-21T05:00:00Z"},
    "outcome": "failed",
    "error": "GitHubAuthError",
    "subject": "GitHub refused the token",
    "message": "...",
}


def test_renames_imports_and_lowered_values_are_in_the_history_that_is_compared() -> None:
    """Otherwise the next test would prove less than it says."""
    (days,) = local_answers(known_history(), everything("days"))

    assert {row[:2] + row[7:8] for row in days} >= {
        ("octo/docs", "2025-01-01", "octo/manual"),
        ("octo-org/web", "2026-01-19", "octo-org/web"),
    }
    assert {row[1]: row[2] for row in days if row[6] == 1}["2026-01-19"] == 10, "the highest value"
    assert {row[1]: row[2] for row in days if row[6] == 1}["2026-01-20"] == 99, "the import's"


@pytest.mark.parametrize("name", [name for name in PREPARED if name != "failed-runs"])
def test_a_prepared_question_has_one_answer(name: str) -> None:
    """It is the same file on both sides, in two dialects of SQL."""
    objects, question = known_history(), prepared_question(name)
    (here,) = local_answers(objects, question)

    assert athena_answers(objects, question) == [here]
    assert here


def test_runs_are_read_from_the_summaries_in_the_archive() -> None:
    """Other files of a run, which are lists, are left out."""
    assert athena_answers(known_history(), everything("runs"), prepared_question("failed-runs")) == [
        [("run-1", "2026-01-20T09:00:00Z", "failed", "GitHubAuthError", "GitHub refused the token")],
        [("run-1", "2026-01-20T09:00:00Z", "GitHubAuthError", "GitHub refused the token")],
    ]


def test_of_each_day_the_same_stars_and_forks_are_kept() -> None:
    """The last ones; at the same time those of the first source, and of one source the highest."""
    history, day = History(), str(BEGIN.date())
    said = [
        {"stars": (9, "00", "ghrs"), "forks": (3, "00", "b")},
        {"stars": (8, "09", "ghrs"), "forks": (2, "00", "a")},
        {"stars": (7, "08", "ghrs"), "forks": (11, "00", "b")},
        {"stars": (10, "09", "ghrs"), "forks": (9, "00", "")},
    ]
    for step, numbers in enumerate(said):
        statements = {
            part: {"said": {part: number}, "since": f"{day}T{hour}:00:00Z"} | ({"source": source} if source else {})
            for part, (number, hour, source) in numbers.items()
        }
        history.bring(1, BEGIN + timedelta(days=step), {}, {day: statements})

    row = ("octo/brought-1", day, 10, "ghrs", 9, None, 1, "octo/brought-1")
    assert athena_answers(history.objects, everything("numbers")) == [[row]]
    assert local_answers(history.objects, everything("numbers")) == [[row]]

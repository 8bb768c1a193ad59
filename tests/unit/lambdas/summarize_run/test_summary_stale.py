"""The summary lists a repository with stale answers before anything is lost, and no other repository."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

import pytest

from lambdas.summarize_run.outcome import End, Result
from lambdas.summarize_run.stale import stale_ends
from simulated_github import SimulatedGitHub, faults
from simulated_github.recording import Answer, RecordedTraffic
from simulated_github.true_traffic import Tally
from simulated_github.windows import AnsweredDay, WindowRules
from tests.unit.handlers import Account, account
from tests.unit.lambdas.summarize_run.test_summary_dangers import START, after, run
from tests.unit.simulated_answers import answers, busy, nine_o_clock, quiet
from traffic.clock import days_before, from_text
from traffic.github.answers import CAPTURED
from traffic.planning import known_of, ordinal
from traffic.record.reports import days_behind, read_reports

# Invented, like a recorded series: the last day of the window for views and for clones. A stale copy of the clones
# stayed at the 10th, the views had a stale copy too, and fresh answers came in between.
FLAPPING: Mapping[str, tuple[str, str]] = {
    "2026-03-14T12:50:00Z": ("2026-03-13", "2026-03-10"),
    "2026-03-15T12:40:00Z": ("2026-03-14", "2026-03-14"),
    "2026-03-16T12:30:00Z": ("2026-03-13", "2026-03-10"),
    "2026-03-17T01:50:00Z": ("2026-03-15", "2026-03-13"),
    "2026-03-17T12:30:00Z": ("2026-03-16", "2026-03-10"),
    "2026-03-18T12:50:00Z": ("2026-03-17", "2026-03-17"),
}

# What each run's summary reports about the flapping repository.
REPORTED: Mapping[str, str | None] = {
    "2026-03-14T12:50:00Z": "clones end on 2026-03-10; 10 days until days are lost for good",
    "2026-03-15T12:40:00Z": None,
    "2026-03-16T12:30:00Z": "views end on 2026-03-13, clones end on 2026-03-10; 12 days until days are lost for good",
    "2026-03-17T01:50:00Z": "clones end on 2026-03-13; 11 days until days are lost for good",
    "2026-03-17T12:30:00Z": "clones end on 2026-03-10; 11 days until days are lost for good",
    "2026-03-18T12:50:00Z": None,
}


def block(last: str) -> list[AnsweredDay]:
    """Return a window of 14 complete days, with a zero in it."""
    days = [date.fromisoformat(last) - timedelta(days=age) for age in reversed(range(14))]
    return [AnsweredDay(day, Tally(day.day % 5 * 3, day.day % 5)) for day in days]


def sparse(*days: str) -> list[AnsweredDay]:
    """Return a window that leaves out the days without traffic."""
    return [AnsweredDay(date.fromisoformat(day), Tally(3, 1)) for day in days]


def recorded(**repositories: Mapping[str, tuple[list[AnsweredDay], list[AnsweredDay]]]) -> RecordedTraffic:
    """Record rows of views and clones by time, for repositories of octo."""
    made: dict[str, dict[datetime, Answer]] = {
        f"octo/{name}": {from_text(at): {"views": views, "clones": clones} for at, (views, clones) in series.items()}
        for name, series in repositories.items()
    }
    return RecordedTraffic(made)


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """Serve a GitHub with three repositories that lists complete days."""
    with SimulatedGitHub(repositories=["octo/cli", "octo/docs", "octo/site"], regime="whole-days") as simulated:
        yield simulated


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> Iterator[Account]:
    """Make an account whose functions ask that GitHub."""
    with account(monkeypatch, github.url) as made:
        yield made


def test_flapping_answers_are_reported_while_they_flap_and_every_cell_keeps_its_highest_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In every run, stale days are not taken as complete, and their repository is not taken as healthy."""
    fresh = {at: (block(newest_at(at)), block(newest_at(at))) for at in FLAPPING}
    flapping = {at: (block(views), block(clones)) for at, (views, clones) in FLAPPING.items()}
    source = recorded(flapping=flapping, steady=fresh)
    with (
        SimulatedGitHub(repositories=source.repositories, source=source) as github,
        account(monkeypatch, github.url) as aws,
    ):
        for at, reported in REPORTED.items():
            summary = run(aws, github, from_text(at))
            lines = [line.strip() for line in summary["message"].splitlines()]
            assert (reported in lines) if reported else ("stale" not in summary["message"]), at
            assert "octo/steady" not in summary["message"].partition("stale answers")[2]
            assert summary["kind"] in ("healthy", "digest")
            assert "2 of 2 repositories captured" in summary["message"]
            so_far = [ends for time, ends in FLAPPING.items() if time <= at]
            assert whole_days_kept(aws) == min(map(max, zip(*so_far, strict=True)))
        kept = {(name, day): item["clones-count"] for (name, day), item in aws.days().items() if "clones-count" in item}
    assert kept["octo/flapping", "2026-03-17"] == 6
    days = {day for name, day in kept if name == "octo/flapping"}
    assert days == {str(row.day) for _, clones in flapping.values() for row in clones}


def newest_at(time: str) -> str:
    """Return the newest day in a fresh answer: yesterday, or early in the morning the day before."""
    return days_before(time[:10], 1 if from_text(time).hour >= 7 else 2)


def whole_days_kept(aws: Account) -> str:
    """Return the last day for which views and clones of the flapping repository are complete."""
    (item,) = (item for item in aws.repositories().values() if item.get("repo-name") == "octo/flapping")
    return str(min(spans[-1].partition("/")[2] for spans in item["covered"].values()))


def test_a_stale_copy_that_stays_needs_attention_a_week_before_days_are_lost(
    aws: Account, github: SimulatedGitHub
) -> None:
    """People can do little about it, so the first summaries only list it; but nothing is lost without a warning."""
    run(aws, github, START)
    github.add_fault(faults.stale_copy("2026-09-01T09:00:00Z"), repository="octo/site", endpoint="views")
    early, near, over = (run(aws, github, after(days)) for days in (2, 8, 16))

    assert early["kind"] == "healthy"
    assert "1 repository has stale answers from GitHub; other answers of this run reach 2026-09-02." in early["message"]
    assert "  octo/site\n    views end on 2026-08-31; 11 days until days are lost for good\n" in early["message"]
    assert near["message"].splitlines()[0] == "Needs attention: 1 repository with stale answers."
    assert "views end on 2026-08-31; 5 days until days are lost for good\n" in near["message"]
    assert "views end on 2026-08-31; days are being lost for good\n" in over["message"]
    assert (over["kind"], near["kind"]) == ("problem", "problem")


def test_a_stale_copy_raises_no_alarm_and_counts_as_no_failure(
    aws: Account, github: SimulatedGitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """GitHub did answer: it neither fails nor is late for all repositories."""
    run(aws, github, START)
    capsys.readouterr()
    github.add_fault(faults.stale_copy("2026-09-01T09:00:00Z"), repository="octo/site")
    message = run(aws, github, after(5))["message"]

    assert '"Failed":[0.0]' in capsys.readouterr().out
    assert "late for all repositories" not in message
    assert "3 of 3 repositories captured" in message


def test_no_repository_is_stale_if_github_is_late_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line covers all of them; only repositories that are further behind are listed in addition."""
    with (
        SimulatedGitHub(repositories=3, owners=["octo"], regime="whole-days", lag=3) as github,
        account(monkeypatch, github.url) as aws,
    ):
        late = run(aws, github, START)["message"]
        github.add_fault(faults.stale_copy("2026-08-30T09:00:00Z"), repository="octo/docs")
        both = run(aws, github, after(1))["message"]

    assert "GitHub is late for all repositories" in late
    assert "stale" not in late
    assert "GitHub is late for all repositories" in both
    assert "1 repository has stale answers" in both
    assert "  octo/docs\n    views end on 2026-08-26, clones end on 2026-08-26; " in both


def test_a_run_past_seven_o_clock_lists_no_repository_if_github_is_late_for_all() -> None:
    """Yesterday is expected from seven on: the same newest day is then further behind than in the first answers."""
    day = "2026-03-07"
    times = {1: "2026-03-10T06:59:00Z", 2: "2026-03-10T07:00:00Z", 3: "2026-03-11T00:10:00Z"}
    late = [captured(id_, day, at) for id_, at in times.items()]

    assert stale_ends(late) == (day, {})
    assert stale_ends([*late, captured(4, "2026-03-06", times[2])]) == (day, {4: {"views": "2026-03-06"}})


def captured(id_: int, day: str, at: str) -> Result:
    """Return the result of a repository whose views end on a day."""
    end = End("views", day, days_behind(day, from_text(at)))
    return Result(id_, f"octo/{id_}", outcome=CAPTURED, ends=frozenset({end}))


def test_a_failing_repository_is_not_named_as_stale_too(aws: Account, github: SimulatedGitHub) -> None:
    """It is reported once, with GitHub's message."""
    run(aws, github, START)
    github.add_fault(faults.stale_copy("2026-09-01T09:00:00Z"), repository="octo/site", endpoint="views")
    github.add_fault(faults.no_push_access(), repository="octo/site", endpoint="clones")
    message = run(aws, github, after(3))["message"]

    assert "1 no push access" in message
    assert "stale" not in message


def test_days_that_a_window_leaves_out_do_not_make_it_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Enterprise Server lists only days with traffic: a quiet repository is not stale."""
    at = "2026-03-14T12:50:00Z"
    loud = sparse("2026-03-11", "2026-03-13", "2026-03-14")
    source = recorded(loud={at: (loud, loud)}, quiet={at: (sparse("2026-03-04", "2026-03-05"), sparse("2026-03-06"))})
    with (
        SimulatedGitHub(repositories=source.repositories, source=source, regime="rolling") as github,
        account(monkeypatch, github.url) as aws,
    ):
        message = run(aws, github, from_text(at))["message"]

    assert "stale" not in message


def test_a_single_repository_is_stale_only_if_one_metric_is_behind_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without another repository, old days could also be GitHub's newest for everybody."""
    with (
        SimulatedGitHub(repositories=["octo/docs"], regime="whole-days") as github,
        account(monkeypatch, github.url) as aws,
    ):
        run(aws, github, START)
        github.add_fault(faults.stale_copy("2026-09-01T09:00:00Z"), endpoint="clones")
        one = run(aws, github, after(4))["message"]
        github.add_fault(faults.stale_copy("2026-09-01T09:00:00Z"), endpoint="views")
        both = run(aws, github, after(4))["message"]

    assert "  octo/docs\n    clones end on 2026-08-31; 9 days until" in one
    assert "stale" not in both
    assert "GitHub is late for all repositories: the newest day it reports is 2026-08-31" in both


@pytest.mark.parametrize(
    ("day", "at", "behind"),
    [
        ("2026-03-08", "2026-03-10T06:59:00Z", 0),  # yesterday may not be counted yet
        ("2026-03-08", "2026-03-10T07:00:00Z", 1),
        ("2026-03-09", "2026-03-10T06:00:00Z", 0),  # a day earlier than usual is not behind
        ("2026-03-09", "2026-03-11T00:10:00Z", 0),  # a run that lasts past midnight
        ("2026-01-30", "2026-02-10T01:47:29Z", 9),
    ],
)
def test_a_window_is_measured_at_the_time_of_its_capture(day: str, at: str, behind: int) -> None:
    """A run lasts up to 20 hours: an answer from before seven o'clock must not become stale later."""
    assert days_behind(day, from_text(at)) == behind


@pytest.mark.parametrize("truth", [busy, quiet])
def test_a_repository_with_stale_answers_is_asked_again_before_days_are_lost(truth: object) -> None:
    """If the limit allows only some repositories, a stale answer must not count as an answer with the newest days."""
    day = date(2026, 7, 20)
    (report,) = read_reports(answers(nine_o_clock(day), WindowRules(regime="whole-days", lag=6), truth))  # type: ignore[arg-type]

    assert known_of(report.entry, day.toordinal()).missing == ordinal("2026-07-14")
    assert {kind: spans[-1][1] for kind, spans in report.entry.covered.items()} == {
        "views": "2026-07-13",
        "clones": "2026-07-13",
    }

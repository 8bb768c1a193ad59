"""The summary reports what is unusual for a repository, and nothing else."""

import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from lambdas.summarize_run.dangers import Dangers
from lambdas.summarize_run.headline import Facts, concerns_of, is_digest, kind_of, subject
from lambdas.summarize_run.message import links, message
from lambdas.summarize_run.outcome import Result
from lambdas.summarize_run.read_record import read_news
from simulated_github import SimulatedGitHub
from tests.unit.handlers import Account as Aws
from tests.unit.handlers import account
from tests.unit.lambdas.summarize_run.test_summary_dangers import run
from traffic.clock import from_text
from traffic.contract import Receipt, RunState
from traffic.news_text import change, news_sections, sparkline
from traffic.record.merge import Day
from traffic.record.reports import recent
from traffic.unusual import News, Story, choose_stories, compare, sum_up, with_record, with_referrers

DAY = "2026-11-19"  # a Thursday
RUN: RunState = {
    "run": {
        "id": "run-1",
        "started": "2026-11-20T09:00:00Z",
        "arn": "arn:aws:states:eu-west-1:123456789012:execution:CaptureTraffic:run-1",
    }
}


def day_before(days: int) -> str:
    """Return the day that is so many days before DAY."""
    return (date.fromisoformat(DAY) - timedelta(days=days)).isoformat()


def captured(name: str, views: int, before: int | None = None, id_: int = 0) -> Result:
    """Return a captured repository, with its views on DAY and a week before."""
    newest: Any = {"day": DAY, "views": views, **({} if before is None else {"before": before})}
    return Result(id_ or abs(hash(name)), name, name, "captured", newest_day=DAY, recent=newest)


def past(*views: int | None) -> Mapping[str, int]:
    """Return the views of DAY's weekday in the weeks before, the last one first."""
    return {day_before(7 * week): count for week, count in enumerate(views, 1) if count is not None}


def news_of(*stories: Story) -> News:
    """Return the news of some repositories."""
    found = sum_up([each.result for each in stories], stories)
    assert found
    return found


def text(seen: News | None, *, digest: bool = False) -> str:
    """Return the text of the news."""
    return "\n".join(line for section in news_sections(seen, digest=digest) for line in section)


def test_the_usual_is_the_median_of_the_same_weekday() -> None:
    """Weekends are quiet: compared with a Sunday, every Monday would be a spike."""
    other_days = {day_before(age): 1000 for age in range(1, 50) if age % 7}
    seen = compare(captured("octo/docs", 70), DAY, {**past(60, 80, 5000, 70, None, 65), **other_days})

    assert seen.usual == 70
    assert not seen.is_spike
    assert not seen.is_drop


def test_nothing_is_usual_before_three_weekdays_are_known() -> None:
    """In its first weeks a repository has no spikes."""
    assert compare(captured("octo/docs", 5000), DAY, past(1, 1)).usual is None
    assert not compare(captured("octo/docs", 5000), DAY, past(1, 1)).is_spike


@pytest.mark.parametrize(
    ("views", "usual", "spike", "silence"),
    [(300, 100, True, False), (299, 100, False, False), (20, 100, False, True), (21, 100, False, False),
     (19, 0, False, False), (20, 0, True, False), (3, 1, False, False), (0, 19, False, False), (0, 20, False, True)],
)  # fmt: skip
def test_a_spike_and_a_silence_are_more_than_chance(views: int, usual: int, *, spike: bool, silence: bool) -> None:
    """Three views instead of one are not news; a page that nobody finds any longer is."""
    seen = compare(captured("octo/docs", views), DAY, past(usual, usual, usual))

    assert (seen.is_spike, seen.is_drop) == (spike, silence)


def test_a_record_is_only_reported_if_enough_days_are_known() -> None:
    """The second day of a history is often its best one."""
    seen = compare(captured("octo/docs", 500), DAY, {})
    month = {day_before(age): 100 + age for age in range(1, 29)}

    assert with_record(seen, DAY, month).record == (day_before(28), 128)
    assert with_record(seen, DAY, {**month, day_before(400): 500}).record is None
    assert with_record(seen, DAY, dict(list(month.items())[:27])).record is None


def test_a_referrer_is_new_if_no_earlier_capture_lists_it() -> None:
    """If the first capture is the only one, all referrers would be new."""
    seen = compare(captured("octo/docs", 5), DAY, {})
    captures = {
        "2026-11-20": {"Google": 90, "lobste.rs": 40, "pypi.org": 9},
        "2026-11-19": {"Google": 8},
        "2026-11-18": {"t.co": 1},
    }

    assert with_referrers(seen, captures).referrers == {"lobste.rs": 40}
    assert with_referrers(seen, {"2026-11-20": {"Google": 9}}).referrers == {}


def test_a_sparkline_does_not_show_an_unknown_day_as_zero() -> None:
    """A hole in the record must not look like a day without visitors."""
    assert sparkline([0, 1, 4, 8, None]) == "▁▂▅█·"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([None]) == "·"


def test_unusual_numbers_come_first_with_the_usual_ones() -> None:
    """People who read only two lines must find the news there."""
    launched = with_record(compare(captured("octo/cli", 900), DAY, past(100, 90, 110)), DAY, {
        day_before(age): 300 for age in range(1, 29)
    })  # fmt: skip
    silent = compare(captured("octo/site", 2), DAY, past(50, 60, 70))
    referred = with_referrers(compare(captured("octo/docs", 70), DAY, past(70, 70, 70)), {"a": {}, "b": {"t.co": 1234}})
    written = text(news_of(launched, silent, referred))

    assert "Thursday 2026-11-19, the newest complete day:\n972 views in 3 repositories." in written
    assert "Far above usual:\n  octo/cli\n    900 views, usual 100 (9.0 times as many)\n" in written
    assert "Far below usual:\n  octo/site\n    2 views, usual 60\n" in written
    assert f"Most views ever on a day:\n  octo/cli\n    900 views; before, 300 on {day_before(1)}\n" in written
    assert "New referrers (views in 14 days):\n  octo/docs\n    t.co: 1,234\n" in written
    assert written.index("Far above") < written.index("Far below") < written.index("Most views, and")


@pytest.mark.parametrize(
    ("now", "before", "written"),
    [
        (996, 1000, "0 %"),
        (1004, 1000, "0 %"),
        (990, 1000, "-1 %"),
        (1120, 1000, "+12 %"),
        (0, 7, "-100 %"),
        (7, 0, "from nothing"),
    ],
)
def test_a_change_that_rounds_to_nothing_has_no_sign(now: int, before: int, written: str) -> None:
    """Nobody knows what a loss of nothing is."""
    assert change(now, before) == written


def test_one_view_is_one_view() -> None:
    """Numbers and nouns agree."""
    seen = text(news_of(compare(captured("octo/docs", 1), DAY, past(70, 71, 72))))

    assert seen.splitlines()[1] == "1 view in 1 repository."
    assert "Far below usual:\n  octo/docs\n    1 view, usual 71" in seen


def test_on_a_usual_day_there_is_only_the_list() -> None:
    """People stop reading a mail that reports something every day."""
    written = text(news_of(compare(captured("octo/docs", 70), DAY, past(70, 71, 72))))

    assert written.splitlines() == [
        "Thursday 2026-11-19, the newest complete day:",
        "70 views in 1 repository.",
        "Most views, and the usual number on a Thursday:",
        "  octo/docs",
        "    ······█······· 70, usual 71",
    ]


def test_the_week_has_totals_of_counts_and_never_of_visitors() -> None:
    """The sum of seven days' visitors counts one person up to seven times."""
    uniques = {"views-uniques": 9, "clones-uniques": 1}
    days = {
        day_before(age): Day(
            {"views-count": 10 if age < 7 else 5, "clones-count": 2, **uniques}, frozenset({"views", "clones"})
        )
        for age in range(14)
    }
    read = recent(days)
    assert read == {"day": DAY, "views": 10, "before": 5, "weeks": [[70, 14], [35, 14]]}

    result = Result(1, "octo/docs", "octo/docs", "captured", recent=read)
    lines = text(sum_up([result], []), digest=True)
    assert "The week 2026-11-13 to 2026-11-19:" in lines
    assert "  70 views, +100 % (35 the week before)" in lines
    assert "  14 clones, 0 % (14 the week before)" in lines
    assert "visitors" not in lines
    assert "The week" not in text(sum_up([result], []), digest=False)


def test_a_receipt_has_complete_days_only() -> None:
    """A day that is not over would look like a silence."""
    complete = Day({"views-count": 7}, frozenset({"views"}))

    assert recent({DAY: Day({"views-count": 3})}) is None
    assert recent({DAY: Day({"views-count": 3}), day_before(1): complete}) == {"day": day_before(1), "views": 7}


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_day_of_several_receipts_counts(order: int) -> None:
    """Receipts are not read in the order of their times."""
    result = Result(1, "octo/docs")
    receipts = [receipt_of("2026-11-18", 5), receipt_of("2026-11-19", 7)]

    for each in receipts[::order]:
        result.add(each)

    assert result.recent == {"day": "2026-11-19", "views": 7}
    assert result.newest_day == "2026-11-19"


def receipt_of(day: str, views: int) -> Receipt:
    """Return a receipt as Store traffic writes it."""
    return {
        "id": 1,
        "name": "octo/docs",
        "repo_name": "octo/docs",
        "answered": ["views"],
        "outcome": "captured",
        "detail": "",
        "items_changed": 1,
        "lowered": 0,
        "newest_day": day,
        "recent": {"day": day, "views": views},
    }


def test_a_repository_for_which_github_is_late_is_left_out_of_the_day() -> None:
    """Its previous day would be compared with the other repositories' day."""
    late = captured("octo/late", 999)
    assert late.recent
    late.recent["day"] = day_before(1)
    found = sum_up([captured("octo/docs", 5), late], [])

    assert found
    assert (found.day, found.repositories, found.views) == (DAY, 1, 5)
    assert [result.name for result in choose_stories([captured("octo/docs", 5), late])] == ["octo/docs"]


@pytest.mark.parametrize("repositories", [0, 1, 3, 3_000, 100_000])
def test_reading_is_bounded_at_any_number_of_repositories(monkeypatch: pytest.MonkeyPatch, repositories: int) -> None:
    """A query for each of 10,000 repositories would take longer than the function may run."""
    asked: list[str] = []
    monkeypatch.setattr("lambdas.summarize_run.read_record.tables", lambda: Recorder(asked))
    monkeypatch.setattr("lambdas.summarize_run.read_record.snapshots", lambda: Recorder(asked))
    results = [captured(f"octo/r{n}", n % 997, (n * 7) % 991, n + 1) for n in range(repositories)]

    tracemalloc.start()
    started = time.process_time()
    found = read_news(results, "2026-11-20")
    seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (found is None) == (repositories == 0)
    assert len(asked) <= 50 + 10 + 10
    assert peak < 64_000_000
    assert seconds < 60


class Recorder:
    """Empty tables that record each read."""

    def __init__(self, asked: list[str]) -> None:
        self.asked = asked

    def views(self, repo_name: str, since: str) -> dict[str, int]:
        """Return no days."""
        self.asked.append(f"{repo_name} {since}")
        return {}

    def referrers(self, repo_id: int, since: str) -> dict[str, dict[str, int]]:
        """Return no captures."""
        self.asked.append(f"{repo_id} {since}")
        return {}


def test_a_record_is_found_with_at_most_ten_complete_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A complete read of years costs 60 read units: twelve candidates cost ten of them."""
    history = {day_before(age): 100 for age in range(1, 100)}
    kept = Kept(history)
    monkeypatch.setattr("lambdas.summarize_run.read_record.tables", lambda: kept)
    monkeypatch.setattr("lambdas.summarize_run.read_record.snapshots", lambda: Recorder([]))
    found = read_news([captured(f"octo/r{n}", 500 - n, 400, n + 1) for n in range(12)], "2026-11-20")

    assert found
    assert [each.record for each in found.stories] == [(day_before(1), 100)] * 10 + [None] * 2
    assert kept.since == {day_before(56): 12, "0": 10}
    assert "Most views ever on a day:\n  octo/r0\n    500 views; before, 100 on 2026-11-18\n" in text(found)


def test_a_day_that_was_surpassed_costs_no_complete_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The weeks that are read anyway show that it is not a record."""
    kept = Kept({day_before(1): 500, **{day_before(age): 100 for age in range(2, 100)}})
    monkeypatch.setattr("lambdas.summarize_run.read_record.tables", lambda: kept)
    monkeypatch.setattr("lambdas.summarize_run.read_record.snapshots", lambda: Recorder([]))
    found = read_news([captured("octo/docs", 500, 400, 1), captured("octo/few", 19, 1, 2)], "2026-11-20")

    assert found
    assert [each.record for each in found.stories] == [None, None]
    assert kept.since == {day_before(56): 2}


class Kept:
    """Tables in which every repository has the same days.

    Attributes:
        since: Number of reads that began at each day.
    """

    def __init__(self, days: Mapping[str, int]) -> None:
        self.days = days
        self.since: Counter[str] = Counter()

    def views(self, _repo_name: str, since: str) -> dict[str, int]:
        """Return the days from one on."""
        self.since[since] += 1
        return {day: count for day, count in self.days.items() if day >= since}


@pytest.mark.parametrize("repositories", [3, 3_000])
def test_the_mail_is_short_at_any_number_of_repositories(repositories: int) -> None:
    """Repositories beyond the list are counted, and only lines with an address are too long for a phone."""
    usual = {DAY: 0, **past(1, 2, 3)}
    results = [captured(f"octo-org/project-{n}", n * 100 + 50, n, n + 1) for n in range(repositories)]
    found = sum_up(results, [compare(result, DAY, usual) for result in choose_stories(results)])
    written = message(Facts(RUN, results, "", dangers=Dangers(DAY), news=found), links(None, console=None))

    assert max(map(len, written.splitlines())) <= 72
    assert len(written.splitlines()) <= 70
    if repositories > 10:
        assert f"  and {len(choose_stories(results)) - 5} more" in written
        assert "  and 2,990 more with " in written


def test_a_cut_message_has_the_number_of_cut_lines_and_the_links() -> None:
    """SNS refuses a message that is too long."""
    names = [f"octo/{'x' * 90}{n}" for n in range(50)]
    results = [Result(n, names[n % 50], outcome=f"outcome {n % 40}", detail="é" * 190) for n in range(4000)]
    written = message(
        Facts(RUN, results, ""), links(RUN["run"]["arn"], console="https://eu-west-1.console.aws.amazon.com")
    )

    assert 59_000 < len(written.encode()) <= 60_000
    assert " lines more)" in written
    assert written.endswith(
        "Execution: run-1\n"
        "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/"
        "arn:aws:states:eu-west-1:123456789012:execution:CaptureTraffic:run-1\n"
        "Charts and all history: traffic report --aws"
    )


def test_strangers_words_contain_no_line_end_and_no_control_character() -> None:
    """A web site chooses its own name as a referrer."""
    result = captured("octo/docs", 5)
    seen = with_referrers(compare(result, DAY, {}), {"a": {}, "b": {"evil\x1b[2J\nHealthy": 10}})
    written = message(Facts(RUN, [result], "", news=news_of(seen)), [])

    assert "    evil?[2J?Healthy: 10" in written


def test_the_subject_has_the_most_important_news_in_a_hundred_characters() -> None:
    """A list of mails shows only subjects."""
    name = f"{'o' * 39}/{'n' * 100}"
    result = captured(name, 900)
    launched = news_of(compare(result, DAY, past(100, 90, 110)))
    written = subject(Facts(RUN, [result], "", dangers=Dangers(DAY), news=launched), DAY)

    assert len(written) <= 100
    assert written.isascii()
    assert written.startswith("GitHub traffic 2026-11-19: 1 repository captured, ooooo")
    assert written.endswith("...: 9.0 times its usual views")


def test_a_deadline_is_more_urgent_than_a_launch() -> None:
    """News can wait until tomorrow; an expired token loses days."""
    result = captured("octo/cli", 900)
    launched = news_of(compare(result, DAY, past(100, 90, 110)))
    seen = Dangers("2026-11-20", newest_day=DAY, token_days_left=3)
    written = subject(Facts(RUN, [result], "", dangers=seen, news=launched), "2026-11-20")

    assert written == "GitHub traffic 2026-11-20: 1 repository captured, token expires in 3 days"


def test_a_kind_is_a_problem_before_it_is_a_digest() -> None:
    """A person who only wants problems must not miss one on a Monday."""
    assert is_digest("2026-11-23")
    assert not is_digest("2026-11-24")
    assert kind_of("", [], digest=False) == "healthy"
    assert kind_of("", [], digest=True) == "digest"
    assert kind_of("", ["GitHub is late"], digest=True) == kind_of("GitHubAuthError", [], digest=False) == "problem"


def test_every_danger_is_a_concern() -> None:
    """The first line and the filter must not report a run as healthy if the text below has a warning."""
    late = Dangers("2026-11-20", newest_day="2026-11-16")
    missing: RunState = {**RUN, "listing": {"parts": 1, "pauses": 0, "missing": ["octo/gone"]}}
    owner: RunState = {**RUN, "listing": {"parts": 1, "pauses": 0, "missing": ["octo/gone", "acme", "initech"]}}
    hidden: RunState = {**RUN, "listing": {"parts": 1, "pauses": 0, "hidden_organizations": [1]}}
    fine = [captured("octo/docs", 1)]

    assert concerns_of(RUN, fine, Dangers("2026-11-20", newest_day=DAY)) == []
    assert concerns_of(RUN, fine, late) == ["GitHub is late"]
    assert concerns_of(RUN, [Result(1, "octo/docs")], Dangers("2026-11-20")) == ["1 repository not captured"]
    assert concerns_of(missing, fine, Dangers(DAY)) == ["1 repository of the settings not found"]
    assert concerns_of(owner, fine, Dangers(DAY)) == [
        "1 repository of the settings not found",
        "2 owners of the settings without repositories",
    ]
    assert concerns_of(hidden, fine, Dangers(DAY)) == ["organizations are hidden from the token"]
    assert concerns_of(RUN, fine, Dangers(DAY, lost={"octo/docs": (("2026-11-01", "2026-11-02"),)})) == [
        "1 repository with lost days"
    ]


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """Serve a GitHub with two repositories that lists complete days."""
    with SimulatedGitHub(repositories=["octo/docs", "octo/site"], seed=3, regime="whole-days") as simulated:
        yield simulated


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> Iterator[Aws]:
    """Make an account whose functions ask that GitHub."""
    with account(monkeypatch, github.url) as made:
        yield made


def test_complete_runs_report_the_true_usual_number(aws: Aws, github: SimulatedGitHub) -> None:
    """GitHub's numbers reach the text unchanged, through answers and tables."""
    end = from_text("2026-09-07T09:00:00Z")  # a Monday
    for days in (52, 39, 26, 13, 0):
        summary = run(aws, github, end - timedelta(days=days))
    truth = github.truth("octo/docs", "2026-07-12", "2026-09-06")
    sundays = sorted(truth[f"2026-{day}"].views_count for day in ("07-19", "07-26", "08-02", "08-09", "08-16", "08-23",
                                                                  "08-30"))  # fmt: skip

    assert summary["kind"] == "digest"
    assert summary["message"].startswith("Healthy: everything was captured.\n\n2 of 2 repositories captured")
    assert "The week 2026-08-31 to 2026-09-06:" in summary["message"]
    assert f" {truth['2026-09-06'].views_count:,}, usual {sundays[3]:,}\n" in summary["message"]


@pytest.mark.parametrize(("setting", "wanted"), [("all", True), ("weekly", False), ("problems", False)])
def test_the_setting_selects_the_summaries_that_are_published(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub, setting: str, *, wanted: bool
) -> None:
    """People choose whether they get mails about healthy days; everybody gets mails about problems."""
    with account(monkeypatch, github.url, SUMMARY_MAIL=setting) as aws:
        healthy = run(aws, github, from_text("2026-09-08T09:00:00Z"))
        github.revoke_token()
        broken = run(aws, github, from_text("2026-09-09T09:00:00Z"))

    assert (healthy["kind"], healthy["wanted"]) == ("healthy", wanted)
    assert (broken["kind"], broken["wanted"]) == ("problem", True)

"""A lasting refusal is reported on the first day, on Mondays and before days are lost, but not every day."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from lambdas.shared.deployed_archive import archive
from lambdas.summarize_run.refusals import is_known, lasting_refusal
from simulated_github import SimulatedGitHub, faults
from simulated_github.faults import Fault
from tests.unit.handlers import Account, account
from tests.unit.lambdas.summarize_run.test_summary_dangers import after, run
from tests.unit.whole_run import values
from traffic.clock import to_text
from traffic.contract import RunState, not_due_key
from traffic.github.answers import FAILED
from traffic.record.merge import Entry

LASTING = [
    faults.not_accessible_by_token(),
    faults.no_push_access(),
    faults.sso_required(),
    faults.lifetime_forbidden(),
    faults.ip_allow_list(),
    faults.upgrade_to_pro(),
    faults.not_found(),
]
MONDAY = 6  # days after the first run, which is on a Tuesday


@pytest.fixture
def github() -> Iterator[SimulatedGitHub]:
    """Serve a GitHub with two repositories that lists complete days."""
    with SimulatedGitHub(repositories=["octo/docs", "octo/site"], regime="whole-days") as simulated:
        yield simulated


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub) -> Iterator[Account]:
    """Make an account whose functions ask that GitHub."""
    with account(monkeypatch, github.url) as made:
        yield made


@pytest.mark.parametrize("fault", LASTING, ids=lambda fault: fault.name)
def test_a_lasting_refusal_is_reported_on_its_first_day_and_on_mondays(
    aws: Account, github: SimulatedGitHub, fault: Fault, capsys: pytest.CaptureFixture[str]
) -> None:
    """It rarely changes, and people ignore a warning that comes every day. The alarm ends after the first day."""
    github.refuse("octo/site", fault)
    first, *usual, monday = (run(aws, github, after(days)) for days in (0, 1, 2, MONDAY))

    assert first["message"].startswith("Needs attention: 1 repository not captured.")
    assert first["kind"] == "problem"
    for summary in usual:
        assert summary["kind"] == "healthy"
        assert summary["message"].startswith(
            "Healthy: everything was captured, except 1 repository that GitHub refuses as before.\n"
        )
        assert "1 of 2 repositories captured" in summary["message"]
        assert "octo/site" not in summary["message"]
        assert "\n1 not captured: GitHub refuses it as before. Monday's summary lists it.\n" in summary["message"]
    assert monday["kind"] == "digest"
    assert "  octo/site\n    4" in monday["message"]  # with GitHub's message
    assert values(capsys.readouterr().out, "Failed") == [1, 0, 0, 0]


def test_a_second_run_on_the_first_day_reports_it_again(aws: Account, github: SimulatedGitHub) -> None:
    """The first run's mail or summary may be lost: the day counts, not the run."""
    github.refuse("octo/site", faults.not_accessible_by_token())

    assert [run(aws, github, after(0))["kind"] for _ in range(2)] == ["problem", "problem"]
    assert [run(aws, github, after(1))["kind"] for _ in range(2)] == ["healthy", "healthy"]


def test_a_repository_that_was_captured_before_is_reported_again_before_its_days_are_lost(
    aws: Account, github: SimulatedGitHub
) -> None:
    """Days can still be saved, and a mail of ten days ago is easily forgotten. Lost days need no warning."""
    run(aws, github, after(0))
    github.refuse("octo/site", faults.not_accessible_by_token())
    kinds = {days: run(aws, github, after(days))["kind"] for days in range(1, 16)}

    assert [days for days, kind in kinds.items() if kind == "problem"] == [1, 10, 11, 12, 13]
    assert [days for days, kind in kinds.items() if kind == "digest"] == [MONDAY]


def test_a_refusal_after_a_capture_or_of_another_kind_is_new(aws: Account, github: SimulatedGitHub) -> None:
    """A repository that worked yesterday and is refused today has changed."""
    kinds = []
    for days, fault in enumerate([faults.sso_required(), None, faults.sso_required(), faults.ip_allow_list()]):
        github.clear_faults()
        if fault is not None:
            github.refuse("octo/site", fault)
        kinds.append(run(aws, github, after(days))["kind"])

    assert kinds == ["problem", "healthy", "problem", "problem"]


def test_a_temporary_failure_is_reported_every_day() -> None:
    """It is not a refusal: the next run may succeed, and people must look at a repository that fails for days."""
    entry = Entry(refusals={FAILED: "2026-09-02"}, refused_before={FAILED: "2026-09-01"})

    assert not is_known(entry, FAILED, None)
    assert lasting_refusal(entry) is None


def test_a_run_with_refusals_only_fails_every_day(aws: Account, github: SimulatedGitHub) -> None:
    """The token is the reason, not one repository: nothing is captured until somebody replaces it."""
    github.add_fault(faults.not_accessible_by_token(), endpoint="views")
    summaries = [run(aws, github, after(days)) for days in range(3)]

    assert {(summary["error"], summary["kind"]) for summary in summaries} == {("TokenPermissionError", "problem")}
    assert all("  octo/site\n    403: Resource not accessible" in summary["message"] for summary in summaries)


def test_mondays_digest_lists_refused_repositories_that_are_not_due(aws: Account, github: SimulatedGitHub) -> None:
    """If the limit is too small, a refused repository is asked for once a week, perhaps never on a Monday."""
    github.refuse("octo/site", faults.not_accessible_by_token())
    run(aws, github, after(3))
    for days, named in ((4, False), (MONDAY, True)):
        github.at(after(days))
        event: RunState = {"run": {"id": f"partly-{days}", "started": to_text(datetime.now(UTC))}, "input": {}}
        state = aws.list_repositories_from(event)
        (docs, site) = (each["repositories"][0] for each in archive().read_note(state["manifest"]["key"]) or [])
        archive().put_note(state["manifest"]["key"], [{"repositories": [docs]}])
        archive().put_note(not_due_key(state["run"]["id"]), {"2026-09-20": [site["id"]]})
        state["manifest"]["not_due"] = {"2026-09-20": 1}
        aws.store(aws.fetch({"run": state["run"], "batch": {"repositories": [docs]}}))
        summary = aws.summarize(state)

        assert summary["kind"] == ("digest" if named else "healthy")
        assert ("1 repository refused last time, not due today:" in summary["message"]) is named
        assert ("  octo/site: token lacks Administration (read)" in summary["message"]) is named

"""The demonstration's two years: they are captured completely, and the report of them is worth opening."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from cli.stack import demo
from tests.unit.cli_stack import Stack, fresh_stack
from tests.unit.fake_s3 import FakeS3
from traffic.record.archive import Archive, unpack
from traffic.record.comparison import Comparison
from traffic.record.notes import read_notes
from traffic.record.reports import Report, read_reports
from traffic.record.spans import holes, join

NOW = datetime(2026, 11, 24, 19, tzinfo=UTC)

stack = pytest.fixture(fresh_stack)


@pytest.fixture(scope="module")
def captured() -> list[Report]:
    """Return the reports in the past's archive: one for each repository and capture."""
    s3 = FakeS3()
    archive = Archive("archive", s3)
    with demo.past_github(NOW) as github:
        for at in demo.past(NOW):
            demo.capture(github, archive, at, renamed=at >= NOW - timedelta(days=demo.RENAMED))
    return [report for content in s3.objects.values() for report in read_reports(unpack(content))]


def test_the_past_ends_where_the_first_run_begins() -> None:
    """A missing day between the past and the present would look like a fault of the capture."""
    times = demo.past(NOW)

    assert len(times) == demo.CAPTURES
    assert times[0] < NOW - timedelta(days=700)
    assert timedelta(days=demo.EVERY) <= NOW - times[-1] < timedelta(days=14)
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(days=demo.EVERY)}


def test_every_day_except_those_of_the_stall_is_captured(captured: list[Report]) -> None:
    """The report shows one gap: the days that GitHub lost."""
    repo_ids = {report.repo_id for report in captured}
    assert len(repo_ids) == 6
    for repo_id in repo_ids:
        covered = join(*(report.covered["views"] for report in captured if report.repo_id == repo_id))
        (hole,) = holes(covered)
        stalled = [(NOW - timedelta(days=ago)).date().isoformat() for ago in demo.STALLED]
        assert stalled[0] <= hole[0] <= hole[1] <= stalled[1]


def test_one_repository_is_renamed_and_keeps_its_id(captured: list[Report]) -> None:
    """Its history must continue under its new name."""
    ids = {name: {each.repo_id for each in captured if each.name == name} for name in (demo.FORMER, demo.NOW)}

    assert ids[demo.FORMER] == ids[demo.NOW]
    assert len(ids[demo.NOW]) == 1


def test_the_past_has_a_launch(captured: list[Report]) -> None:
    """Two years without an event are not worth a report."""
    views = sorted(day.metrics["views-count"] for each in captured if each.name in (demo.FORMER, demo.NOW)
                   for day in each.days.values())  # fmt: skip

    assert views[-1] > 5 * views[len(views) // 2]


def test_the_past_is_simulated_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run continues; an interrupted one begins again."""
    monkeypatch.setattr(demo, "CAPTURES", 4)
    steps: list[str] = []

    def stopped() -> None:
        raise KeyboardInterrupt

    def stored() -> None:
        steps.append(f"{len(list(record.repositories.every_item()))} items of repositories")

    record = stack.deployment.record
    with pytest.raises(KeyboardInterrupt):
        demo.begin_history(stack.deployment, NOW, on_stored=stopped)
    capsys.readouterr()
    demo.begin_history(stack.deployment, NOW, on_stored=stored)
    demo.begin_history(stack.deployment, NOW, on_stored=stopped)

    assert steps == ["12 items of repositories"]
    assert {row["timestamp"][:10] for row in record.traffic.every_item()} >= {"2026-10-20", "2026-11-10"}
    assert not list(Comparison(record, stack.deployment.archive).differences())
    assert capsys.readouterr().out.splitlines() == [
        "Simulating two years of history, once ...",
        "Simulating October 2026 ...",
        "Simulating October 2026 ...",
        "Simulating November 2026 ...",
    ]
    assert [note.text for note in read_notes(stack.deployment.archive)] == [f"renamed to {demo.NOW}"]

"""`traffic rebuild`: the tables, item for item, from the archive alone."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace

import pytest

from cli.main import main
from tests.unit.recorded import Record, record
from traffic.record.rebuilding import rebuild


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    """Captures with a rename, a repository created again, and two runs on one day."""
    with record(monkeypatch, "octo/docs", "octo/web", seed=3) as made:
        made.capture("2026-11-01T09:00:00Z")
        made.github.rename("octo/docs", "octo/manual")
        made.github.delete("octo/web")
        made.github.create("octo/web")
        made.capture("2026-11-05T09:00:00Z")
        made.capture("2026-11-05T15:00:00Z")
        yield made


def test_deleted_items_come_back_item_for_item(kept: Record) -> None:
    """The archive is the truth: no table may hold what it alone knows."""
    before = kept.dump()
    kept.delete_items()
    assert not any(kept.dump().values())

    written, left = rebuild(kept.deployment.record, kept.deployment.archive)

    assert (written, left) == (sum(map(len, before.values())), [])
    assert kept.dump() == before
    assert kept.function.runs == [], "Store traffic need not run again"


def test_a_rebuild_over_whole_tables_changes_nothing(kept: Record) -> None:
    """It must be safe to try."""
    before = kept.dump()

    assert rebuild(kept.deployment.record, kept.deployment.archive) == (0, [])

    assert kept.dump() == before


def test_the_command_reports_its_progress_and_what_to_do_next(
    kept: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rebuild of years takes an hour; silence would look like a hang."""
    saves: list[bool] = []
    deployment = replace(kept.deployment, options=" --aws", save=lambda: saves.append(True))
    monkeypatch.setattr("cli.commands.rebuild.opened", lambda _target, **_: nullcontext(deployment))
    monkeypatch.setattr("traffic.record.comparison.MANY", 2)
    total = sum(map(len, kept.dump().values()))
    kept.delete_items()
    kept.aws.dynamodb.Table("RepoTraffic").put_item(
        Item={"repo-name": "octo/gone", "timestamp": "2020-01-01T00:00:00Z", "views-count": 1}
    )
    capsys.readouterr()

    assert main(["rebuild"]) == 0

    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        f"Wrote {total} items. `traffic verify --aws` compares tables and archive.",
        "extra\tRepoTraffic\tocto/gone 2020-01-01T00:00:00Z\t\t\t",
    ]
    assert printed.err.splitlines() == [
        "Read 2 of 6 objects.",
        "Read 4 of 6 objects.",
        "Read 6 of 6 objects.",
        "Compared 2 of 3 repositories.",
        "1 difference stays, because a rebuild removes and lowers nothing.",
    ]
    assert saves == [True]

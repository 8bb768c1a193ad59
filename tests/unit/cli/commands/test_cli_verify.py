"""`traffic verify`: every difference between the tables and the archive."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pytest

from cli.command import Target
from cli.commands import verify as command
from cli.commands.verify import verify
from cli.main import main
from cli.stack.deployment import Deployment
from lambdas.store_traffic.receipts import store
from simulated_github import faults
from tests.unit.recorded import Record, record
from traffic.errors import RecordError
from traffic.record import comparison
from traffic.record.archive import Archive
from traffic.record.rebuilding import rebuild
from traffic.record.reports import read_reports


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    """Captures with a rename and a repository created again under the freed name."""
    with record(monkeypatch, "octo/docs", seed=3) as made:
        made.capture("2026-11-01T09:00:00Z")
        made.github.rename("octo/docs", "octo/manual")
        made.github.create("octo/docs")
        made.capture("2026-11-05T09:00:00Z")
        yield made


def change(kept: Record, table: str, key: dict[str, str], **attributes: Any) -> None:
    """Set attributes of an item behind the system's back."""
    item = kept.aws.dynamodb.Table(table).get_item(Key=key).get("Item", key)
    kept.aws.dynamodb.Table(table).put_item(Item={**item, **{n.replace("_", "-"): v for n, v in attributes.items()}})


def test_what_was_captured_agrees(kept: Record) -> None:
    """Otherwise nobody would look at what it says."""
    assert verify(kept.deployment.record, kept.deployment.archive) == []


def test_a_listing_is_neither_compared_nor_stored(kept: Record) -> None:
    """The pages of a listing hold no traffic; nothing of them may reach the tables."""
    before = kept.dump()
    Archive("archive", kept.aws.s3).put_listing("run-1", "2026-11-06T09:00:00Z", b"what no reader of answers can read")

    assert verify(kept.deployment.record, kept.deployment.archive) == []
    assert rebuild(kept.deployment.record, kept.deployment.archive) == (0, [])
    assert kept.dump() == before


def test_every_kind_of_difference_is_found(kept: Record) -> None:
    """A lowered cell, an invented one, a lost row, a lost name, a changed window: each is named with both values."""
    day = {"repo-name": "octo/docs", "timestamp": "2026-10-25T00:00:00Z"}
    was = kept.aws.days()["octo/docs", "2026-10-25"]["views-count"]
    change(kept, "RepoTraffic", day, views_count=was + 1)
    change(kept, "RepoTraffic", {**day, "timestamp": "2020-01-01T00:00:00Z"}, views_count=0)
    kept.aws.dynamodb.Table("RepoTraffic").delete_item(Key={**day, "timestamp": "2026-10-26T00:00:00Z"})
    kept.aws.dynamodb.Table("RepoTrafficRepositories").delete_item(Key={"repo-id": "name octo/manual"})
    (first, *_) = kept.aws.snapshots()
    change(kept, "RepoTrafficSnapshots", {"repo-id": first[0], "captured-on": first[1]}, referrers=[])

    found = {
        (each.kind, each.table, " ".join(each.key), each.attribute)
        for each in verify(kept.deployment.record, kept.deployment.archive)
    }

    assert found == {
        ("differs", "RepoTraffic", "octo/docs 2026-10-25T00:00:00Z", "views-count"),
        ("extra", "RepoTraffic", "octo/docs 2020-01-01T00:00:00Z", ""),
        ("missing", "RepoTraffic", "octo/docs 2026-10-26T00:00:00Z", ""),
        ("missing", "RepoTrafficRepositories", "name octo/manual", ""),
        ("differs", "RepoTrafficSnapshots", " ".join(first), "referrers"),
    }


def older(kept: Record) -> None:
    """Take from the tables what records of the landed version lack."""
    for table, attributes in {
        "RepoTrafficSnapshots": ("views-until", "clones-until"),
        "RepoTrafficRepositories": ("refused-before",),
    }.items():
        for item in kept.dump()[table]:
            rest = {name: value for name, value in item.items() if name not in attributes}
            kept.aws.dynamodb.Table(table).put_item(Item=rest)


def test_records_of_the_landed_version_are_right_and_a_rebuild_adds_what_they_lack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new reading rule never makes an old record wrong: nobody should be frightened by an upgrade."""
    with record(monkeypatch, "octo/docs", "octo/site", regime="whole-days") as kept:
        kept.capture("2026-11-01T09:00:00Z", "octo/docs")
        kept.github.refuse("octo/site", faults.not_accessible_by_token())
        for day in (1, 2, 3):
            kept.capture(f"2026-11-0{day}T09:00:00Z", "octo/site")
        kept.capture("2026-11-03T04:00:00Z", "octo/docs")  # the window has moved since, the quiet totals may not have
        kept.capture("2026-11-03T09:00:00Z", "octo/docs")
        whole = kept.dump()
        older(kept)
        assert kept.dump() != whole
        assert verify(kept.deployment.record, kept.deployment.archive) == []

        kept.github.clear_faults()
        kept.github.refuse("octo/site", faults.no_push_access())
        for day in (4, 5):
            kept.capture(
                f"2026-11-0{day}T09:00:00Z", "octo/site"
            )  # another outcome, beside the one without a day before
        assert verify(kept.deployment.record, kept.deployment.archive) == []
        rebuild(kept.deployment.record, kept.deployment.archive)

        assert verify(kept.deployment.record, kept.deployment.archive) == []
        (site,) = (item for item in kept.dump()["RepoTrafficRepositories"] if item.get("repo-name") == "octo/site")
        assert site["refused-before"] == {
            "token lacks Administration (read)": "2026-11-02",
            "no push access": "2026-11-04",
        }
        assert kept.dump()["RepoTrafficSnapshots"] == whole["RepoTrafficSnapshots"]


def test_a_date_that_is_run_again_after_an_upgrade_leaves_a_record_that_verifies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A record of the landed version lacks the days between: what one old object adds is less, and not wrong."""
    with record(monkeypatch, "octo/site", regime="whole-days") as kept:
        kept.github.refuse("octo/site", faults.not_accessible_by_token())
        for day in (1, 2, 3):
            kept.capture(f"2026-11-0{day}T09:00:00Z", "octo/site")
        older(kept)
        key = next(iter(kept.deployment.archive.stored_keys()))
        for report in read_reports(kept.deployment.archive.read_answers(key)):
            store(report)
        (site,) = (item for item in kept.dump()["RepoTrafficRepositories"] if item.get("repo-name") == "octo/site")

        assert site["refused-before"] == {"token lacks Administration (read)": "2026-11-01"}
        assert verify(kept.deployment.record, kept.deployment.archive) == []


def test_a_wrong_end_of_a_window_and_a_wrong_day_of_a_refusal_are_differences(kept: Record) -> None:
    """What is lenient towards older records must not be blind."""
    (first, *_) = kept.aws.snapshots()
    change(kept, "RepoTrafficSnapshots", {"repo-id": first[0], "captured-on": first[1]}, views_until="2026-01-01")
    (repo_id,) = (id_ for id_, item in kept.aws.repositories().items() if item.get("repo-name") == "octo/docs")
    change(kept, "RepoTrafficRepositories", {"repo-id": repo_id}, refused_before={"refused": "2026-01-01"})

    assert {each.attribute for each in verify(kept.deployment.record, kept.deployment.archive)} == {
        "views-until",
        "refused-before",
    }


def test_rows_under_a_key_that_the_repository_cannot_have_are_found(kept: Record) -> None:
    """A key is taken from the table only where it is a name that the repository bore."""
    (repo_id,) = (id_ for id_, item in kept.aws.repositories().items() if item.get("repo-name") == "octo/docs")
    change(kept, "RepoTrafficRepositories", {"repo-id": repo_id}, repo_name="octo/elsewhere")

    assert [(each.archive, each.held) for each in verify(kept.deployment.record, kept.deployment.archive)] == [
        ("octo/docs", "octo/elsewhere")
    ]


def test_an_object_stored_late_is_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its repository may have been stored under its next name first: that key is as good, and stays."""
    with record(monkeypatch, "octo/docs") as kept:
        kept.capture("2026-11-01T09:00:00Z")
        kept.delete_items()
        kept.github.rename("octo/docs", "octo/manual")
        kept.capture("2026-11-02T09:00:00Z")
        assert verify(kept.deployment.record, kept.deployment.archive)

        rebuild(kept.deployment.record, kept.deployment.archive)

        assert verify(kept.deployment.record, kept.deployment.archive) == []
        assert {name for name, _ in kept.aws.days()} == {"octo/manual"}


def test_the_command_prints_differences_and_exits_with_1(
    kept: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A scheduled check must see it by the exit code, a person by the lines."""

    @contextmanager
    def opened(_arguments: Target) -> Iterator[Deployment]:
        yield kept.deployment

    monkeypatch.setattr(command, "opened", opened)
    capsys.readouterr()
    assert main(["verify"]) == 0
    assert capsys.readouterr().out == "The tables hold exactly what the archive says.\n"

    key = {"repo-name": "octo/docs", "timestamp": "2026-10-25T00:00:00Z"}
    change(kept, "RepoTraffic", key, clones_count=987)
    assert main(["verify"]) == 1
    assert capsys.readouterr().out.startswith("differs\tRepoTraffic\tocto/docs 2026-10-25T00:00:00Z\tclones-count\t")


def test_a_damaged_object_is_named(kept: Record) -> None:
    """Half an object must not pass for a short one."""
    (found, *_) = kept.aws.s3.list_objects_v2(Bucket="archive", Prefix="answers/")["Contents"]
    whole = kept.aws.s3.get_object(Bucket="archive", Key=found["Key"])["Body"].read()
    kept.aws.s3.put_object(Bucket="archive", Key=found["Key"], Body=whole[: len(whole) // 2])

    with pytest.raises(RecordError, match=r"answers/capture_date=2026-11-01/.* cannot be read"):
        verify(kept.deployment.record, kept.deployment.archive)


def test_the_command_reports_its_progress_rows_of_the_first_version_and_what_to_do(
    kept: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A difference alone would leave a person without the next step."""
    deployment = replace(kept.deployment, options=" --aws")
    monkeypatch.setattr(command, "opened", lambda _target: nullcontext(deployment))
    monkeypatch.setattr(comparison, "MANY", 2)
    change(kept, "RepoTraffic", {"repo-name": "docs", "timestamp": "2024-01-01T00:00:00Z"}, views_count=3)
    change(kept, "RepoTraffic", {"repo-name": "octo/docs", "timestamp": "2024-01-01T00:00:00Z"}, views_count=3)
    capsys.readouterr()

    assert main(["verify"]) == 1

    printed = capsys.readouterr()
    assert printed.out == "extra\tRepoTraffic\tocto/docs 2024-01-01T00:00:00Z\t\t\t\n"
    assert printed.err.splitlines() == [
        "Read 2 of 3 objects.",
        "Compared 2 of 2 repositories.",
        "1 row of the first version was not compared: the archive does not have it.",
        "1 differences. `traffic rebuild --aws` repairs what is missing or too low.",
    ]

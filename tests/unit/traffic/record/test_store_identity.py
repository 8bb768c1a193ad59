"""A repository is its id: its name may change, and people still find each day by a name that it had."""

from collections.abc import Iterator

import pytest

from simulated_github import faults
from tests.unit.recorded import Record, record


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    """Capture one repository on one morning."""
    with record(monkeypatch, "octo/docs", seed=7) as made:
        made.capture("2026-11-01T09:00:00Z")
        yield made


def days(first: int, last: int) -> set[str]:
    """Return days of November 2026; numbers below 1 are days of October."""
    return {f"2026-11-{day:02}" for day in range(max(first, 1), last + 1)} | {
        f"2026-10-{31 + day:02}" for day in range(first, min(last, 0) + 1)
    }


@pytest.mark.parametrize("name", ["octo/manual", "hubot/docs", "octo/Docs"], ids=["rename", "transfer", "case only"])
def test_a_repository_keeps_its_rows_under_the_name_first_seen(kept: Record, name: str) -> None:
    """The history must stay in one piece, and both names must lead to it."""
    repo_id = kept.id_of("octo/docs")
    kept.github.rename("octo/docs", name)
    kept.capture("2026-11-10T09:00:00Z")

    assert kept.days_of("octo/docs") == days(-13, 9)
    for asked in ("octo/docs", name, name.upper(), str(repo_id)):
        found = kept.deployment.record.find(asked)
        assert found is not None
        assert (found.repo_name, found.name) == ("octo/docs", name)


def test_a_repository_renamed_there_and_back_has_its_first_name_again(kept: Record) -> None:
    """The current name is the one seen last, not the one stored last."""
    kept.github.rename("octo/docs", "octo/manual")
    kept.capture("2026-11-05T09:00:00Z")
    kept.github.rename("octo/manual", "octo/docs")
    kept.capture("2026-11-10T09:00:00Z")

    found = kept.deployment.record.find("octo/manual")
    assert found is not None
    assert (found.repo_name, found.name) == ("octo/docs", "octo/docs")
    assert kept.days_of("octo/docs") == days(-13, 9)


def test_a_repository_created_again_under_the_same_name_begins_a_history_of_its_own(kept: Record) -> None:
    """A row with numbers of two repositories would be wrong for both."""
    old = kept.id_of("octo/docs")
    before = {key: item for key, item in kept.aws.days().items() if key[0] == "octo/docs"}
    kept.github.delete("octo/docs")
    new = kept.github.create("octo/docs").id
    kept.capture("2026-11-10T09:00:00Z")

    assert {key: item for key, item in kept.aws.days().items() if key[0] == "octo/docs"} == before
    assert (kept.key_of(old), kept.key_of(new)) == ("octo/docs", f"octo/docs~{new}")
    assert kept.days_of(f"octo/docs~{new}")
    found = kept.deployment.record.find("octo/docs")
    assert found is not None
    assert found.repo_name in ("octo/docs", f"octo/docs~{new}")
    assert found.others, "the other history under this name is named too"


def test_a_name_that_was_freed_by_a_rename_goes_to_its_next_owner_without_mixing_rows(kept: Record) -> None:
    """The first repository's rows keep that name, so the second's rows need another key."""
    first = kept.id_of("octo/docs")
    kept.github.rename("octo/docs", "octo/manual")
    second = kept.github.create("octo/docs").id
    kept.capture("2026-11-10T09:00:00Z")

    assert (kept.key_of(first), kept.key_of(second)) == ("octo/docs", f"octo/docs~{second}")
    assert {item["repo-id"] for (name, _), item in kept.aws.days().items() if name == "octo/docs"} == {first}
    found = kept.deployment.record.find("octo/docs")
    assert found is not None
    assert found.repo_name == f"octo/docs~{second}", "who bears the name now is meant"


def test_a_name_that_a_renamed_repository_left_unclaimed_goes_to_its_next_owner(kept: Record) -> None:
    """No rows are stored under a name that a repository had only later."""
    kept.github.rename("octo/docs", "octo/manual")
    kept.capture("2026-11-05T09:00:00Z")
    kept.github.rename("octo/manual", "octo/handbook")
    second = kept.github.create("octo/manual").id
    kept.capture("2026-11-10T09:00:00Z")

    assert kept.key_of(second) == "octo/manual"


def test_push_access_lost_and_regained_leaves_one_history_with_the_refusal(kept: Record) -> None:
    """When access is back, the days that GitHub still has are added to the same history."""
    repo_id = kept.id_of("octo/docs")
    kept.github.refuse("octo/docs", faults.no_push_access())
    kept.capture("2026-11-05T09:00:00Z")
    kept.github.clear_faults()
    kept.capture("2026-11-12T09:00:00Z")

    entry = kept.aws.repositories()[str(repo_id)]
    assert kept.days_of("octo/docs") == days(-13, 11)
    assert (entry["refusals"], entry["captured-on"]) == ({"no push access": "2026-11-05"}, "2026-11-12")


def test_one_repository_whose_rows_are_anothers_does_not_keep_the_others_from_being_stored(kept: Record) -> None:
    """After the loss of the table of repositories a name can lead to wrong rows: this fails one repository only."""
    for item in kept.dump()["RepoTrafficRepositories"]:
        kept.aws.dynamodb.Table("RepoTrafficRepositories").delete_item(Key={"repo-id": item["repo-id"]})
    kept.github.delete("octo/docs")
    new, other = kept.github.create("octo/docs").id, kept.github.create("octo/other").id
    state = kept.aws.fetch(
        {
            "run": {"id": "both", "started": "2026-11-01T09:00:00Z"},
            "batch": {"repositories": [{"id": new, "name": "octo/docs"}, {"id": other, "name": "octo/other"}]},
        }
    )
    before = {key: item for key, item in kept.aws.days().items() if key[0] == "octo/docs"}
    kept.aws.store(state)

    (key,) = (
        item["Key"] for item in kept.aws.s3.list_objects_v2(Bucket="archive", Prefix="runs/both/receipts")["Contents"]
    )
    receipts = kept.aws.s3.get_object(Bucket="archive", Key=key)["Body"].read().decode()
    assert {key: item for key, item in kept.aws.days().items() if key[0] == "octo/docs"} == before
    assert kept.days_of("octo/other")
    assert "rows belong to another repository" in receipts


def test_paths_are_kept_without_the_name_so_that_a_rename_breaks_no_series(kept: Record) -> None:
    """`/issues` stays `/issues`, whatever the repository is called."""
    repo_id = str(kept.id_of("octo/docs"))
    kept.github.rename("octo/docs", "octo/manual")
    kept.capture("2026-11-02T09:00:00Z")

    before, after = (kept.aws.snapshots()[repo_id, day]["paths"] for day in ("2026-11-01", "2026-11-02"))
    assert {row["path"] for row in before} & {row["path"] for row in after} >= {"/"}
    assert all(row["path"].startswith("/") and "octo" not in row["path"] for row in [*before, *after])

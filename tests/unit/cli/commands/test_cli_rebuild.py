"""`traffic rebuild`: the tables, item for item, from the archive alone."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.commands.rebuild import rebuild, waves
from cli.main import main
from cli.terminal import CommandError
from tests.unit.recorded import Record, record


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

    assert rebuild(kept.deployment.archive, kept.deployment.store) == 6

    assert kept.dump() == before
    assert set(kept.function.runs) == {"rebuild"}


def test_a_rebuild_over_whole_tables_changes_nothing(kept: Record) -> None:
    """It must be safe to try."""
    before = kept.dump()

    rebuild(kept.deployment.archive, kept.deployment.store)

    assert kept.dump() == before


def test_an_object_that_fails_in_passing_is_tried_again_and_one_that_fails_for_good_is_named(kept: Record) -> None:
    """A rebuild with a silent hole would pass for a whole one."""
    kept.function.failures = 1
    rebuild(kept.deployment.archive, kept.deployment.store)

    kept.function.failures = 100
    with pytest.raises(CommandError, match=r"answers/capture_date=2026-11-01/.* could not be stored again: .*Busy"):
        rebuild(kept.deployment.archive, kept.deployment.store)


@given(st.lists(st.sets(st.integers(0, 9) | st.sampled_from(["octo/docs", "octo/web"]), min_size=1, max_size=3)))
def test_what_concerns_one_repository_or_name_is_stored_in_order(spoken_of: list[set[int | str]]) -> None:
    """Who owns a name, and which capture of a day is the later one, depend on the order; nothing else does."""
    objects = [(f"{number:03}", subjects) for number, subjects in enumerate(spoken_of)]

    found = list(waves(objects))

    assert [key for wave in found for key in wave.keys] == [key for key, _ in objects]
    by_key = dict(objects)
    for wave in found:
        assert len(wave.subjects) == sum(len(by_key[key]) for key in wave.keys), "no two of a wave share a subject"
    for wave, following in pairwise(found):
        assert wave.subjects & by_key[following.keys[0]], "a wave ends only where it must"


def test_the_command_reports_its_progress_and_what_to_do_next(
    kept: Record, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rebuild of years takes an hour; silence would look like a hang."""
    saves: list[bool] = []
    deployment = replace(kept.deployment, options=" --aws", save=lambda: saves.append(True))
    monkeypatch.setattr("cli.commands.rebuild.opened", lambda _target: nullcontext(deployment))
    monkeypatch.setattr("cli.commands.rebuild.MANY", 2)
    capsys.readouterr()

    assert main(["rebuild"]) == 0

    printed = capsys.readouterr()
    assert printed.out == "Stored 6 archive objects again. `traffic verify --aws` compares tables and archive.\n"
    assert printed.err == "Stored 2 of 6 objects.\nStored 4 of 6 objects.\nStored 6 of 6 objects.\n"
    assert saves == [True]

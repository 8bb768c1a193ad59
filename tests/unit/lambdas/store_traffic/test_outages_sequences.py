"""Events may come in any order: in the end the tables contain the highest values of all archived answers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.store_traffic import handler as store_traffic
from lambdas.store_traffic import receipts
from simulated_github.windows import Regime, Stall, WindowRules
from tests.unit.fake_dynamodb import FakeDynamoDB
from tests.unit.fake_s3 import FakeS3
from tests.unit.handlers import Context
from tests.unit.lambdas.store_traffic.test_outages import CHANGE
from tests.unit.simulated_answers import Truth, answers, busy, highest, nine_o_clock, quiet
from traffic.contract import METRICS, ArchivedAnswer
from traffic.record.archive import Archive

EVENTS = ("run", "run", "re-run", "crash", "rename", "regime change", "stall", "outage")
REGIMES: tuple[Regime, ...] = ("by-date", "rolling", "whole-days")

Items = dict[tuple[str, ...], Any]
Store = Callable[[str], None]  # stores an archive object, by its key


class MemoryAccount:
    """The tables and the archive that Store traffic uses."""

    def __init__(self) -> None:
        self.dynamodb, self.s3 = FakeDynamoDB(), FakeS3()
        self.tables, self.snapshots = self.dynamodb.tables, self.dynamodb.snapshots
        self.archive = Archive("archive", self.s3)

    def items(self, table: str) -> Items:
        """Read a complete table."""
        return self.dynamodb.dump()[table]


class Story:
    """A repository's history: GitHub's state, and what was archived and stored."""

    def __init__(self, account: MemoryAccount, store: Store, *, lag: int, truth: Truth) -> None:
        self.account, self.store = account, store
        self.lag, self.truth = lag, truth
        self.now = nine_o_clock(CHANGE)
        self.name, self.regime = "octo/docs", 0
        self.stalls: list[Stall] = []
        self.archived: list[ArchivedAnswer] = []
        self.stored: list[ArchivedAnswer] = []

    def happen(self, event: str) -> None:
        """Make one event happen."""
        if event == "rename":
            self.name = f"octo/docs-{len(self.archived)}"
        elif event == "regime change":
            self.regime += 1
        elif event == "stall":
            self.stalls.append(Stall(self.now, self.now + timedelta(days=3)))
        elif event == "outage":
            self.now += timedelta(days=6)
        else:
            self._capture(stored=event != "crash")
            self.now += timedelta(days=0 if event == "re-run" else 1)

    def _capture(self, *, stored: bool) -> None:
        """Fetch, then store, unless the run dies in between."""
        regime = REGIMES[self.regime % len(REGIMES)]
        rules = WindowRules(regime=regime, lag=self.lag, stalls=tuple(self.stalls))
        answered = answers(self.now, rules, self.truth, name=self.name, run=f"run-{len(self.archived)}")
        key = self.account.archive.put_answers(answered)
        self.archived += answered
        if stored:
            self.store(key)
            self.stored += answered

    def recover(self) -> None:
        """Store everything in the archive again, as after a crash."""
        for key in self.account.archive.keys("answers/"):
            self.store(key)


@contextmanager
def pipeline() -> Iterator[tuple[MemoryAccount, Store]]:
    """Run the real Store traffic on an account in memory."""
    account = MemoryAccount()
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((receipts, "tables"), (receipts, "snapshots"), (store_traffic, "archive")):
            patch.setattr(module, name, lambda name=name: getattr(account, name))
        patch.setattr(store_traffic.logger, "info", lambda *_message, **_fields: None)  # thousands of lines

        def store(key: str) -> None:
            state = {"run": {"id": "run", "started": "2025-11-15T09:00:00Z"}, "batch": {"repositories": [], "key": key}}
            store_traffic.lambda_handler(cast("Any", state), cast("Any", Context()))

        yield account, store


def kept(account: MemoryAccount) -> dict[str, dict[str, int]]:
    """Return the stored numbers of the one repository, whose key does not change with its name."""
    rows = account.items("RepoTraffic")
    assert len({name for name, _ in rows}) <= 1
    return {
        time[:10]: {metric: int(item[metric]) for metric in METRICS if metric in item}
        for (_, time), item in rows.items()
    }


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    events=st.lists(st.sampled_from(EVENTS), max_size=14),
    lag=st.integers(0, 3),
    truth=st.sampled_from([busy, quiet]),
)
def test_any_sequence_of_events_ends_in_the_highest_values_of_all_answers(
    events: Sequence[str], lag: int, truth: Truth
) -> None:
    """Runs die, GitHub stalls, repositories are renamed: only the archived answers count, in any order."""
    with pipeline() as (account, store):
        story = Story(account, store, lag=lag, truth=truth)
        for event in events:
            story.happen(event)
        assert kept(account) == highest(story.stored)

        story.recover()
        assert kept(account) == highest(story.archived)

        items, writes = account.dynamodb.dump(), account.dynamodb.writes
        story.recover()
        assert (account.dynamodb.dump(), account.dynamodb.writes) == (items, writes), "storing again writes nothing"


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(
    events=st.lists(st.sampled_from(EVENTS), max_size=10), lag=st.integers(0, 3), seed=st.randoms(use_true_random=False)
)
def test_answers_stored_in_any_order_end_in_the_same_tables(events: Sequence[str], lag: int, seed: Any) -> None:
    """A retry, a recovery or a replay comes late: its answers count exactly like the others."""
    with pipeline() as (account, store):
        story = Story(account, store, lag=lag, truth=busy)
        for event in events:
            story.happen(event)
        story.recover()
    keys = list(account.archive.keys("answers/")) * 2
    seed.shuffle(keys)
    with pipeline() as (other, store):
        other.s3.objects.update(account.s3.objects)
        for key in keys:
            store(key)

    if "rename" not in events:  # the key of the rows is the name first stored
        assert other.dynamodb.dump() == account.dynamodb.dump()
    assert kept(other) == kept(account)

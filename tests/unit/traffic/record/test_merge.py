"""The algebra of the record: answers may come in any order and any number of times, and the result is the same."""

import random
from collections.abc import Callable, Sequence
from datetime import date
from functools import reduce
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traffic.contract import ENDPOINTS, METRICS
from traffic.record.merge import (
    Day,
    Entry,
    Name,
    Snapshot,
    Statement,
    day_of_item,
    entry_of_item,
    item_of_day,
    item_of_entry,
    item_of_snapshot,
    lowered,
    merge_days,
    merge_entries,
    merge_snapshots,
    snapshot_of_item,
    written_snapshot,
)
from traffic.record.spans import spans_of

EXAMPLES = settings(max_examples=3 * settings().max_examples, deadline=None)

DAYS = st.dates(date(2025, 1, 1), date(2027, 12, 31)).map(str) | st.dates(date(2026, 11, 1), date(2026, 11, 28)).map(
    str
)
NAMES = st.sampled_from(["octo/docs", "octo/Docs", "octo/manual", "hubot/docs"])
TIMES = DAYS.map(lambda day: f"{day}T09:00:00Z")
COUNTS = st.integers(0, 5) | st.integers(0, 10**15 - 1)

metrics = st.dictionaries(st.sampled_from(METRICS), COUNTS)
KINDS = st.sampled_from(["views", "clones"])
answers = st.builds(Day, metrics, st.frozensets(KINDS), sources=st.just({}))


def imported(said: dict[str, int], tool: str) -> Day:
    """Return what another tool says of a day."""
    return Day(said, sources=dict.fromkeys(said, tool))


imports = st.builds(imported, metrics, st.sampled_from(["csv", "andry81"]))
days = st.lists(answers | imports, min_size=1, max_size=3).map(lambda seen: reduce(merge_days, seen))
entries = st.builds(
    Entry,
    st.dictionaries(NAMES, st.builds(Name, TIMES, DAYS)),
    st.none() | DAYS,
    st.none() | DAYS,
    st.dictionaries(st.sampled_from(["no push access", "gone or hidden"]), DAYS),
    st.dictionaries(KINDS, st.lists(DAYS, min_size=1, max_size=6).map(spans_of)),
    st.dictionaries(KINDS, DAYS),
    refused_before=st.just({}),
)
hours = st.integers(0, 2).map(lambda hour: f"2026-11-20T{hour:02}:00:00Z")
numbers = st.dictionaries(
    st.sampled_from(["stars", "forks"]), st.tuples(COUNTS, hours, st.sampled_from(["", "csv", "ghrs"]))
).map(
    lambda drawn: {
        part: Statement({part: number}, since, source=source) for part, (number, since, source) in drawn.items()
    }
)

MERGES = pytest.mark.parametrize(
    ("merge", "empty", "values"),
    [(merge_days, Day(), days), (merge_entries, Entry(), entries), (merge_snapshots, {}, numbers)],
    ids=["days", "entries", "running numbers"],
)

Merge = Callable[[Any, Any], Any]


@MERGES
@given(data=st.data())
@EXAMPLES
def test_merging_twice_or_in_another_order_or_grouping_changes_nothing(
    merge: Merge, empty: object, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    """Answers stored late, twice or in any order must result in the same table."""
    one, two, three = data.draw(values), data.draw(values), data.draw(values)

    assert merge(one, one) == one
    assert merge(one, two) == merge(two, one)
    assert merge(merge(one, two), three) == merge(one, merge(two, three))
    assert merge(one, merge(one, two)) == merge(one, two)
    assert merge(empty, one) == merge(one, empty) == one


@given(st.lists(days, max_size=6))
@EXAMPLES
def test_a_cell_is_the_highest_reported_value_or_absent(reported: Sequence[Day]) -> None:
    """A cell that no answer contained stays absent: a zero would be an invented measurement."""
    kept = reduce(merge_days, reported, Day())

    for metric in METRICS:
        values = [day.metrics[metric] for day in reported if metric in day.metrics]
        assert kept.metrics.get(metric) == max(values, default=None)
        assert (metric in kept.metrics) == bool(values)
    assert kept.complete == frozenset().union(*(day.complete for day in reported))


@given(st.lists(answers, max_size=4), st.lists(imports, max_size=4), st.randoms())
@EXAMPLES
def test_a_source_is_kept_where_no_answer_of_github_has_the_value(
    answered: list[Day], imported: list[Day], chance: random.Random
) -> None:
    """An import's number must never pass for GitHub's, nor GitHub's for an import's."""
    reported = [*answered, *imported]
    chance.shuffle(reported)

    kept = reduce(merge_days, reported, Day())

    for metric, value in kept.metrics.items():
        tools = {day.sources[metric] for day in imported if day.metrics.get(metric) == value}
        by_github = any(day.metrics.get(metric, -1) >= value for day in answered)
        assert kept.sources.get(metric) == (None if by_github else min(tools))
    assert kept.sources.keys() <= kept.metrics.keys()


@given(days, days)
@EXAMPLES
def test_what_is_kept_never_falls(kept: Day, seen: Day) -> None:
    """Windows truncate and stall: a shorter or older answer must not lower an earlier value."""
    merged = merge_days(kept, seen)

    assert all(merged.metrics[metric] >= value for metric, value in kept.metrics.items())
    assert merged.complete >= kept.complete
    assert lowered(merged, seen) == sum(merged.metrics[metric] > value for metric, value in seen.metrics.items())
    assert lowered(Day(), seen) == 0


@given(entries, entries)
@EXAMPLES
def test_no_name_refusal_or_newest_day_is_ever_forgotten(kept: Entry, seen: Entry) -> None:
    """A former name must always lead to its repository."""
    merged = merge_entries(kept, seen)

    for entry in (kept, seen):
        assert merged.names.keys() >= entry.names.keys()
        assert all(merged.names[name].first <= known.first for name, known in entry.names.items())
        assert all(merged.names[name].last >= known.last for name, known in entry.names.items())
        assert all(merged.refusals[outcome] >= day for outcome, day in entry.refusals.items())
        assert (merged.newest_day or "") >= (entry.newest_day or "")
        assert (merged.captured_on or "") >= (entry.captured_on or "")


@given(days, entries)
@EXAMPLES
def test_an_item_contains_exactly_what_was_merged(day: Day, entry: Entry) -> None:
    """The table must not contain more or less than the merged value."""
    assert day_of_item(item_of_day(day)) == day
    assert entry_of_item(item_of_entry(entry)) == entry


def statements(taken: Sequence[tuple[int, int]]) -> list[Statement]:
    """Return captures of one endpoint on one day, each from its second and its number."""
    return [Statement({"views-count": count}, f"2026-11-20T09:00:{second:02}Z") for second, count in taken]


captures = st.lists(st.tuples(st.integers(0, 59), st.integers(0, 3)), min_size=1, max_size=6, unique_by=lambda c: c[0])


@given(captures.map(sorted))
@EXAMPLES
def test_a_later_capture_of_the_day_replaces_the_set(taken: list[tuple[int, int]]) -> None:
    """Undated rows of two captures must not be mixed, and the same set again must not be written."""
    captured = statements(taken)
    kept = captured[0]
    for seen in captured[1:]:
        before, kept = kept, merge_snapshots({"views": kept}, {"views": seen})["views"]
        assert kept.said == seen.said
        assert (kept == before) == (seen.said == before.said)


@given(data=st.data())
@EXAMPLES
def test_snapshots_stored_in_any_order_or_twice_are_the_same(data: st.DataObject) -> None:
    """The order matters only if GitHub withdraws a set and returns it again on the same day."""
    sets = data.draw(
        st.lists(st.integers(1, 3), min_size=1, max_size=4)
    )  # how often GitHub returned each, one after another
    taken = statements(list(enumerate(number for number, times in enumerate(sets) for _ in range(times))))
    shuffled = data.draw(st.permutations([*taken, *taken]))

    def stored(captured: Sequence[Statement]) -> Statement:
        kept = captured[0]
        for seen in captured[1:]:
            kept = merge_snapshots({"views": kept}, {"views": seen})["views"]
        return kept

    assert stored(shuffled) == stored(taken)


@given(captures.map(sorted), st.data())
@EXAMPLES
def test_storing_a_day_again_in_order_repairs_any_order(taken: list[tuple[int, int]], data: st.DataObject) -> None:
    """Captures may have been stored late: `traffic rebuild` ends with GitHub's last answer."""
    kept: dict[Any, Statement] = {}
    for seen in [*data.draw(st.permutations(statements(taken))), *statements(taken)]:
        kept = dict(merge_snapshots(kept, {"views": seen}))

    assert kept["views"].said == statements(taken)[-1].said


def test_an_endpoint_that_did_not_answer_keeps_its_earlier_capture_of_the_day() -> None:
    """A second run in which only views answered must not empty the paths."""
    full: Snapshot = {endpoint: Statement({endpoint: [1]}, "2026-11-20T09:00:00Z") for endpoint in ENDPOINTS}
    later = Statement({"views": [2]}, "2026-11-20T10:00:00Z")

    merged = merge_snapshots(full, {"views": later})

    assert merged["views"].said == {"views": [2]}
    assert all(merged[endpoint] == full[endpoint] for endpoint in ENDPOINTS if endpoint != "views")


MIDNIGHT, EVENING = "2026-11-20T00:00:00Z", "2026-11-20T23:00:00Z"


@pytest.mark.parametrize(
    ("kept", "other"),
    [
        (Statement({"stars": 3}, EVENING, source="ghrs"), Statement({"stars": 5}, MIDNIGHT, source="ghrs")),
        (Statement({"stars": 3}, EVENING, source="ghrs"), Statement({"stars": 3}, MIDNIGHT)),
        (Statement({"stars": 3}, EVENING), Statement({"stars": 5}, EVENING, source="ghrs")),
        (Statement({"stars": 3}, MIDNIGHT, source="ghrs"), Statement({"stars": 5}, MIDNIGHT, source="ghrs (made up)")),
        (Statement({"stars": 10}, MIDNIGHT, source="ghrs"), Statement({"stars": 9}, MIDNIGHT, source="ghrs")),
    ],
    ids=["the later", "the later of two equal ones", "GitHub's", "the first source", "the highest"],
)
def test_one_running_number_of_a_day_is_kept(kept: Statement, other: Statement) -> None:
    """Stars fall, too: the highest is not the last. What GitHub reported is worth more than what a tool computed."""
    assert merge_snapshots({"stars": kept}, {"stars": other}) == {"stars": kept}
    assert merge_snapshots({"stars": other}, {"stars": kept}) == {"stars": kept}


@given(numbers)
@EXAMPLES
def test_an_item_contains_exactly_the_running_numbers_of_a_snapshot(snapshot: Any) -> None:
    """A number without its source would pass for GitHub's."""
    item = item_of_snapshot(snapshot)

    assert snapshot_of_item(item) == snapshot
    assert written_snapshot(snapshot) == {"sources": None, "views-until": None, "clones-until": None, **item}
    assert item.get("sources", {}) == {part: kept.source for part, kept in snapshot.items() if kept.source}

"""Promise: the pace stays below GitHub's limits of a minute, and costs no time while there is room."""

import heapq
import json
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from traffic.github.pace import LOOK_AGAIN, POINTS, SECONDS, SPARE, Pace

START = 1_795_165_200.0  # Unix time


class Sent(NamedTuple):
    """A call.

    Attributes:
        begin: Unix time.
        end: Unix time.
    """

    begin: float
    end: float


def send(calls: Sequence[int], seconds_of: Callable[[int], float], at_once: int, length: float = 60.0) -> list[Sent]:
    """Send calls in groups as soon as the pace allows, at most `at_once` groups at a time.

    Args:
        calls: How many calls each group has.
        seconds_of: The response time of a group's calls, by its number.
        at_once: Groups under way.
        length: Seconds of a minute.
    """
    pace, now, sent = Pace(length=length), START, list[Sent]()
    under_way: list[tuple[float, int, float]] = []
    for number, size in enumerate(calls):
        while len(under_way) >= at_once or (pause := pace.pause(size, now)):
            ends = under_way[0][0] if under_way else float("inf")
            now = max(now, ends) if len(under_way) >= at_once else min(ends, now + pause)
            while under_way and under_way[0][0] <= now:
                end, ended, seconds = heapq.heappop(under_way)
                pace.end(end, [seconds] * ended)
        pace.begin(size)
        seconds = seconds_of(number)
        heapq.heappush(under_way, (now + seconds, size, seconds))
        sent += [Sent(now, now + seconds)] * size
    return sent


def most_calls(sent: Sequence[Sent], length: float = 60.0) -> int:
    """Return the largest number of calls that began within a minute."""
    begins = sorted(each.begin for each in sent)
    return max(bisect_left(begins, begin + length) - place for place, begin in enumerate(begins))


def most_seconds(sent: Sequence[Sent], length: float = 60.0) -> float:
    """Return the largest sum of response times of calls that ended within a minute."""
    ended = sorted((each.end, each.end - each.begin) for each in sent)
    sums = [0.0, *accumulate(seconds for _, seconds in ended)]
    last, largest = 0, 0.0
    for first, (end, _) in enumerate(ended):
        while last < len(ended) and ended[last][0] < end + length:
            last += 1
        largest = max(largest, sums[last] - sums[first])
    return largest


@settings(max_examples=20, deadline=None, phases=(Phase.generate,))
@given(
    calls=st.lists(st.integers(1, 4), min_size=300, max_size=900),
    seconds=st.floats(0.01, 4.0),
    at_once=st.integers(1, 4),
)
def test_no_minute_has_more_than_nine_tenths_of_githubs_limits(calls: list[int], seconds: float, at_once: int) -> None:
    """GitHub bans those who keep asking beyond its limits."""
    sent = send(calls, lambda _number: seconds, at_once)

    assert most_calls(sent) <= POINTS
    assert most_seconds(sent) <= SECONDS + 1e-6


@settings(max_examples=20, deadline=None, phases=(Phase.generate,))
@given(
    calls=st.lists(st.integers(1, 4), min_size=300, max_size=900),
    seconds=st.lists(st.floats(0.01, 0.5), min_size=1, max_size=50),
    at_once=st.integers(1, 4),
)
def test_response_times_that_change_stay_within_the_tenth_in_reserve(
    calls: list[int], seconds: list[float], at_once: int
) -> None:
    """How long calls under way will take is only estimated; there are sixteen at most, of half a second."""
    sent = send(calls, lambda number: seconds[number % len(seconds)], at_once)

    assert most_calls(sent) <= POINTS
    assert most_seconds(sent) <= SECONDS + 4 * at_once * max(seconds) <= SECONDS + SPARE


@settings(max_examples=100, deadline=None)
@given(
    entries=st.lists(st.tuples(st.floats(0, 60), st.integers(1, 100), st.floats(0.01, 0.2)), max_size=30),
    calls=st.integers(1, 200),
)
def test_it_waits_only_if_there_is_no_room_and_no_longer(entries: list[tuple[float, int, float]], calls: int) -> None:
    """A run that waits for nothing takes longer and costs more."""
    minute = sorted((START - age, number, number * mean) for age, number, mean in entries)
    pace = Pace(minute)

    pause = pace.pause(calls, START)

    def fits(now: float) -> bool:
        kept = [each for each in minute if each[0] > now - 60]
        number, seconds = sum(each[1] for each in kept), sum(each[2] for each in kept)
        first = [each for each in minute if each[0] > START - 60]
        mean = sum(each[2] for each in first) / sum(each[1] for each in first) if first else 0
        return not kept or (number + calls <= POINTS and seconds + calls * mean <= SECONDS + 1e-9)

    assert fits(START + pause + 1e-6)
    assert pause == 0 or not fits(START + pause - 0.001)


@pytest.mark.parametrize(("seconds", "rate"), [(0.06, 13.2), (0.09, 13.2), (0.15, 8.8), (0.5, 2.6)])
def test_the_limit_is_reached(seconds: float, rate: float) -> None:
    """GitHub allows 13.5 calls a second within the reserve, or fewer if its answers take longer than 100 ms."""
    sent = send([1, 3] * 1500, lambda _number: seconds, 4)

    assert len(sent) / (sent[-1].end - START) >= rate


def test_a_shorter_minute_is_scaled() -> None:
    """Tests against the simulated GitHub must not last for minutes."""
    sent = send([3] * 900, lambda _number: 0.0015, 4, length=0.6)

    assert most_calls(sent, 0.6) <= POINTS
    assert most_seconds(sent, 0.6) <= SECONDS / 100 + 1e-6


def test_one_second_of_calls_is_one_entry_and_a_minute_later_it_is_forgotten() -> None:
    """The calls travel from state to state, which may have 256 KiB."""
    pace = Pace()
    for tenth in range(1200):
        pace.begin(1)
        pace.end(START + tenth / 10, [0.0501])

    minute = pace.minute(START + 119.9)

    assert len(minute) <= 61
    assert sum(number for _, number, _ in minute) == 600
    assert len(json.dumps(minute)) < 3000
    assert Pace(minute).minute(START + 181) == []


def test_calls_under_way_count_until_they_end() -> None:
    """A call that GitHub takes long for would otherwise be forgotten while it takes the most."""
    pace = Pace([(START, 10, 200.0)])  # 20 s each
    pace.begin(4)

    assert pace.pause(1, START + 61) == 0
    assert Pace([(START, 10, 200.0)]).pause(1, START + 1) == 59
    pace = Pace([(START, 1, 20.0)])
    pace.begin(4)
    assert pace.pause(1, START + 1) == LOOK_AGAIN


def test_a_clock_that_was_wrong_stops_nobody() -> None:
    """The calls before were counted by another machine's clock."""
    assert Pace([(START + 3600, POINTS, 1.0)]).pause(1, START) == 0

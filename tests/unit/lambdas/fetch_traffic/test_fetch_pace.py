"""Promise: Fetch traffic asks for several repositories at once, and GitHub refuses nothing for being too fast."""

import heapq
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import simulated_github
from lambdas.fetch_traffic import batch as fetching
from lambdas.fetch_traffic.batch import FetchedBatch, fetch_batch
from simulated_github import SimulatedGitHub, faults
from simulated_github.faults import Fault
from simulated_github.limits import Ceilings
from traffic.clock import from_text, to_text
from traffic.contract import Batch, Repository, Run, Share
from traffic.github import pace as pacing
from traffic.github.answers import Answer
from traffic.github.client import GitHub, Wanted
from traffic.github.pace import LONGEST_SLEEP, POINTS, SECONDS
from traffic.record.archive import pack

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
RUN: Run = {"id": "run", "started": to_text(NOW)}
LIMITED = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4000"}


def repositories(number: int) -> list[Repository]:
    """Return made-up repositories."""
    return [{"id": n, "name": f"octo/r{n:03}"} for n in range(number)]


class TimedGitHub(GitHub):
    """Answers every call well, after a response time that nobody waits for.

    Args:
        headers: Of each answer.
        seconds: The response time of each call.
        delay: Waits before a call is answered.
    """

    def __init__(
        self,
        headers: dict[str, str] | None = None,
        seconds: float = 0.15,
        delay: Callable[[], object] = lambda: None,
        body: bytes = b"[]",
    ) -> None:
        super().__init__("http://127.0.0.1", lambda **_: "token")
        self.headers = LIMITED if headers is None else headers
        self.seconds, self.delay, self.body = seconds, delay, body
        self.asked: list[str] = []

    def get_all(self, wanted: Sequence[Wanted], heard: Callable[[Answer], None] = lambda _: None) -> list[Answer]:
        """Return answers of the right shape."""
        self.asked += [path for path, _ in wanted]
        self.delay()
        answers = [Answer(200, self.headers, self._body(path), self.seconds) for path, _ in wanted]
        for answer in answers:
            heard(answer)
        return answers

    def _body(self, path: str) -> bytes:
        kind = path.rpartition("/")[2]
        rows = '[{"timestamp": "2026-11-19T00:00:00Z", "count": 1, "uniques": 1}]'
        return f'{{"count": 1, "uniques": 1, "{kind}": {rows}}}'.encode() if kind in ("views", "clones") else self.body


class LimitedGitHub(TimedGitHub):
    """Refuses every call for a second."""

    def get_all(self, wanted: Sequence[Wanted], heard: Callable[[Answer], None] = lambda _: None) -> list[Answer]:
        """Return refusals."""
        answers = [Answer(429, {**LIMITED, "retry-after": "1"}, b"{}") for _ in wanted]
        heard(answers[0])
        return answers


class HangingGitHub(TimedGitHub):
    """Refuses one call for one repository, while the calls beside it go on for half a second."""

    refused_at = 0  # how many calls had begun then

    def get_all(self, wanted: Sequence[Wanted], heard: Callable[[Answer], None] = lambda _: None) -> list[Answer]:
        """Return good answers and, for the last endpoints of one repository, a refusal among them."""
        answers = super().get_all(wanted, heard)
        if not wanted[0][0].startswith("/repos/octo/r002") or len(wanted) == 1:
            return answers
        answers[0] = Answer(429, {**LIMITED, "retry-after": "60"}, b"{}")
        heard(answers[0])
        self.refused_at = len(self.asked)
        time.sleep(0.5)
        return answers


class Clock:
    """A clock that only goes on while somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self._lock = Lock()

    def now(self) -> datetime:
        """Return the time."""
        return NOW + timedelta(seconds=sum(self.slept))

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self.slept.append(seconds)


def fetch(github: GitHub, number: int, clock: Clock | None = None, **batch: Any) -> FetchedBatch:
    """Fetch repositories."""
    clock = clock or Clock()
    asked: Batch = {"repositories": repositories(number), **batch}  # type: ignore[typeddict-item]
    return fetch_batch(github, RUN, asked, now=clock.now, seconds_left=lambda: 300, sleep=clock.sleep)


def full(age: float, calls: int = POINTS, seconds: float = 1.0) -> list[tuple[float, int, float]]:
    """Return a minute of calls that ended so many seconds ago."""
    return [(NOW.timestamp() - age, calls, seconds)]


def test_the_archive_does_not_depend_on_which_answer_comes_first() -> None:
    """The key of an object is the hash of its content: the same answers must not be archived twice."""
    chance = random.Random(5)  # noqa: S311 - nothing depends on it
    even = fetch(TimedGitHub(), 30)
    uneven = fetch(TimedGitHub(delay=lambda: time.sleep(chance.random() / 200)), 30)

    assert [line["repo_id"] for line in even.answers] == [n for n in range(30) for _ in range(4)]
    dated = [{**line, "captured_at": ""} for line in even.answers]
    assert pack(dated) == pack({**line, "captured_at": ""} for line in uneven.answers)


@pytest.mark.parametrize(
    "fault", [faults.secondary_limit(), faults.primary_limit(), faults.bad_credentials(), faults.unprocessable()]
)
def test_the_first_request_is_made_alone(fault: Fault) -> None:
    """GitHub locks out those who go on asking: one call shows whether it answers at all."""
    with SimulatedGitHub(repositories=20) as github:
        github.add_fault(fault)
        listed: list[Repository] = [{"id": 1, "name": name} for name in github.names]
        fetched = fetch_at(github, listed)

    assert len(github.calls) == 1
    assert len(fetched.remaining) == 20


def fetch_at(github: SimulatedGitHub, listed: list[Repository], **more: Any) -> FetchedBatch:
    """Fetch repositories from a simulated GitHub."""
    client = GitHub(github.url, lambda **_fresh: "token")
    batch: Batch = {"repositories": listed}
    return fetch_batch(client, RUN, batch, now=lambda: datetime.now(UTC), seconds_left=lambda: 300, **more)


@pytest.mark.parametrize("fault", [faults.secondary_limit(), faults.bad_credentials()])
def test_nothing_new_is_sent_after_the_first_limited_or_refused_answer(fault: Fault) -> None:
    """Only calls that are under way already can meet the limit, too."""
    with SimulatedGitHub(repositories=40, latency=0.02) as github:
        github.add_fault(fault, repository=github.names[9])
        listed: list[Repository] = [{"id": n, "name": name} for n, name in enumerate(github.names)]
        fetched = fetch_at(github, listed)
        calls = github.calls

    first = next(place for place, call in enumerate(calls) if call.status != 200)
    assert len(calls) - first - 1 <= 3 * (fetching.TOGETHER - 1)
    assert len(fetched.remaining) >= 40 - 9 - fetching.TOGETHER
    assert [each["id"] for each in fetched.remaining] == sorted(each["id"] for each in fetched.remaining)


def test_a_call_that_hangs_beside_a_refusal_does_not_hide_it() -> None:
    """Other repositories would go on meanwhile, each until it meets a refusal of its own."""
    github = HangingGitHub(delay=lambda: time.sleep(0.01))
    fetched = fetch(github, 40)

    assert github.refused_at
    assert len(github.asked) <= github.refused_at + 3 * (fetching.TOGETHER - 1), "only what had begun"
    assert fetched.resume_at == NOW + timedelta(seconds=60)
    assert len(fetched.remaining) >= 40 - 2 - fetching.TOGETHER


def test_repositories_are_asked_for_at_the_same_time() -> None:
    """A function is paid for while it waits for GitHub."""
    with SimulatedGitHub(repositories=12, latency=0.2) as github:
        listed: list[Repository] = [{"id": n, "name": name} for n, name in enumerate(github.names)]
        fetch_at(github, listed)

    assert github.peaks["octo"].at_once > 4, "the endpoints of one repository are four"


@pytest.mark.parametrize(
    ("points", "pace", "latency", "a_minute"),
    [
        pytest.param(90, 60, 0.01, 60, id="calls"),
        pytest.param(900, 810, 0.03, 81 * 0.02 / 0.03, id="response time"),
    ],
)
def test_githubs_limits_of_a_minute_refuse_nothing(
    monkeypatch: pytest.MonkeyPatch, points: int, pace: int, latency: float, a_minute: float
) -> None:
    """The limits of the simulated GitHub, with a minute of 1.2 s: each of them is the one that is reached."""
    monkeypatch.setattr(simulated_github, "GITHUBS_CEILINGS", Ceilings(points=points))
    monkeypatch.setattr(pacing, "POINTS", pace)  # so few because a busy machine delays a call by a part of this minute
    with SimulatedGitHub(repositories=40, minute_scale=0.02, latency=latency) as github:
        listed: list[Repository] = [{"id": n, "name": name} for n, name in enumerate(github.names)]
        began = time.monotonic()
        fetched = fetch_at(github, listed, minute=1.2)
        calls = github.calls

    assert fetched.remaining == []
    assert {call.status for call in calls} == {200}
    assert time.monotonic() - began > (len(calls) / a_minute - 1) * 1.2 * 0.9  # without a pace it would take half of it


def test_without_limits_there_is_no_pause() -> None:
    """An Enterprise Server without limits sends no such headers."""
    clock = Clock()
    fetched = fetch(TimedGitHub(headers={}, seconds=1.0), 300, clock)

    assert (clock.slept, fetched.resume_at, fetched.pace, fetched.rest) == ([], None, None, 0)
    assert len(fetched.answers) == 1200


def test_a_short_pause_is_slept() -> None:
    """A Wait state in the middle of a batch costs as much as 18 s of the function."""
    clock = Clock()
    fetched = fetch(TimedGitHub(), 2, clock, minute=full(60 - LONGEST_SLEEP))

    assert sum(clock.slept[:1]) == pytest.approx(LONGEST_SLEEP)
    assert (len(fetched.answers), fetched.remaining, fetched.resume_at) == (8, [], None)


def test_a_long_pause_ends_the_call() -> None:
    """A waiting state costs nothing while it waits."""
    clock, github = Clock(), TimedGitHub()
    fetched = fetch(github, 2, clock, minute=full(59 - LONGEST_SLEEP))

    assert (github.asked, clock.slept, fetched.remaining) == ([], [], repositories(2))
    assert fetched.resume_at == NOW + timedelta(seconds=LONGEST_SLEEP + 1)


@pytest.mark.parametrize(
    ("seconds", "takes", "rate"), [(0.06, 0.03, 12.5), (0.15, 0.045, 8.5), (0.15, 0.06, 8.5), (0.3, 0.08, 4.2)]
)
def test_a_lane_reaches_the_limits_of_a_minute(
    monkeypatch: pytest.MonkeyPatch, seconds: float, takes: float, rate: float
) -> None:
    """A batch takes seconds, and storing it some more; a lane that only began complete batches would waste the rest.

    Several repositories are asked for at once, so a call takes less time of the batch than its response time.
    """
    monkeypatch.setattr(fetching, "TOGETHER", 1)  # the calls' time is added up
    clock, batches = Clock(), 30
    github = TimedGitHub(seconds=seconds, delay=lambda: clock.sleep(takes))
    batch: Any = {"repositories": repositories(50), "lane": {"last": batches - 1, "width": 9}, "at": {"part": 0}}
    rounds = 0
    while batch["at"]["part"] < batches:
        asked = fetch_batch(github, RUN, batch, now=clock.now, seconds_left=lambda: 300, sleep=clock.sleep)
        state, rounds = asked.next_state(RUN, batch, None, clock.now()), rounds + 1
        clock.sleep(3)  # Store traffic
        if "resume_at" in state:
            clock.sleep(max(0.0, (from_text(state["resume_at"]) - clock.now()).total_seconds()))
        batch = state["batch"]
        if not batch["repositories"]:
            batch = {**batch, "repositories": repositories(50), "at": {"part": batch["at"]["part"] + 1}}

    took = (clock.now() - NOW).total_seconds()
    assert len(github.asked) == batches * 200
    assert len(github.asked) / took >= rate
    assert rounds - batches <= took / 60 + 1, "as many pauses within batches as the table of costs has"


def test_a_lane_waits_between_two_batches_and_keeps_its_calls_in_mind() -> None:
    """There the wait costs no transition more, and the next batch is made without a pause."""
    lane: Any = {"lane": {"last": 3, "width": 9, "read": 1}, "at": {"part": 1}}
    fetched = fetch(TimedGitHub(), 50, minute=full(30, 600), **lane)
    last = fetch(TimedGitHub(), 50, minute=full(30, 600), **{**lane, "at": {"part": 3}})

    assert (fetched.remaining, fetched.resume_at) == ([], NOW + timedelta(seconds=30))
    assert last.resume_at is None
    state = fetched.next_state(RUN, {"repositories": [], **lane}, None, NOW)  # type: ignore[typeddict-item]
    assert sum(calls for _, calls, _ in state["batch"]["minute"]) == 800


def test_after_the_rest_of_a_batch_a_lane_waits_for_as_many_calls_as_after_a_complete_one() -> None:
    """The next batch is complete again: with room for a few calls only, it would be interrupted at once."""
    lane: Any = {"lane": {"last": 3, "width": 9, "read": 1}, "at": {"part": 1}}
    fetched = fetch(TimedGitHub(), 1, minute=full(30, POINTS - 4 - fetching.ROOM + 1), **lane)

    assert (fetched.remaining, fetched.resume_at) == ([], NOW + timedelta(seconds=30))


@pytest.mark.parametrize(("lane", "least"), [({}, 0), ({"lane": {"last": 0, "width": 9}, "at": {"part": 0}}, 60)])
def test_a_lane_waits_for_a_minute_at_least_at_a_secondary_limit(lane: dict[str, Any], least: float) -> None:
    """GitHub can demand a second again and again: the history of a lane's execution must not become too long."""
    resume_at = fetch(LimitedGitHub(), 2, **lane).resume_at

    assert resume_at is not None
    assert resume_at - NOW == timedelta(seconds=max(least, 1))


def test_a_child_of_several_rests_until_all_of_them_keep_the_response_time() -> None:
    """Four children of one user with 150 ms a call: together 54 s of response time in a minute."""
    share = {"children": 4, "calls": 800}
    slow, fast = TimedGitHub(seconds=0.15), TimedGitHub(seconds=0.03)

    assert fetch(slow, 1, share=share).rest == pytest.approx(4 * 0.15 * 4 / (54 / 60))
    assert fetch(fast, 1, share=share).rest == 0
    assert fetch(slow, 1).rest == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=8, max_size=200))
@example([0.1] * 100 + [0.14] * 100)
def test_children_whose_response_times_differ_keep_the_limit_together(seconds: list[float]) -> None:
    """Each knows only its own calls: a quick one must not conclude that all of them are quick."""
    share: Share = {"children": 4, "calls": 4 * len(seconds)}
    free, ended = [0.0] * 4, list[tuple[float, float]]()
    for each in seconds:
        took = [each] * 4
        begin = heapq.heappop(free)
        ended.append((begin + 2 * each, sum(took)))
        least = fetching._least({"repositories": [], "share": share}, took)
        heapq.heappush(free, begin + max(2 * each, least))

    ended.sort()
    for end, _ in ended:
        # A child's calls end together here, so the last one of each child may be too much.
        assert sum(took for other, took in ended if end <= other < end + 60) <= SECONDS + 4 * 4 * max(seconds)


def test_answers_that_fill_the_memory_end_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left is fetched by the next call of the function."""
    monkeypatch.setattr(fetching, "MOST_BYTES_KEPT", 100_000)
    fetched = fetch(TimedGitHub(body=b"[]".ljust(10_000)), 50)

    assert 5 <= len(fetched.answers) / 4 <= 5 + fetching.TOGETHER
    assert len(fetched.remaining) >= 50 - 5 - fetching.TOGETHER
    assert fetched.resume_at is None

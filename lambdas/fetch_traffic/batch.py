"""Reads the traffic of a batch of repositories, until GitHub's limit, the clock or the end of the batch."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from lambdas.fetch_traffic.asking import Asked, archived, ask
from traffic.clock import LONGEST_WAIT, from_text, not_before
from traffic.contract import ENDPOINTS, OF_VIEWERS, ArchivedAnswer, Batch, ChildState, Endpoint, Repository, Run
from traffic.errors import GitHubAuthError, GitHubRejectionError
from traffic.github.answers import Answer, Meaning, Verdict, classify
from traffic.github.bodies import nobody_viewed
from traffic.github.client import GitHub
from traffic.github.pace import LONGEST_SLEEP, MINUTE, SECONDS, Pace
from traffic.github.rate_limit import rate_limit_pause, reserve_pause

LAST = ENDPOINTS[-1]  # in the archive, it means that every endpoint answered: it is only kept together with the others
PASSES = 3  # a repository that failed so often leaves the batch
RESERVE = 30.0  # seconds of the function's own time that are left for archiving
TOGETHER = 4  # repositories that are asked for at once, each with up to three endpoints at once
MOST_BYTES_KEPT = 32 * 1024 * 1024  # of answers; writing them takes three times as much of the function's memory

# Calls for which a lane waits for room before a batch, a quarter of a usual batch's. The calls of a batch take a few
# seconds, so a lane that waits for most of its room leaves the rest of the minute unused: of 540 calls a minute, two
# batches take 400. If the pace interrupts the batch, the rest of it takes as many transitions as one batch more.
ROOM = 50
SHORTEST_WAIT = 1.0  # seconds: a Wait state ends at a complete second

# If several answers are bad, the meaning that comes first here counts.
_URGENT = (
    Meaning.BAD_TOKEN,
    Meaning.OUR_BUG,
    Meaning.LIMITED,
    Meaning.SECONDARY_LIMITED,
    Meaning.REFUSED,
    Meaning.MOVED,
    Meaning.TRANSIENT,
)
_OF_RUN = (Meaning.BAD_TOKEN, Meaning.OUR_BUG)
_OF_LIMIT = (Meaning.LIMITED, Meaning.SECONDARY_LIMITED)
_OF_ALL = (*_OF_RUN, *_OF_LIMIT)


@dataclass
class FetchedBatch:
    """The answers of one call of Fetch traffic, and what remains.

    Attributes:
        answers: Lines for the archive.
        remaining: Repositories to go on with.
        resume_at: When GitHub may be asked again; None for at once.
        pauses: The number of waits at a limit since the last good answer.
        stop: The error that ends the run, if there is one.
        unanswered: Failed answers for remaining repositories, as lines that are not archived.
        late: Whether the run's deadline is over, or will be before GitHub may be asked again: no batch is asked for.
        pace: The calls of the last minute; None if GitHub has no limits.
        rest: Seconds to wait before this child ends, so that the children of its user together keep the pace.
    """

    answers: list[ArchivedAnswer] = field(default_factory=list)
    remaining: list[Repository] = field(default_factory=list)
    resume_at: datetime | None = None
    pauses: int = 0
    stop: Exception | None = None
    unanswered: list[ArchivedAnswer] = field(default_factory=list)
    late: bool = False
    pace: Pace | None = None
    rest: float = 0.0

    @property
    def unavailable(self) -> bool:
        """Whether GitHub failed for every repository."""
        return bool(self.unanswered) and not self.answers and self.resume_at is None and self.stop is None

    def next_state(self, run: Run, asked: Batch, key: str | None, now: datetime) -> ChildState:
        """Return the state for the definition: what to store, and what to go on with and when."""
        batch: Batch = {**asked, "repositories": self.remaining}
        batch.pop("key", None)
        batch.pop("pauses", None)
        batch.pop("minute", None)
        if "lane" in asked and self.late:
            batch["at"] = {"part": asked["lane"]["last"]}
        if "lane" in asked and self.pace is not None:
            batch["minute"] = self.pace.minute(now.timestamp())
        if key is not None:
            batch["key"] = key
        if self.pauses:
            batch["pauses"] = self.pauses
        state: ChildState = {"run": run, "batch": batch}
        if self.resume_at is not None:
            state["resume_at"] = not_before(self.resume_at)
        return state


@dataclass
class _Visit:
    """A repository of the batch, the endpoints still to be asked for, and what came of it.

    Attributes:
        lines: Good answers for the archive.
        bad: The bad answer that counts; nothing is asked for after it.
    """

    repository: Repository
    missing: list[Endpoint]
    lines: list[ArchivedAnswer] = field(default_factory=list)
    bad: Asked | None = None

    def left(self) -> Repository:
        """Return the repository as it remains."""
        begun = self.lines or self.bad
        return {**self.repository, "endpoints": _left(self.missing)} if begun else self.repository


def fetch_batch(  # noqa: PLR0913 - every clock is an argument
    github: GitHub,
    run: Run,
    batch: Batch,
    *,
    now: Callable[[], datetime],
    seconds_left: Callable[[], float],
    sleep: Callable[[float], None] = time.sleep,
    minute: float = MINUTE,
) -> FetchedBatch:
    """Ask GitHub for everything still missing of a batch.

    The first request is made alone: it shows whether GitHub refuses the token or is at a limit. Then several
    repositories are asked for at once. The results are in the order of the batch, whichever answer comes first.

    Args:
        github: Where to ask.
        run: The run. After its deadline nothing is asked for.
        batch: The repositories.
        now: The wall clock, for waits and the deadline only.
        seconds_left: How long this function may still run.
        sleep: Waits for a number of seconds.
        minute: Seconds of GitHub's minute, for tests with a shorter one.

    Returns:
        The answers and what remains. An error that ends the run is returned, too, so that earlier answers are kept.
    """
    began = now()
    fetcher = _Fetcher(github, run, Pace(batch.get("minute", ()), length=minute), now, seconds_left, sleep)
    visits = [_Visit(each, list(each.get("endpoints", ENDPOINTS))) for each in batch["repositories"]]
    if visits:
        fetcher.visit(visits[0], alone=True)
    with ThreadPoolExecutor(TOGETHER) as callers:
        list(callers.map(fetcher.visit, visits))
    fetched = FetchedBatch(
        pauses=0 if any(visit.lines for visit in visits) else batch.get("pauses", 0),
        resume_at=fetcher.resume_at,
        late=fetcher.late,
        pace=fetcher.pace if fetcher.paced else None,
    )
    for visit in visits:
        _add(fetched, run, visit, now(), least=minute if "lane" in batch else 0.0)
    fetched.pauses += any(visit.bad and visit.bad.verdict.meaning in _OF_LIMIT for visit in visits)
    if fetched.pace and not fetched.resume_at:
        if not fetched.remaining and _more_in_lane(batch):
            pause = fetched.pace.pause(ROOM, now().timestamp())
            fetched.resume_at = now() + timedelta(seconds=pause) if pause > SHORTEST_WAIT else None
        longest = max(seconds_left() - RESERVE, 0.0)
        fetched.rest = min(max(_least(batch, fetcher.took) - (now() - began).total_seconds(), 0.0), longest)
    if fetcher.deadline and fetched.resume_at and fetched.resume_at >= fetcher.deadline:
        fetched.late = True
    if fetched.late:
        fetched.remaining = []
    if fetched.late or (not fetched.remaining and not _more_in_lane(batch)):
        fetched.resume_at = None
    return fetched


@dataclass
class _Fetcher:
    """Asks for repositories, several at once, as long as the limits and the time allow.

    Attributes:
        resume_at: When GitHub may be asked again, by the pace or so that a tenth of the hour is left.
        late: Whether the run's deadline is over.
        paced: Whether GitHub has limits: without them, its answers have no such headers.
        took: The response time of each call, in seconds.
    """

    github: GitHub
    run: Run
    pace: Pace
    now: Callable[[], datetime]
    seconds_left: Callable[[], float]
    sleep: Callable[[float], None]
    resume_at: datetime | None = None
    late: bool = False
    paced: bool = True
    took: list[float] = field(default_factory=list)
    _halted: bool = False
    _bytes: int = 0
    _lock: Lock = field(default_factory=Lock)

    @property
    def deadline(self) -> datetime | None:
        """The run's deadline."""
        return from_text(self.run["deadline"]) if "deadline" in self.run else None

    def visit(self, visit: _Visit, *, alone: bool = False) -> None:
        """Ask for the endpoints that are still missing, until an answer is bad or nothing more may be asked for.

        Views come first and alone: they show whether GitHub answers for this repository, and whether there is more to
        ask for. All other endpoints are asked for at once.

        Args:
            visit: The repository; the results are added to it.
            alone: Make one request only.
        """
        if not visit.lines and self.deadline and self.now() >= self.deadline:
            self.late = True  # the repository has no receipt, and is reported as not reached
            return
        while visit.missing and visit.bad is None:
            wanted = visit.missing[:1] if alone or visit.missing[0] == "views" else list(visit.missing)
            if not self._begin(len(wanted)):
                return
            self._take(visit, ask(self.github, visit.repository, wanted, self._hear))
            if alone:
                return

    def _hear(self, answer: Answer) -> None:
        """Ask for nothing more after an answer that concerns all repositories: the calls beside it may take long."""
        if classify(answer).meaning in _OF_ALL:
            self._halted = True

    def _begin(self, calls: int) -> bool:
        """Wait until the pace allows some calls; return False if nothing more may be asked for."""
        while True:
            with self._lock:
                if self._halted or self.seconds_left() < RESERVE or self._bytes > MOST_BYTES_KEPT:
                    return False
                pause = self.pace.pause(calls, self.now().timestamp()) if self.paced else 0.0
                if not pause:
                    self.pace.begin(calls)
                    return True
                if pause > LONGEST_SLEEP:
                    self._wait(pause)
                    return False
            self.sleep(pause)

    def _take(self, visit: _Visit, asked: Sequence[Asked]) -> None:
        """Add answers to a repository; ask for nothing more if one of them concerns all repositories."""
        with self._lock:
            now = self.now()
            seconds = [each.answer.seconds for each in asked]
            self.pace.end(now.timestamp(), seconds)
            self.took += seconds
            bad = [each for each in asked if each.verdict.meaning is not Meaning.FINE]
            fine = [each for each in asked if each not in bad and not (bad and each.endpoint == LAST)]
            for each in fine:
                visit.lines.append(archived(self.run, visit.repository, each, now))
                self._bytes += len(each.answer.body)
                self.paced = "x-ratelimit-limit" in each.answer.headers
                pause = reserve_pause(each.answer, now)
                if pause is not None:  # the rest of the limit is for the owner's other tools
                    self._wait(pause)
            visit.missing = [each for each in visit.missing if each not in {found.endpoint for found in fine}]
            if bad:
                visit.bad = min(bad, key=_urgency)
            elif any(nobody_viewed(each.endpoint, each.answer.json()) for each in asked):
                visit.missing = [each for each in visit.missing if each not in OF_VIEWERS]

    def _wait(self, pause: float) -> None:
        """Ask for nothing more before a pause is over."""
        until = self.now() + timedelta(seconds=min(pause, LONGEST_WAIT))
        self.resume_at = max(self.resume_at or until, until)
        self._halted = True


def _add(fetched: FetchedBatch, run: Run, visit: _Visit, now: datetime, *, least: float) -> None:
    """Add what came of a repository, and what a bad answer means for it, the batch or the run.

    Args:
        fetched: To be added to.
        run: The run.
        visit: The repository.
        now: The time.
        least: Seconds to wait at least at a limit other than that of the hour.
    """
    fetched.answers += visit.lines
    if visit.bad is None:
        if visit.missing:
            fetched.remaining.append(visit.left())
        return
    answer, verdict = visit.bad.answer, visit.bad.verdict
    line, passes = archived(run, visit.repository, visit.bad, now), visit.repository.get("passes", 0) + 1
    if verdict.meaning in _OF_LIMIT:
        _pause(fetched, answer, now, least)
        fetched.remaining.append(visit.left())
    elif verdict.meaning in _OF_RUN:
        fetched.stop = fetched.stop or _reason_to_stop(line, answer, verdict)
        fetched.remaining.append(visit.left())
    elif verdict.meaning is Meaning.TRANSIENT and passes < PASSES:
        fetched.unanswered.append(line)
        fetched.remaining.append({**visit.left(), "passes": passes})
    else:  # refused, or failed for the last time: the other endpoints would not answer either
        fetched.answers.append(line)


def _pause(fetched: FetchedBatch, answer: Answer, now: datetime, least: float) -> None:
    """Wait as long as GitHub demands. A limit is not a failure, so it is not a pass of the repository.

    A lane waits for a minute at least, unless the calls of the hour are used up: GitHub can demand a second again and
    again, and an execution with 25,000 events ends.
    """
    least = 0.0 if answer.headers.get("x-ratelimit-remaining") == "0" else least
    pause = min(max(rate_limit_pause(answer, now, attempt=fetched.pauses), least), LONGEST_WAIT)
    until = now + timedelta(seconds=pause)
    fetched.resume_at = max(fetched.resume_at or until, until)


def _least(batch: Batch, took: Sequence[float]) -> float:
    """Return how long a child lasts at least, so that its user's children at once keep GitHub's limit of response time.

    A child knows only its own calls, and others may be slower. If all were like its own and took a third of the limit
    at most, it does not rest. Those that rest take two thirds of it at most, each its part. So together they keep it,
    however the response times differ.

    Returns:
        Seconds; 0 if the child does not rest.
    """
    share = batch.get("share")
    if share is None or not took or share["calls"] * sum(took) / len(took) <= SECONDS / 3:
        return 0.0
    return sum(took) * share["children"] * MINUTE / (SECONDS * 2 / 3)


def _more_in_lane(batch: Batch) -> bool:
    """Return whether another batch of the lane follows."""
    return "lane" in batch and batch["at"]["part"] < batch["lane"]["last"]


def _left(missing: list[Endpoint]) -> list[Endpoint]:
    """Return the endpoints to ask for when going on later.

    Only clones are left if nobody viewed anything. Then views are asked for again with them. Both in one archive object
    show that there was nothing else to ask for, so the tables can be rebuilt from this object alone.
    """
    return ["views", "clones"] if missing == ["clones"] else missing


def _urgency(bad: Asked) -> int:
    """Return the rank of a bad answer: what concerns all repositories comes first."""
    return _URGENT.index(bad.verdict.meaning)


def _reason_to_stop(line: ArchivedAnswer, answer: Answer, verdict: Verdict) -> Exception:
    if verdict.meaning is Meaning.BAD_TOKEN:
        return GitHubAuthError(f"GitHub refuses the token: {answer.message()}")
    return GitHubRejectionError(
        f"GitHub rejects the request for {line['endpoint']} of {line['repo']}: {answer.status} {answer.message()}"
    )

"""Reads the traffic of a batch of repositories, as far as GitHub, the clock and the batch allow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lambdas.fetch_traffic.asking import Asked, archived, ask
from traffic.clock import from_text, to_text
from traffic.contract import ENDPOINTS, OF_VIEWERS, ArchivedAnswer, Batch, ChildState, Endpoint, Repository, Run
from traffic.errors import GitHubAuthError, GitHubRejectionError
from traffic.github.answers import Answer, Meaning, Verdict
from traffic.github.client import GitHub
from traffic.github.rate_limit import rate_limit_pause, reserve_pause
from traffic.record.traffic_answers import nobody_viewed

LAST = ENDPOINTS[
    -1
]  # its presence in the archive says that all was answered, so it is kept with the rest or not at all
PASSES = 3  # a repository that failed as often leaves the batch
RESERVE = 30.0  # seconds of the function's own time that are left for archiving
LONGEST_WAIT = 172_800.0  # seconds; longer than any run's deadline, it keeps an absurd header from overflowing a date

# Of two bad answers the first of these counts.
_URGENT = (
    Meaning.BAD_TOKEN,
    Meaning.OUR_BUG,
    Meaning.LIMITED,
    Meaning.SECONDARY_LIMITED,
    Meaning.REFUSED,
    Meaning.MOVED,
    Meaning.TRANSIENT,
)


@dataclass
class FetchedBatch:
    """What one call of Fetch traffic got, and what remains.

    Attributes:
        answers: To be archived.
        remaining: Repositories to go on with.
        resume_at: When GitHub may be asked again; None for at once.
        pauses: Waits at a limit since the last good answer.
        stop: What ends the run, where something does.
        unanswered: Of those that remain, what GitHub failed to answer, as lines that are not archived.
    """

    answers: list[ArchivedAnswer] = field(default_factory=list)
    remaining: list[Repository] = field(default_factory=list)
    resume_at: datetime | None = None
    pauses: int = 0
    stop: Exception | None = None
    unanswered: list[ArchivedAnswer] = field(default_factory=list)

    @property
    def unavailable(self) -> bool:
        """Whether GitHub failed for all that it was asked."""
        return bool(self.unanswered) and not self.answers and self.resume_at is None and self.stop is None

    def next_state(self, run: Run, asked: Batch, key: str | None) -> ChildState:
        """Say to the definition what to store, and when to go on with what of the batch that was asked."""
        batch: Batch = {"repositories": self.remaining}
        if "owner" in asked:
            batch["owner"] = asked["owner"]
        if key is not None:
            batch["key"] = key
        if self.pauses:
            batch["pauses"] = self.pauses
        state: ChildState = {"run": run, "batch": batch}
        if self.resume_at is not None:
            state["resume_at"] = to_text(self.resume_at + timedelta(seconds=1))  # whole seconds, never too early
        return state


def fetch_batch(
    github: GitHub, run: Run, batch: Batch, *, now: Callable[[], datetime], seconds_left: Callable[[], float]
) -> FetchedBatch:
    """Ask GitHub for everything still missing of a batch.

    Args:
        github: Where to ask.
        run: The run; what lies beyond its deadline is left alone.
        batch: The repositories.
        now: The wall clock, for waits and the deadline only.
        seconds_left: How long this function may still run.

    Returns:
        The answers and what remains. What ends the run is in it too, so that the answers that came before are kept.
    """
    deadline = from_text(run["deadline"]) if "deadline" in run else None
    fetcher = _Fetcher(github, run, now, seconds_left, FetchedBatch(pauses=batch.get("pauses", 0)))
    fetched = fetcher.fetched
    for position, repository in enumerate(batch["repositories"]):
        if deadline and now() >= deadline:
            break  # what remains has no receipt, and is reported as not reached
        if fetched.resume_at or fetched.stop or seconds_left() < RESERVE:
            fetched.remaining += batch["repositories"][position:]
            break
        fetcher.fetch(repository)
    if not fetched.remaining or (deadline and fetched.resume_at and fetched.resume_at >= deadline):
        fetched.remaining, fetched.resume_at = [], None  # a wait for nothing, or one that ends too late
    return fetched


@dataclass
class _Fetcher:
    """Asks for one repository after another, and notes what came of it."""

    github: GitHub
    run: Run
    now: Callable[[], datetime]
    seconds_left: Callable[[], float]
    fetched: FetchedBatch

    def fetch(self, repository: Repository) -> None:
        """Ask for the endpoints that are still missing, until something stands in the way.

        Views come first and alone: they tell whether GitHub answers about this repository, and whether there is more to
        ask. All the rest is asked at once.
        """
        missing = list(repository.get("endpoints", ENDPOINTS))
        while missing:
            if self.fetched.resume_at or self.seconds_left() < RESERVE:
                self.fetched.remaining.append({**repository, "endpoints": _left(missing)})
                return
            asked = ask(self.github, repository, missing[:1] if missing[0] == "views" else missing)
            bad = [each for each in asked if each.verdict.meaning is not Meaning.FINE]
            kept = [each for each in asked if each not in bad and not (bad and each.endpoint == LAST)]
            self._keep(repository, kept)
            missing = [endpoint for endpoint in missing if endpoint not in {each.endpoint for each in kept}]
            if bad:
                self._stop_at({**repository, "endpoints": missing}, min(bad, key=_urgency))
                return
            if any(nobody_viewed(each.endpoint, each.answer.json()) for each in asked):
                missing = [endpoint for endpoint in missing if endpoint not in OF_VIEWERS]

    def _keep(self, repository: Repository, fine: Sequence[Asked]) -> None:
        """Note what is archived, and whether it says that GitHub should be left to the owner's other tools for now."""
        now = self.now()
        for each in fine:
            self.fetched.answers.append(archived(self.run, repository, each, now))
            self.fetched.pauses = 0
            pause = reserve_pause(each.answer, now)
            if pause is not None:
                self.fetched.resume_at = now + timedelta(seconds=min(pause, LONGEST_WAIT))

    def _stop_at(self, repository: Repository, bad: Asked) -> None:
        """Note what an answer that is not fine means for its repository, the batch or the run."""
        line = archived(self.run, repository, bad, self.now())
        repository = {**repository, "endpoints": _left(repository["endpoints"])}
        if bad.verdict.meaning in (Meaning.LIMITED, Meaning.SECONDARY_LIMITED):
            self._pause(repository, bad.answer)
        elif bad.verdict.meaning in (Meaning.BAD_TOKEN, Meaning.OUR_BUG):
            self.fetched.remaining.append(repository)
            self.fetched.stop = _reason_to_stop(line, bad.answer, bad.verdict)
        elif bad.verdict.meaning is Meaning.TRANSIENT and repository.get("passes", 0) + 1 < PASSES:
            self.fetched.unanswered.append(line)
            self.fetched.remaining.append({**repository, "passes": repository.get("passes", 0) + 1})
        else:  # refused, or failed for the last time: the other endpoints would not answer either
            self.fetched.answers.append(line)

    def _pause(self, repository: Repository, answer: Answer) -> None:
        """Leave GitHub alone for as long as it says. A limit is no failure: it costs the repository no pass."""
        now = self.now()
        pause = min(rate_limit_pause(answer, now, attempt=self.fetched.pauses), LONGEST_WAIT)
        self.fetched.resume_at = now + timedelta(seconds=pause)
        self.fetched.pauses += 1
        self.fetched.remaining.append(repository)


def _left(missing: list[Endpoint]) -> list[Endpoint]:
    """Say what to ask for when going on later.

    Clones alone are left only where nobody viewed anything. Then views are asked for again, with them: one archive
    object tells by both that there was nothing else to ask, so that the tables can be made from it whatever comes.
    """
    return ["views", "clones"] if missing == ["clones"] else missing


def _urgency(bad: Asked) -> int:
    """Tell which of two bad answers is acted upon: what all must heed comes first."""
    return _URGENT.index(bad.verdict.meaning)


def _reason_to_stop(line: ArchivedAnswer, answer: Answer, verdict: Verdict) -> Exception:
    if verdict.meaning is Meaning.BAD_TOKEN:
        return GitHubAuthError(f"GitHub refuses the token: {answer.message()}")
    return GitHubRejectionError(
        f"GitHub rejects the request for {line['endpoint']} of {line['repo']}: {answer.status} {answer.message()}"
    )

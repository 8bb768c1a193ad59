"""Reads the traffic of a batch of repositories, until GitHub's limit, the clock or the end of the batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lambdas.fetch_traffic.asking import Asked, archived, ask
from traffic.clock import LONGEST_WAIT, from_text, not_before
from traffic.contract import ENDPOINTS, OF_VIEWERS, ArchivedAnswer, Batch, ChildState, Endpoint, Repository, Run
from traffic.errors import GitHubAuthError, GitHubRejectionError
from traffic.github.answers import Answer, Meaning, Verdict
from traffic.github.client import GitHub
from traffic.github.rate_limit import rate_limit_pause, reserve_pause
from traffic.record.reports import nobody_viewed

LAST = ENDPOINTS[-1]  # in the archive, it means that every endpoint answered: it is only kept together with the others
PASSES = 3  # a repository that failed so often leaves the batch
RESERVE = 30.0  # seconds of the function's own time that are left for archiving

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
    """

    answers: list[ArchivedAnswer] = field(default_factory=list)
    remaining: list[Repository] = field(default_factory=list)
    resume_at: datetime | None = None
    pauses: int = 0
    stop: Exception | None = None
    unanswered: list[ArchivedAnswer] = field(default_factory=list)
    late: bool = False

    @property
    def unavailable(self) -> bool:
        """Whether GitHub failed for every repository."""
        return bool(self.unanswered) and not self.answers and self.resume_at is None and self.stop is None

    def next_state(self, run: Run, asked: Batch, key: str | None) -> ChildState:
        """Return the state for the definition: what to store, and what to go on with and when."""
        batch: Batch = {**asked, "repositories": self.remaining}
        batch.pop("key", None)
        batch.pop("pauses", None)
        if self.late and "lane" in asked:
            batch["at"] = {"part": asked["lane"]["last"]}
        if key is not None:
            batch["key"] = key
        if self.pauses:
            batch["pauses"] = self.pauses
        state: ChildState = {"run": run, "batch": batch}
        if self.resume_at is not None:
            state["resume_at"] = not_before(self.resume_at)
        return state


def fetch_batch(
    github: GitHub, run: Run, batch: Batch, *, now: Callable[[], datetime], seconds_left: Callable[[], float]
) -> FetchedBatch:
    """Ask GitHub for everything still missing of a batch.

    Args:
        github: Where to ask.
        run: The run. After its deadline nothing is asked for.
        batch: The repositories.
        now: The wall clock, for waits and the deadline only.
        seconds_left: How long this function may still run.

    Returns:
        The answers and what remains. An error that ends the run is returned, too, so that earlier answers are kept.
    """
    deadline = from_text(run["deadline"]) if "deadline" in run else None
    fetcher = _Fetcher(github, run, now, seconds_left, FetchedBatch(pauses=batch.get("pauses", 0)))
    fetched = fetcher.fetched
    for position, repository in enumerate(batch["repositories"]):
        if deadline and now() >= deadline:
            fetched.late = True
            break  # the remaining repositories have no receipt, and are reported as not reached
        if fetched.resume_at or fetched.stop or seconds_left() < RESERVE:
            fetched.remaining += batch["repositories"][position:]
            break
        fetcher.fetch(repository)
    if deadline and fetched.resume_at and fetched.resume_at >= deadline:
        fetched.late, fetched.remaining = True, []
    if fetched.late or (not fetched.remaining and not _more_in_lane(batch)):
        fetched.resume_at = None
    return fetched


@dataclass
class _Fetcher:
    """Asks for one repository after another, and adds the results to `fetched`."""

    github: GitHub
    run: Run
    now: Callable[[], datetime]
    seconds_left: Callable[[], float]
    fetched: FetchedBatch

    def fetch(self, repository: Repository) -> None:
        """Ask for the endpoints that are still missing, until an answer is bad or the time is over.

        Views come first and alone: they show whether GitHub answers for this repository, and whether there is more to
        ask for. All other endpoints are asked for at once.
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
        """Add answers for the archive, and wait if the rest of the limit is for the owner's other tools."""
        now = self.now()
        for each in fine:
            self.fetched.answers.append(archived(self.run, repository, each, now))
            self.fetched.pauses = 0
            pause = reserve_pause(each.answer, now)
            if pause is not None:
                self.fetched.resume_at = now + timedelta(seconds=min(pause, LONGEST_WAIT))

    def _stop_at(self, repository: Repository, bad: Asked) -> None:
        """Add what a bad answer means for its repository, the batch or the run."""
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
        """Wait as long as GitHub demands. A limit is not a failure, so it is not a pass of the repository."""
        now = self.now()
        pause = min(rate_limit_pause(answer, now, attempt=self.fetched.pauses), LONGEST_WAIT)
        self.fetched.resume_at = now + timedelta(seconds=pause)
        self.fetched.pauses += 1
        self.fetched.remaining.append(repository)


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

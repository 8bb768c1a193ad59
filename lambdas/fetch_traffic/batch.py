"""Reads the traffic of a batch of repositories, as far as GitHub, the clock and the batch allow."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from lambdas.shared.answers import FAILED, Answer, Meaning, Verdict, classify
from lambdas.shared.clock import from_http, from_text, to_text
from lambdas.shared.contract import ENDPOINTS, OF_VIEWERS, ArchivedAnswer, Batch, ChildState, Endpoint, Repository, Run
from lambdas.shared.errors import GitHubAuthError, GitHubRejectionError
from lambdas.shared.github import GitHub
from lambdas.shared.rate_limit import rate_limit_pause
from lambdas.shared.traffic import check_body, nobody_viewed

PASSES = 3  # a repository that failed as often leaves the batch
MOST_BYTES = (
    1024 * 1024
)  # of an answer about traffic, of which GitHub's have some thousand; a batch of 25 keeps a hundred
MOST_SAID = 10_000  # characters that are kept of an answer that brings no traffic, such as a page of HTML
RESERVE = 30.0  # seconds of the function's own time that are left for archiving
LONGEST_WAIT = 172_800.0  # seconds; longer than any run's deadline, it keeps an absurd header from overflowing a date

PATHS: dict[Endpoint, str] = {
    "views": "/traffic/views",
    "clones": "/traffic/clones",
    "referrers": "/traffic/popular/referrers",
    "paths": "/traffic/popular/paths",
}

_PARAMETERS: dict[Endpoint, dict[str, str]] = {"views": {"per": "day"}, "clones": {"per": "day"}}

# The headers that are kept: when, under which limit, for which token and version, and what was said about access.
KEPT_HEADERS = (
    "date", "etag", "link", "location", "retry-after", "gh-limited-by", "x-github-sso", "x-github-request-id",
    "x-github-api-version-selected", "x-github-enterprise-version",
    "x-accepted-github-permissions", "github-authentication-token-expiration",
    "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-used", "x-ratelimit-reset", "x-ratelimit-resource",
)  # fmt: skip


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

    def next_state(self, run: Run, key: str | None) -> ChildState:
        """Say to the definition what to store, and when to go on with what."""
        batch: Batch = {"repositories": self.remaining}
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
    if deadline and fetched.resume_at and fetched.resume_at >= deadline:
        fetched.remaining, fetched.resume_at = [], None
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
        """Ask for the endpoints that are still missing, until something stands in the way."""
        missing = list(repository.get("endpoints", ENDPOINTS))
        while missing:
            if self.seconds_left() < RESERVE:
                self.fetched.remaining.append({**repository, "endpoints": _left(missing)})
                return
            answer = self.github.get(_path(repository, missing[0]), _PARAMETERS.get(missing[0]))
            verdict = _judge(missing[0], answer)
            if verdict.meaning is not Meaning.FINE:
                self._stop_at({**repository, "endpoints": missing}, answer, verdict)
                return
            endpoint = missing.pop(0)
            self.fetched.answers.append(self._archived(repository, endpoint, answer, verdict))
            self.fetched.pauses = 0
            if nobody_viewed(endpoint, answer.json()):
                missing = [left for left in missing if left not in OF_VIEWERS]

    def _stop_at(self, repository: Repository, answer: Answer, verdict: Verdict) -> None:
        """Note what an answer that is not fine means for its repository, the batch or the run."""
        line = self._archived(repository, repository["endpoints"][0], answer, verdict)
        repository = {**repository, "endpoints": _left(repository["endpoints"])}
        if verdict.meaning in (Meaning.LIMITED, Meaning.SECONDARY_LIMITED):
            self._pause(repository, answer)
        elif verdict.meaning in (Meaning.BAD_TOKEN, Meaning.OUR_BUG):
            self.fetched.remaining.append(repository)
            self.fetched.stop = _reason_to_stop(line, answer, verdict)
        elif verdict.meaning is Meaning.TRANSIENT and repository.get("passes", 0) + 1 < PASSES:
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

    def _archived(self, repository: Repository, endpoint: Endpoint, answer: Answer, verdict: Verdict) -> ArchivedAnswer:
        said_at = from_http(answer.headers.get("date")) or self.now()
        body = answer.body.decode("utf-8", "replace")  # a good answer is UTF-8, so it is untouched
        return {
            "run": self.run["id"],
            "repo_id": repository["id"],
            "repo": repository["name"],
            "endpoint": endpoint,
            "captured_at": to_text(said_at),
            "status": answer.status,
            "headers": {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers},
            "body": body if verdict.meaning is Meaning.FINE else body[:MOST_SAID],
            "outcome": verdict.outcome,
        }


def _left(missing: list[Endpoint]) -> list[Endpoint]:
    """Say what to ask for when going on later.

    Clones alone are left only where nobody viewed anything. Then views are asked for again, with them: one archive
    object tells by both that there was nothing else to ask, so that the tables can be made from it whatever comes.
    """
    return ["views", "clones"] if missing == ["clones"] else missing


def _reason_to_stop(line: ArchivedAnswer, answer: Answer, verdict: Verdict) -> Exception:
    if verdict.meaning is Meaning.BAD_TOKEN:
        return GitHubAuthError(f"GitHub refuses the token: {answer.message()}")
    return GitHubRejectionError(
        f"GitHub rejects the request for {line['endpoint']} of {line['repo']}: {answer.status} {answer.message()}"
    )


def _path(repository: Repository, endpoint: Endpoint) -> str:
    parts = repository["name"].split("/", 1)
    if {"", ".", ".."} & set(parts):  # a client would take them for folders; GitHub itself redirects to ids
        return f"/repositories/{repository['id']}{PATHS[endpoint]}"
    return "/repos/" + "/".join(quote(part, safe="") for part in parts) + PATHS[endpoint]


def _judge(endpoint: Endpoint, answer: Answer) -> Verdict:
    """Classify, and look into what claims to be fine: a 200 that is no whole answer passes, as a 5xx does."""
    verdict = classify(answer)
    if verdict.meaning is Meaning.FINE:
        if len(answer.body) > MOST_BYTES:
            return Verdict(Meaning.TRANSIENT, FAILED)
        try:
            check_body(endpoint, answer.json())
        except ValueError:
            return Verdict(Meaning.TRANSIENT, FAILED)
    return verdict

"""What travels between the states, and where objects are stored: the words that all parts of the system share.

Times are UTC in ISO 8601 with a `Z` (`2026-11-20T09:00:00Z`), days are `2026-11-20`.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, final
from urllib.parse import quote

Endpoint = Literal["views", "clones", "referrers", "paths"]

ENDPOINTS: tuple[Endpoint, ...] = ("views", "clones", "referrers", "paths")

# Numbers that grow and fall over years, and belong to no day. GitHub's traffic API does not return them.
RunningNumber = Literal["stars", "forks"]

RUNNING_NUMBERS: tuple[RunningNumber, ...] = ("stars", "forks")

# Without views there are no viewers to ask for.
OF_VIEWERS: tuple[Endpoint, ...] = ("referrers", "paths")

METRICS = ("views-count", "views-uniques", "clones-count", "clones-uniques")


class Run(TypedDict):
    """One execution of the state machine."""

    id: str  # the execution's name
    started: str
    deadline: NotRequired[str]  # repositories not fetched by then are reported as not reached
    date: NotRequired[str]  # the day of a re-run
    arn: NotRequired[str]  # the execution's


class Redriven(TypedDict):
    """The part of Step Functions' own description of an execution that the functions read."""

    RedriveTime: NotRequired[str]  # when it was last redriven; missing if it never was


class Repository(TypedDict):
    """A repository to capture, and what is still to be asked for."""

    id: int  # GitHub's numeric id: the identity
    name: str  # owner/name, as listed
    endpoints: NotRequired[list[Endpoint]]  # endpoints without an answer; if absent, all of them
    passes: NotRequired[int]  # how often it has failed


# The calls of the last minute by second: each entry has the time of its last call as Unix time in seconds, the number
# of its calls, and the sum of their response times in seconds.
MinuteOfCalls = list[tuple[float, int, float]]


class Share(TypedDict):
    """What a child may take of a user's limits while other children of this user run."""

    children: int  # that run at once for the user, this one included
    calls: int  # expected of all of them together in this run


class Lane(TypedDict):
    """The batches of one user, which one child captures one after another. They follow each other in the manifest."""

    last: int  # the number of the last batch of the lane, from 0 for the first line of the manifest
    width: int  # bytes of each line of the manifest
    read: NotRequired[int]  # the number of the batch whose repositories are in the state


class Place(TypedDict):
    """Where a lane is."""

    part: int  # the number of the batch, from 0 for the first line of the manifest


class Batch(TypedDict):
    """Repositories to fetch, or an archive object to store again: an item of the manifest, or what is left of it.

    A lane has no repositories at first: Fetch traffic reads each batch of it from the manifest.
    """

    repositories: list[Repository]
    key: NotRequired[str]  # the archive object to store
    pauses: NotRequired[int]  # waits at a secondary limit since the last answer
    owner: NotRequired[str]  # the owner whose token asks; absent for the token for all repositories
    share: NotRequired[Share]  # for a child that does not have its user's limits for itself
    lane: NotRequired[Lane]
    at: NotRequired[Place]  # in the lane
    minute: NotRequired[MinuteOfCalls]  # of the lane's user


class ChildState(Redriven):
    """The state of a child execution of the Map. Fetch traffic gets the fields of its execution, too."""

    run: Run
    batch: Batch
    parent: NotRequired[Redriven]  # the run's execution, as it was when the child started
    resume_at: NotRequired[str]  # GitHub must not be asked before
    problem: NotRequired[Mapping[str, str]]  # Error and Cause of an earlier batch of the lane


class TokenSaid(TypedDict):
    """What GitHub reported about a token during the listing."""

    expires: NotRequired[str]
    limit: NotRequired[int]  # calls that GitHub grants an hour
    remaining: NotRequired[int]  # calls that are left, by its last answer
    refused: NotRequired[str]  # GitHub refuses the token: why
    login: NotRequired[str]  # the token's user; absent for an installation of an App
    minute: NotRequired[MinuteOfCalls]  # of the listing


class VersionEnd(TypedDict):
    """The days on which GitHub ends the version of its API that this system uses, as `2028-03-10`."""

    deprecated: NotRequired[str]
    sunset: NotRequired[str]


PUSH = "push"  # why a repository is left out: the token cannot push to it
TOKEN = "token"  # noqa: S105 - or of several tokens, none is for its owner


class ListedSoFar(TypedDict):
    """What GitHub listed so far, and why repositories of it are left out."""

    listed: int  # repositories, each once for the token that is used for it
    left_out: dict[str, int]  # how many repositories each reason leaves out: TOKEN, PUSH, or the key of a setting


class Listing(TypedDict):
    """How far the listing of repositories is."""

    owner: NotRequired[str]  # the owner whose token lists; the tokens list in the order of their owners
    next: NotRequired[str]  # the address of the next page
    parts: int  # objects of listed repositories written so far
    pauses: int  # waits at a secondary limit since the last answer
    listed_at: NotRequired[str]  # GitHub's own time
    tokens: NotRequired[dict[str, TokenSaid]]  # by their owners
    hidden_organizations: NotRequired[list[int]]  # ids of organizations the token is not authorized for (SSO)
    version_end: NotRequired[VersionEnd]  # if GitHub announces one
    missing: NotRequired[list[str]]  # names and owners in the settings that were not listed
    found: NotRequired[ListedSoFar]
    unselected: NotRequired[str]  # why no repository is selected at all
    globs: NotRequired[dict[str, list[str]]]  # in the settings, by parameter, without the form owner/name


class Manifest(TypedDict):
    """Where the Map finds its items."""

    bucket: str
    key: str  # the Map's items: the manifest, or the lanes if there are any
    at_once: NotRequired[int]  # children that run at once
    batches: int
    repositories: int
    not_due: NotRequired[dict[str, int]]  # how many others are due, by day
    held: NotRequired[str]  # for a replay from the archive: the available dates


class RunState(Redriven):
    """The state of the parent execution. List repositories gets the fields of the execution, too."""

    run: Run
    input: NotRequired[Mapping[str, Any]]
    listing: NotRequired[Listing]
    resume_at: NotRequired[str]
    manifest: NotRequired[Manifest]
    problem: NotRequired[Mapping[str, str]]  # Error and Cause that a Catch caught


class Summary(TypedDict):
    """What Summarize run returns, and the definition publishes."""

    run: Run
    outcome: Literal["succeeded", "failed"]
    error: str  # the execution's error; empty if it succeeded
    kind: Literal["healthy", "problem", "digest"]  # for filters; a digest is healthy and sums up a week
    wanted: bool  # whether the setting SummaryMail wants it published
    subject: str  # at most 100 ASCII characters (SNS)
    message: str
    cause: NotRequired[str]  # the reason of the error, in words


@final
class ArchivedAnswer(TypedDict):
    """One line of an archive object: one call to GitHub and its answer."""

    run: str
    repo_id: int
    repo: str  # the name that was asked for
    endpoint: Endpoint
    captured_at: str  # GitHub's `Date`
    status: int | None  # None if GitHub did not answer
    headers: dict[str, str]  # those that matter, lower case
    body: str  # GitHub's words, unchanged
    outcome: str  # "captured", or why not


@final
class ListedPage(TypedDict):
    """One line of an archived listing: one page of repositories, as GitHub sent it."""

    run: str
    owner: str  # the owner whose token listed; `*` for the token for all repositories
    url: str  # the address asked for
    captured_at: str  # GitHub's `Date`
    status: int
    headers: dict[str, str]  # those that matter, lower case
    body: str  # GitHub's words, unchanged except for `temp_clone_token`: a list of up to 100 repositories


@final
class ImportedHistory(TypedDict):
    """The only line of an archive object that an import wrote: what another tool kept about a repository."""

    source: str  # the tool
    files: list[str]  # their names
    repo_id: int
    repo: str  # owner/name
    imported_at: str
    new: bool  # the repository was not in the record yet: GitHub reported its id and name
    days: dict[str, dict[str, int]]  # per day, the metrics that the tool had
    # Per day of capture, what GitHub reported, and since when: by endpoint; or a running number, also with its source.
    snapshots: dict[str, dict[str, Any]]


class Recent(TypedDict):
    """GitHub's numbers for a repository's newest complete day, and for the two weeks that end with it."""

    day: str
    views: int
    before: NotRequired[int]  # views a week before
    weeks: NotRequired[list[list[int]]]  # views and clones in the 7 days up to the day, and in the 7 days before


class WindowEnd(TypedDict):
    """The end of a window that lists every day."""

    day: str
    behind: int  # days by which it ends too early for the time of its capture; usually 0


class Receipt(TypedDict):
    """What Store traffic read about one repository in one archive object."""

    id: int
    name: str
    repo_name: str  # the partition key of its days
    answered: list[Endpoint]  # or did not have to be asked for
    outcome: str  # "captured", or why not
    detail: str  # GitHub's words if it refused or failed
    items_changed: int
    lowered: int  # cells for which GitHub now reports less than is kept
    newest_day: str | None
    recent: NotRequired[Recent]  # if some day is complete
    ends: NotRequired[dict[str, WindowEnd]]  # for views and for clones, if GitHub lists every day of the window


def archive_prefix(day: str) -> str:
    """Return the folder of the archive for GitHub's answers on a day."""
    return f"answers/capture_date={day}/"


def listings_prefix(day: str) -> str:
    """Return the folder of the archive for the pages of the listings on a day."""
    return f"listings/capture_date={day}/"


def import_key(imported_at: str, digest: str, *, new: bool) -> str:
    """Return the key of an import's archive object. Objects can be stored again in the order of their names.

    An import that made a repository known is sorted among the captures of its time. An import that only added days
    comes after all captures: its days merge in any order, but it needs the repository, and the clock that named it may
    be behind GitHub's.
    """
    time = imported_at.replace("-", "").replace(":", "")
    name = f"{time}-import-{digest}" if new else f"import-{time}-{digest}"
    return f"imports/import_date={imported_at[:10]}/{name}.jsonl.gz"


def run_folder(run_id: str) -> str:
    """Return a run's folder: the name of the execution as one part of a path, even if the name is `..`."""
    name = quote(run_id, safe="")
    return name if name.strip(".") else name.replace(".", "%2E")


def manifest_key(run_id: str) -> str:
    """Return the key of the object that lists a run's batches."""
    return f"runs/{run_folder(run_id)}/manifest.json"


def lanes_key(run_id: str) -> str:
    """Return the key of the object that lists the lanes of a run with more repositories than children."""
    return f"runs/{run_folder(run_id)}/lanes.json"


def listing_key(run_id: str, part: int) -> str:
    """Return the key of an object with repositories that were listed so far."""
    return f"runs/{run_folder(run_id)}/listing/{part:05}.json"


def excluded_prefix(run_id: str) -> str:
    """Return the folder of the ids of repositories that were listed and that a setting leaves out."""
    return f"runs/{run_folder(run_id)}/excluded/"


def excluded_key(run_id: str, part: int) -> str:
    """Return the key of an object with such ids."""
    return f"{excluded_prefix(run_id)}{part:05}.json"


def not_due_key(run_id: str) -> str:
    """Return the key of the object with the ids of repositories that are not due in a run, by due day."""
    return f"runs/{run_folder(run_id)}/not-due.json"


def receipts_prefix(run_id: str) -> str:
    """Return the folder of a run's receipts; each object is a list of `Receipt`."""
    return f"runs/{run_folder(run_id)}/receipts/"


def problems_prefix(run_id: str) -> str:
    """Return the folder of GitHub's failures in a run; each object is a list of `ArchivedAnswer`."""
    return f"runs/{run_folder(run_id)}/problems/"


def stopped_prefix(run_id: str) -> str:
    """Return the folder of the notes on what ended a run, or one token's part of it."""
    return f"runs/{run_folder(run_id)}/stopped/"


def stopped_key(run_id: str, owner: str) -> str:
    """Return the key of the note that stops every Fetch traffic of a run that uses an owner's token."""
    return f"{stopped_prefix(run_id)}{quote(owner, safe='')}.json"


def summary_key(run_id: str) -> str:
    """Return the key of a run's summary."""
    return f"runs/{run_folder(run_id)}/summary.json"

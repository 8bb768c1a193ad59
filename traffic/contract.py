"""What travels between the states, and where things lie: the words that every part of the system shares.

Times are UTC in ISO 8601 with a `Z` (`2026-11-20T09:00:00Z`), days are `2026-11-20`.
"""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict, final
from urllib.parse import quote

Endpoint = Literal["views", "clones", "referrers", "paths"]

ENDPOINTS: tuple[Endpoint, ...] = ("views", "clones", "referrers", "paths")

# Who viewed what: of a repository that nobody viewed there is nothing to ask.
OF_VIEWERS: tuple[Endpoint, ...] = ("referrers", "paths")

METRICS = ("views-count", "views-uniques", "clones-count", "clones-uniques")


class Run(TypedDict):
    """One execution of the state machine."""

    id: str  # the execution's name
    started: str
    deadline: NotRequired[str]  # what is not fetched by then is reported as not reached
    date: NotRequired[str]  # the one day that a re-run is asked for
    arn: NotRequired[str]  # the execution's


class Redriven(TypedDict):
    """What a function reads of Step Functions' own description of an execution; it has more."""

    RedriveTime: NotRequired[str]  # when it was last redriven; missing if it never was


class Repository(TypedDict):
    """A repository to capture, and what is still to be asked of it."""

    id: int  # GitHub's numeric id: the identity
    name: str  # owner/name, as listed
    endpoints: NotRequired[list[Endpoint]]  # those not answered yet; all of them when absent
    passes: NotRequired[int]  # how many times it failed already


class Batch(TypedDict):
    """One item of the manifest: repositories to fetch, or an archive object to store again."""

    repositories: list[Repository]
    key: NotRequired[str]  # the archive object to store
    pauses: NotRequired[int]  # waits at a secondary limit since the last answer
    owner: NotRequired[str]  # whose token asks; absent for the one that is for everybody's repositories


class ChildState(Redriven):
    """What a child execution of the Map carries from state to state; Fetch traffic gets its execution, too."""

    run: Run
    batch: Batch
    parent: NotRequired[Redriven]  # the run's execution, as it was when the child started
    resume_at: NotRequired[str]  # GitHub wants to be left alone until then


class TokenSaid(TypedDict):
    """What GitHub said of a token when it listed."""

    expires: NotRequired[str]
    limit: NotRequired[int]  # calls that GitHub grants an hour
    remaining: NotRequired[int]  # calls left of them, when it last said so
    refused: NotRequired[str]  # that it does not take the token, and why


class VersionEnd(TypedDict):
    """When GitHub ends the version of its API that is asked for; days, `2028-03-10`."""

    deprecated: NotRequired[str]
    sunset: NotRequired[str]


class Listing(TypedDict):
    """How far the listing of repositories has come."""

    owner: NotRequired[str]  # whose token lists: one token after another, in the order of their owners
    next: NotRequired[str]  # the address of the next page
    parts: int  # objects of listed repositories written so far
    pauses: int  # waits at a secondary limit since the last answer
    listed_at: NotRequired[str]  # GitHub's own time
    tokens: NotRequired[dict[str, TokenSaid]]  # by their owners
    hidden_organizations: NotRequired[list[int]]  # ids of organizations the token is not authorized for (SSO)
    version_end: NotRequired[VersionEnd]  # where GitHub announces one
    missing: NotRequired[list[str]]  # names and owners of the settings that the listing did not bring


class Manifest(TypedDict):
    """Where the Map finds its items."""

    bucket: str
    key: str
    batches: int
    repositories: int
    not_due: NotRequired[dict[str, int]]  # how many more are not asked today, by the day on which they are due
    held: NotRequired[str]  # where a date is replayed from the archive: the dates that can be had


class RunState(Redriven):
    """What the parent execution carries from state to state; List repositories gets its execution, too."""

    run: Run
    input: NotRequired[Mapping[str, Any]]
    listing: NotRequired[Listing]
    resume_at: NotRequired[str]
    manifest: NotRequired[Manifest]
    problem: NotRequired[Mapping[str, str]]  # Error and Cause of what a Catch caught


class Summary(TypedDict):
    """What Summarize run says, and the definition publishes."""

    run: Run
    outcome: Literal["succeeded", "failed"]
    error: str  # the execution's error where it failed, else empty
    kind: Literal["healthy", "problem", "digest"]  # for filters; a digest is healthy, and sums a week up
    wanted: bool  # whether the setting SummaryMail wants it published
    subject: str  # at most 100 ASCII characters (SNS)
    message: str


@final
class ArchivedAnswer(TypedDict):
    """One line of an archive object: one call to GitHub and what came of it."""

    run: str
    repo_id: int
    repo: str  # the name it was asked under
    endpoint: Endpoint
    captured_at: str  # GitHub's `Date`
    status: int | None  # None where GitHub gave no answer
    headers: dict[str, str]  # those that matter, lower case
    body: str  # GitHub's words, untouched
    outcome: str  # "captured", or why not


@final
class ListedPage(TypedDict):
    """One line of an archived listing: one page of repositories, as GitHub sent it."""

    run: str
    owner: str  # the owner whose token listed; `*` for the token that is for everybody's repositories
    url: str  # the address asked for
    captured_at: str  # GitHub's `Date`
    status: int
    headers: dict[str, str]  # those that matter, lower case
    body: str  # GitHub's words, untouched except for `temp_clone_token`: a list of up to 100 repositories


@final
class ImportedHistory(TypedDict):
    """The one line of an archive object that an import wrote: what another tool had kept of a repository."""

    source: str  # the tool
    files: list[str]  # their names
    repo_id: int
    repo: str  # owner/name
    imported_at: str
    new: bool  # the repository was not in the record yet: GitHub told its id, and so its name
    days: dict[str, dict[str, int]]  # per day the metrics that the tool knew
    snapshots: dict[str, dict[str, Any]]  # per day of capture, and endpoint, what GitHub said of its window, and since


class Recent(TypedDict):
    """What GitHub said of a repository's newest whole day, and of the two weeks that end with it."""

    day: str
    views: int
    before: NotRequired[int]  # views a week before
    weeks: NotRequired[list[list[int]]]  # views and clones, of the 7 days up to the day and of the 7 before


class WindowEnd(TypedDict):
    """The end of a window of which GitHub lists every day."""

    day: str
    behind: int  # days by which it ends too early for the time of its capture; 0 as a rule


class Receipt(TypedDict):
    """What Store traffic found for one repository in one archive object."""

    id: int
    name: str
    repo_name: str  # the partition key its days lie under
    answered: list[Endpoint]  # or had nothing to be asked for
    outcome: str  # "captured", or why not
    detail: str  # what GitHub said, where it did not answer
    items_changed: int
    lowered: int  # cells for which GitHub now says less than is kept
    newest_day: str | None
    recent: NotRequired[Recent]  # where some day was told whole
    ends: NotRequired[dict[str, WindowEnd]]  # of views and of clones, where GitHub lists every day of the window


def archive_prefix(day: str) -> str:
    """Name the folder of the archive that holds what GitHub said on a day."""
    return f"answers/capture_date={day}/"


def listings_prefix(day: str) -> str:
    """Name the folder of the archive that holds the pages of the listings of a day."""
    return f"listings/capture_date={day}/"


def import_key(imported_at: str, digest: str, *, new: bool) -> str:
    """Name the archive object of an import, so that the order of names is one in which objects can be stored.

    What made a repository known stands among the captures of its time. What only added days to one comes after them
    all, as its days merge in any order, and it needs the repository: the clock it was named by may be behind GitHub's.
    """
    time = imported_at.replace("-", "").replace(":", "")
    name = f"{time}-import-{digest}" if new else f"import-{time}-{digest}"
    return f"imports/import_date={imported_at[:10]}/{name}.jsonl.gz"


def run_folder(run_id: str) -> str:
    """Name a run's folder by its execution's name, as one part of a path whatever that is: it may be called `..`."""
    name = quote(run_id, safe="")
    return name if name.strip(".") else name.replace(".", "%2E")


def manifest_key(run_id: str) -> str:
    """Name the object that lists a run's batches."""
    return f"runs/{run_folder(run_id)}/manifest.json"


def listing_key(run_id: str, part: int) -> str:
    """Name an object of repositories listed so far."""
    return f"runs/{run_folder(run_id)}/listing/{part:05}.json"


def not_due_key(run_id: str) -> str:
    """Name the object that lists the ids of those not asked in a run, by the day on which they are due."""
    return f"runs/{run_folder(run_id)}/not-due.json"


def receipts_prefix(run_id: str) -> str:
    """Name the folder of a run's receipts; each object is a list of `Receipt`."""
    return f"runs/{run_folder(run_id)}/receipts/"


def problems_prefix(run_id: str) -> str:
    """Name the folder of what GitHub left unanswered; each object is a list of `ArchivedAnswer`."""
    return f"runs/{run_folder(run_id)}/problems/"


def stopped_prefix(run_id: str) -> str:
    """Name the folder of what ended a run, or the part of it that one token asks for."""
    return f"runs/{run_folder(run_id)}/stopped/"


def stopped_key(run_id: str, owner: str) -> str:
    """Name the object whose presence tells every Fetch of a run to stop that asks with an owner's token."""
    return f"{stopped_prefix(run_id)}{quote(owner, safe='')}.json"


def summary_key(run_id: str) -> str:
    """Name the object that keeps a run's summary."""
    return f"runs/{run_folder(run_id)}/summary.json"

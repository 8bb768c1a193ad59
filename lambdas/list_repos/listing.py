"""Lists the repositories that the token can push to, page by page."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from requests.utils import parse_header_links
from urllib3.exceptions import LocationParseError

from lambdas.list_repos.listed_pages import KeepPage
from lambdas.shared.settings import Selection
from traffic.clock import from_http, to_text
from traffic.contract import Batch, Listing, Repository, TokenSaid
from traffic.errors import GitHubAuthError, GitHubRejectionError, GitHubUnavailableError, InvalidSettingError
from traffic.github.answers import Answer, Meaning, classify, is_web_page, not_the_api, version_end
from traffic.github.client import GitHub
from traffic.github.rate_limit import rate_limit_pause
from traffic.github.tokens import ANYONE

FIRST_PAGE = "/user/repos?per_page=100"
RESERVE = 100.0  # seconds of the function's own time, left for planning what was listed: 100,000 entries are read
LONGEST_WAIT = 172_800.0  # seconds
SINGLES = 200  # up to so many repositories each has a child execution of its own, to be seen in the console
BATCH = 25
PAGES = (Meaning.FINE, Meaning.BAD_TOKEN, Meaning.REFUSED)  # with these GitHub's API sends JSON, never a web page

# The listing travels from state to state: what headers say in it is bounded.
HIDDEN = 1_000  # organizations; an id is about ten bytes
TOKEN_EXPIRES = 40  # characters; GitHub's own are 25


@dataclass
class Pages:
    """What one call of List repositories read.

    Attributes:
        repositories: Those that can be pushed to and are wanted: all of 100,000 descriptions would fill the memory.
        listing: How far it came.
        resume_at: When GitHub may be asked again; None for at once, or never where `listing` has no `next`.
    """

    listing: Listing
    repositories: list[Repository] = field(default_factory=list)
    resume_at: datetime | None = None


def read_pages(  # noqa: PLR0913  # one keyword for each thing outside of it: clock, remaining time, archive
    github: GitHub,
    listing: Listing,
    selection: Selection,
    *,
    now: Callable[[], datetime],
    seconds_left: Callable[[], float],
    keep_page: KeepPage,
) -> Pages:
    """Read pages from where the listing stands, as far as GitHub and the clock allow; each whole page is archived.

    Raises:
        GitHubUnavailableError: GitHub does not answer; the state machine retries.
        GitHubAuthError: The token is refused, or may not list.
        GitHubRejectionError: GitHub finds the request wrong.
        InvalidSettingError: It is not GitHub's API that answers.
    """
    pages = Pages({**listing})
    url = listing.get("next", FIRST_PAGE)
    while True:
        pages.listing["next"] = url
        if seconds_left() < RESERVE:
            return pages
        answer = github.get(url)
        meaning = classify(answer).meaning
        if meaning in (Meaning.LIMITED, Meaning.SECONDARY_LIMITED):
            pause = min(rate_limit_pause(answer, now(), attempt=pages.listing["pauses"]), LONGEST_WAIT)
            pages.resume_at = now() + timedelta(seconds=pause)
            pages.listing["pauses"] += 1
            return pages
        _raise_unless_fine(github, answer, meaning, first="listed_at" not in pages.listing)
        found = _repositories(answer)
        _note_headers(pages.listing, answer, now())
        keep_page(pages.listing.get("owner", ANYONE), github.address(url), pages.listing["listed_at"], answer)
        pages.repositories += select(found, selection)
        following = _next_page(github, answer)
        if following is None:
            del pages.listing["next"]
            return pages
        url = following


def select(found: Iterable[Mapping[str, Any]], selection: Selection) -> list[Repository]:
    """Keep the repositories that can be pushed to and are wanted."""
    return [
        Repository(id=repository["id"], name=repository["full_name"])
        for repository in found
        if (repository.get("permissions") or {}).get("push") and _is_wanted(repository, selection)
    ]


def in_order(found: Iterable[Repository]) -> list[Repository]:
    """Give each repository once, in the order of their names: pages shift while they are read."""
    once = {repository["id"]: repository for repository in found}
    return sorted(once.values(), key=lambda repository: repository["name"].lower())


def missing_names(selected: Sequence[Repository], selection: Selection) -> list[str]:
    """Name the repositories that the settings ask for by name and that were not found, and owners that brought none."""
    found = {repository["name"].lower() for repository in selected}
    owners = {name.partition("/")[0] for name in found}
    return [name for name in selection.names if name.lower() not in found] + [
        owner for owner in selection.owners if owner not in owners
    ]


def plan_batches(asked: Mapping[str, Sequence[Repository]]) -> list[Batch]:
    """Cut the run into the items of the Map: one repository each, or 25 where they are more than 200.

    A batch is asked for with one token. Those of several alternate, so that all of their limits are used at once: the
    few children that run at a time would else wait for one token while the others lie idle.

    Args:
        asked: Repositories by the owner whose token asks.
    """
    size = 1 if sum(map(len, asked.values())) <= SINGLES else BATCH
    placed: list[tuple[float, Batch]] = []
    for owner, repositories in asked.items():
        for start in range(0, len(repositories), size):
            batch: Batch = {"repositories": list(repositories[start : start + size])}
            placed.append((start / len(repositories), batch if owner == ANYONE else {**batch, "owner": owner}))
    return [batch for _, batch in sorted(placed, key=lambda each: each[0])]


def _is_wanted(repository: Mapping[str, Any], selection: Selection) -> bool:
    name = repository["full_name"].lower()
    kinds = {"fork": selection.forks, "archived": selection.archived}
    return (
        _has_source(name, selection)
        and (not selection.include or any(fnmatchcase(name, glob.lower()) for glob in selection.include))
        and not any(fnmatchcase(name, glob.lower()) for glob in selection.exclude)
        and (not selection.topics or any(topic.lower() in selection.topics for topic in repository.get("topics") or ()))
        and (not selection.visibility or _visibility(repository) in selection.visibility)
        and all(
            choice == "include" or bool(repository.get(kind)) is (choice == "only") for kind, choice in kinds.items()
        )
    )


def _has_source(name: str, selection: Selection) -> bool:
    """Tell whether a repository is asked for by its owner or by its name, or none is asked for."""
    return (
        not (selection.owners or selection.names)
        or name.partition("/")[0] in selection.owners
        or name in {wanted.lower() for wanted in selection.names}
    )


def _visibility(repository: Mapping[str, Any]) -> str:
    """Give the visibility; older GitHub Enterprise Servers tell only whether a repository is private."""
    return str(repository.get("visibility") or ("private" if repository.get("private") else "public")).lower()


def _raise_unless_fine(github: GitHub, answer: Answer, meaning: Meaning, *, first: bool) -> None:
    """Raise what an answer means that is not a page of the listing.

    Args:
        github: Who answered.
        answer: What came.
        meaning: What it means.
        first: Whether nothing was listed in this run yet. Otherwise GITHUB_API_URL is right, and what is not GitHub's
            API stood in its place for a moment.
    """
    said = f"{answer.status or 'no answer'}: {answer.message()}"
    stranger = _stranger(answer, meaning)
    if stranger and first:
        raise InvalidSettingError(not_the_api(github.api_url, stranger))
    if stranger or meaning is Meaning.TRANSIENT:
        raise GitHubUnavailableError(f"GitHub does not list the repositories ({said})")
    if meaning is Meaning.FINE:
        return
    if meaning is Meaning.OUR_BUG:
        raise GitHubRejectionError(f"GitHub rejects the listing of repositories ({said})")
    raise GitHubAuthError(f"GitHub does not let this token list its repositories ({said})")


def _stranger(answer: Answer, meaning: Meaning) -> str:
    """Name an answer that GitHub's API never gives to a listing; empty for any other. A page with 5xx is GitHub's.

    Sign-in pages come with status 200, 401 or 403: then a new token would not help, and GitHub refused none.
    """
    if meaning is Meaning.MOVED:  # elsewhere, or in a circle: on the same host it would have been followed
        return "a redirect"
    if meaning in PAGES and is_web_page(answer.headers, answer.body):
        return "a web page"
    return "404 (not found)" if answer.status == 404 else ""


def _repositories(answer: Answer) -> list[Mapping[str, Any]]:
    """Read a page.

    Raises:
        GitHubUnavailableError: It is not what GitHub documents: half an answer, or none.
    """
    try:
        page = list(answer.json())
        whole = all(isinstance(found["id"], int) and found["full_name"].count("/") == 1 for found in page)
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise GitHubUnavailableError("GitHub's list of repositories is not whole, or not a list") from exc
    if not whole:
        raise GitHubUnavailableError("GitHub lists a repository without id or name")
    return page


def _note_headers(listing: Listing, answer: Answer, now: datetime) -> None:
    listing["pauses"] = 0
    listing["listed_at"] = to_text(from_http(answer.headers.get("date")) or now)
    said: TokenSaid = {}
    limit, remaining = (answer.headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining"))
    if all(number.isascii() and number.isdigit() for number in (limit, remaining)):
        said["limit"], said["remaining"] = int(limit), int(remaining)
    expires = answer.headers.get("github-authentication-token-expiration")
    if expires:
        said["expires"] = expires[:TOKEN_EXPIRES]
    listing["tokens"] = {**listing.get("tokens", {}), listing.get("owner", ANYONE): said}
    end = version_end(answer.headers)
    if end:
        listing["version_end"] = end
    partial = answer.headers.get("x-github-sso", "")
    if partial.startswith("partial-results"):
        ids = {int(part) for part in partial.partition("organizations=")[2].split(",") if part.strip().isdigit()}
        listing["hidden_organizations"] = sorted(ids | set(listing.get("hidden_organizations", [])))[:HIDDEN]


def _next_page(github: GitHub, answer: Answer) -> str | None:
    """Return the address of the next page, on the configured host, which alone may see the token.

    Raises:
        GitHubRejectionError: It cannot be read.
    """
    links = parse_header_links(answer.headers.get("link", ""))
    url = next((link["url"] for link in links if link.get("rel") == "next"), None)
    if url is None:
        return None
    try:
        return github.on_own_host(url)
    except LocationParseError as exc:
        raise GitHubRejectionError("GitHub names an address of the next page that cannot be read.") from exc

"""Lists the repositories that the token can push to, page by page."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from requests.utils import parse_header_links
from urllib3.exceptions import LocationParseError

from lambdas.list_repos.page_archive import KeepPage
from lambdas.list_repos.selection import left_out_by
from lambdas.shared.environment import Selection
from traffic.clock import LONGEST_WAIT, from_http, to_text
from traffic.contract import PUSH, TOKEN, ListedSoFar, Listing, Repository, TokenSaid
from traffic.errors import GitHubAuthError, GitHubRejectionError, GitHubUnavailableError, InvalidSettingError
from traffic.github.answers import NOT_GITHUBS, Answer, Meaning, classify, not_the_api, stranger, version_end
from traffic.github.client import GitHub
from traffic.github.pace import LONGEST_SLEEP, Pace
from traffic.github.rate_limit import rate_limit_pause, reserve_pause
from traffic.github.tokens import ANYONE, token_owner
from traffic.planning import by_user, minute_of

USER = "/user"
FIRST_PAGE = "/user/repos?per_page=100"
RESERVE = 100.0  # seconds of the function's own time that are left for planning: it reads up to 100,000 entries

# The listing travels from state to state, so texts from headers are bounded.
HIDDEN = 1_000  # organizations; an id is about ten bytes
TOKEN_EXPIRES = 40  # characters; GitHub's own are 25
LOGIN = 100  # characters; GitHub allows 39


@dataclass
class Pages:
    """The pages that one call of List repositories read.

    Attributes:
        repositories: The selected ones. The descriptions of 100,000 repositories would fill the memory.
        excluded: The ids of those that a setting leaves out.
        listing: How far the listing is.
        resume_at: When GitHub may be asked again; None for at once, or if `listing` has no `next`.
    """

    listing: Listing
    repositories: list[Repository] = field(default_factory=list)
    excluded: list[int] = field(default_factory=list)
    resume_at: datetime | None = None


def read_pages(  # noqa: PLR0913  # a keyword for each thing outside: clock, remaining time, archive
    github: GitHub,
    listing: Listing,
    selection: Selection,
    owners: Collection[str],
    *,
    now: Callable[[], datetime],
    seconds_left: Callable[[], float],
    keep_page: KeepPage,
) -> Pages:
    """Read and archive the next pages of the listing, as far as GitHub and the clock allow.

    Ask first whose token it is, once in a run: all tokens of a user share GitHub's limits.

    Args:
        github: The client that asks.
        listing: How far the listing is, and with whose token it goes on.
        selection: The settings.
        owners: All owners that have a token. A repository counts for the token of its owner.
        now: The time.
        seconds_left: The time that the function has left.
        keep_page: Archives a page.

    Raises:
        GitHubUnavailableError: GitHub does not answer; the state machine retries.
        GitHubAuthError: The token is refused, or may not list.
        GitHubRejectionError: GitHub finds the request wrong.
        InvalidSettingError: Something other than GitHub's API answers.
    """
    pages = Pages({**listing})
    url = listing.get("next", FIRST_PAGE)
    ask_user = listing.get("owner", ANYONE) not in listing.get("tokens", {})
    while True:
        pages.listing["next"] = url
        spare = seconds_left() - RESERVE
        if spare < 0:
            return pages
        pause = _pause(pages.listing, now())
        if pause > min(LONGEST_SLEEP, spare):
            pages.resume_at = now() + timedelta(seconds=pause)
            return pages
        time.sleep(pause)
        begun = now()
        answer = github.get(USER if ask_user else url)
        meaning = classify(answer).meaning
        if meaning in (Meaning.LIMITED, Meaning.SECONDARY_LIMITED):
            pause = min(rate_limit_pause(answer, now(), attempt=pages.listing["pauses"]), LONGEST_WAIT)
            pages.resume_at = now() + timedelta(seconds=pause)
            pages.listing["pauses"] += 1
            return pages
        first = "listed_at" not in pages.listing
        if ask_user:
            _note_user(github, pages.listing, answer, first=first)
            _count(pages.listing, begun, now())
            ask_user = False
            continue
        _raise_unless_fine(github, answer, meaning, first=first)
        found = _repositories(github, answer, first=first)
        _note_headers(pages.listing, answer, now())
        _count(pages.listing, begun, now())
        keep_page(pages.listing.get("owner", ANYONE), github.address(url), pages.listing["listed_at"], answer)
        _take(pages, found, selection, owners)
        following = _next_page(github, answer)
        if following is None:
            del pages.listing["next"]
            return pages
        url = following
        reserve = reserve_pause(answer, now())
        if reserve is not None:  # the rest of the limit is for the owner's other tools
            pages.listing["next"] = url
            pages.resume_at = now() + timedelta(seconds=min(reserve, LONGEST_WAIT))
            return pages


def _pause(listing: Listing, now: datetime) -> float:
    """Return how many seconds to wait so that the user's calls stay below GitHub's limits of a minute.

    A server that sends no limit, such as an Enterprise Server, sets no pace.
    """
    owner, tokens = listing.get("owner", ANYONE), listing.get("tokens", {})
    if "limit" not in tokens.get(owner, {}):
        return 0.0
    user = next(owners for owners in by_user(tokens, tokens).values() if owner in owners)
    return Pace(minute_of(user, tokens, now.timestamp())).pause(1, now.timestamp())


def _count(listing: Listing, begun: datetime, ended: datetime) -> None:
    """Add a call to the last minute of its token, and forget what is older."""
    owner = listing.get("owner", ANYONE)
    tokens: dict[str, TokenSaid] = {}
    for each, token in listing["tokens"].items():
        pace = Pace(token.get("minute", []))
        if each == owner:
            pace.begin(1)
            pace.end(ended.timestamp(), [(ended - begun).total_seconds()])
        tokens[each] = {**token, "minute": pace.minute(ended.timestamp())}
    listing["tokens"] = tokens


def _take(pages: Pages, page: Sequence[Mapping[str, Any]], selection: Selection, owners: Collection[str]) -> None:
    """Add the repositories of a page for which this token is used; those for whose owner there is no token count."""
    listing = pages.listing
    before = listing.get("found", ListedSoFar(listed=0, left_out={}))
    listed, left_out = before["listed"], Counter(before["left_out"])
    for repository in page:
        owner = token_owner(repository["full_name"], owners)
        if (owner or min(owners)) != listing.get("owner", ANYONE):
            continue  # it counts for another token
        listed += 1
        reasons = [TOKEN] if owner is None else left_out_by(repository, selection)
        left_out.update(reasons)
        if not reasons:
            pages.repositories.append(Repository(id=repository["id"], name=repository["full_name"]))
        elif reasons[0] not in (TOKEN, PUSH):
            pages.excluded.append(repository["id"])
    listing["found"] = ListedSoFar(listed=listed, left_out=dict(left_out))


def _note_user(github: GitHub, listing: Listing, answer: Answer, *, first: bool) -> None:
    """Note whose token it is. GitHub answers 403 to an installation of an App, which has limits of its own.

    Source:
        https://docs.github.com/en/rest/users/users#get-the-authenticated-user
    """
    token: TokenSaid = {}
    if answer.status != 403:
        _raise_unless_fine(github, answer, classify(answer).meaning, first=first)
        try:
            user = answer.json()
            if first and "login" not in user:
                raise InvalidSettingError(not_the_api(github.api_url, NOT_GITHUBS))
            token["login"] = user["login"][:LOGIN]
        except (ValueError, TypeError, KeyError) as exc:
            raise GitHubUnavailableError("GitHub does not answer whose token it is") from exc
    listing["pauses"] = 0
    listing["tokens"] = {**listing.get("tokens", {}), listing.get("owner", ANYONE): token}


def _raise_unless_fine(github: GitHub, answer: Answer, meaning: Meaning, *, first: bool) -> None:
    """Raise the error for an answer that is not a page of the listing.

    Args:
        github: The client that asked.
        answer: The answer.
        meaning: What it means.
        first: Whether this run has listed nothing yet. Otherwise GITHUB_API_URL is right, and something else answered
            in its place for a moment.
    """
    reason = f"{answer.status or 'no answer'}: {answer.message()}"
    instead = stranger(answer) or ("404 (not found)" if answer.status == 404 else "")
    if instead and first:
        raise InvalidSettingError(not_the_api(github.api_url, instead))
    if instead or meaning is Meaning.TRANSIENT:
        raise GitHubUnavailableError(f"GitHub does not list the repositories ({reason})")
    if meaning is Meaning.FINE:
        return
    if meaning is Meaning.OUR_BUG:
        raise GitHubRejectionError(f"GitHub rejects the listing of repositories ({reason})")
    raise GitHubAuthError(f"GitHub does not let this token list its repositories ({reason})")


def _repositories(github: GitHub, answer: Answer, *, first: bool) -> list[Mapping[str, Any]]:
    """Read a page.

    Raises:
        InvalidSettingError: It is the first page, and a complete answer of another server.
        GitHubUnavailableError: It is not what GitHub documents, or only a part of it.
    """
    try:
        page = answer.json()
        if first and not isinstance(page, list):
            raise InvalidSettingError(not_the_api(github.api_url, NOT_GITHUBS))
        page = list(page)
        complete = all(isinstance(found["id"], int) and found["full_name"].count("/") == 1 for found in page)
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise GitHubUnavailableError("GitHub's list of repositories is incomplete, or not a list") from exc
    if not complete:
        raise GitHubUnavailableError("GitHub lists a repository without id or name")
    return page


def _note_headers(listing: Listing, answer: Answer, now: datetime) -> None:
    listing["pauses"] = 0
    listing["listed_at"] = to_text(from_http(answer.headers.get("date")) or now)
    owner, tokens = listing.get("owner", ANYONE), listing.get("tokens", {})
    token: TokenSaid = {}
    known = tokens.get(owner, {})
    if "login" in known:
        token["login"] = known["login"]
    if "minute" in known:
        token["minute"] = known["minute"]
    limit, remaining = (answer.headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining"))
    if all(number.isascii() and number.isdigit() for number in (limit, remaining)):
        token["limit"], token["remaining"] = int(limit), int(remaining)
    expires = answer.headers.get("github-authentication-token-expiration")
    if expires:
        token["expires"] = expires[:TOKEN_EXPIRES]
    listing["tokens"] = {**tokens, owner: token}
    end = version_end(answer.headers)
    if end:
        listing["version_end"] = end
    partial = answer.headers.get("x-github-sso", "")
    if partial.startswith("partial-results"):
        ids = {int(part) for part in partial.partition("organizations=")[2].split(",") if part.strip().isdigit()}
        listing["hidden_organizations"] = sorted(ids | set(listing.get("hidden_organizations", [])))[:HIDDEN]


def _next_page(github: GitHub, answer: Answer) -> str | None:
    """Return the address of the next page on the configured host: no other host may see the token.

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
        raise GitHubRejectionError("GitHub sends an invalid address of the next page.") from exc

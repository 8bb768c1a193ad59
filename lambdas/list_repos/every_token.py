"""Lists with one token after another, where there are several."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from lambdas.list_repos.page_archive import KeepPage
from lambdas.list_repos.pages import Pages, read_pages
from lambdas.shared.deployed import github, read_tokens
from lambdas.shared.embedded_metrics import counted
from lambdas.shared.environment import Selection
from traffic.contract import Listing, Repository, TokenSaid
from traffic.errors import GitHubAuthError
from traffic.github.tokens import ANYONE, token_owner, token_text

# Refused tokens that are kept with GitHub's words: the listing travels between states, and the summary shows as many.
QUOTED = 50


def read_all(listing: Listing, wanted: Selection, seconds_left: Callable[[], float], keep_page: KeepPage) -> Pages:
    """List with one token after another, from where the listing stands.

    A token that GitHub refuses keeps nobody else's repositories from being captured: it is noted, and fails the run
    when these are.

    Raises:
        GitHubAuthError: GitHub refuses all tokens.
        GitHubUnavailableError, GitHubRejectionError, InvalidSettingError, TokenUnavailableError: As for one.
    """
    owners = sorted(read_tokens(fresh="owner" not in listing))  # once in a run: owners may have come and gone
    pages = Pages({**listing})
    for owner in [owner for owner in owners if owner >= listing.get("owner", "")]:
        try:
            read = read_with(owner, pages.listing, wanted, seconds_left, keep_page)
        except GitHubAuthError as exc:
            note_refusal(pages.listing, owner, exc, owners)
            continue
        found = [each for each in read.repositories if token_owner(each["name"], owners) == owner]
        pages = Pages(read.listing, [*pages.repositories, *found], read.resume_at)
        if "next" in pages.listing:
            break
    return pages


def read_with(
    owner: str, listing: Listing, wanted: Selection, seconds_left: Callable[[], float], keep_page: KeepPage
) -> Pages:
    """List with the token of an owner."""
    if owner != listing.get("owner", owner):
        listing = {**listing, "pauses": 0}
    with counted(github(owner)):
        return read_pages(
            github(owner),
            {**listing, "owner": owner},
            wanted,
            now=lambda: datetime.now(UTC),
            seconds_left=seconds_left,
            keep_page=keep_page,
        )


def note_refusal(listing: Listing, owner: str, exc: GitHubAuthError, owners: Sequence[str]) -> None:
    """Note that GitHub refuses a token.

    Raises:
        GitHubAuthError: It is the last one, and GitHub refused all of them.
    """
    said = dict(listing.get("tokens", {}))
    many = sum("refused" in each for each in said.values())
    said[owner] = TokenSaid(refused=f"{token_text(owner)}: {exc}" if many < QUOTED else token_text(owner))
    if all("refused" in said.get(each, {}) for each in owners):
        raise exc
    listing["tokens"] = said
    listing.pop("next", None)


def by_token(repositories: Sequence[Repository]) -> dict[str, list[Repository]]:
    """Sort repositories by the owner whose token asks for them."""
    owners = read_tokens()
    sorted_by: dict[str, list[Repository]] = {}
    for repository in repositories:
        sorted_by.setdefault(token_owner(repository["name"], owners) or ANYONE, []).append(repository)
    return sorted_by

"""Lists repositories with one token after another, if there are several."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from lambdas.list_repos.page_archive import KeepPage
from lambdas.list_repos.pages import Pages, read_pages
from lambdas.shared.embedded_metrics import counted
from lambdas.shared.environment import Selection
from lambdas.shared.github_access import github, read_tokens
from traffic.contract import Listing, Repository, TokenSaid
from traffic.errors import GitHubAuthError
from traffic.github.tokens import ANYONE, token_owner, token_text

# Refused tokens for which GitHub's words are kept: the listing travels between states, and the summary shows so many.
QUOTED = 50


def read_all(listing: Listing, wanted: Selection, seconds_left: Callable[[], float], keep_page: KeepPage) -> Pages:
    """Go on with the listing, with one token after another.

    If GitHub refuses a token, the repositories of the other tokens are captured all the same. The refusal is noted, and
    the run fails at its end.

    Raises:
        GitHubAuthError: GitHub refuses all tokens.
        GitHubUnavailableError, GitHubRejectionError, InvalidSettingError, TokenUnavailableError: As for one token.
    """
    owners = sorted(read_tokens(fresh="owner" not in listing))  # once in a run: owners may have changed
    pages = Pages({**listing})
    for owner in [owner for owner in owners if owner >= listing.get("owner", "")]:
        try:
            read = read_with(owner, owners, pages.listing, wanted, seconds_left, keep_page)
        except GitHubAuthError as exc:
            note_refusal(pages.listing, owner, exc, owners)
            continue
        both = [*pages.repositories, *read.repositories], [*pages.excluded, *read.excluded]
        pages = Pages(read.listing, *both, read.resume_at)
        if "next" in pages.listing:
            break
    return pages


def read_with(  # noqa: PLR0913, PLR0917 - as for `read_pages`
    owner: str,
    owners: Sequence[str],
    listing: Listing,
    wanted: Selection,
    seconds_left: Callable[[], float],
    keep_page: KeepPage,
) -> Pages:
    """List with the token of one of the owners."""
    if owner != listing.get("owner", owner):
        listing = {**listing, "pauses": 0}
    with counted(github(owner)):
        return read_pages(
            github(owner),
            {**listing, "owner": owner},
            wanted,
            owners,
            now=lambda: datetime.now(UTC),
            seconds_left=seconds_left,
            keep_page=keep_page,
        )


def note_refusal(listing: Listing, owner: str, exc: GitHubAuthError, owners: Sequence[str]) -> None:
    """Note that GitHub refuses a token.

    Raises:
        GitHubAuthError: It is the last token, and GitHub refused all of them.
    """
    tokens = dict(listing.get("tokens", {}))
    many = sum("refused" in each for each in tokens.values())
    refused = TokenSaid(refused=f"{token_text(owner)}: {exc}" if many < QUOTED else token_text(owner))
    tokens[owner] = {**tokens.get(owner, {}), **refused}  # what it listed before is captured with its limits
    if all("refused" in tokens.get(each, {}) for each in owners):
        raise exc
    listing["tokens"] = tokens
    listing.pop("next", None)


def by_token(repositories: Sequence[Repository]) -> dict[str, list[Repository]]:
    """Group repositories by the owner whose token asks for them."""
    owners = read_tokens()
    sorted_by: dict[str, list[Repository]] = {}
    for repository in repositories:
        sorted_by.setdefault(token_owner(repository["name"], owners) or ANYONE, []).append(repository)
    return sorted_by

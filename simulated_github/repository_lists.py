"""The lists of repositories, page by page: `/user/repos` and `/installation/repositories`."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlencode

from simulated_github.account import Credentials, SimulatedAccount, SimulatedRepository, bearer
from simulated_github.replies import DOCS, Reply, Request, error, json_reply
from simulated_github.representation import repository_object

MOST_PER_PAGE = 100
FILTERS = {"type", "visibility", "affiliation"}
LIST_DOCS = f"{DOCS}/repos/repos#list-repositories-for-the-authenticated-user"
INSTALLATION_DOCS = f"{DOCS}/apps/installations#list-repositories-accessible-to-the-app-installation"


def listing_reply(request: Request, account: SimulatedAccount, credentials: Credentials) -> Reply:
    """Answer a list: the repositories of a person, or of an App's installation (tokens `ghs_...`)."""
    token = bearer(request.headers.get("Authorization", ""))
    installation = token.startswith("ghs_")
    visible = _visible(account)
    if credentials.are_granted:
        visible = [repository for repository in visible if credentials.sees(token, repository.owner)]
    if request.path == "/user/repos":
        return _not_for_apps() if installation else _user_listing(request, account, visible)
    return _installation_listing(request, account, visible) if installation else _for_apps_only()


def _user_listing(request: Request, account: SimulatedAccount, visible: Sequence[SimulatedRepository]) -> Reply:
    """Answer `/user/repos`."""
    query = request.query
    if "type" in query and ("affiliation" in query or "visibility" in query):
        return error(422, "If you specify visibility or affiliation, you cannot specify type.", LIST_DOCS)
    shown = _ordered(_filtered(visible, query, account), query)
    page, links = _page(shown, request)
    reply = json_reply(200, [repository_object(account, repository, request.api) for repository in page])
    if account.hidden_owners:
        ids = ",".join(map(str, account.hidden_owners.values()))
        reply = reply.with_headers(X_GitHub_SSO=f"partial-results; organizations={ids}")
    return reply.with_headers(Link=links) if links else reply


def _installation_listing(request: Request, account: SimulatedAccount, shown: Sequence[SimulatedRepository]) -> Reply:
    """Answer `/installation/repositories`."""
    page, links = _page(shown, request)
    objects = [repository_object(account, repository, request.api) for repository in page]
    content = {"total_count": len(shown), "repository_selection": "selected", "repositories": objects}
    reply = json_reply(200, content)
    return reply.with_headers(Link=links) if links else reply


def _not_for_apps() -> Reply:
    """Refuse `/user/repos` to an App."""
    return error(403, "Resource not accessible by integration", LIST_DOCS)


def _for_apps_only() -> Reply:
    """Refuse `/installation/repositories` to a person."""
    message = (
        "You must authenticate with an installation access token in order to list repositories for an installation."
    )
    return error(403, message, INSTALLATION_DOCS)


def _visible(account: SimulatedAccount) -> Sequence[SimulatedRepository]:
    """Return the repositories that no organization hides."""
    if not account.hidden_owners:
        return account.sorted_by_name()
    return [one for one in account.sorted_by_name() if one.owner.lower() not in account.hidden_owners]


def _filtered(
    visible: Sequence[SimulatedRepository], query: Mapping[str, str], account: SimulatedAccount
) -> list[SimulatedRepository]:
    """Apply the filters; without any, a page of 10,000 repositories takes little time."""
    if not FILTERS & query.keys():
        return list(visible)
    return [repository for repository in visible if _wanted(repository, query, account)]


def _wanted(repository: SimulatedRepository, query: Mapping[str, str], account: SimulatedAccount) -> bool:
    """Return whether a repository passes the filters."""
    own = repository.owner.lower() == account.login.lower()
    affiliation = query.get("affiliation", "owner,collaborator,organization_member").split(",")
    kinds: dict[str, Callable[[], bool]] = {
        "owner": lambda: own,
        "member": lambda: not own,
        "public": lambda: repository.visibility == "public",
        "private": lambda: repository.visibility != "public",
    }
    wanted = [kinds.get(query.get(name, "all"), lambda: True)() for name in ("type", "visibility")]
    return all(wanted) and ("owner" if own else "organization_member") in affiliation


def _ordered(shown: list[SimulatedRepository], query: Mapping[str, str]) -> list[SimulatedRepository]:
    """Order by name, which is the present order, or by age."""
    by_age = query.get("sort", "full_name") != "full_name"
    backwards = query.get("direction", "desc" if by_age else "asc") == "desc"
    if by_age:
        shown.sort(key=lambda repository: repository.id)
    return shown[::-1] if backwards else shown


def _page(shown: Sequence[SimulatedRepository], request: Request) -> tuple[Sequence[SimulatedRepository], str]:
    """Return the requested page, and the `Link` header, which is empty if there is only one page."""
    size = min(_number(request.query.get("per_page"), 30), MOST_PER_PAGE)
    page = _number(request.query.get("page"), 1)
    last = max(1, -(-len(shown) // size))
    pages = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    relations = (
        ["prev", "first"]
        if page > last
        else [*(["prev"] if page > 1 else []), *(["next", "last"] if page < last else [])]
    )
    if 1 < page <= last:
        relations.append("first")
    links = [f'<{_page_url(request, min(pages[rel], last))}>; rel="{rel}"' for rel in relations]
    return shown[(page - 1) * size : page * size], ", ".join(links)


def _page_url(request: Request, page: int) -> str:
    """Return the address of a page, on the host of the request."""
    return f"{request.api}{request.path}?{urlencode({**request.query, 'page': str(page)})}"


def _number(text: str | None, default: int) -> int:
    """Parse a positive number; GitHub ignores anything else."""
    return int(text) if text and text.isdecimal() and int(text) > 0 else default

"""Every way in which GitHub fails or refuses, by name.

A fault turns GitHub's own reply, and the circumstances, into the reply that is sent instead. Bodies and headers follow
recorded answers (hub4j/github-api, MIT) and GitHub's documentation.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Literal

from simulated_github import replies
from simulated_github.replies import HTML_TYPE, LOGIN, SECONDARY_DOCS, SECONDARY_MESSAGE, TRAFFIC_DOCS, Reply, error
from simulated_github.simulated_clock import parse_time

SecondaryVariant = Literal["all", "message", "abuse", "documentation", "header", "bare"]
PRIVATE_PAGES = "Upgrade to GitHub Pro or make this repository public to enable this feature."


@dataclass(frozen=True)
class Circumstances:
    """The facts that a fault may depend on."""

    now: datetime  # simulated
    owner: str  # of the requested repository, or the account
    user_id: int
    canonical_url: str  # the same resource by the repository's id
    path: str = ""  # of the call, with its query
    api: str = ""  # the API's own address, without a slash at the end
    answer_at: Callable[[datetime], Reply] | None = None  # returns GitHub's own reply at another time


@dataclass(frozen=True)
class Fault:
    """One kind of failure."""

    name: str
    spoil: Callable[[Reply, Circumstances], Reply]


def _instead(name: str, reply: Reply) -> Fault:
    """Return a fault that always sends the same reply."""
    return Fault(name, lambda _reply, _circumstances: reply)


def server_error(status: int = 502) -> Fault:
    """GitHub's servers fail: 500, 502, 503, 504."""
    return _instead("server_error", replace(error(status, "Server Error"), from_edge=True))


def unicorn(status: int = 503) -> Fault:
    """GitHub's page for a server that is too busy."""
    page = "<!DOCTYPE html>\n<html><head><title>Unicorn! &middot; GitHub</title></head><body>No server is currently "
    page += "available to service your request.</body></html>\n"
    return _instead("unicorn", Reply(status, page.encode(), {"content-type": HTML_TYPE}, from_edge=True))


def html_200() -> Fault:
    """A page instead of JSON, with status 200: a proxy's login, or GitHub's status page."""
    return _instead("html_200", replies.login_page())


def html_refusal(status: int = 401) -> Fault:
    """A page instead of JSON, with status 401, 403 or 406: a proxy or a web site asks people to sign in."""
    return _instead("html_refusal", replies.login_page(status))


def text_instead(status: int = 200) -> Fault:
    """A plain text instead of JSON, with status 200, 401 or 403: a proxy wants people to sign in, or denies access."""
    reply = Reply(status, b"Please sign in to use this network.\n", {"content-type": "text/plain"}, from_edge=True)
    return _instead("text_instead", reply)


def login_redirect(to: str | None = None) -> Fault:
    """A web site instead of the API, which asks people to sign in: by default on the same host."""
    return Fault("login_redirect", lambda _, circumstances: replies.found(f"{to or circumstances.api}{LOGIN}"))


def links_of_a_proxied_server(origin: str = "https://github.internal") -> Fault:
    """An Enterprise Server behind a proxy, which writes its internal address into `Link`."""

    def spoil(reply: Reply, _circumstances: Circumstances) -> Reply:
        return replace(
            reply,
            headers={
                name: re.sub(r"<https?://[^/>]+", f"<{origin}", value) if name == "Link" else value
                for name, value in reply.headers.items()
            },
        )

    return Fault("links_of_a_proxied_server", spoil)


def version_closing_down(
    deprecation: str = "Wed, 10 Mar 2027 00:00:00 GMT", sunset: str = "Fri, 10 Mar 2028 00:00:00 GMT"
) -> Fault:
    """The true answer, with the days on which GitHub ends the requested version of its API.

    Source:
        https://docs.github.com/en/rest/about-the-rest-api/api-versions#api-version-closing-down
    """
    return Fault("version_closing_down", lambda reply, _: reply.with_headers(Deprecation=deprecation, Sunset=sunset))


def connection_reset() -> Fault:
    """The connection breaks before any answer."""
    return _instead("connection_reset", Reply(502, delivery="reset"))


def hang(seconds: float = 3600) -> Fault:
    """No byte for so many seconds, then the true answer."""
    return Fault("hang", lambda reply, _: replace(reply, delivery="hanging", seconds=seconds))


def drip(seconds: float) -> Fault:
    """The true answer, whose body arrives in pieces over so many seconds."""
    return Fault("drip", lambda reply, _: replace(reply, delivery="dripping", seconds=seconds))


def truncated_body() -> Fault:
    """The connection ends in the middle of the true answer."""
    return Fault("truncated_body", lambda reply, _: replace(reply, delivery="truncated"))


def malformed_json() -> Fault:
    """The true answer, whose JSON is incomplete although the body has the announced length."""
    return Fault("malformed_json", lambda reply, _: replace(reply, body=reply.body[: len(reply.body) * 2 // 3]))


def oversized_body(size: int) -> Fault:
    """The true answer, extended with blanks to so many bytes: valid JSON that nobody should read completely."""
    return Fault("oversized_body", lambda reply, _: replace(reply, padding=max(0, size - len(reply.body))))


def deeply_nested(depth: int = 100_000) -> Fault:
    """Valid JSON that breaks recursive parsers."""
    return Fault("deeply_nested", lambda reply, _: replace(reply, status=200, body=b"[" * depth + b"]" * depth))


def stale_copy(of: str) -> Fault:
    """Views and clones as they were at an earlier time. With `every=2` they alternate with fresh answers.

    Lists of paths and referrers contain no day, so nobody can see how old they are; they stay fresh.

    Source: a recorded series of 2026-02, in which clones ended on one day for eleven days, alternating with fresh ones.
    """

    def spoil(reply: Reply, circumstances: Circumstances) -> Reply:
        dated = any(f"/traffic/{kind}" in circumstances.path for kind in ("views", "clones"))
        return circumstances.answer_at(parse_time(of)) if dated and circumstances.answer_at else reply

    return Fault("stale_copy", spoil)


def redirect(status: int = 301, to: str | None = None) -> Fault:
    """The resource has moved: 301, 302, 307 or 308; by default to its address with the repository's id."""
    return Fault("redirect", lambda _, circumstances: replies.moved(status, to or circumstances.canonical_url))


def redirect_to_other_host(url: str) -> Fault:
    """The resource has moved to a host that must not see the token."""
    return _instead("redirect_to_other_host", replies.moved(302, url))


def bad_credentials() -> Fault:
    """The token is unknown."""
    return _instead("bad_credentials", replies.bad_credentials())


def retry_after(seconds: int, status: int = 403, *, as_http_date: bool = False) -> Fault:
    """GitHub requests a pause, in seconds or until a date."""

    def spoil(_reply: Reply, circumstances: Circumstances) -> Reply:
        date = format_datetime(circumstances.now + timedelta(seconds=seconds), usegmt=True)
        return error(status, SECONDARY_MESSAGE, SECONDARY_DOCS).with_headers(
            Retry_After=date if as_http_date else str(seconds)
        )

    return Fault("retry_after", spoil)


def primary_limit(seconds: int = 60, status: int = 403) -> Fault:
    """All calls of the hour are used; GitHub grants new ones in so many seconds."""

    def spoil(_reply: Reply, circumstances: Circumstances) -> Reply:
        reset = int(circumstances.now.timestamp()) + seconds
        return replies.limit_exceeded(status, circumstances.user_id).with_headers(
            x_ratelimit_remaining="0", x_ratelimit_reset=str(reset)
        )

    return Fault("primary_limit", spoil)


def secondary_limit(variant: SecondaryVariant = "all", status: int = 403) -> Fault:
    """Too many calls at once, without a time to wait, and with one sign only.

    Args:
        variant: "message", "abuse" (the older message), "documentation" (its address alone), "header"
            (`gh-limited-by` alone), "bare" (no sign, so that only a 429 shows it), or "all".
        status: 403 or 429.
    """
    vague, docs = "Forbidden" if status == 403 else "Too Many Requests", TRAFFIC_DOCS
    variants = {
        "all": error(status, SECONDARY_MESSAGE, SECONDARY_DOCS).with_headers(
            gh_limited_by="elapsed-time-shared-grouped"
        ),
        "message": error(status, SECONDARY_MESSAGE, docs),
        "abuse": error(status, "You have triggered an abuse detection mechanism. Please wait a few minutes.", docs),
        "documentation": error(status, vague, SECONDARY_DOCS),
        "header": error(status, vague, docs).with_headers(gh_limited_by="elapsed-time-shared-grouped"),
        "bare": error(status, vague, docs),
    }
    return _instead("secondary_limit", variants[variant])


def sso_required() -> Fault:
    """The organization enforces SAML, and the token is not authorized for it."""
    return Fault("sso_required", lambda _, circumstances: replies.sso_required(circumstances.owner))


def no_push_access() -> Fault:
    """The token's owner may not push."""
    return _instead("no_push_access", replies.no_push_access())


def admin_rights() -> Fault:
    """The token's owner does not administer the repository."""
    return _instead("admin_rights", error(403, "Must have admin rights to Repository.", TRAFFIC_DOCS))


def not_accessible_by_token(kind: Literal["personal access token", "integration"] = "personal access token") -> Fault:
    """The token lacks Administration (read)."""
    reply = error(403, f"Resource not accessible by {kind}", TRAFFIC_DOCS)
    return _instead("not_accessible_by_token", reply.with_headers(x_accepted_github_permissions="administration=read"))


def lifetime_forbidden(days: int = 90, number: int = 12885303) -> Fault:
    """The organization forbids fine-grained tokens with a longer lifetime; the message contains their settings' URL.

    Source:
        https://github.com/NixOS/org/issues/247 (a user's recording)
    """

    def spoil(_reply: Reply, circumstances: Circumstances) -> Reply:
        message = (
            f"The '{circumstances.owner}' organization forbids access via a fine-grained personal access tokens if the "
            f"token's lifetime is greater than {days} days. Please adjust your token's lifetime at the following URL: "
            f"https://github.com/settings/personal-access-tokens/{number}"
        )
        return error(403, message, TRAFFIC_DOCS)

    return Fault("lifetime_forbidden", spoil)


def ip_allow_list() -> Fault:
    """The organization allows only some IP addresses, and the caller's is not one of them.

    Source:
        https://github.com/SalesforceFoundation/NPSP/issues/7247 (a user's recording)
    """

    def spoil(_reply: Reply, circumstances: Circumstances) -> Reply:
        message = (
            f"Although you appear to have the correct authorization credentials, the `{circumstances.owner}` "
            "organization has an IP allow list enabled, and your IP address is not permitted to access this resource."
        )
        return error(403, message, TRAFFIC_DOCS)

    return Fault("ip_allow_list", spoil)


def blocked(status: int = 403) -> Fault:
    """GitHub has blocked the repository: 403 because of its terms, 451 because of the law."""
    reason = "dmca" if status == 451 else "tos"
    block = {"reason": reason, "created_at": "2026-01-05T00:00:00Z", "html_url": "https://github.com/tos"}
    return _instead("blocked", error(status, "Repository access blocked", block=block))


def upgrade_to_pro() -> Fault:
    """A private repository on a free plan."""
    return _instead("upgrade_to_pro", error(403, PRIVATE_PAGES, TRAFFIC_DOCS))


def not_found() -> Fault:
    """The repository was deleted, or is hidden from the token."""
    return _instead("not_found", replies.not_found())


def gone() -> Fault:
    """The endpoint was removed."""
    return _instead("gone", error(410, "This endpoint has been removed.", TRAFFIC_DOCS))


def unprocessable() -> Fault:
    """GitHub cannot process the request."""
    problem = {"resource": "Traffic", "field": "per", "code": "invalid"}
    return _instead("unprocessable", error(422, "Validation Failed", TRAFFIC_DOCS, errors=[problem]))


def bad_api_version() -> Fault:
    """GitHub no longer supports the version in `X-GitHub-Api-Version`."""
    docs = "https://docs.github.com/rest/about-the-rest-api/api-versions"
    return _instead("bad_api_version", error(400, "This version of the API is not supported.", docs))


FAULTS: dict[str, Callable[..., Fault]] = {
    make.__name__: make
    for make in (
        server_error, unicorn, html_200, html_refusal, text_instead, login_redirect, links_of_a_proxied_server,
        version_closing_down, connection_reset, hang, drip, truncated_body, malformed_json, oversized_body,
        deeply_nested, redirect, redirect_to_other_host, bad_credentials, retry_after, primary_limit, secondary_limit,
        sso_required, no_push_access, admin_rights, not_accessible_by_token, lifetime_forbidden, ip_allow_list, blocked,
        upgrade_to_pro, not_found, gone, unprocessable, bad_api_version, stale_copy,
    )
}  # fmt: skip

"""Requests and replies, and GitHub's texts for refusals."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
LOGIN = "/login"
DOCS = "https://docs.github.com/rest"
TRAFFIC_DOCS = f"{DOCS}/metrics/traffic"
LIMIT_DOCS = f"{DOCS}/using-the-rest-api/rate-limits-for-the-rest-api"
SECONDARY_MESSAGE = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
SECONDARY_DOCS = "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"

Delivery = Literal["complete", "truncated", "dripping", "reset", "hanging"]


@dataclass(frozen=True)
class Request:
    """One incoming call."""

    method: str
    path: str  # below the base path
    query: Mapping[str, str]
    query_string: str
    headers: Mapping[str, str]  # upper and lower case do not matter
    api: str  # the API's address as the caller sees it, without a slash at the end
    too_fast: int | None = None  # seconds for `retry-after`, if a secondary limit refuses the call


@dataclass(frozen=True)
class Reply:
    """One answer, and how it is sent."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Delivery = "complete"
    seconds: float = 0  # duration of a dripping or hanging answer
    from_edge: bool = False  # from the load balancer, which adds no rate limit headers
    padding: int = 0  # blanks to send after the body

    def with_headers(self, **headers: str) -> "Reply":
        """Return the reply with more headers; an underscore in a name becomes a hyphen."""
        return replace(self, headers={**self.headers, **{name.replace("_", "-"): v for name, v in headers.items()}})


def json_reply(status: int, content: Any) -> Reply:
    """Return an answer in JSON."""
    return Reply(status, json.dumps(content, separators=(",", ":")).encode(), {"content-type": JSON_TYPE})


def error(status: int, message: str, documentation_url: str = DOCS, **more: Any) -> Reply:
    """Return a refusal in the form of GitHub's Basic Error."""
    content = {"message": message, **more, "documentation_url": documentation_url, "status": str(status)}
    return json_reply(status, content)


def bad_credentials() -> Reply:
    """Refuse a token, or a call without one."""
    return error(401, "Bad credentials")


def not_found() -> Reply:
    """Refuse a resource that does not exist, or that the token may not see."""
    return error(404, "Not Found")


def no_push_access() -> Reply:
    """Refuse traffic to an account that may only read."""
    return error(403, "Must have push access to repository", TRAFFIC_DOCS)


def limit_exceeded(status: int, user_id: int) -> Reply:
    """Refuse a call beyond the primary limit."""
    return error(
        status,
        f"API rate limit exceeded for user ID {user_id}. If you reach out to GitHub Support for help, please include "
        "the request ID.",
        LIMIT_DOCS,
    )


def too_fast(status: int, seconds: int) -> Reply:
    """Refuse a call beyond a secondary limit; `retry-after` contains the seconds to wait."""
    return error(status, SECONDARY_MESSAGE, SECONDARY_DOCS).with_headers(Retry_After=str(seconds))


def sso_required(owner: str) -> Reply:
    """Refuse a repository of an organization for which the token is not authorized."""
    message = (
        "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to "
        "this organization."
    )
    docs = "https://docs.github.com/articles/authenticating-to-a-github-organization-with-saml-single-sign-on/"
    link = f"required; url=https://github.com/orgs/{owner}/sso?authorization_request=A2"
    return error(403, message, docs).with_headers(X_GitHub_SSO=link)


def moved(status: int, location: str) -> Reply:
    """Redirect to another address."""
    docs = f"{DOCS}/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects"
    texts = {301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect", 308: "Permanent Redirect"}
    return error(status, texts.get(status, "Moved"), docs, url=location).with_headers(Location=location)


def found(location: str) -> Reply:
    """Redirect a browser to another page."""
    page = b"<html><body>You are being redirected.</body></html>"
    return Reply(302, page, {"content-type": HTML_TYPE, "Location": location}, from_edge=True)


def login_page(status: int = 200) -> Reply:
    """Return the page of a web site that asks people to sign in."""
    page = b"<!DOCTYPE html>\n<html><body>Please sign in.</body></html>\n"
    return Reply(status, page, {"content-type": HTML_TYPE}, from_edge=True)


def no_user_agent() -> Reply:
    """Refuse a call without a User-Agent, in plain text."""
    text = (
        "\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header "
        "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). "
        "Check https://developer.github.com for other possible causes.\r\n"
    )
    return Reply(403, text.encode(), {"content-type": HTML_TYPE}, from_edge=True)

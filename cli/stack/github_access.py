"""What GitHub says of a token: whether it is taken, until when, and whether it may read traffic."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

from cli.terminal import CommandError
from traffic.contract import VersionEnd
from traffic.github.answers import API_VERSION, is_web_page, not_the_api, version_end

TIMEOUT = 15  # seconds
SERVER_ERROR = 500  # an HTTP status, and those above
TOO_MANY = 429  # a limit of GitHub's: with JSON, and from its edge with a web page


@dataclass(frozen=True)
class TokenReport:
    """What GitHub says of a token.

    Attributes:
        accepted: Whether GitHub takes it.
        login: Whose it is; None for a GitHub App's.
        expires: When it dies, in GitHub's words; None for never.
        limit: Calls granted in an hour.
        remaining: Calls left in this one.
        resets: When the next hour begins.
        version_end: When GitHub ends the version of its API that is asked for; empty while it announces no end.
    """

    accepted: bool
    login: str | None = None
    expires: str | None = None
    limit: int | None = None
    remaining: int | None = None
    resets: datetime | None = None
    version_end: VersionEnd = field(default_factory=VersionEnd)


class GitHubAccess:
    """Asks GitHub with a token, following nothing and repeating nothing."""

    def __init__(self, api_url: str, token: str) -> None:
        self.api_url = api_url.rstrip("/")
        self._session = requests.Session()
        self._session.auth = _bearer(token)  # in the headers alone, ~/.netrc would replace it
        self._session.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": API_VERSION,
                "User-Agent": "github-traffic-capture",
            }
        )

    def token_report(self) -> TokenReport:
        """Ask whose the token is; a GitHub App's may not know, but is taken.

        Raises:
            CommandError: GitHub cannot be reached, or answers otherwise than GitHub does.
        """
        answer = self._get("/user")
        if answer.status_code == 401:
            return TokenReport(accepted=False)
        if _passes(answer):
            raise CommandError(f"GitHub fails at {self.api_url} ({answer.status_code}): try again later.")
        if answer.status_code not in (200, 403):
            raise CommandError(not_the_api(self.api_url, f"{answer.status_code} to /user"))
        login = _json(answer).get("login")
        if answer.ok and not login:
            raise CommandError(f"GitHub's answer at {self.api_url} is incomplete: try again later.")
        limits = self._get("/rate_limit").headers
        return TokenReport(
            accepted=True,
            login=login,
            expires=answer.headers.get("github-authentication-token-expiration"),
            limit=_number(limits, "x-ratelimit-limit"),
            remaining=_number(limits, "x-ratelimit-remaining"),
            resets=_moment(_number(limits, "x-ratelimit-reset")),
            version_end=version_end(answer.headers),
        )

    def first_pushable(self) -> str | None:
        """Return a repository that the token's user can push to, `owner/name`; None if there is none.

        Raises:
            CommandError: GitHub does not answer, or not with a list.
        """
        answer = self._get("/user/repos?per_page=100&sort=pushed")
        try:
            repositories = answer.json() if answer.ok else []
        except requests.JSONDecodeError as exc:
            raise CommandError(f"GitHub's answer at {self.api_url} is incomplete: try again later.") from exc
        pushable = (each["full_name"] for each in repositories if each.get("permissions", {}).get("push"))
        return next(pushable, None)

    def identity(self, repository: str) -> tuple[int, str]:
        """Ask for a repository's id, and its name as GitHub writes it.

        Raises:
            CommandError: GitHub tells none.
        """
        answer = self._get(f"/repos/{repository}")
        told = _json(answer)
        if answer.status_code in (301, 307, 308):
            raise CommandError(f"GitHub says that {repository} was renamed: give its present name.")
        if not answer.ok or not isinstance(told.get("id"), int):
            raise CommandError(
                f"GitHub does not tell the id of {repository}: {answer.status_code} {told.get('message', '')}."
            )
        return told["id"], str(told.get("full_name", repository))

    def traffic_refusal(self, repository: str) -> str | None:
        """Say why GitHub refuses a repository's traffic; None where it gives it."""
        answer = self._get(f"/repos/{repository}/traffic/views?per=day")
        return None if answer.ok else f"{answer.status_code} {_json(answer).get('message', '')}".strip()

    def _get(self, path: str) -> requests.Response:
        """Ask for a path.

        Raises:
            CommandError: Nobody answers, or something else than GitHub's API: a web page, or a redirect to one.
        """
        try:
            answer = self._session.get(self.api_url + path, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as exc:
            raise CommandError(
                f"GitHub does not answer at {self.api_url} ({type(exc).__name__}): check network and GITHUB_API_URL."
            ) from exc
        if answer.is_redirect and "/repositories/" not in answer.headers["location"]:  # where a renamed one is found
            raise CommandError(not_the_api(self.api_url, "a redirect"))
        if not _passes(answer) and not answer.is_redirect and is_web_page(answer.headers, answer.content):
            raise CommandError(not_the_api(self.api_url, "a web page"))
        return answer


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize


def _passes(answer: requests.Response) -> bool:
    """Return whether GitHub fails or limits calls, which passes; both can come as a web page."""
    return answer.status_code >= SERVER_ERROR or answer.status_code == TOO_MANY


def _json(answer: requests.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except requests.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isdecimal() else None


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

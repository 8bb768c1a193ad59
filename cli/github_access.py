"""What GitHub says of a token: whether it is taken, until when, and whether it may read traffic."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests

from cli.terminal import CommandError

TIMEOUT = 15  # seconds


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
    """

    accepted: bool
    login: str | None = None
    expires: str | None = None
    limit: int | None = None
    remaining: int | None = None
    resets: datetime | None = None


class GitHubAccess:
    """Asks GitHub with a token, following nothing and repeating nothing."""

    def __init__(self, api_url: str, token: str) -> None:
        self.api_url = api_url.rstrip("/")
        self._session = requests.Session()
        self._session.auth = _bearer(token)  # in the headers alone, ~/.netrc would replace it
        self._session.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
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
        if answer.status_code not in (200, 403):
            raise CommandError(
                f"{self.api_url}/user answered {answer.status_code}: expected GitHub's API; check GITHUB_API_URL."
            )
        limits = self._get("/rate_limit").headers
        return TokenReport(
            accepted=True,
            login=_json(answer).get("login"),
            expires=answer.headers.get("github-authentication-token-expiration"),
            limit=_number(limits, "x-ratelimit-limit"),
            remaining=_number(limits, "x-ratelimit-remaining"),
            resets=_moment(_number(limits, "x-ratelimit-reset")),
        )

    def first_pushable(self) -> str | None:
        """Give a repository that the token's user can push to, `owner/name`; None where there is none."""
        answer = self._get("/user/repos?per_page=100&sort=pushed")
        repositories = answer.json() if answer.ok else []
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
        try:
            return self._session.get(self.api_url + path, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as exc:
            raise CommandError(
                f"GitHub does not answer at {self.api_url} ({type(exc).__name__}): check network and GITHUB_API_URL."
            ) from exc


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize


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

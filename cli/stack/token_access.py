"""What GitHub reports about a token: whether it accepts the token, until when, and whether it may read traffic."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cli.terminal import CommandError
from traffic.contract import VersionEnd
from traffic.github.answers import (
    NO_PERMISSION,
    NOT_GITHUBS,
    Answer,
    Meaning,
    classify,
    is_json,
    not_the_api,
    stranger,
    version_end,
)
from traffic.github.client import GitHub
from traffic.github.rate_limit import header_number


@dataclass(frozen=True)
class TokenReport:
    """What GitHub reports about a token.

    Attributes:
        accepted: Whether GitHub accepts it.
        login: Its user; None for the token of a GitHub App.
        expires: When it expires, as GitHub writes it; None if it never expires.
        limit: Calls that GitHub grants in an hour.
        remaining: Calls left in this hour.
        resets: When the next hour begins.
        version_end: When GitHub ends the version of its API that this program uses; empty if it announces no end.
    """

    accepted: bool
    login: str | None = None
    expires: str | None = None
    limit: int | None = None
    remaining: int | None = None
    resets: datetime | None = None
    version_end: VersionEnd = field(default_factory=VersionEnd)


def github_with(api_url: str, token: str) -> GitHub:
    """Return GitHub's API, called with one token."""
    return GitHub(api_url.rstrip("/"), lambda **_fresh: token)


def token_report(github: GitHub) -> TokenReport:
    """Ask GitHub who the token's user is. It refuses that to the token of a GitHub App, which it still accepts.

    Raises:
        CommandError: GitHub cannot be reached, fails, or its answer is not one of GitHub's API.
    """
    answer = _ask(github, "/user")
    if answer.status == 401:
        return TokenReport(accepted=False)
    of_app = classify(answer).outcome == NO_PERMISSION
    if answer.status == 403 and not of_app:
        raise CommandError(f"GitHub refuses to check the token (403): {answer.message()}")
    if answer.status != 200 and not of_app:
        raise CommandError(not_the_api(github.api_url, f"{answer.status} to /user"))
    login = _fields(answer).get("login")
    if answer.status == 200 and not login:
        raise CommandError(not_the_api(github.api_url, NOT_GITHUBS)) if is_json(answer) else _incomplete(github)
    limits = _ask(github, "/rate_limit").headers
    resets = header_number(limits, "x-ratelimit-reset")
    return TokenReport(
        accepted=True,
        login=login,
        expires=answer.headers.get("github-authentication-token-expiration"),
        limit=header_number(limits, "x-ratelimit-limit"),
        remaining=header_number(limits, "x-ratelimit-remaining"),
        resets=None if resets is None else datetime.fromtimestamp(resets, UTC),
        version_end=version_end(answer.headers),
    )


def first_pushable(github: GitHub) -> str | None:
    """Return a repository that the token's user can push to, `owner/name`; None if there is no such repository.

    Raises:
        CommandError: GitHub does not answer, or not with a list.
    """
    answer = _ask(github, "/user/repos?per_page=100&sort=pushed")
    if answer.status != 200:
        return None
    try:
        pushable = (each["full_name"] for each in answer.json() if each.get("permissions", {}).get("push"))
        return next(pushable, None)
    except (ValueError, TypeError, AttributeError, KeyError) as exc:
        raise _incomplete(github) from exc


def identity(github: GitHub, repository: str) -> tuple[int, str]:
    """Ask GitHub for a repository's id, and for its name as GitHub writes it.

    Raises:
        CommandError: GitHub does not return an id, or the repository has another name now.
    """
    answer = _ask(github, f"/repos/{repository}")
    found = _fields(answer)
    if answer.status != 200 or not isinstance(found.get("id"), int):
        reason = f"{answer.status} {found.get('message', '')}"
        raise CommandError(f"GitHub does not return the id of {repository}: {reason}.")
    name = str(found.get("full_name", repository))
    if name.casefold() != repository.casefold():
        raise CommandError(f"{repository} was renamed at GitHub: use its present name.")
    return found["id"], name


def traffic_refusal(github: GitHub, repository: str) -> str | None:
    """Return why GitHub refuses a repository's traffic; None if it does not refuse.

    Raises:
        CommandError: GitHub does not answer.
    """
    answer = _ask(github, f"/repos/{repository}/traffic/views?per=day")
    return None if answer.status == 200 else f"{answer.status} {_fields(answer).get('message', '')}".strip()


def _ask(github: GitHub, path: str) -> Answer:
    """Ask for a path.

    Raises:
        CommandError: Nothing answers, or something other than GitHub's API, or GitHub fails or limits calls.
    """
    answer = github.get(path)
    if answer.status is None:
        raise CommandError(
            f"GitHub does not answer at {github.api_url} ({answer.message()}): check network and GITHUB_API_URL."
        )
    if instead := stranger(answer):
        raise CommandError(not_the_api(github.api_url, instead))
    passing = (Meaning.TRANSIENT, Meaning.LIMITED, Meaning.SECONDARY_LIMITED)
    if answer.status >= 400 and classify(answer).meaning in passing:
        raise CommandError(f"GitHub fails at {github.api_url} ({answer.status}): try again later.")
    return answer


def _incomplete(github: GitHub) -> CommandError:
    return CommandError(f"GitHub's answer at {github.api_url} is incomplete: try again later.")


def _fields(answer: Answer) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}

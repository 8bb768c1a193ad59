"""Settings of the functions: read from the environment, checked once, named when wrong."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from traffic.api_address import EXPECTED, right_address
from traffic.errors import InvalidSettingError

CHOICES = ("include", "exclude", "only")
MAILS = ("all", "weekly", "problems")
VISIBILITIES = ("public", "private", "internal")

OWNER = r"[A-Za-z0-9][A-Za-z0-9_-]*"  # an underscore is in the logins of enterprise managed users
TOPIC = r"[A-Za-z0-9][A-Za-z0-9-]*"


def setting(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Read a setting that the deployment must give.

    Raises:
        InvalidSettingError: It is missing or empty.
    """
    value = environment.get(name, "").strip()
    if not value:
        raise InvalidSettingError(f"The setting {name} is missing: deploy the stack again, which sets it.")
    return value


def api_url(environment: Mapping[str, str] = os.environ) -> str:
    """Read the address of GitHub's API, without a slash at the end.

    Raises:
        InvalidSettingError: It is no address that may be trusted with a token.
    """
    value = setting("GITHUB_API_URL", environment).rstrip("/")
    try:
        parts = urlsplit(value)
    except ValueError:  # brackets that are not closed, for example
        parts = urlsplit("")
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))
    if "@" in (parts.netloc or value):
        raise InvalidSettingError(
            f"GITHUB_API_URL (not shown) holds a user name or password; expected {EXPECTED}."
            " Deploy again with the parameter GitHubApiUrl; the token belongs into GitHubAccessToken."
        )
    if not safe or not parts.hostname or parts.query or parts.fragment:
        raise InvalidSettingError(
            f"GITHUB_API_URL is {value!r}; expected {EXPECTED}; plain http on loopback only."
            " Deploy again with the parameter GitHubApiUrl."
        )
    right = right_address(value)
    if right is not None:
        raise InvalidSettingError(
            f"GITHUB_API_URL is {value!r}, which is not an address of GitHub's API; expected {right}."
            " Deploy again with the parameter GitHubApiUrl."
        )
    return value


@dataclass(frozen=True)
class Selection:
    """Which of the repositories that the token can push to are captured.

    Owners and names are where they come from, together; the others narrow what these bring.

    Attributes:
        owners: All repositories of these organizations and users.
        names: These `owner/name`; where there is no owner either, all.
        include: Only names that match one of these globs; all where empty.
        exclude: No name that matches one of these globs.
        topics: Only repositories with one of these topics; all where empty.
        visibility: Any of `public`, `private` and `internal`; all where empty.
        forks, archived: `include`, `exclude` or `only`.
    """

    owners: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    visibility: tuple[str, ...] = ()
    forks: str = "include"
    archived: str = "include"


@cache
def selection() -> Selection:
    """Read the selection that the deployment set."""
    return read_selection(os.environ)


def read_selection(environment: Mapping[str, str]) -> Selection:
    """Read which repositories are to be captured.

    Raises:
        InvalidSettingError: A setting has a value that it cannot have.
    """
    return Selection(
        owners=_shaped(environment, "TRAFFIC_OWNERS", OWNER, "organizations and users"),
        names=_names(environment, "TRAFFIC_REPOSITORIES"),
        include=_list(environment, "TRAFFIC_INCLUDE"),
        exclude=_list(environment, "TRAFFIC_EXCLUDE"),
        topics=_shaped(environment, "TRAFFIC_TOPICS", TOPIC, "topics"),
        visibility=_shaped(environment, "TRAFFIC_VISIBILITY", "|".join(VISIBILITIES), "public, private or internal"),
        forks=_choice(environment, "TRAFFIC_FORKS"),
        archived=_choice(environment, "TRAFFIC_ARCHIVED"),
    )


def summary_mail(environment: Mapping[str, str] = os.environ) -> str:
    """Read which summaries are published: `all`, `weekly` or `problems`.

    Raises:
        InvalidSettingError: It is none of them.
    """
    value = environment.get("SUMMARY_MAIL", "").strip().lower() or MAILS[0]
    if value not in MAILS:
        raise InvalidSettingError(f"SUMMARY_MAIL is {value!r}; expected {', '.join(MAILS)}.")
    return value


def console_url(environment: Mapping[str, str] = os.environ) -> str | None:
    """Read the address of AWS's console; None where AWS's APIs are served from elsewhere, as there is no console."""
    return None if environment.get("AWS_ENDPOINT_URL") else environment.get("CONSOLE_URL")


def _list(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in environment.get(name, "").split(",") if part.strip())


def _names(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    for value in _list(environment, name):
        if value.count("/") != 1 or value.startswith("/") or value.endswith("/"):
            raise InvalidSettingError(f"{name} names {value!r}; expected owner/name, separated by commas.")
    return _list(environment, name)


def _shaped(environment: Mapping[str, str], name: str, shape: str, expected: str) -> tuple[str, ...]:
    """Read a list whose entries mean the same in upper and lower case; it is given in lower case."""
    values = tuple(value.lower() for value in _list(environment, name))
    for value in values:
        if not re.fullmatch(shape, value):
            raise InvalidSettingError(f"{name} names {value!r}; expected {expected}, separated by commas.")
    return values


def _choice(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip().lower() or CHOICES[0]
    if value not in CHOICES:
        raise InvalidSettingError(f"{name} is {value!r}; expected include, exclude or only.")
    return value

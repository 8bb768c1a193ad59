"""Settings of the functions: read from the environment, checked once, named when wrong."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from lambdas.shared.errors import InvalidSettingError

CHOICES = ("include", "exclude", "only")
MAILS = ("all", "weekly", "problems")


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
    parts = urlsplit(value)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))
    if not safe or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidSettingError(
            f"GITHUB_API_URL is {value!r}; expected https://api.github.com, or https://HOST/api/v3 for GitHub"
            " Enterprise Server (plain http on loopback only). Deploy again with the parameter GitHubApiUrl."
        )
    return value


@dataclass(frozen=True)
class Selection:
    """Which of the repositories that the token can push to are captured.

    Attributes:
        names: Exactly these `owner/name`; all where empty.
        include: Only names that match one of these globs; all where empty.
        exclude: No name that matches one of these globs.
        forks, archived, private: `include`, `exclude` or `only`.
    """

    names: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    forks: str = "include"
    archived: str = "include"
    private: str = "include"


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
        names=_names(environment, "TRAFFIC_REPOSITORIES"),
        include=_list(environment, "TRAFFIC_INCLUDE"),
        exclude=_list(environment, "TRAFFIC_EXCLUDE"),
        forks=_choice(environment, "TRAFFIC_FORKS"),
        archived=_choice(environment, "TRAFFIC_ARCHIVED"),
        private=_choice(environment, "TRAFFIC_PRIVATE"),
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


def has_console(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether there is a console to look at: not where AWS's APIs are served from elsewhere."""
    return not environment.get("AWS_ENDPOINT_URL")


def _list(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in environment.get(name, "").split(",") if part.strip())


def _names(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    for value in _list(environment, name):
        if value.count("/") != 1 or value.startswith("/") or value.endswith("/"):
            raise InvalidSettingError(f"{name} names {value!r}; expected owner/name, separated by commas.")
    return _list(environment, name)


def _choice(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip().lower() or CHOICES[0]
    if value not in CHOICES:
        raise InvalidSettingError(f"{name} is {value!r}; expected include, exclude or only.")
    return value

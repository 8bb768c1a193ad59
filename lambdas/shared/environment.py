"""What the deployment put into the environment of the functions, checked."""

import os
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from traffic.errors import InvalidSettingError
from traffic.settings import BY_KEY, FILE_SETTINGS, WrongValueError, misfits


def setting(name: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return a variable that the deployment must set.

    Raises:
        InvalidSettingError: It is missing or empty.
    """
    value = environment.get(name, "").strip()
    if not value:
        raise InvalidSettingError(f"The setting {name} is missing: deploy the stack again, which sets it.")
    return value


def api_url(environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of GitHub's API, without a slash at its end.

    Raises:
        InvalidSettingError: It is missing, or it must not be trusted with a token.
    """
    setting("GITHUB_API_URL", environment)
    return _read("api-url", environment)


class Selection(NamedTuple):
    """Which of the repositories that the token can push to are captured.

    Owners and names together are the sources of repositories; all other settings narrow the result.

    Attributes:
        owners: All repositories of these organizations and users, in lower case.
        names: These `owner/name`; if there is no owner either, all.
        include: Only names that match one of these globs; all if empty.
        exclude: No name that matches one of these globs.
        topics: Only repositories with one of these topics, in lower case; all if empty.
        visibility: Any of `public`, `private` and `internal`; all if empty.
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
    """Return the selection that the deployment set."""
    return read_selection(os.environ)


def read_selection(environment: Mapping[str, str]) -> Selection:
    """Return which repositories are to be captured.

    Raises:
        InvalidSettingError: A setting has a wrong value.
    """
    return Selection(
        owners=_list("owners", environment, lower=True),
        names=_list("repositories", environment),
        include=_list("include", environment),
        exclude=_list("exclude", environment),
        topics=_list("topics", environment, lower=True),
        visibility=_list("visibility", environment),
        forks=_read("forks", environment),
        archived=_read("archived", environment),
    )


def ineffective(environment: Mapping[str, str] = os.environ) -> dict[str, list[str]]:
    """Return the globs of the deployment that nobody may type any more, by parameter."""
    return misfits({each.parameter: environment.get(each.variable, "") for each in FILE_SETTINGS})


def summary_mail(environment: Mapping[str, str] = os.environ) -> str:
    """Return which summaries are published: `all`, `weekly` or `problems`.

    Raises:
        InvalidSettingError: The setting has another value.
    """
    return _read("summary-mail", environment)


def console_url(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the address of AWS's console; None if AWS's APIs are served from elsewhere, where there is no console."""
    return None if environment.get("AWS_ENDPOINT_URL") else environment.get("CONSOLE_URL")


def _list(key: str, environment: Mapping[str, str], *, lower: bool = False) -> tuple[str, ...]:
    text = _read(key, environment)
    return tuple((text.lower() if lower else text).split(",")) if text else ()


def _read(key: str, environment: Mapping[str, str]) -> str:
    row = BY_KEY[key]
    try:
        return row.check_text(environment.get(row.variable, "").strip() or row.default, deployed=True)
    except WrongValueError as exc:
        raise InvalidSettingError(f"{row.variable} {exc}. Deploy again with the parameter {row.parameter}.") from exc

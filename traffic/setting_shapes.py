"""What a setting's value may look like; every check gives the value as the stack takes it."""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

GITHUB = "https://api.github.com"
EXPECTED = f"{GITHUB}, https://api.TENANT.ghe.com (data residency) or https://HOST/api/v3 (GitHub Enterprise Server)"

CHOICES = ("include", "exclude", "only")

LOOKS_LIKE_TOKEN = r"gh[a-z]_\w{20,}|github_pat_\w{20,}|[0-9a-f]{40}"  # noqa: S105 - a shape


class WrongValueError(ValueError):
    """A value is wrong: the message goes on where the setting's name ends, and never shows a token."""


def check_api_url(url: str) -> str:
    """Return the API's address without a slash at its end.

    Raises:
        WrongValueError: It is no address, or would send the token in clear text over a network.
    """
    advice = f"expected {EXPECTED}"
    try:
        parts = urlsplit(url)
    except ValueError:  # its text can hold the password
        parts = urlsplit("")
    if "@" in (parts.netloc or url):
        raise WrongValueError("(not shown) holds a user name or password; put the token into GITHUB_TOKEN")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise WrongValueError(f"is {url!r}; {advice}")
    right = _right_address(parts)
    if right is not None:
        raise WrongValueError(f"is {url!r}, which is not an address of GitHub's API; expected {right}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise WrongValueError(f"is {url!r} and would send the token in clear text; use https://")
    return url.rstrip("/")


def _right_address(parts: SplitResult) -> str | None:
    """Return the address of the API that belongs to an address of GitHub's web site, as List repositories does."""
    host = (parts.hostname or "").rstrip(".")
    if f".{host}".endswith(".github.com"):
        right = GITHUB
    elif f".{host}".endswith(".ghe.com"):
        tenant = host.removesuffix("ghe.com").rstrip(".").rpartition(".")[2]
        right = f"https://api.{'TENANT' if tenant in ('', 'api', 'www') else tenant}.ghe.com"
    else:
        return None
    return None if f"https://{host}" == right and not parts.path.strip("/") else right


def is_loopback(host: str) -> bool:
    """Say whether a host name or address means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shaped(shape: str, expected: str) -> Callable[[str], str]:
    """Make a check for entries of a shape."""

    def check(value: str) -> str:
        if not re.fullmatch(shape, value):
            raise WrongValueError(f"holds {value!r}; expected {expected}")
        return value

    return check


def one_of(*words: str, verb: str = "is") -> Callable[[str], str]:
    """Make a check for one of some words, in upper or lower case."""

    def check(value: str) -> str:
        if value.lower() not in words:
            raise WrongValueError(f"{verb} {value!r}; expected one of {', '.join(words)}")
        return value.lower()

    return check


OWNER = shaped(r"[A-Za-z0-9][A-Za-z0-9_-]*", "organizations and users as octo-org; owner/name is for repositories")
REPOSITORY = shaped(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", "owner/name")
GLOB = shaped(r"[^\s,]+", "globs as octo/*")
TOPIC = shaped(r"[A-Za-z0-9][A-Za-z0-9-]*", "topics as machine-learning")
VISIBILITY = one_of("public", "private", "internal", verb="holds")
EMAIL = shaped(r"(?:[^@\s]+@[^@\s]+)?", "one e-mail address, or nothing")
CHOICE = one_of(*CHOICES)
MAIL = one_of("all", "weekly", "problems")

"""Read what the user set, from the environment and from `.env`, and say clearly what is wrong with it."""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

GITHUB = "https://api.github.com"

APPLICATION = "github-traffic-capture"

CHOICES = ("include", "exclude", "only")

# Setting -> parameter of the stack.
LISTS = {"TRAFFIC_REPOSITORIES": "Repositories", "TRAFFIC_INCLUDE": "Include", "TRAFFIC_EXCLUDE": "Exclude"}
CHOICE_SETTINGS = {"TRAFFIC_FORKS": "Forks", "TRAFFIC_ARCHIVED": "Archived", "TRAFFIC_PRIVATE": "Private"}


class SettingError(ValueError):
    """A setting is wrong: the message names it, its value (never the token), what was expected and what to do."""


@dataclass(frozen=True)
class LocalSettings:
    """How this machine captures traffic.

    Attributes:
        token: The GitHub token, or several as a JSON object of owners and tokens; None where none is set.
        api_url: GitHub's REST API, without a slash at its end.
        home: The folder below which all local histories lie.
        parameters: Parameters of the stack that the settings give values to; the token is not among them.
    """

    token: str | None
    api_url: str
    home: Path
    parameters: Mapping[str, str]

    def __repr__(self) -> str:
        """Show everything but the token."""
        return f"LocalSettings({self.api_url!r}, {str(self.home)!r}, {dict(self.parameters)!r})"

    @property
    def on_loopback(self) -> bool:
        """Whether the API is served on this machine."""
        return is_loopback(urlsplit(self.api_url).hostname or "")

    @property
    def history(self) -> Path:
        """The folder of this source's history: what different sources say never mixes."""
        if self.on_loopback:
            return self.home / "loopback"
        if self.token is None:
            return self.home / "demo"
        return self.home / urlsplit(self.api_url).netloc.lower().replace(":", "_")


def read_settings(environment: Mapping[str, str], dotenv: Path | None) -> LocalSettings:
    """Read and check every setting; an empty value is the same as none.

    Args:
        environment: The process environment, which wins over the file.
        dotenv: A file of `NAME=VALUE` lines; None or absent is fine.

    Raises:
        SettingError: One of them is wrong.
    """
    values = {**(parse_dotenv(dotenv) if dotenv and dotenv.is_file() else {}), **environment}
    given = {name: value.strip() for name, value in values.items() if value.strip()}
    api_url = check_api_url(given.get("GITHUB_API_URL", GITHUB))
    lists = {parameter: check_list(name, given.get(name, "")) for name, parameter in LISTS.items()}
    choices = {parameter: check_choice(name, given.get(name, "include")) for name, parameter in CHOICE_SETTINGS.items()}
    return LocalSettings(
        token=check_token(given.get("GITHUB_TOKEN")),
        api_url=api_url,
        home=check_home(given),
        parameters={"GitHubApiUrl": api_url, **lists, **choices},
    )


def parse_dotenv(file: Path) -> dict[str, str]:
    """Read a `.env` file: one `NAME=VALUE` a line.

    `export` before the name, quotes around the value, empty lines and comments (`#` at the start of a line, or after a
    space behind an unquoted value) are understood; nothing is expanded.

    Raises:
        SettingError: A line is none of these.
    """
    values = {}
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingError(f"{file} cannot be read ({type(exc).__name__}); save it as a text file in UTF-8") from exc
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(
            r"""\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=\s*(?:(?P<quote>["'])(?P<quoted>.*)(?P=quote)\s*(?:\#.*)?|(?P<plain>.*))""",
            line,
        )
        if match is None:
            # The line itself may hold a token: it is not shown.
            raise SettingError(f"{file}, line {number}: expected NAME=VALUE; correct the line or start it with #")
        plain = re.split(r"\s#", f" {match['plain'] or ''}", maxsplit=1)[0].strip()
        values[match["name"]] = plain if match["quote"] is None else match["quoted"]
    return values


def check_token(given: str | None) -> str | None:
    """Refuse what can't be a token, which goes into a header; of several, give the JSON object in its shortest form.

    Raises:
        SettingError: It is neither visible ASCII characters nor an object of owners and such tokens.
    """
    if given is None or not given.startswith("{"):
        tokens = {} if given is None else {"*": given}
    else:
        try:
            tokens = json.loads(given)
            given = json.dumps(tokens, separators=(",", ":"))
        except ValueError:
            tokens = {"": ""}
    for owner, token in tokens.items():
        if not re.fullmatch(r"[\w.-]+|\*", owner) or not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise SettingError(
                "GITHUB_TOKEN (not shown) has a space or another strange character in it; copy it again. Several tokens"
                ' are written {"octo-org":"github_pat_...","*":"github_pat_..."}, each beside its owner'
            )
    return given


def check_api_url(url: str) -> str:
    """Return the API's address without a slash at its end.

    Raises:
        SettingError: It is no address, or would send the token in clear text over a network.
    """
    advice = f"expected {GITHUB}, or https://HOST/api/v3 for GitHub Enterprise Server"
    parts = urlsplit(url)
    if parts.username or parts.password:
        raise SettingError("GITHUB_API_URL (not shown) holds a user name or password; put the token into GITHUB_TOKEN")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise SettingError(f"GITHUB_API_URL is {url!r}; {advice}")
    if parts.hostname in ("github.com", "www.github.com"):
        raise SettingError(f"GITHUB_API_URL is {url!r}, GitHub's web site; {advice}, or remove the setting")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise SettingError(f"GITHUB_API_URL is {url!r} and would send the token in clear text; use https://")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Say whether a host name or address means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_list(name: str, value: str) -> str:
    """Return a comma-separated list without spaces and empty entries.

    Raises:
        SettingError: An entry has a space in it or, where repositories are named, is not `owner/name`.
    """
    entries = [entry.strip() for entry in value.split(",") if entry.strip()]
    shape, expected = (
        (r"[\w.-]+/[\w.-]+", "owner/name") if name == "TRAFFIC_REPOSITORIES" else (r"\S+", "globs as octo/*")
    )
    wrong = [entry for entry in entries if not re.fullmatch(shape, entry)]
    if wrong:
        raise SettingError(f"{name} holds {wrong[0]!r}; expected {expected}, separated by commas")
    return ",".join(entries)


def check_choice(name: str, value: str) -> str:
    """Return one of `CHOICES`.

    Raises:
        SettingError: It is another word.
    """
    if value.lower() not in CHOICES:
        raise SettingError(f"{name} is {value!r}; expected one of {', '.join(CHOICES)}")
    return value.lower()


def check_home(given: Mapping[str, str]) -> Path:
    """Say where local histories lie: `TRAFFIC_HOME`, else in the user's data directory.

    Raises:
        SettingError: There is something else than a folder.

    Source:
        https://specifications.freedesktop.org/basedir-spec/latest/ (a relative path there is to be ignored)
    """
    if "TRAFFIC_HOME" in given:
        home = Path(given["TRAFFIC_HOME"]).expanduser().absolute()
        if home.exists() and not home.is_dir():
            raise SettingError(
                f"TRAFFIC_HOME is {str(home)!r}, which is not a folder; name a folder, it is made if needed"
            )
        return home
    data = Path(given.get("XDG_DATA_HOME", ""))
    return (data if data.is_absolute() else Path.home() / ".local" / "share") / APPLICATION

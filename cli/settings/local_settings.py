"""Reads the settings of this machine from the environment, `.env` and `traffic.toml`, and reports what is wrong."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from cli.settings.settings_file import read_settings_file
from traffic.settings import BY_KEY, FILE_SETTINGS, SettingError, WrongValueError, check_size, is_loopback

APPLICATION = "github-traffic-capture"

TOKEN, HOME = (BY_KEY[key].variable for key in ("token", "home"))

# Settings of earlier versions, and what to do now. If they were ignored, other repositories would be captured.
REPLACED = {
    "TRAFFIC_PRIVATE": "it was replaced by TRAFFIC_VISIBILITY: for `exclude` set TRAFFIC_VISIBILITY=public, for `only`"
    " TRAFFIC_VISIBILITY=private,internal; then remove TRAFFIC_PRIVATE"
}


@dataclass(frozen=True)
class Given:
    """A value, and its source: `environment`, `.env`, `traffic.toml, line 3` or `default`."""

    value: str
    source: str


@dataclass(frozen=True)
class LocalSettings:
    """How this machine captures traffic.

    Attributes:
        token: The GitHub token, or several as a JSON object of owners and tokens; None if none is set.
        home: The folder that holds all local histories.
        chosen: The values of all settings that `traffic.toml` may hold, by their `key`.
        sources: Where token and home come from, by their names in the environment.
    """

    token: str | None
    home: Path
    chosen: Mapping[str, Given]
    sources: Mapping[str, str]

    def __repr__(self) -> str:
        """Show everything except the token."""
        return f"LocalSettings({str(self.home)!r}, {dict(self.chosen)!r})"

    @property
    def api_url(self) -> str:
        """GitHub's REST API, without a slash at its end."""
        return self.chosen["api-url"].value

    @property
    def parameters(self) -> Mapping[str, str]:
        """The stack's parameters on this machine, without the token. This machine sends no e-mail."""
        return {each.parameter: self.chosen[each.key].value for each in FILE_SETTINGS if each.local}

    @property
    def on_loopback(self) -> bool:
        """Whether the API is served on this machine."""
        return is_loopback(urlsplit(self.api_url).hostname or "")

    @property
    def history(self) -> Path:
        """The folder of this source's history: the numbers of different sources never mix."""
        if self.on_loopback:
            return self.home / "loopback"
        if self.token is None:
            return self.home / "demo"
        return self.home / urlsplit(self.api_url).netloc.lower().replace(":", "_")


def read_settings(
    environment: Mapping[str, str], dotenv: Path | None, settings_file: Path | None = None
) -> LocalSettings:
    """Read and check every setting. An empty value means the default, and hides the values of weaker sources.

    Args:
        environment: The process environment, which wins over the files.
        dotenv: A file of `NAME=VALUE` lines, which wins over `settings_file`; None or absent is fine.
        settings_file: `traffic.toml`; None or absent is fine. Its errors count even if another source wins.

    Raises:
        SettingError: A setting is wrong.
    """
    given = read_given(environment, dotenv)
    for name, advice in REPLACED.items():
        if name in given and given[name].value:
            raise SettingError(f"{name} is {given[name].value!r} ({given[name].source}), but {advice}")
    chosen = {each.key: Given(each.default, "default") for each in FILE_SETTINGS}
    chosen |= read_written(settings_file)
    chosen |= check_given(given)
    try:
        check_size({each.parameter: chosen[each.key].value for each in FILE_SETTINGS})
    except WrongValueError as exc:
        raise SettingError(str(exc)) from exc
    return LocalSettings(
        token=check_token(given[TOKEN].value if TOKEN in given and given[TOKEN].value else None),
        home=check_home({name: each.value for name, each in given.items() if each.value}),
        chosen=chosen,
        sources={name: given[name].source if name in given else "default" for name in (TOKEN, HOME)},
    )


def read_given(environment: Mapping[str, str], dotenv: Path | None) -> dict[str, Given]:
    """Return the variables of the environment and of `.env`, with their source."""
    written = parse_dotenv(dotenv) if dotenv and dotenv.is_file() else {}
    return {
        name: Given(value.strip(), source)
        for source, values in ((".env", written), ("environment", environment))
        for name, value in values.items()
    }


def parse_dotenv(file: Path) -> dict[str, str]:
    """Read a `.env` file with python-dotenv, without replacing variables in its values.

    Raises:
        SettingError: The file cannot be read, or a line, which is not shown, is not `NAME=VALUE`.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingError(f"{file} cannot be read ({type(exc).__name__}); save it as a text file in UTF-8") from exc
    values = {}
    for key, value, original, error in parse_stream(StringIO(text)):
        if error or (key and value is None):  # not shown: the line may be a token
            line = original.line + original.string[: -len(original.string.lstrip())].count("\n")
            raise SettingError(f"{file}, line {line}: expected NAME=VALUE; correct the line or start it with #")
        if key:
            values[key] = value or ""
    return values


def read_written(settings_file: Path | None) -> dict[str, Given]:
    """Return the settings in `traffic.toml`, by key."""
    if settings_file is None or not settings_file.exists():
        return {}
    written = read_settings_file(settings_file)
    return {key: Given(each.value, f"{settings_file.name}, line {each.line}") for key, each in written.items()}


def check_given(given: Mapping[str, Given]) -> dict[str, Given]:
    """Check the variables that are parameters of the stack, and return them by key.

    Raises:
        SettingError: One of them is wrong.
    """
    checked = {}
    for each in FILE_SETTINGS:
        if each.local and each.variable in given:
            value, source = given[each.variable].value, given[each.variable].source
            try:
                checked[each.key] = Given(each.check_text(value) if value else each.default, source)
            except WrongValueError as exc:
                raise SettingError(f"{each.variable} {exc}") from exc
    return checked


def check_token(given: str | None) -> str | None:
    """Return the token. Several tokens are returned as the shortest JSON object.

    Raises:
        SettingError: It can't be sent in a header: it is neither visible ASCII nor an object of owners and such tokens.
    """
    if given is None or not given.startswith("{"):
        tokens = {} if given is None else {"*": given}
    else:
        try:
            tokens = json.loads(given) or {"": ""}
            given = json.dumps(tokens, separators=(",", ":"))
        except (ValueError, RecursionError):
            tokens = {"": ""}
    for owner, token in tokens.items():
        if not re.fullmatch(r"[\w.-]+|\*", owner) or not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise SettingError(
                "GITHUB_TOKEN (not shown) contains a space or another character that no token has; copy it again. Write"
                ' several tokens as {"octo-org":"github_pat_...","*":"github_pat_..."}, each after its owner'
            )
    return given


def check_home(given: Mapping[str, str]) -> Path:
    """Return the folder of local histories: `TRAFFIC_HOME`, or a folder in the user's data directory.

    Raises:
        SettingError: The path is not a folder.

    Source:
        https://specifications.freedesktop.org/basedir-spec/latest/ (relative paths are to be ignored)
    """
    if HOME in given:
        home = Path(given[HOME]).expanduser().absolute()
        if home.exists() and not home.is_dir():
            raise SettingError(f"{HOME} is {str(home)!r}, which is not a folder; name a folder, it is made if needed")
        return home
    data = Path(given.get("XDG_DATA_HOME", ""))
    return (data if data.is_absolute() else Path.home() / ".local" / "share") / APPLICATION

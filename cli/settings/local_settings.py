"""Reads the settings of this machine: the environment, and `.env` and `traffic.toml` of two folders. Reports errors."""

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

from dotenv.parser import parse_stream

from cli.settings.settings_file import SETTINGS_FILE, read_settings_file
from traffic.settings import BY_KEY, FILE_SETTINGS, SettingError, WrongValueError, check_size, is_loopback

APPLICATION = "github-traffic-capture"

DOTENV = ".env"
OTHERS = stat.S_IRGRP | stat.S_IROTH  # these bits of a file's mode let other users read it

TOKEN, HOME = (BY_KEY[key].variable for key in ("token", "home"))

# Settings of earlier versions, and what to do now. If they were ignored, other repositories would be captured.
REPLACED = {
    "TRAFFIC_PRIVATE": "it was replaced by TRAFFIC_VISIBILITY: for `exclude` set TRAFFIC_VISIBILITY=public, for `only`"
    " TRAFFIC_VISIBILITY=private,internal; then remove TRAFFIC_PRIVATE"
}


@dataclass(frozen=True)
class Given:
    """A value, and its source: `environment`, `default`, or a file such as `.env` or `traffic.toml, line 3`.

    Files of the current folder have their names as a source, and files of the fixed place their paths.
    """

    value: str
    source: str


DEFAULTS = {each.key: Given(each.default, "default") for each in FILE_SETTINGS}


@dataclass(frozen=True)
class LocalSettings:
    """How this machine captures traffic.

    Attributes:
        token: The GitHub token, or several as a JSON object of owners and tokens; None if none is set.
        home: The folder that holds all local histories.
        chosen: The values of all settings that `traffic.toml` may hold, by their `key`.
        sources: Where token and home come from, by their names in the environment.
        exposed: The files with a token that other users of this machine can read.
    """

    token: str | None
    home: Path
    chosen: Mapping[str, Given]
    sources: Mapping[str, str]
    exposed: tuple[Path, ...] = ()

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
    def without_github(self) -> bool:
        """Whether only the demonstration can run: there is no token, and no GitHub on loopback, which needs none."""
        return self.token is None and not self.on_loopback

    @property
    def demonstration(self) -> "LocalSettings":
        """The settings of the demonstration: its GitHub has no repository that a selection of the user may name."""
        return replace(self, token=None, chosen=DEFAULTS)

    @property
    def history(self) -> Path:
        """The folder of this source's history: the numbers of different sources never mix."""
        if self.on_loopback:
            return self.home / "loopback"
        if self.token is None:
            return self.home / "demo"
        return self.home / urlsplit(self.api_url).netloc.lower().replace(":", "_")

    @property
    def files_here(self) -> list[str]:
        """The files of the current folder from which a value comes."""
        sources = {*self.sources.values(), *(each.source for each in self.chosen.values())}
        return [name for name in (DOTENV, SETTINGS_FILE) if any(each.split(",")[0] == name for each in sources)]


def settings_folder(environment: Mapping[str, str]) -> Path:
    """Return the fixed place of settings, which every command reads, wherever it is typed.

    Raises:
        SettingError: There is no home folder.
    """
    return _folder_of_user(environment, "XDG_CONFIG_HOME", ".config")


def local_settings() -> LocalSettings:
    """Read the settings of this machine: the environment, the files of the current folder, those of the fixed place."""
    return read_settings(os.environ, Path(), settings_folder(os.environ))


def read_settings(environment: Mapping[str, str], *folders: Path) -> LocalSettings:
    """Read and check every setting. An empty value means the default, and hides the values of weaker sources.

    Args:
        environment: The process environment, which wins over all files.
        folders: Where to look for files, the strongest folder first. In a folder, `.env` wins over `traffic.toml`.

    Raises:
        SettingError: A setting is wrong, also in a file whose value another source hides.
    """
    chosen, given, exposed = dict(DEFAULTS), dict[str, Given](), list[Path]()
    for folder in reversed(folders):
        written = read_dotenv(folder / DOTENV)
        if TOKEN in written and written[TOKEN].value and (folder / DOTENV).stat().st_mode & OTHERS:
            exposed.insert(0, folder / DOTENV)
        chosen |= read_written(folder / SETTINGS_FILE) | check_given(written)
        given |= written
    variables = {name: Given(value.strip(), "environment") for name, value in environment.items()}
    chosen |= check_given(variables)
    given |= variables
    for name, advice in REPLACED.items():
        if name in given and given[name].value:
            raise SettingError(f"{name} is {given[name].value!r} ({given[name].source}), but {advice}")
    try:
        check_size({each.parameter: chosen[each.key].value for each in FILE_SETTINGS})
    except WrongValueError as exc:
        raise SettingError(str(exc)) from exc
    return LocalSettings(
        token=check_token(given.get(TOKEN, Given("", "default"))),
        home=check_home({name: each.value for name, each in given.items() if each.value}),
        chosen=chosen,
        sources={name: given[name].source if name in given else "default" for name in (TOKEN, HOME)},
        exposed=tuple(exposed),
    )


def read_dotenv(file: Path) -> dict[str, Given]:
    """Return the variables of a `.env` file, with their source; none if there is no such file."""
    return {name: Given(value.strip(), str(file)) for name, value in parse_dotenv(file).items()}


def parse_dotenv(file: Path) -> dict[str, str]:
    """Read a `.env` file with python-dotenv, without replacing variables in its values.

    Raises:
        SettingError: The file cannot be read, or a line, which is not shown, is not `NAME=VALUE`.
    """
    try:
        text = file.read_text(encoding="utf-8-sig") if file.is_file() else ""
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


def read_written(settings_file: Path) -> dict[str, Given]:
    """Return the settings in `traffic.toml`, by key; none if there is no such file."""
    if not settings_file.exists():
        return {}
    written = read_settings_file(settings_file)
    return {key: Given(each.value, f"{settings_file}, line {each.line}") for key, each in written.items()}


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


def check_token(found: Given) -> str | None:
    """Return the token; None for an empty value. Several tokens are returned as the shortest JSON object.

    Raises:
        SettingError: It can't be sent in a header: it is neither visible ASCII nor an object of owners and such tokens.
    """
    given = found.value
    if not given.startswith("{"):
        tokens = {"*": given} if given else {}
    else:
        try:
            tokens = json.loads(given) or {"": ""}
            given = json.dumps(tokens, separators=(",", ":"))
        except (ValueError, RecursionError):
            tokens = {"": ""}
    for owner, token in tokens.items():
        if not re.fullmatch(r"[\w.-]+|\*", owner) or not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
            raise SettingError(
                f"GITHUB_TOKEN (not shown, {found.source}) contains a space or another character that no token has;"
                ' copy it again. Write several tokens as {"octo-org":"github_pat_...","*":"github_pat_..."}, each after'
                " its owner"
            )
    return given or None


def check_home(given: Mapping[str, str]) -> Path:
    """Return the folder of local histories: `TRAFFIC_HOME`, or a folder in the user's data directory.

    Raises:
        SettingError: The path is not a folder.
    """
    if HOME in given:
        home = Path(given[HOME]).expanduser().absolute()
        if home.exists() and not home.is_dir():
            raise SettingError(f"{HOME} is {str(home)!r}, which is not a folder; name a folder, it is made if needed")
        return home
    return _folder_of_user(given, "XDG_DATA_HOME", ".local/share")


def _folder_of_user(environment: Mapping[str, str], variable: str, usual: str) -> Path:
    """Return this program's folder in one of the user's folders.

    Raises:
        SettingError: There is no home folder.

    Source:
        https://specifications.freedesktop.org/basedir-spec/latest/ (relative paths are to be ignored)
    """
    named = Path(environment.get(variable, ""))
    if named.is_absolute():
        return named / APPLICATION
    try:
        return Path.home() / usual / APPLICATION
    except RuntimeError as exc:
        raise SettingError(f"HOME is not set, and this user has no home folder: set HOME or {variable}") from exc

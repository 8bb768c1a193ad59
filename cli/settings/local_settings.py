"""Read what the user set, in the environment, `.env` and `traffic.toml`, and say clearly what is wrong with it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cli.settings.dotenv_file import parse_dotenv
from cli.settings.settings_file import read_settings_file
from traffic.settings import FILE_SETTINGS, SettingError, WrongValueError, check_size, is_loopback

APPLICATION = "github-traffic-capture"

TOKEN = "GITHUB_TOKEN"  # noqa: S105 - a setting's name
HOME = "TRAFFIC_HOME"

# Settings that earlier versions had -> what to do now. Ignored, they would capture other repositories than was meant.
REPLACED = {
    "TRAFFIC_PRIVATE": "it was replaced by TRAFFIC_VISIBILITY: for `exclude` set TRAFFIC_VISIBILITY=public, for `only`"
    " TRAFFIC_VISIBILITY=private,internal; then remove TRAFFIC_PRIVATE"
}


@dataclass(frozen=True)
class Given:
    """A value, and where it comes from: `environment`, `.env`, `traffic.toml, line 3` or `default`."""

    value: str
    source: str


@dataclass(frozen=True)
class LocalSettings:
    """How this machine captures traffic.

    Attributes:
        token: The GitHub token, or several as a JSON object of owners and tokens; None where none is set.
        home: The folder below which all local histories lie.
        chosen: The values of all settings that are parameters of the stack, by their `key`.
        sources: Where token and home come from, by their names in the environment.
    """

    token: str | None
    home: Path
    chosen: Mapping[str, Given]
    sources: Mapping[str, str]

    def __repr__(self) -> str:
        """Show everything but the token."""
        return f"LocalSettings({str(self.home)!r}, {dict(self.chosen)!r})"

    @property
    def api_url(self) -> str:
        """GitHub's REST API, without a slash at its end."""
        return self.chosen["api-url"].value

    @property
    def parameters(self) -> Mapping[str, str]:
        """The stack's parameters on this machine, which sends no e-mail; the token is not among them."""
        return {each.parameter: self.chosen[each.key].value for each in FILE_SETTINGS if each.local}

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


def read_settings(
    environment: Mapping[str, str], dotenv: Path | None, settings_file: Path | None = None
) -> LocalSettings:
    """Read and check every setting; an empty value stands for the default, and hides what is set in weaker places.

    Args:
        environment: The process environment, which wins over the files.
        dotenv: A file of `NAME=VALUE` lines, which wins over the other one; None or absent is fine.
        settings_file: `traffic.toml`; None or absent is fine. What is wrong in it is told even where it does not count.

    Raises:
        SettingError: One of them is wrong.
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
    """Read what is set by name, and where."""
    written = parse_dotenv(dotenv) if dotenv and dotenv.is_file() else {}
    return {
        name: Given(value.strip(), source)
        for source, values in ((".env", written), ("environment", environment))
        for name, value in values.items()
    }


def read_written(settings_file: Path | None) -> dict[str, Given]:
    """Read what `traffic.toml` sets, by key."""
    if settings_file is None or not settings_file.exists():
        return {}
    written = read_settings_file(settings_file)
    return {key: Given(each.value, f"{settings_file.name}, line {each.line}") for key, each in written.items()}


def check_given(given: Mapping[str, Given]) -> dict[str, Given]:
    """Check what is set by name of the stack's parameters; give it by key.

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
    """Refuse what can't be a token, which goes into a header; of several, give the JSON object in its shortest form.

    Raises:
        SettingError: It is neither visible ASCII characters nor an object of owners and such tokens.
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
                "GITHUB_TOKEN (not shown) has a space or another strange character in it; copy it again. Several tokens"
                ' are written {"octo-org":"github_pat_...","*":"github_pat_..."}, each beside its owner'
            )
    return given


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

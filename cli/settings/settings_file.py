"""Read `traffic.toml`, and name with its line whatever is wrong in it."""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from cli.settings.toml_lines import Place, places
from traffic.settings import FILE_SETTINGS, LOOKS_LIKE_TOKEN, Setting, SettingError, WrongValueError, check_size

SETTINGS_FILE = "traffic.toml"

TOKEN_WORDS = ("token", "secret", "password")  # in a key; what stands behind it is never shown

MISPLACED = (
    "(value not shown) does not belong into this file, which others may read: put the token into GITHUB_TOKEN of the"
    " environment or .env; for AWS, type `traffic token --aws`"
)

# What people may write instead of a key -> what to do.
ELSEWHERE = {
    "home": "it is a setting of each machine: set TRAFFIC_HOME in the environment or .env",
    "private": 'it was replaced by visibility: visibility = ["public"], or ["private", "internal"]',
}


@dataclass(frozen=True)
class Written:
    """A value of the file, as the stack takes it, and the line of its key."""

    value: str
    line: int


def read_settings_file(file: Path) -> dict[str, Written]:
    """Read and check a whole settings file.

    Returns:
        The settings that it names, by their `key`; an empty array is one, too.

    Raises:
        SettingError: Something in it is wrong; each line of the message is one of the errors.
    """
    text = _text(file)
    try:
        parsed = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        raise SettingError(_syntax(file, text, exc)) from exc
    found, written = places(text), {}
    problems: list[tuple[int, str]] = []
    for key, value in parsed.items():
        place = found[key]
        try:
            written[key] = Written(_checked(key, value), place.line)
        except WrongValueError:
            problems += _problems(key, value, place)
    if problems:
        raise SettingError(
            "\n".join(f"{file}, line {line}: {problem}" for line, problem in sorted(problems, key=itemgetter(0)))
        )
    _check_size(file, written)
    return written


def _check_size(file: Path, written: Mapping[str, Written]) -> None:
    lists = [each for each in FILE_SETTINGS if each.many and each.key in written]
    try:
        check_size({each.parameter: written[each.key].value for each in lists})
    except WrongValueError as exc:
        longest = max((written[each.key] for each in lists), key=lambda each: len(each.value))
        raise SettingError(f"{file}, line {longest.line}: {exc}") from exc


def _text(file: Path) -> str:
    try:
        content = file.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as exc:
        raise SettingError(f"{file} cannot be read ({exc.strerror}); make it a text file that you may read") from exc
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise SettingError(f"{file}, line {line}: this is not UTF-8; save the file as text in UTF-8") from exc


def _syntax(file: Path, text: str, error: Exception) -> str:
    """Say where tomllib met what it does not take; its message holds at most a character, or a key, of the text."""
    if isinstance(error, RecursionError):
        return f"{file}: arrays lie too deep in one another; expected arrays of strings"
    said = re.fullmatch(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
    if said is None:
        return f'{file}: this is not TOML ({type(error).__name__}); expected lines as forks = "exclude"'
    line = said[2] or str(text.rstrip().count("\n") + 1)
    column = f", column {said[3]}" if said[3] else ""
    return f'{file}, line {line}{column}: this is not TOML ({said[1]}); expected lines as owners = ["octo-org"]'


def _checked(key: str, value: Any) -> str:
    """Give a value as the stack takes it.

    Raises:
        WrongValueError: There is no such key, or it is not such a value; `_problems` says what is wrong, and where.
    """
    setting = next((each for each in FILE_SETTINGS if each.key == key), None)
    entries: list[Any] = value if isinstance(value, list) else [value]
    if setting is None or setting.many is not isinstance(value, list) or not all(isinstance(e, str) for e in entries):
        raise WrongValueError
    checked = [setting.check(entry) for entry in entries]
    return setting.joined(checked) if setting.many else checked[0]


def _problems(key: str, value: Any, place: Place) -> Iterator[tuple[int, str]]:
    """Say all that is wrong with a key and its value, each with its line."""
    setting = next((each for each in FILE_SETTINGS if each.key == key), None)
    if setting is None:
        yield place.line, unknown(key)
    elif not setting.many:
        yield place.line, f"{key} {_wrong(setting, value)}"
    elif not isinstance(value, list):
        yield place.line, f'{key} is {_shown(value)}; expected an array of strings, as {key} = ["..."]'
    else:
        lines = place.elements or [place.line] * len(value)  # which a heading [[owners]] makes of tables
        wrong = [(line, _wrong(setting, entry)) for line, entry in zip(lines, value, strict=True)]
        found = [(line, f"{key} {what}") for line, what in wrong if what]
        yield from found
        if not found:
            yield place.line, f"{key} {_complaint(setting.joined, value)}"


def unknown(key: str) -> str:
    """Say what to do about a key that is none."""
    plain = re.sub(r"^traffic-", "", key.lower().replace("_", "-"))
    if re.fullmatch(LOOKS_LIKE_TOKEN, key) or any(word in plain for word in TOKEN_WORDS):
        return f"{'this' if re.fullmatch(LOOKS_LIKE_TOKEN, key) else key!r} {MISPLACED}"
    if plain in ELSEWHERE:
        return f"there is no setting {key!r}: {ELSEWHERE[plain]}"
    names = {name.lower().replace("_", "-"): each.key for each in FILE_SETTINGS for name in _names(each)}
    near = difflib.get_close_matches(plain, names, n=1)
    known = f"did you mean {names[near[0]]}?" if near else f"expected one of {', '.join(_keys())}"
    return f"there is no setting {key!r}; {known}"


def _names(setting: Setting) -> tuple[str, ...]:
    return tuple(name for name in (setting.key, setting.parameter, setting.variable) if name)


def _keys() -> list[str]:
    return [each.key for each in FILE_SETTINGS]


def _wrong(setting: Setting, value: Any) -> str:
    """Say what is wrong with one text; nothing where it is right."""
    if isinstance(value, str):
        return _complaint(setting.check, value)
    if setting.many:
        return f"holds {_shown(value)}; expected strings in quotes"
    return f'is {_shown(value)}; expected a string in quotes, as {setting.key} = "{setting.default}"'


def _complaint(check: Any, value: Any) -> str:
    try:
        check(value)
    except WrongValueError as exc:
        return str(exc)
    return ""


def _shown(value: Any) -> str:
    """Write a value of a wrong type as TOML does, so that it is found again; of what it holds nothing is shown."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, str) and re.fullmatch(LOOKS_LIKE_TOKEN, value):
        return "what looks like a token (not shown)"
    return repr(value) if isinstance(value, str) else str(value)

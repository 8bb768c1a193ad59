"""Reads `traffic.toml`, and reports each error in it with its line and with what to do."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from traffic.settings import BY_KEY, FILE_SETTINGS, LOOKS_LIKE_TOKEN, Setting, SettingError, WrongValueError, check_size

SETTINGS_FILE = "traffic.toml"

TOKEN_WORDS = ("token", "secret", "password")  # the value of a key with one of these words is never shown

MISPLACED = (
    "(value not shown) does not belong in this file, which others may read: type `traffic token` or, for AWS,"
    " `traffic token --aws`"
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
    """Read and check a settings file.

    Returns:
        The settings in the file, by their `key`; an empty array is a value, too.

    Raises:
        SettingError: The file has errors; the message has a line for each.
    """
    text = _text(file)
    try:
        parsed = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        raise SettingError(_syntax(file, text, exc)) from exc
    lines, written = key_lines(text), {}
    problems: list[tuple[int, str]] = []
    for key, given in parsed.items():
        value = _text_of(key, given)
        wrong = [(_entry_line(text, lines[key], entry), what) for entry, what in _problems(key, value)]
        if not wrong:
            written[key] = Written(_checked(BY_KEY[key], value), lines[key])
        problems += wrong
    if problems:
        raise SettingError(
            "\n".join(f"{file}, line {line}: {problem}" for line, problem in sorted(problems, key=itemgetter(0)))
        )
    _check_size(file, written)
    return written


def key_lines(text: str) -> dict[str, int]:
    """Return the line of each key of the top level, in a text that tomllib has read without an error.

    A statement consists of the lines that tomllib needs to read it. Only a line with a closing mark can end a statement
    of several lines.
    """
    found: dict[str, int] = {}
    statement, start = "", 1
    for number, line in enumerate(text.split("\n"), start=1):
        statement += f"{line}\n"
        if number == start or re.search(r"[\]}]|\"\"\"|'''", line):
            with suppress(tomllib.TOMLDecodeError):
                for key in tomllib.loads(statement):
                    found.setdefault(key, start)
                statement, start = "", number + 1
    return found


def _entry_line(text: str, line: int, entry: Any) -> int:
    """Return the first line from the key's line on that holds an entry; the key's line without an entry or a match."""
    if entry is None:
        return line
    literals = (f'"{entry}"', f"'{entry}'") if isinstance(entry, str) else (_shown(entry),)
    lines = enumerate(text.split("\n")[line - 1 :], start=line)
    return next((number for number, each in lines if any(literal in each for literal in literals)), line)


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
    """Return where the text is not TOML. The message of tomllib shows at most a character, or a key, of the text."""
    if isinstance(error, RecursionError):
        return f"{file}: arrays are nested too deeply; expected arrays of strings"
    found = re.fullmatch(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
    if found is None:
        return f'{file}: this is not TOML ({type(error).__name__}); expected lines as forks = "exclude"'
    line = found[2] or str(text.rstrip().count("\n") + 1)
    column = f", column {found[3]}" if found[3] else ""
    return f'{file}, line {line}{column}: this is not TOML ({found[1]}); expected lines as owners = ["octo-org"]'


def _text_of(key: str, value: Any) -> Any:
    """Return a value that may be written as a number as the text that it also may be; any other value unchanged."""
    return str(value) if type(value) is int and key in BY_KEY and BY_KEY[key].shape.number else value


def _checked(setting: Setting, value: Any) -> str:
    """Return a value without errors as the stack takes it."""
    return setting.joined([setting.check(entry) for entry in value]) if setting.many else setting.check(value)


def _problems(key: str, value: Any) -> Iterator[tuple[Any, str]]:
    """Return all errors of a key and its value: the wrong entry, or the value, and what is wrong."""
    setting = next((each for each in FILE_SETTINGS if each.key == key), None)
    if setting is None:
        yield None, unknown(key)
    elif not setting.many:
        if what := _wrong(setting, value):
            yield None, f"{key} {what}"
    elif not isinstance(value, list):
        yield None, f'{key} is {_shown(value)}; expected an array of strings, as {key} = ["..."]'
    else:
        wrong = [(entry, f"{key} {what}") for entry in value if (what := _wrong(setting, entry))]
        yield from wrong
        if not wrong and (what := _complaint(setting.joined, value)):
            yield None, f"{key} {what}"


def unknown(key: str) -> str:
    """Return what to do about an unknown key."""
    plain = re.sub(r"^traffic-", "", key.lower().replace("_", "-"))
    if re.fullmatch(LOOKS_LIKE_TOKEN, key) or any(word in plain for word in TOKEN_WORDS):
        return f"{'this' if re.fullmatch(LOOKS_LIKE_TOKEN, key) else repr(key)} {MISPLACED}"
    if plain in ELSEWHERE:
        return f"there is no setting {key!r}: {ELSEWHERE[plain]}"
    names = {
        name.lower().replace("_", "-"): each.key
        for each in FILE_SETTINGS
        for name in (each.key, each.parameter, each.variable)
        if name
    }
    near = difflib.get_close_matches(plain, names, n=1)
    known = f"did you mean {names[near[0]]}?" if near else f"expected one of {', '.join(e.key for e in FILE_SETTINGS)}"
    return f"there is no setting {key!r}; {known}"


def _wrong(setting: Setting, value: Any) -> str:
    """Return what is wrong with one value; an empty text if nothing is wrong."""
    if isinstance(value, str):
        return _complaint(setting.check, value)
    if setting.many:
        return f"holds {_shown(value)}; expected strings in quotes"
    return f'is {_shown(value)}; expected a string in quotes, as {setting.key} = "{setting.default}"'


def _complaint(check: Callable[[Any], str], value: Any) -> str:
    try:
        check(value)
    except WrongValueError as exc:
        return str(exc)
    return ""


def _shown(value: Any) -> str:
    """Return a value of a wrong type as TOML writes it. The content of tables and arrays is hidden."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, str) and re.fullmatch(LOOKS_LIKE_TOKEN, value):
        return "what looks like a token (not shown)"
    return repr(value) if isinstance(value, str) else str(value)

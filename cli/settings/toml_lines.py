"""Where the keys and array elements of a TOML text stand, which `tomllib` does not tell."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Of a text that tomllib has taken already, so nothing is checked again. Up to two quotes may stand before the three
# that end a string of several lines.
TOKENS = re.compile(
    r'''
    (?P<string> """(?:\\.|[^\\])*?"""(?:"{0,2}) | \'\'\'.*?\'\'\'(?:'{0,2}) | "(?:\\.|[^"\\])*" | '[^']*')
    | (?P<comment> \#[^\n]*)
    | (?P<space> [ \t]+)
    | (?P<mark> [\[\]{}=,\n])
    | (?P<bare> [^\s\[\]{}=,\#"']+)
    ''',
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True)
class Place:
    """Where a key of the top level stands: its line, and the lines on which the elements of its array begin."""

    line: int
    elements: Sequence[int] = ()


Token = tuple[str, int]  # the text, and the line on which it begins


def places(text: str) -> dict[str, Place]:
    """Find each key of the top level; a table is one, and what stands in it is not.

    Args:
        text: What tomllib has read without an error.
    """
    found: dict[str, Place] = {}
    in_table = False
    for statement in _statements(text):
        line = statement[0][1]
        if statement[0][0] == "[":
            in_table = True
            found.setdefault(_first_key("".join(part for part, _ in statement)), Place(line))
        elif not in_table:
            equals = [part for part, _ in statement].index("=")
            key = _first_key("".join(part for part, _ in statement[:equals]) + " = 0")
            found.setdefault(key, Place(line, _elements(statement[equals + 1 :])))
    return found


def _statements(text: str) -> Iterator[list[Token]]:
    """Give the tokens of one key with its value, or of one table's heading, after the other."""
    line, depth = 1, 0
    statement: list[Token] = []
    for match in TOKENS.finditer(text):
        part = match[0]
        if part == "\n" and depth == 0:
            if statement:
                yield statement
            statement = []
        elif match["comment"] is None and match["space"] is None and part != "\n":
            statement.append((part, line))
            depth += (part in ("[", "{")) - (part in ("]", "}"))
        line += part.count("\n")
    if statement:
        yield statement


def _elements(value: Sequence[Token]) -> list[int]:
    """Give the lines on which the elements of an array begin; none where it is no array."""
    lines, depth, awaited = [], 0, False
    for part, line in value:
        if depth == 1 and awaited and part != "]":
            lines.append(line)
        depth += (part in ("[", "{")) - (part in ("]", "}"))
        awaited = depth == 1 and part in ("[", ",")
    return lines


def _first_key(statement: str) -> str:
    """Read a key as TOML does: bare, quoted, or the first of several with dots between."""
    return next(iter(tomllib.loads(statement)))

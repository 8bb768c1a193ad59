"""Prints what a person reads: aligned tables on a terminal, tab-separated lines in a pipe, errors in one line."""

import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

FAILED = 1
MISUSED = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it

Row = TypeVar("Row")

MANY = 50_000  # rows between two lines of progress: about a second


class CommandError(Exception):
    """The command failed: exit code 1.

    Its text is printed as one line, with the value, what was expected, and what to do.
    """


class UsageError(Exception):
    """The arguments of the command make no sense together: exit code 2."""


def plain(text: object) -> str:
    """Replace each character that is not printable with a space, so that a text is safe to print on one line.

    A control character in a message of GitHub could move the cursor, colour the terminal or break a column.
    """
    return "".join(character if character.isprintable() else " " for character in str(text))


def program() -> str:
    """Return how this program was called, quoted so that a command that begins with it can be pasted into a shell."""
    return shlex.quote(sys.argv[0])


def say(text: str = "") -> None:
    """Print a line at once, even into a pipe."""
    print(text, flush=True)


def warn(text: str) -> None:
    """Print a line to standard error, so that it is not part of what is piped."""
    print(text, file=sys.stderr, flush=True)


def report_error(text: object) -> None:
    """Print an error as one line to standard error."""
    print(f"traffic: error: {plain(text).strip()}", file=sys.stderr, flush=True)


def counted(rows: Iterable[Row], what: str) -> Iterator[Row]:
    """Yield rows, and print a line of progress after every `MANY` of them."""
    for number, row in enumerate(rows, 1):
        if number % MANY == 0:
            warn(f"Read {number:,} {what}.")
        yield row


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows: aligned and with headings on a terminal, otherwise separated by tabs and without headings."""
    output = sys.stdout
    cells = [[plain("" if cell is None else cell) for cell in row] for row in rows]
    if not output.isatty():
        output.writelines("\t".join(row) + "\n" for row in cells)
        return
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for row in [list(headings), *cells]:
        output.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


def duration(seconds: float) -> str:
    """Write a duration for people: `0.4s`, `12s`, `3m05s`, `1h02m`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"

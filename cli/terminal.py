"""What a person sees: aligned tables on a terminal, tab-separated lines in a pipe, errors of one line."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO, TypeVar

FAILED = 1
MISUSED = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it

Row = TypeVar("Row")

MANY = 50_000  # rows between two lines of progress: about a second


class CommandError(Exception):
    """The command could not do what was asked: exit code 1.

    Its text is shown as one line: the value, what was expected, what to do.
    """


class UsageError(Exception):
    """The command was asked for something that it cannot mean: exit code 2."""


def plain(text: object) -> str:
    """Make a text from elsewhere safe to show on one line.

    GitHub's messages and repository names are others' words: a control character in them
    would move the cursor, colour the terminal or break a column.
    """
    return "".join(character if character.isprintable() else " " for character in str(text))


def say(text: str = "") -> None:
    """Print a line, at once, also where the output is a pipe."""
    print(text, flush=True)


def warn(text: str) -> None:
    """Print a remark to standard error, so that what is piped stays clean."""
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


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], output: TextIO | None = None) -> None:
    """Print rows: aligned and under headings on a terminal, else separated by tabs without headings, as `gh` does."""
    output = output or sys.stdout
    cells = [[plain("" if cell is None else cell) for cell in row] for row in rows]
    if not output.isatty():
        output.writelines("\t".join(row) + "\n" for row in cells)
        return
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for row in [list(headings), *cells]:
        output.write("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n")


def duration(seconds: float) -> str:
    """Write a duration as people say it: `0.4s`, `12s`, `3m05s`, `1h02m`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"

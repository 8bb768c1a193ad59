"""Prints what a person reads: aligned tables on a terminal, tab-separated lines in a pipe, errors in one line."""

import errno
import io
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, TypeVar

from cli.columns import laid_out

FAILED = 1
MISUSED = 2
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
UNREAD = 141  # 128 + SIGPIPE: the reader, for example `head`, has ended

FULL = (errno.ENOSPC, errno.EDQUOT)

Row = TypeVar("Row")


@dataclass
class Manner:
    """How this process prints, as its options say.

    Attributes:
        quiet: Whether to leave out progress and hints.
        paged: Whether to show long output in a pager.
    """

    quiet: bool = False
    paged: bool = True


MANNER = Manner()

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


def use_utf_8() -> None:
    """Write UTF-8 whatever the locale is, as other tools do; a terminal of another encoding shows `?` for the rest.

    Python already reads the locale C as UTF-8, but not if PYTHONUTF8=0 or another name of ASCII is set.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by >&-
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  # open until the end of the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            own = stream.isatty() and stream.encoding.lower() not in ("ascii", "ansi_x3.4-1968", "us-ascii")
            stream.reconfigure(encoding=stream.encoding if own else "utf-8", errors="replace")


def say(text: str = "") -> None:
    """Print a line at once, even into a pipe. If its reader has ended, the command goes on without it."""
    with unread_too():
        print(text, flush=True)


def inform(text: str = "") -> None:
    """Print a line of progress, or a hint, unless `--quiet` is set."""
    if not MANNER.quiet:
        say(text)


def warn(text: str) -> None:
    """Print a line to standard error, so that it is not part of what is piped."""
    with unread_too():
        print(text, file=sys.stderr, flush=True)


def progress(text: str) -> None:
    """Print a line of progress to standard error, unless `--quiet` is set."""
    if not MANNER.quiet:
        warn(text)


def report_error(text: object) -> None:
    """Print an error as one line to standard error."""
    warn(f"traffic: error: {plain(text).strip()}")


@contextmanager
def unread_too() -> Iterator[None]:
    """Do not end a command because the reader of its output has ended: what it works on matters more."""
    try:
        yield
    except BrokenPipeError:
        discard(sys.stdout, sys.stderr)


def discard(*outputs: TextIO) -> None:
    """Discard what could not be written to these outputs, and what follows, if nobody reads it any more."""
    for output in outputs:
        try:
            output.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())


def counted(pages: Iterable[Sequence[Row]], what: str) -> Iterator[Sequence[Row]]:
    """Yield pages of rows, and print a line of progress whenever `MANY` more rows are read."""
    rows = 0
    for page in pages:
        before, rows = rows, rows + len(page)
        if before // MANY != rows // MANY:
            progress(f"Read {rows // MANY * MANY:,} {what}.")
        yield page


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows: aligned and with headings on a terminal, otherwise separated by tabs and without headings."""
    output = sys.stdout
    cells = ([plain("" if cell is None else cell) for cell in row] for row in rows)
    if not output.isatty():
        output.writelines("\t".join(row) + "\n" for row in cells)
        return
    output.writelines(f"{line}\n" for line in laid_out(headings, list(cells), shutil.get_terminal_size().columns))


def duration(seconds: float) -> str:
    """Write a duration for people: `0.4s`, `12s`, `3m05s`, `1h02m`."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"

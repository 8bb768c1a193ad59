"""Shows what is longer than the terminal in a pager, as git does."""

import io
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cli.terminal import MANNER


class Page(io.StringIO):
    """What would be printed on the terminal."""

    def isatty(self) -> bool:
        """Return that it is for a terminal."""
        return True


@contextmanager
def paged() -> Iterator[None]:
    """Show what the block prints in `$PAGER`, otherwise `less -FRX`, if the terminal is too short for it.

    Only a terminal is paged, and `--no-pager` or an empty PAGER turns this off. If the block fails, what it printed
    until then is shown without a pager.
    """
    terminal, pager = sys.stdout, _pager()
    if not MANNER.paged or not pager or not terminal.isatty():
        yield
        return
    sys.stdout = page = Page()
    try:
        yield
    except BaseException:
        terminal.write(page.getvalue())
        raise
    finally:
        sys.stdout = terminal
    text = page.getvalue()
    if _fits(text) or not _shown_in(pager, text):
        terminal.write(text)


def _pager() -> list[str]:
    """Return the words of the pager's command; none if there is no pager, or if it is `cat`."""
    try:
        words = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:  # a quotation mark is missing
        return []
    return [] if words == ["cat"] else words


def _fits(text: str) -> bool:
    """Return whether a text leaves a line of the terminal for the prompt."""
    columns, lines = shutil.get_terminal_size()
    return sum(max(-(-len(line) // columns), 1) for line in text.splitlines()) < lines


def _shown_in(pager: Sequence[str], text: str) -> bool:
    """Show a text in a pager until it ends. Return whether it could be started."""
    defaults = {"LESS": "FRX", "LESSCHARSET": "utf-8"}
    own = {name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"}
    # Ctrl-C is for the pager: `less` stays open then.
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: None)
    try:
        # communicate() ignores that a pager ends before it has read everything.
        with subprocess.Popen(  # noqa: S603 - the user's own pager
            pager, stdin=subprocess.PIPE, env={**defaults, **own}, encoding="utf-8", errors="replace"
        ) as process:
            process.communicate(text)
    except OSError:
        return False
    finally:
        signal.signal(signal.SIGINT, before)
    return True

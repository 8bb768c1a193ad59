"""Long output on a terminal is shown in a pager."""

import io
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from cli.command import Target
from cli.main import main
from cli.pager import paged
from cli.terminal import MANNER, CommandError
from tests.unit.cli_stack import Stack, fresh_stack

stack = pytest.fixture(fresh_stack)

LONG = "".join(f"line {number}\n" for number in range(40))


class Glass(io.StringIO):
    """A terminal of 24 lines that keeps what was printed."""

    def isatty(self) -> bool:
        """Return that this is a terminal."""
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Glass:
    """Print to a terminal."""
    for name in ("PAGER", "LESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    return Glass()


@pytest.fixture
def pager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Make a pager that keeps what it gets, and return a function that reads it: its settings, then the text."""
    kept = tmp_path / "kept"
    program = (
        "import os, sys; text = sys.stdin.read(); "
        "print(os.environ.get('LESS'), 'GITHUB_TOKEN' in os.environ, file=(kept := open(sys.argv[1], 'w'))); "
        "kept.write(text); sys.exit(3)"
    )
    monkeypatch.setenv("GITHUB_TOKEN", "github_pat_secret")
    monkeypatch.setenv("PAGER", shlex.join([sys.executable, "-c", program, str(kept)]))
    return lambda: kept.read_text().splitlines(keepends=True) if kept.exists() else []


def test_what_is_longer_than_the_terminal_is_shown_in_the_pager(
    terminal: Glass, pager: Callable[[], list[str]]
) -> None:
    """As git does, with `less -FRX` unless LESS is set. The pager does not get the token, or change the result."""
    with redirect_stdout(terminal), paged():
        sys.stdout.write(LONG)

    settings, *text = pager()
    assert settings == "FRX False\n"
    assert "".join(text) == LONG
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("text", ["short\n", "line\n" * 23])
def test_what_fits_is_printed(terminal: Glass, pager: Callable[[], list[str]], text: str) -> None:
    """A pager for three lines would only be in the way."""
    with redirect_stdout(terminal), paged():
        sys.stdout.write(text)

    assert (terminal.getvalue(), pager()) == (text, [])


def test_a_line_that_the_terminal_wraps_counts_as_several(terminal: Glass, pager: Callable[[], list[str]]) -> None:
    """Ten lines of 400 characters fill fifty."""
    with redirect_stdout(terminal), paged():
        sys.stdout.write(("x" * 400 + "\n") * 10)

    assert len(pager()) == 11
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("value", ["", "cat", "no-such-pager-anywhere", 'less "', "  "])
def test_without_a_pager_everything_is_printed(terminal: Glass, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """PAGER= turns it off, and a pager that is not installed must not hide the output."""
    monkeypatch.setenv("PAGER", value)

    with redirect_stdout(terminal), paged():
        sys.stdout.write(LONG)

    assert terminal.getvalue() == LONG


def test_a_pipe_has_no_pager(pager: Callable[[], list[str]]) -> None:
    """A program reads it."""
    with redirect_stdout(pipe := io.StringIO()), paged():
        sys.stdout.write(LONG)

    assert (pipe.getvalue(), pager()) == (LONG, [])


def test_a_failure_shows_what_was_printed_before_it(terminal: Glass, pager: Callable[[], list[str]]) -> None:
    """The error's line follows it, and no pager waits for a key."""

    def fail() -> None:
        with redirect_stdout(terminal), paged():
            sys.stdout.write(LONG)
            raise CommandError("no such thing")

    with pytest.raises(CommandError):
        fail()

    assert (terminal.getvalue(), pager()) == (LONG, [])


def test_a_pager_that_ends_early_is_no_error(terminal: Glass, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most people press q after the first screen."""
    monkeypatch.setenv("PAGER", shlex.join([sys.executable, "-c", "pass"]))

    with redirect_stdout(terminal), paged():
        sys.stdout.write(LONG * 5000)

    assert terminal.getvalue() == ""


@pytest.mark.parametrize("arguments", [("show", "docs", "--no-pager"), ("--no-pager", "show", "docs")])
def test_an_option_turns_the_pager_off(
    stack: Stack,
    terminal: Glass,
    pager: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
) -> None:
    """It may stand before or after the command, and holds for one command only."""

    @contextmanager
    def opened(_target: Target) -> Iterator[Any]:
        yield stack.deployment

    for day in range(1, 31):
        stack.day("docs", f"2026-11-{day:02}", {"views-count": day})
    monkeypatch.setattr("cli.commands.show.opened", opened)

    with redirect_stdout(terminal):
        assert main(arguments) == 0
    assert (len(terminal.getvalue().splitlines()), pager()) == (32, [])

    with redirect_stdout(terminal):
        assert main(["show", "docs"]) == 0
    assert len(pager()) == 33
    assert MANNER.paged
    assert os.environ["PAGER"]

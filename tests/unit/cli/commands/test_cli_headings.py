"""The headings of each table on a terminal: without the right one, a number is read as another."""

import io
import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace

import pytest

from cli.commands import import_history
from cli.commands.executions import show_states
from cli.commands.plan import Listed
from cli.commands.settings import compare
from cli.main import main
from cli.terminal import table
from tests.unit.cli_stack import STARTED, Stack, fresh_stack
from traffic.record import comparison

stack = pytest.fixture(fresh_stack)


class Screen(io.StringIO):
    """A terminal that keeps what was printed."""

    def isatty(self) -> bool:
        """Return that this is a terminal."""
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Make tables go to a terminal."""
    terminal = Screen()
    monkeypatch.setenv("COLUMNS", "300")  # wide enough for every path of a test
    monkeypatch.setattr("cli.terminal.sys", SimpleNamespace(stdout=terminal, stderr=sys.stderr))
    return terminal


def headings(screen: Screen) -> list[str]:
    """Return the headings of the first table."""
    return re.split(r" {2,}", screen.getvalue().splitlines()[0].strip())


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("executions", ["STATUS", "NAME", "STARTED", "DURATION", "SUMMARY"]),
        ("note", ["REPOSITORY", "DAY", "NOTE"]),
        ("plan", ["WHAT", "HOW MANY"]),
        ("cost", ["WHAT", "HOW MUCH", "DOLLARS"]),
    ],
)
def test_a_command_shows_its_headings(
    stack: Stack,
    monkeypatch: pytest.MonkeyPatch,
    screen: Screen,
    command: str,
    expected: list[str],
) -> None:
    """They are in the order of the columns."""
    monkeypatch.setattr(f"cli.commands.{command}.opened", lambda _target: nullcontext(stack.deployment))
    monkeypatch.setattr("cli.commands.plan.last_listing", lambda _deployment: Listed("run-1", {1: "*"}, {}))
    stack.step_functions.execution("run-1", stopDate=STARTED + timedelta(minutes=5))

    assert main([command]) == 0

    assert headings(screen) == expected


def test_the_doctor_shows_its_headings(monkeypatch: pytest.MonkeyPatch, screen: Screen) -> None:
    """The first column has the state of each check, which needs no heading."""
    monkeypatch.setattr("cli.commands.doctor.local_findings", lambda: iter(()))

    assert main(["doctor"]) == 0

    assert headings(screen) == ["CHECK", "FOUND", "WHAT TO DO"]


def test_settings_are_shown_under_headings(screen: Screen) -> None:
    """The third column shows why a setting has its value."""
    assert main(["settings"]) == 0

    assert headings(screen) == ["SETTING", "VALUE", "FROM"]


def test_compared_settings_are_shown_under_headings(stack: Stack, screen: Screen) -> None:
    """People must see which of two values is deployed."""
    compare(stack.deployment, {})

    assert headings(screen) == ["SETTING", "DEPLOYED", "TRAFFIC.TOML", "COMPARED"]


def test_states_are_shown_under_headings(screen: Screen) -> None:
    """A duration without its heading could be a wait."""
    show_states([])

    assert headings(screen) == ["STATE", "KIND", "STARTED", "DURATION", "RETRIES", "WHAT HAPPENED"]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (
            import_history.HEADINGS,
            "REPOSITORY  ID  DAYS  FIRST  LAST  NEW DAYS  CELLS RAISED  KEPT HIGHER  SAME  SNAPSHOTS  STARS  FORKS",
        ),
        (comparison.HEADINGS, "DIFFERENCE  TABLE  ITEM  ATTRIBUTE  ARCHIVE  TABLE HOLDS"),
    ],
)
def test_numbers_of_days_and_differences_have_headings(screen: Screen, shown: Sequence[str], expected: str) -> None:
    """Only the headings show which number a column has, and which of two values is stored."""
    table(shown, [])

    assert screen.getvalue() == expected + "\n"

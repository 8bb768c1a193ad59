"""A terminal for each test, and a check of what it leaves behind."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.commands import Terminal, commands_below

# Seconds for which the SDK repeats a call to DynamoDB: a function whose engine was killed ends after that.
LONGEST_RETRY = 45


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal without a token, whose commands must leave neither a process nor a file outside its folder."""
    before = left_in_tmp()
    yield Terminal(tmp_path, {})

    give_up = time.monotonic() + LONGEST_RETRY
    while commands_below(tmp_path) and time.monotonic() < give_up:
        time.sleep(0.05)
    assert commands_below(tmp_path) == []
    assert left_in_tmp() <= before


def left_in_tmp() -> set[Path]:
    """Return files of the engine in the system's folder for temporary files."""
    return set(Path(tempfile.gettempdir()).glob("ministack*"))

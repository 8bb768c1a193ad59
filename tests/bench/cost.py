"""Dollars for 1,000 repositories and a month of daily runs, from what a run took."""

from cli.prices import ENTRY_AND_SNAPSHOT, GIGABYTE_SECOND, GIGABYTES, ITEMS_READ, READ, TRANSITION, WRITE
from tests.bench.pace import Loop
from tests.bench.world import Measured

RUNS = 30 * 1000  # of a month, for each of 1,000 repositories

WRITTEN_DAILY = 1 + ENTRY_AND_SNAPSHOT  # items of a repository that a day changes: itself, and those


def first_version_cost(loop: Loop, repositories: int) -> float:
    """Price the first version's loop: one function that waits for GitHub, and every day written each time."""
    each = loop.seconds * GIGABYTES * GIGABYTE_SECOND + loop.written * WRITE
    return each / repositories * RUNS


def our_cost(measured: Measured, repositories: int, transitions: float) -> float:
    """Price ours: so many transitions for each, the time of all functions, and the items that a day changes."""
    functions = measured.function_seconds * GIGABYTES * GIGABYTE_SECOND / repositories
    return (transitions * TRANSITION + functions + WRITTEN_DAILY * WRITE + ITEMS_READ * READ) * RUNS

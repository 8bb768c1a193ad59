"""Dollars for 1,000 repositories and a month of daily runs: the first version's loop beside ours."""

from cli.runs.cost_table import RUNS, dollars, used_by_month
from cli.runs.prices import GIGABYTE_SECOND, INVOCATION, READ, TRANSITION, WRITE
from tests.bench.pace import Loop

REPOSITORIES = 1000
GIGABYTES = 0.25  # of the first version's function


def first_version_cost(loop: Loop, repositories: int) -> float:
    """Price the first version's loop: one function that waits for GitHub, and writes every day each time."""
    run = {GIGABYTE_SECOND: loop.seconds * GIGABYTES, WRITE: float(loop.written)}
    return dollars(run, *run) / repositories * REPOSITORIES * RUNS


def our_cost() -> float:
    """Price our functions, tables and transitions, by the constants of the table in docs/cost.md."""
    return dollars(used_by_month(REPOSITORIES), TRANSITION, GIGABYTE_SECOND, INVOCATION, WRITE, READ)

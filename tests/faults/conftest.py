"""The engine that the cases share, one for each worker of pytest, and the matrix as a table at the end."""

import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import commands_below
from tests.e2e.conftest import left_in_tmp
from tests.faults.aws_pipeline import AwsPipeline, breakable_pipeline

COLUMNS = ("cases", "calls struck", "succeeded", "failed and told", "lost rows", "silent losses", "duplicates")


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsPipeline]:
    """The deployed stack, whose calls to AWS can be broken; it leaves no process and no file behind."""
    folder, before = tmp_path_factory.mktemp("breakable"), left_in_tmp()
    with breakable_pipeline(folder / "history") as pipeline:
        yield pipeline
    assert ended(folder), commands_below(folder)
    assert left_in_tmp() <= before
    shutil.rmtree(folder)  # thousands of runs


def ended(folder: Path) -> bool:
    """Wait up to 10 s for the processes that name a folder to end."""
    give_up = time.monotonic() + 10
    while commands_below(folder) and time.monotonic() < give_up:
        time.sleep(0.05)
    return not commands_below(folder)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the matrix: by side how many cases, and what became of them."""
    faults = [
        fault
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, fault in report.user_properties
        if name == "fault"
    ]
    if not faults:
        return
    sides = {fault["side"]: [each for each in faults if each["side"] == fault["side"]] for fault in faults}
    lines = [("", *COLUMNS), *((side, *counts(sides[side])) for side in sorted(sides)), ("together", *counts(faults))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    terminalreporter.section("the fault matrix")
    for side, *cells in lines:
        numbers = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        terminalreporter.write_line(f"{side.ljust(widths[0])}  {numbers}")


def counts(faults: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """Count what became of cases, in the order of the columns."""
    complete = sum(fault["complete"] for fault in faults)
    told = sum(fault["told"] and not fault["complete"] for fault in faults)
    lost, duplicates = (sum(fault[name] for fault in faults) for name in ("lost", "duplicates"))
    numbers = (len(faults), sum(fault["struck"] for fault in faults), complete, told, lost)
    return tuple(map(str, (*numbers, len(faults) - complete - told, duplicates)))

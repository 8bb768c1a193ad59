"""The engine that the cases of a pytest worker share, and the matrix as a table at the end."""

import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import commands_below
from tests.e2e.conftest import left_in_tmp
from tests.faults.aws_pipeline import AwsPipeline, breakable_pipeline
from tests.faults.sampling import group_of, sampled

COLUMNS = ("cases", "calls struck", "succeeded", "failed and reported", "lost rows", "silent losses", "duplicates")

OPTION = "--sampled-by"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let continuous integration run a part of the matrix."""
    parser.addoption(OPTION, metavar="COMMIT", help="run each fault of each call for one of its durations only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the cases that the commit's hash selects, and all tests that are not cases of the matrix."""
    seed = config.getoption(OPTION)
    if not seed:
        return
    groups = {item: group_of(item.nodeid.partition("[")[0], parameters_of(item)) for item in items}
    chosen = sampled({item: group for item, group in groups.items() if group is not None}, seed)
    config.hook.pytest_deselected(items=[item for item in items if groups[item] is not None and item not in chosen])
    items[:] = [item for item in items if groups[item] is None or item in chosen]


def parameters_of(item: pytest.Item) -> Mapping[str, Any]:
    """Return the parameters of a test."""
    return item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsPipeline]:
    """The deployed stack, whose calls to AWS can fail; it leaves no process and no file behind."""
    folder, before = tmp_path_factory.mktemp("breakable"), left_in_tmp()
    with breakable_pipeline(folder / "history") as pipeline:
        yield pipeline
    assert ended(folder), commands_below(folder)
    assert left_in_tmp() <= before
    shutil.rmtree(folder)  # thousands of runs


def ended(folder: Path) -> bool:
    """Return whether all processes with a folder in their command line end within 10 s."""
    give_up = time.monotonic() + 10
    while commands_below(folder) and time.monotonic() < give_up:
        time.sleep(0.05)
    return not commands_below(folder)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the number of cases and their outcomes by side and, for a part of the matrix, the names of the cases."""
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
    if config.getoption(OPTION):
        terminalreporter.section(f"the cases chosen by {config.getoption(OPTION)}; `make test-faults` runs all")
        for fault in faults:
            terminalreporter.write_line(f"{fault['side']}: {fault['case']}")


def counts(faults: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the outcomes of cases, in the order of the columns."""
    complete = sum(fault["complete"] for fault in faults)
    reported = sum(fault["reported"] and not fault["complete"] for fault in faults)
    lost, duplicates = (sum(fault[name] for fault in faults) for name in ("lost", "duplicates"))
    numbers = (len(faults), sum(fault["struck"] for fault in faults), complete, reported, lost)
    return tuple(map(str, (*numbers, len(faults) - complete - reported, duplicates)))

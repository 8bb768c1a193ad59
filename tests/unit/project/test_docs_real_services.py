"""Promise: each behaviour of AWS and GitHub that the local engines do not show names the test that stands in for it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

PAGE = ROOT / "docs" / "real-services.md"


def rows() -> list[list[str]]:
    """Read the table's rows, without its heading."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


ROWS = rows()


@cache
def functions_of(path: Path) -> frozenset[str]:
    """Name the test functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_the_table_has_rows() -> None:
    """A loop over nothing proves nothing."""
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:60] for row in ROWS])
def test_each_row_names_tests_that_exist_and_a_source(row: list[str]) -> None:
    """A row whose test was renamed or removed promises what nobody checks."""
    _behaviour, shown, named, source = row
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)", named)

    assert tests, named
    assert [(path, name) for path, name in tests if name not in functions_of(ROOT / path)] == []
    assert shown
    assert source

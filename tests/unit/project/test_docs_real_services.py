"""Promise: the page names a test and a source for each behaviour of AWS and GitHub that this project depends on."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

PAGE = ROOT / "docs" / "real-services.md"


def rows() -> list[list[str]]:
    """Return the rows of all tables, without their headings."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "behaviour"]


ROWS = rows()


@cache
def functions_of(path: Path) -> frozenset[str]:
    """Return the names of a file's test functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_the_tables_have_rows() -> None:
    """Without rows, the other test would check nothing."""
    assert len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:60] for row in ROWS])
def test_each_row_names_tests_that_exist_and_a_source(row: list[str]) -> None:
    """If its test was renamed or removed, nobody checks what a row promises."""
    _behaviour, shown, named, source = row
    tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)", named)

    assert tests, named
    assert [(path, name) for path, name in tests if name not in functions_of(ROOT / path)] == []
    assert shown
    assert source

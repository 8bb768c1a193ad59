"""Lays a table out for a terminal of any width, without breaking words. Pure."""

import re
import textwrap
from collections.abc import Sequence

GAP = "  "  # between two columns

NUMBER = re.compile(r"-?[\d,]+(\.\d+)?")


def laid_out(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the lines of a table with headings. Columns with mostly numbers are aligned to the right.

    If the table is wider than the terminal, its longest texts continue on the next line. If not even that fits, each
    row becomes a block of lines, `HEADING: cell`.
    """
    if not rows:
        return [GAP.join(headings)]
    columns = [list(column) for column in zip(headings, *rows, strict=True)]
    room = width - len(GAP) * (len(columns) - 1)
    widths = _widths(columns, room)
    if sum(widths) > room:
        return _blocks(headings, rows, width)
    numbers = [_mostly_numbers(column[1:]) for column in columns]
    return [line for row in (headings, *rows) for line in _lines(row, widths, numbers)]


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """Return the widths of the columns: of the widest ones as little as is needed, but no less than a word."""
    widths = [max(map(len, column)) for column in columns]
    least = [max(len(word) for cell in column for word in ["", *cell.split()]) for column in columns]
    while sum(widths) > room and widths != least:
        _, widest = max((widths[index], index) for index in range(len(widths)) if widths[index] > least[index])
        widths[widest] -= 1
    return widths


def _mostly_numbers(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return 2 * sum(bool(NUMBER.fullmatch(cell)) for cell in filled) > len(filled)


def _lines(row: Sequence[str], widths: Sequence[int], numbers: Sequence[bool]) -> list[str]:
    wrapped = [[cell] if len(cell) <= width else _wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = []
    for place in range(max(map(len, wrapped))):
        parts = [cell[place] if place < len(cell) else "" for cell in wrapped]
        aligned = (
            part.rjust(width) if number else part.ljust(width)
            for part, width, number in zip(parts, widths, numbers, strict=True)
        )
        lines.append(GAP.join(aligned).rstrip())
    return lines


def _blocks(headings: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    lines: list[str] = []
    for row in rows:
        lines += [""] if lines else []
        for heading, cell in zip(headings, row, strict=True):
            if cell:
                lines += _wrapped(f"{heading}: {cell}" if heading else cell, width, later=GAP)
    return lines


def _wrapped(text: str, width: int, later: str = "") -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=later, break_long_words=False, break_on_hyphens=False)

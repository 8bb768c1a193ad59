"""Reads other tools' CSV files, and refuses what is not what it claims to be: file, line, value, what was expected."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from cli.terminal import CommandError

NUMBER = re.compile(r"(\d{1,15})(\.0+)?")  # pandas writes 3.0 in a column where another cell is empty
MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})([ T]00:00:00(\.0+)?(Z|\+00:?00)?)?")


@dataclass(frozen=True)
class Line:
    """One line of a CSV file.

    Attributes:
        file: The file.
        number: The line's number, from 1.
        cells: The texts by column.
    """

    file: Path
    number: int
    cells: Mapping[str, str]

    def refuse(self, column: str, expected: str) -> CommandError:
        """Say what is wrong with a cell, and what to do."""
        return CommandError(
            f"{self.file}, line {self.number}: {column} is {self.cells[column]!r}, expected {expected}. "
            "Nothing was imported: mend or remove the line, then try again."
        )

    def day(self, column: str) -> str:
        """Read a UTC day, which some tools write as its midnight.

        Raises:
            CommandError: It is none, or is yet to come.
        """
        found = MIDNIGHT.fullmatch(self.cells[column].strip())
        try:
            day = datetime.fromisoformat(found[1]).date().isoformat() if found else ""
        except ValueError:
            day = ""
        if not day:
            raise self.refuse(column, "a UTC day, 2026-11-20")
        if day > datetime.now(UTC).date().isoformat():
            raise self.refuse(column, "a day that has begun")
        return day

    def number_in(self, column: str) -> int | None:
        """Read a count; None where the cell is empty, which is how pandas writes that it knows none.

        Raises:
            CommandError: It is not a whole number from 0.
        """
        text = self.cells[column].strip()
        if not text:
            return None
        found = NUMBER.fullmatch(text)
        if not found:
            raise self.refuse(column, "a whole number from 0, or nothing")
        return int(found[1])


def read_lines(file: Path, headings: Sequence[Sequence[str]]) -> Iterator[Line]:
    """Read a CSV file whose first line is one of some headings, in any order of the columns.

    Raises:
        CommandError: It cannot be read, has other columns, or a line has more or fewer cells.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"{file} cannot be read as text: {exc}. Expected a CSV file in UTF-8.") from exc
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        columns = next(rows, [])
        if sorted(columns) not in [sorted(heading) for heading in headings]:
            expected = " or ".join(repr(",".join(heading)) for heading in headings)
            raise CommandError(
                f"{file} begins with {','.join(columns)[:200]!r}, expected {expected}: is it that tool's?"
            )
        for cells in rows:
            if cells and len(cells) != len(columns):
                raise CommandError(
                    f"{file}, line {rows.line_num}: {len(cells)} cells, expected {len(columns)}. "
                    "Nothing was imported: bring the whole file, then try again."
                )
            if cells:
                yield Line(file, rows.line_num, dict(zip(columns, cells, strict=True)))
    except csv.Error as exc:
        raise CommandError(f"{file}, line {rows.line_num}: {exc}. Expected a CSV file; nothing was imported.") from exc

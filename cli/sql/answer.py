"""The answer to a question in SQL: its columns, and its rows one after another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from cli.export_formats import Cell
from cli.sql.views import VIEWS
from cli.terminal import UsageError


@dataclass(frozen=True)
class SqlAnswer:
    """What a database answers.

    Attributes:
        columns: The type of each column by its name: `VARCHAR`, `BIGINT`, `DOUBLE`, `BOOLEAN` or `DATE`.
        rows: The rows; days are texts such as `2026-11-20`.
    """

    columns: Mapping[str, str]
    rows: Iterator[Sequence[Cell]]


def column_types(columns: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the types of an answer's columns by their names.

    Raises:
        UsageError: Two columns have the same name, which no format but a table could show.
    """
    names = [name for name, _ in columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"The answer has two columns {twice!r}: name one of them differently with AS.")
    return dict(columns)


def refused(reason: str, unknown: str | None) -> UsageError:
    """Return the error for a question that the database refuses, with the column that was probably meant.

    Args:
        reason: What the database says, in one line.
        unknown: The column that it does not know; None if that is not the reason.
    """
    known = {column: None for columns in VIEWS.values() for column in columns}
    close = get_close_matches((unknown or "").lower(), known, n=1)
    hint = f": did you mean {close[0]}?" if close else "."
    return UsageError(f"{reason.rstrip('.:!')}{hint}")

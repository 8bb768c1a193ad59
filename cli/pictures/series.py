"""What every picture needs: the days of one repository, one number of each, and a file to draw into."""

from collections.abc import Sequence
from pathlib import Path

from cli.terminal import UsageError
from traffic.contract import METRICS
from traffic.record.reading import DayRow, Record

UNIQUES = {"views": "visitors", "clones": "cloners"}


def check_kind(path: Path | None, *kinds: str) -> None:
    """Refuse a file name that promises another kind of picture.

    Raises:
        UsageError: The name ends in none of `kinds`.
    """
    if path is not None and path.suffix.lower() not in kinds:
        raise UsageError(f"--output {str(path)!r}: expected a name that ends in {' or '.join(kinds)}.")


def read(record: Record, asked: str, *, since: str | None = None) -> tuple[str, Sequence[DayRow]]:
    """Read a repository's current name and its days.

    Raises:
        RecordError: Nothing is kept of it.
    """
    found = record.repository(asked)
    return found.name, list(record.days(found.repo_name, since=since))


def series(rows: Sequence[DayRow], attribute: str) -> dict[str, int]:
    """Return one number by day; a day for which GitHub did not report it is absent."""
    index = METRICS.index(attribute)
    return {row.day: number for row in rows if (number := row.metrics[index]) is not None}

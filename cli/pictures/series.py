"""What both pictures need: the days of a repository, one number for each, and a fitting file name."""

from collections.abc import Sequence
from pathlib import Path

from cli.atomic_file import is_plain
from cli.terminal import UsageError
from traffic.contract import METRICS
from traffic.record.reading import DayRow, Record

UNIQUES = {"views": "visitors", "clones": "cloners"}


def check_ending(path: Path | None, *endings: str) -> None:
    """Refuse a file name of another kind of picture. A pipe or a device may have any name.

    Raises:
        UsageError: The name has none of the endings.
    """
    if path is not None and is_plain(path) and path.suffix.lower() not in endings:
        raise UsageError(f"--output {str(path)!r}: expected a name that ends in {' or '.join(endings)}.")


def read_days(record: Record, asked: str, *, since: str | None = None) -> tuple[str, Sequence[DayRow]]:
    """Read a repository's current name and its days.

    Raises:
        RecordError: The record has no such repository.
    """
    found = record.repository(asked)
    return found.name, list(record.days(found.repo_name, since=since))


def numbers_by_day(rows: Sequence[DayRow], metric: str) -> dict[str, int]:
    """Return a metric by day, such as `views-count`; a day without a number is absent."""
    index = METRICS.index(metric)
    return {row.day: number for row in rows if (number := row.metrics[index]) is not None}

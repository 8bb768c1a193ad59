"""What every picture needs: the days of one repository, one number of each, and a file to draw into."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.commands.note import key_of
from cli.commands.show import days_of
from cli.stack.deployment import Deployment
from cli.stack.repositories import find_repository
from cli.terminal import UsageError

UNIQUES = {"views": "visitors", "clones": "cloners"}

Row = Mapping[str, Any]


def check_kind(path: Path | None, *kinds: str) -> None:
    """Refuse a file name that promises another kind of picture.

    Raises:
        UsageError: The name ends in none of `kinds`.
    """
    if path is not None and path.suffix.lower() not in kinds:
        raise UsageError(f"--output {str(path)!r}: expected a name that ends in {' or '.join(kinds)}.")


def read(deployment: Deployment, asked: str, *, since: str | None = None) -> tuple[str, Sequence[Row]]:
    """Read a repository's current name and its days.

    Raises:
        CommandError: Nothing is kept of it.
    """
    key, found = key_of(deployment, asked), find_repository(deployment, asked)
    return (found.current_name if found else None) or key, list(days_of(deployment, key, since=since))


def series(rows: Sequence[Row], attribute: str) -> dict[str, int]:
    """Return one number by day; a day for which GitHub did not report it is absent."""
    return {str(row["timestamp"]["S"])[:10]: int(row[attribute]["N"]) for row in rows if attribute in row}

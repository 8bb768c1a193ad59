"""Reads the rows of this project's first version, which have the bare name of a repository and no owner."""

from collections.abc import Mapping

from cli.imports.tool_history import ToolHistory
from cli.terminal import CommandError
from traffic.contract import METRICS
from traffic.record.item_table import Table
from traffic.record.merge import Item


def read_first_version(
    table: Table, owners: Mapping[str, str], owner: str | None, *, place: str
) -> dict[str, ToolHistory]:
    """Read the rows of the first version in the table; they stay unchanged.

    A zero is no measurement: the first version wrote it also if GitHub reported the day for the other metric only.

    Args:
        table: The table of days, in which the first version stored its rows.
        owners: The owners of single repositories, by the bare name.
        owner: The owner of all other repositories; None if unknown.
        place: Where the table is, for people.

    Returns:
        The histories by `owner/name`.

    Raises:
        CommandError: There are no such rows, an owner is missing or not needed, or a row has a wrong number.

    Source:
        https://github.com/bpguasch/github-traffic-capture: `init_traffic_data` of the function's index.py.
    """
    rows: dict[str, list[Item]] = {}
    for item in table.every_item():
        if "/" not in item["repo-name"]:
            rows.setdefault(item["repo-name"], []).append(item)
    if not rows:
        raise CommandError(f"The table in {place} has no row of the first version: there is nothing to import.")
    _check_owners(rows, owners, owner)
    return {f"{owners.get(name, owner)}/{name}": _history(name, rows[name]) for name in sorted(rows)}


def _check_owners(rows: Mapping[str, object], owners: Mapping[str, str], owner: str | None) -> None:
    unknown = sorted(owners.keys() - rows.keys())
    if unknown:
        raise CommandError(f"The first version has no repository {unknown[0]!r}, only {', '.join(sorted(rows))}.")
    missing = [] if owner else sorted(rows.keys() - owners.keys())
    if missing:
        raise CommandError(
            f"Who owns {', '.join(missing)}? The first version kept no owners: add --owner OWNER for all of them, or "
            f"--owner {missing[0]}=OWNER for each one."
        )


def _history(name: str, rows: list[Item]) -> ToolHistory:
    history = ToolHistory("first version", [name])
    for row in rows:
        metrics = {metric: row[metric] for metric in METRICS if metric in row}
        if not all(isinstance(value, int) and value >= 0 for value in metrics.values()):
            raise CommandError(f"{name} {row['timestamp']} has {metrics}, expected integers from 0: correct the row.")
        history.add_filled_day(row["timestamp"][:10], metrics)
    return history

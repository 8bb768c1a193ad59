"""The rows of this project's first version: under the bare name of a repository, with the owner unknown."""

from collections.abc import Mapping

from cli.imports.tool_history import ToolHistory
from cli.terminal import CommandError
from traffic.contract import METRICS
from traffic.record.item_table import ItemTable
from traffic.record.items import Item


def read_first_version(
    table: ItemTable, owners: Mapping[str, str], owner: str | None, *, place: str
) -> dict[str, ToolHistory]:
    """Read the rows that the first version left in the table, which stay as they are.

    A zero says nothing: the first version wrote one wherever GitHub named the day for the other metric alone.

    Args:
        table: The table of days of the stack that was deployed over the first version's.
        owners: Whose a repository is, by its bare name.
        owner: Whose all others are; None for unknown.
        place: Where the table is, for people.

    Returns:
        What was kept, by `owner/name`.

    Raises:
        CommandError: There are no such rows, an owner is missing or not needed, or a row is not the first version's.

    Source:
        https://github.com/bpguasch/github-traffic-capture: `init_traffic_data` of the function's index.py.
    """
    rows: dict[str, list[Item]] = {}
    for item in table.every_item():
        if "/" not in item["repo-name"]:
            rows.setdefault(item["repo-name"], []).append(item)
    if not rows:
        raise CommandError(f"The table in {place} holds no row of the first version: nothing to import.")
    _check_owners(rows, owners, owner)
    return {f"{owners.get(name, owner)}/{name}": _history(name, rows[name]) for name in sorted(rows)}


def _check_owners(rows: Mapping[str, object], owners: Mapping[str, str], owner: str | None) -> None:
    unknown = sorted(owners.keys() - rows.keys())
    if unknown:
        raise CommandError(f"The first version kept no {unknown[0]!r}; it kept {', '.join(sorted(rows))}.")
    missing = [] if owner else sorted(rows.keys() - owners.keys())
    if missing:
        raise CommandError(
            f"Whose are {', '.join(missing)}? The first version kept no owners: say --owner OWNER for all of them, or "
            f"--owner {missing[0]}=OWNER for one, as often as needed."
        )


def _history(name: str, rows: list[Item]) -> ToolHistory:
    history = ToolHistory("first version", [name])
    for row in rows:
        metrics = {metric: row[metric] for metric in METRICS if metric in row}
        if not all(isinstance(value, int) and value >= 0 for value in metrics.values()):
            raise CommandError(
                f"{name} {row['timestamp']} holds {metrics}, expected whole numbers from 0: mend the row."
            )
        history.zeros += sum(value == 0 for value in metrics.values())
        history.add_day(row["timestamp"][:10], {metric: value or None for metric, value in metrics.items()})
    return history

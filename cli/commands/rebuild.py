"""`traffic rebuild`: writes what the tables lack of the archive, or hold too low."""

from itertools import count
from typing import Any

from cli.command import Target, command
from cli.stack.opening import opened
from cli.terminal import inform, progress, table, warn
from traffic.record.archive import Archive
from traffic.record.comparison import AT_ONCE, FIRST_VERSION, HEADINGS, Comparison, Difference, Kind
from traffic.record.items import Item
from traffic.record.reading import Record
from traffic.record.tables import settle
from traffic.wording import counted

EXAMPLES = """examples:
  traffic rebuild          on this machine
  traffic rebuild --aws    in AWS

Compares each item as `traffic verify` does, and writes what a table lacks or holds too low, each item once. It deletes
nothing and lowers nothing: what a table holds beyond the archive is listed, and stays. A second rebuild writes nothing,
and an interrupted one can be repeated. A run may be in progress. If a table itself was deleted, deploy the stack first,
which creates it again.
"""


@command(EXAMPLES)
def execute(target: Target) -> int:
    """Write what the tables lack of the archive, or hold too low."""
    with opened(target) as deployment:
        written, differences = rebuild(deployment.record, deployment.archive, AT_ONCE if target.aws else 1)
        deployment.save()
        items = counted(written, "item", "items")
        inform(f"Wrote {items}. `traffic verify{deployment.options}` compares tables and archive.")
        if differences:
            table(HEADINGS, (difference.row for difference in differences))
            stay = counted(len(differences), "difference stays", "differences stay")
            warn(f"{stay}, because a rebuild removes and lowers nothing.")
    return 0


def rebuild(record: Record, archive: Archive, at_once: int = 1) -> tuple[int, list[Difference]]:
    """Write what the tables lack of the archive, or hold too low, each item once.

    Args:
        record: The tables.
        archive: The archive.
        at_once: How many repositories to write at the same time.

    Returns:
        The number of items written, and the differences that stay.

    Raises:
        RecordError: An object of the archive is damaged.
        TableBusyError: Others kept changing an item.
    """
    written = count()  # unlike `+= 1`, its next() is safe in threads

    def mend(kind: Kind[Any], key: Item, item: Item, content: Any) -> Item:
        merged, changed = settle(kind.table, key, item, lambda held: kind.merge(held, content), kind.checked)
        if changed:
            next(written)
        return merged

    found = Comparison(record, archive, mend, at_once, progress).differences()
    left = [difference for difference in found if difference.kind != FIRST_VERSION]
    return next(written), left

"""`traffic rebuild`: writes what the tables lack of the archive, or hold too low."""

from cli.command import Target, command
from cli.stack.deployment import opened
from cli.terminal import inform, progress, table, warn
from traffic.record.comparison import AT_ONCE, HEADINGS
from traffic.record.rebuilding import rebuild
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
    with opened(target, rebuilds=True) as deployment:
        written, differences = rebuild(deployment.record, deployment.archive, AT_ONCE if target.aws else 1, progress)
        deployment.save()
        items = counted(written, "item", "items")
        inform(f"Wrote {items}. `traffic verify{deployment.options}` compares tables and archive.")
        if differences:
            table(HEADINGS, (difference.row for difference in differences))
            stay = counted(len(differences), "difference stays", "differences stay")
            warn(f"{stay}, because a rebuild removes and lowers nothing.")
    return 0

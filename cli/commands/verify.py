"""`traffic verify`: compares the tables with what they should hold according to the archive."""

from cli.command import Target, command
from cli.pager import paged
from cli.stack.deployment import forget_tables_before, opened
from cli.terminal import FAILED, progress, say, table, warn
from traffic.record.archive import Archive
from traffic.record.comparison import AT_ONCE, FIRST_VERSION, HEADINGS, Comparison, Difference
from traffic.record.reading import Record
from traffic.wording import counted, plural

EXAMPLES = """examples:
  traffic verify          on this machine
  traffic verify --aws    in AWS

Merges the complete archive and compares each item: `missing` is only in the archive, `extra` is only in a table,
`differs` is in both, with different values. `traffic rebuild` repairs what is missing or too low. Rows of the first
version, which had no archive, are counted but not compared: `traffic import first-version` imports them.
Use it while no run is in progress. Exit code 1: there are differences.
"""


@command(EXAMPLES)
def execute(target: Target) -> int:
    """Compare each item of the tables with what the archive says it should be."""
    with paged(), opened(target) as deployment:
        found = verify(deployment.record, deployment.archive, AT_ONCE if target.aws else 1)
        differences = [difference for difference in found if difference.kind != FIRST_VERSION]
        if len(found) > len(differences):
            uncompared = len(found) - len(differences)
            rows = counted(uncompared, "row of the first version was", "rows of the first version were")
            warn(f"{rows} not compared: the archive does not have {plural(uncompared, 'it', 'them')}.")
        if not differences:
            say("The tables hold exactly what the archive says.")
            if not found:
                forget_tables_before(target)
            return 0
        table(HEADINGS, (difference.row for difference in differences))
        rebuild = f"`traffic rebuild{deployment.options}`"
        warn(f"{len(differences)} differences. {rebuild} repairs what is missing or too low.")
    return FAILED


def verify(record: Record, archive: Archive, at_once: int = 1) -> list[Difference]:
    """Find every difference between the tables and the archive.

    Raises:
        RecordError: An object of the archive is damaged.
    """
    return list(Comparison(record, archive, at_once=at_once, on_progress=progress).differences())

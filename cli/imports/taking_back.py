"""Takes an import back: finds what one command imported, and undoes each of its repositories."""

import re
from datetime import datetime

from cli.runs.executions import newest_executions
from cli.stack.deployment import Deployment
from cli.terminal import CommandError, UsageError, inform, progress, table, warn
from traffic.record.archive import IMPORTS, UNDONE, Archive
from traffic.record.comparison import AT_ONCE, HEADINGS, Difference
from traffic.record.undoing import undo
from traffic.wording import counted, repositories

RECEIPT = re.compile(r"\d{8}T\d{6}Z")
IN_KEY = re.compile(r"(?:import-)?(\d{8}T\d{6}Z)-")  # the time of an import in the name of its object
LAST = 3  # receipts to show when one is unknown
RUNS = 100  # executions among which one may still run


def receipt_at(moment: datetime) -> str:
    """Return the receipt of an import at a time, `20261120T101500Z`."""
    return f"{moment:%Y%m%dT%H%M%SZ}"


def receipt_of(key: str) -> str:
    """Return the receipt of an import, given its key in the archive."""
    found = IN_KEY.match(key.rpartition("/")[2])
    return found[1] if found else ""


def imports_of(archive: Archive, receipt: str) -> list[str]:
    """Return the keys of what one command imported; an import that is being taken back has its former key."""
    day = f"import_date={receipt[:4]}-{receipt[4:6]}-{receipt[6:8]}/"
    found = {
        f"{IMPORTS}{key.removeprefix(folder)}" for folder in (IMPORTS, UNDONE) for key in archive.keys(f"{folder}{day}")
    }
    return sorted(key for key in found if receipt_of(key) == receipt)


def take_back(deployment: Deployment, given: str) -> int:
    """Take an import back, given its receipt or its key in the archive.

    Raises:
        UsageError: There is no such import.
        CommandError: A run is in progress, which may store what is taken back.
    """
    archive = deployment.archive
    keys = [given] if given.startswith(IMPORTS) else imports_of(archive, given) if RECEIPT.fullmatch(given) else []
    if not keys:
        last = sorted({receipt_of(key) for key in archive.keys(IMPORTS)})[-LAST:]
        known = f"the last imports are {', '.join(last)}" if last else "there is no import"
        raise UsageError(f"--undo is {given!r}, expected the receipt of an import, or its key in the archive: {known}.")
    if any(each["status"] == "RUNNING" for each in newest_executions(deployment, RUNS)):
        raise CommandError(
            f"A run is in progress: wait for its end (`traffic executions{deployment.options}`), then repeat this."
        )
    changed = 0
    left: list[Difference] = []
    for key in keys:
        items, differences = undo(
            deployment.record, archive, key, at_once=AT_ONCE if deployment.options else 1, on_progress=progress
        )
        changed, left = changed + items, [*left, *differences]
    deployment.save()
    inform(f"Took back the import of {repositories(len(keys))}: {counted(changed, 'item', 'items')} changed.")
    if left:
        table(HEADINGS, (difference.row for difference in left))
        warn("The differences stay: neither this import nor the rest of the archive explains them.")
    return 0

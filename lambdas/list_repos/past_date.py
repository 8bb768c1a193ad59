"""Plans a run for a date that GitHub no longer returns: which archive objects are stored again."""

from collections.abc import Sequence

from traffic.clock import days_before
from traffic.contract import Batch, Manifest, Run, RunState, archive_prefix, manifest_key
from traffic.errors import InvalidInputError
from traffic.planning import AT_ONCE
from traffic.record.archive import Archive
from traffic.record.spans import join, span_text

WINDOW = 14  # days back from a capture that GitHub returns
LATE = 3  # days by which GitHub's window has been seen to lag, so that it began earlier


def is_beyond_github(date: str, today: str) -> bool:
    """Return whether GitHub no longer returns a day."""
    return date < days_before(today, WINDOW)


def replay(archive: Archive, run: Run, date: str, today: str) -> RunState:
    """Write a manifest of the archive objects whose answers can hold a day.

    Raises:
        InvalidInputError: No object can hold the day; the message lists the available dates.
    """
    dates = archive.capture_dates()
    can_hold = [captured for captured in dates if days_before(captured, WINDOW + LATE) <= date <= captured]
    batches: list[Batch] = [
        {"repositories": [], "key": key} for captured in can_hold for key in archive.keys(archive_prefix(captured))
    ]
    held = describe_dates(dates, today)
    if not batches:
        raise InvalidInputError(
            f"Neither GitHub nor any answer in the archive has {date}. Available dates: {held}. "
            "Imported days need no run: traffic show has them."
        )
    archive.put_manifest(manifest_key(run["id"]), batches)
    manifest: Manifest = {
        "bucket": archive.bucket,
        "key": manifest_key(run["id"]),
        "at_once": AT_ONCE,
        "batches": len(batches),
        "repositories": 0,
        "held": held,
    }
    return {"run": run, "listing": {"parts": 0, "pauses": 0}, "manifest": manifest}


def describe_dates(capture_dates: Sequence[str], today: str) -> str:
    """Write the dates that the archive has or that, up to today, GitHub returns."""
    reached = [(days_before(captured, WINDOW), captured) for captured in [*capture_dates, today]]
    return ", ".join(span_text(span) for span in join(reached))

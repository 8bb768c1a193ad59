"""What another tool kept of one repository, merged by the rules of the record. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from traffic.contract import RunningNumber
from traffic.record.merge import Day, Part, Snapshot, Statement, merge_days, merge_snapshots
from traffic.record.reports import MOST_ROWS

KINDS = ("views", "clones")

# What is left out, and why; printed for people.
FILLED_ZEROS = "zeros, because this tool writes a zero also where it does not know the number"
UNKNOWN_UNIQUES = "uniques of 0 on days with visits, because they stand for a number that is not known"
MONTHS = "months, because the tool added their days together"
EMPTY_FILES = "files without rows, because they say nothing"
UNDATED = "referrers or paths, because the file does not tell when they were captured"
UNTIMED_NUMBERS = "stars or forks, because the file does not tell when GitHub reported them"
OTHER_FILES = "files without traffic"


@dataclass
class ToolHistory:
    """What another tool kept of one repository.

    Attributes:
        source: The tool.
        files: The names of the files that were read, for people.
        days: The numbers of each day; a number that the tool did not have is absent.
        snapshots: For each day of capture, GitHub's lists for the 14 days before it, and stars and forks.
        left_out: What the files contain and the record does not take: the reason, and how many times.
    """

    source: str
    files: list[str] = field(default_factory=list)
    days: dict[str, Day] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def empty(self) -> bool:
        """Whether nothing can be imported from it."""
        return not self.days and not self.snapshots

    def add_day(self, day: str, metrics: Mapping[str, int | None]) -> None:
        """Add numbers of a day; the highest of several is kept."""
        known = {metric: value for metric, value in metrics.items() if value is not None}
        if known:
            self.days[day] = merge_days(self.days.get(day, Day()), Day(known))

    def add_filled_day(self, day: str, metrics: Mapping[str, int | None]) -> None:
        """Add numbers of a day by a tool that writes zeros for what it does not know: left out, and counted."""
        self.left_out[FILLED_ZEROS] += sum(value == 0 for value in metrics.values())
        self.add_day(day, {metric: value or None for metric, value in metrics.items()})

    def add_snapshot(self, endpoint: str, rows: list[dict[str, object]], captured_at: str) -> None:
        """Add the referrers or paths of one capture; a later capture of the same day replaces them."""
        day, statement = captured_at[:10], Statement({endpoint: rows[:MOST_ROWS]}, captured_at)
        self.snapshots[day] = merge_snapshots(self.snapshots.get(day, {}), {endpoint: statement})  # type: ignore[dict-item]

    def add_number(self, part: RunningNumber, number: int, since: str, source: str) -> None:
        """Add the stars or forks at a time; of several on a day, the last one is kept.

        Args:
            part: What was counted.
            number: How many there were.
            since: When GitHub reported it.
            source: What the record names as its source.
        """
        day, seen = since[:10], {part: Statement({part: number}, since, source=source)}
        self.snapshots[day] = merge_snapshots(self.snapshots.get(day, {}), seen)  # type: ignore[arg-type]

    def counted(self, *parts: Part) -> int:
        """Count the days that have any of these parts of a snapshot."""
        return sum(not snapshot.keys().isdisjoint(parts) for snapshot in self.snapshots.values())

    def add(self, other: "ToolHistory") -> None:
        """Add what another file contains."""
        if self.empty:
            self.source = other.source
        self.files += other.files
        for day, seen in other.days.items():
            self.add_day(day, seen.metrics)
        for day, snapshot in other.snapshots.items():
            self.snapshots[day] = merge_snapshots(self.snapshots.get(day, {}), snapshot)
        self.left_out += other.left_out

    def leave_out_unknown_uniques(self) -> None:
        """Leave out uniques of 0 beside a count above 0: they are impossible, and stand for a number not known.

        Counts and uniques can come from two files, so this comes after all files of the repository.
        """
        for day, seen in self.days.items():
            unknown = [
                f"{kind}-uniques"
                for kind in KINDS
                if seen.metrics.get(f"{kind}-uniques") == 0 and seen.metrics.get(f"{kind}-count", 0) > 0
            ]
            if unknown:
                self.left_out[UNKNOWN_UNIQUES] += len(unknown)
                self.days[day] = Day({name: value for name, value in seen.metrics.items() if name not in unknown})

    def impossible_day(self) -> str | None:
        """Return a day with more uniques than its count, which two mixed-up files can give; None if no day has."""
        for day, seen in sorted(self.days.items()):
            for kind in KINDS:
                count, uniques = (seen.metrics.get(f"{kind}-{what}") for what in ("count", "uniques"))
                if count is not None and uniques is not None and uniques > count:
                    return f"{day} has {uniques} unique of {count} {kind}"
        return None

"""What another tool kept of one repository, merged by the rules of the record. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from traffic.record.merge import Day, Snapshot, Statement, merge_days, merge_snapshots


@dataclass
class ToolHistory:
    """What another tool kept of one repository.

    Attributes:
        source: The tool.
        files: The names of the files that were read, for people.
        days: The numbers of each day; a number that the tool did not have is absent.
        snapshots: For each day of capture, GitHub's lists for the 14 days before it.
        zeros: How many zeros were left out, because the tool writes a zero also if GitHub did not report the day.
    """

    source: str
    files: list[str] = field(default_factory=list)
    days: dict[str, Day] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    zeros: int = 0

    def add_day(self, day: str, metrics: Mapping[str, int | None]) -> None:
        """Add numbers of a day; the highest of several is kept."""
        known = {metric: value for metric, value in metrics.items() if value is not None}
        if known:
            self.days[day] = merge_days(self.days.get(day, Day()), Day(known))

    def add_snapshot(self, endpoint: str, rows: list[dict[str, object]], captured_at: str) -> None:
        """Add the referrers or paths of one capture; a later capture of the same day replaces them."""
        day, statement = captured_at[:10], Statement({endpoint: rows}, captured_at)
        self.snapshots[day] = merge_snapshots(self.snapshots.get(day, {}), {endpoint: statement})  # type: ignore[dict-item]

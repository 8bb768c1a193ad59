"""Counts how many writes Store traffic needs for each changed item, with a DynamoDB in memory."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from simulated_github.windows import WindowRules
from tests.unit.fake_dynamodb import FakeDynamoDB
from tests.unit.simulated_answers import answers, busy
from traffic.record.merge import without_prefix
from traffic.record.reports import Report, read_reports

REPOSITORIES = 50
FIRST = datetime(2026, 11, 20, 9, tzinfo=UTC)


def writes_by_changed_item() -> list[tuple[str, int, int]]:
    """Store a run, the same run again and the next day's run; return for each its name, writes and changed items."""
    dynamodb = FakeDynamoDB()
    rows = []
    for what, at in (("first run", FIRST), ("second run", FIRST), ("next day", FIRST + timedelta(days=1))):
        before, written = dynamodb.dump(), dynamodb.writes
        for report in reports(at):
            store(dynamodb, report)
        after = dynamodb.dump()
        changed = sum(item != before[table].get(key) for table, items in after.items() for key, item in items.items())
        rows.append((what, dynamodb.writes - written, changed))
    return rows


def reports(at: datetime) -> Iterator[Report]:
    """Yield what GitHub reports of each repository at a time."""
    for number in range(REPOSITORIES):
        for line in (lines := answers(at, WindowRules(), busy, name=f"octo/repository-{number}")):
            line["repo_id"] = number + 1
        yield from read_reports(lines)


def store(dynamodb: FakeDynamoDB, report: Report) -> None:
    """Store a report as Store traffic does."""
    repo_name, entry = dynamodb.tables.store_repository(report.repo_id, report.entry)
    dynamodb.tables.store_days(repo_name, report.repo_id, report.days)
    for day, snapshot in report.snapshots.items():
        dynamodb.snapshots.store(report.repo_id, day, without_prefix(snapshot, entry.names))

"""`traffic verify`: compares the tables with what they should hold according to the archive."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cli.command import Target, command
from cli.pager import paged
from cli.stack.opening import forget_tables_before, opened
from cli.terminal import FAILED, progress, say, table, warn
from traffic.record.archive import Archive
from traffic.record.expected import DayOf, Key, Replay, day_items, repository_items, snapshot_items
from traffic.record.item_table import ItemTable
from traffic.record.items import Item, item_of_day, item_of_snapshot
from traffic.record.reading import Record
from traffic.record.reports import read_reports
from traffic.wording import counted, plural

EXAMPLES = """examples:
  traffic verify          on this machine
  traffic verify --aws    in AWS

Merges the complete archive in memory and compares each item: `missing` is only in the archive, `extra` is only in a
table, `differs` is in both, with different values. `traffic rebuild` repairs what is missing or too low. Rows of the
first version, which had no archive, are counted but not compared: `traffic import first-version` imports them.
Use it while no run is in progress. Exit code 1: there are differences.
"""

HEADINGS = ("DIFFERENCE", "TABLE", "ITEM", "ATTRIBUTE", "ARCHIVE", "TABLE HOLDS")
Known = TypeVar("Known")

FIRST_VERSION = "first version"

BY_OUTCOME = "refused-before"
LATER = ("views-until", "clones-until", BY_OUTCOME)  # attributes that older records lack; `traffic rebuild` adds them

MANY = 1000  # objects between two lines of progress


@dataclass(frozen=True)
class Difference:
    """Where a table and the archive disagree.

    Attributes:
        kind: `missing`, `extra`, `differs`, or FIRST_VERSION for a row that the first version wrote.
        table: The table's name.
        key: The item's key.
        attribute: The attribute that differs, if both have the item.
        archive: The value according to the archive; None if it has none.
        held: The value in the table; None if it has none.
    """

    kind: str
    table: str
    key: Key
    attribute: str = ""
    archive: Any = None
    held: Any = None

    @property
    def row(self) -> tuple[object, ...]:
        """The difference as a row of a table."""
        return self.kind, self.table, " ".join(self.key), self.attribute, _shown(self.archive), _shown(self.held)


@command(EXAMPLES)
def execute(target: Target) -> int:
    """Compare each item of the tables with what the archive says it should be."""
    with paged(), opened(target) as deployment:
        found = verify(deployment.record, deployment.archive)
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


def verify(record: Record, archive: Archive) -> list[Difference]:
    """Find every difference between the tables and the archive, by table and key.

    Raises:
        RecordError: An object of the archive is damaged.
    """
    replay = replayed(archive)
    held = {item["repo-id"]: item for item in record.repositories.every_item()}
    row_keys = replay.row_keys({int(id_): item.get("repo-name", "") for id_, item in held.items() if id_.isdecimal()})
    days = Comparison(record.traffic, ("repo-name", "timestamp"), day_items(replay, row_keys), _day_item)
    repositories = Comparison(record.repositories, ("repo-id",), repository_items(replay, row_keys, held), dict)
    windows = Comparison(record.snapshots, ("repo-id", "captured-on"), snapshot_items(replay), item_of_snapshot)
    return [*days.differences(), *repositories.differences(), *windows.differences()]


def replayed(archive: Archive) -> Replay:
    """Merge all answers and imports of the archive."""
    replay, keys = Replay(), archive.stored_keys()
    for done, key in enumerate(keys, 1):
        for report in read_reports(archive.read_answers(key)):
            replay.add(report)
        if done % MANY == 0:
            progress(f"Read {done} of {len(keys)} objects.")
    return replay


@dataclass(frozen=True)
class Comparison(Generic[Known]):
    """One table, and what it should hold.

    Attributes:
        table: The table.
        key_names: Its key attributes.
        expected: The content of the items that it should hold, by key.
        write: Writes such a content as the attributes of an item, without its key.
    """

    table: ItemTable
    key_names: tuple[str, ...]
    expected: dict[Key, Known]
    write: Callable[[Known], Item]

    def differences(self) -> list[Difference]:
        """Read the table and compare each item."""
        name = self.table.name
        found: list[Difference] = []
        unseen = set(self.expected)
        for item in self.table.every_item():
            key = tuple(item.pop(key_name) for key_name in self.key_names)
            if key in unseen:
                unseen.remove(key)
                found += _differing(name, key, self.write(self.expected[key]), item)
            else:
                first_version = self.key_names[0] == "repo-name" and "/" not in key[0]  # it stored no owners
                found.append(Difference(FIRST_VERSION if first_version else "extra", name, key))
        found += [Difference("missing", name, key) for key in unseen]
        return sorted(found, key=lambda difference: (difference.key, difference.attribute))


def _differing(name: str, key: Key, wanted: Item, held: Item) -> Iterator[Difference]:
    for attribute in sorted(wanted.keys() | held.keys()):
        expected = _expected(attribute, wanted.get(attribute), held.get(attribute))
        if expected != held.get(attribute):
            yield Difference("differs", name, key, attribute, expected, held.get(attribute))


def _expected(attribute: str, wanted: Any, held: Any) -> Any:
    """Return the value that an attribute should have, allowing for records of earlier versions.

    Such a record lacks attributes, which is not a difference. Nor is an earlier day of a refusal: a run for a past date
    adds only that date's refusal to such a record.
    """
    if attribute in LATER and held is None:
        return None
    if attribute == BY_OUTCOME and wanted is not None:
        return {outcome: min(day, held[outcome]) for outcome, day in wanted.items() if outcome in held}
    return wanted


def _day_item(known: DayOf) -> Item:
    repo_id, day = known
    return {"repo-id": repo_id, **item_of_day(day)}


def _shown(value: Any) -> str:
    return "" if value is None else str(sorted(value) if isinstance(value, set) else value)

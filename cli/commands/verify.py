"""`traffic verify`: compares the tables with what the archive says they should hold."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cli.arguments import Target
from cli.command import command
from cli.stack.opening import opened
from cli.terminal import FAILED, say, table, warn
from traffic.record.archive import Archive
from traffic.record.expected import DayOf, Key, Replay, day_items, repository_items, snapshot_items
from traffic.record.item_table import ItemTable
from traffic.record.items import Item, item_of_day, item_of_snapshot
from traffic.record.reading import Record
from traffic.record.reports import read_reports

EXAMPLES = """examples:
  traffic verify          on this machine
  traffic verify --aws    in AWS

Merges the whole archive in memory and compares item for item: `missing` is in the archive alone, `extra` in a table
alone, `differs` in both, but not the same. What is missing or too low, `traffic rebuild` mends. Rows of the first
version, which had no archive, are counted and not compared: `traffic import first-version` brings them in.
Ask while no run is going on. Exit code 1: there are differences.
"""

HEADINGS = ("DIFFERENCE", "TABLE", "ITEM", "ATTRIBUTE", "ARCHIVE", "TABLE HOLDS")
Known = TypeVar("Known")

FIRST_VERSION = "first version"

BY_OUTCOME = "refused-before"
LATER = ("views-until", "clones-until", BY_OUTCOME)  # that the first records lack; `traffic rebuild` adds them

MANY = 1000  # objects between two lines of progress


@dataclass(frozen=True)
class Difference:
    """Where a table and the archive disagree.

    Attributes:
        kind: `missing`, `extra`, `differs`, or FIRST_VERSION for a row that is none of ours.
        table: The table's name.
        key: The item's key.
        attribute: Where both have the item.
        archive: What the archive says; None for nothing.
        held: What the table holds; None for nothing.
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
    """Compare the tables, item for item, with what the archive says they should hold."""
    with opened(target) as deployment:
        found = verify(deployment.record, deployment.archive)
        differences = [difference for difference in found if difference.kind != FIRST_VERSION]
        if len(found) > len(differences):
            warn(f"{len(found) - len(differences)} rows of the first version were not compared: no archive has them.")
        if not differences:
            say("The tables hold exactly what the archive says.")
            return 0
        table(HEADINGS, (difference.row for difference in differences))
        warn(f"{len(differences)} differences. `traffic rebuild{deployment.options}` mends what is missing or too low.")
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
            warn(f"Read {done} of {len(keys)} objects.")
    return replay


@dataclass(frozen=True)
class Comparison(Generic[Known]):
    """One table, and what it should hold.

    Attributes:
        table: The table.
        key_names: Its key attributes.
        expected: By key what makes the item.
        write: Makes the attributes of an item, without its key.
    """

    table: ItemTable
    key_names: tuple[str, ...]
    expected: dict[Key, Known]
    write: Callable[[Known], Item]

    def differences(self) -> list[Difference]:
        """Read the table and compare it, item for item."""
        name = self.table.name
        found: list[Difference] = []
        unseen = set(self.expected)
        for item in self.table.every_item():
            key = tuple(item.pop(key_name) for key_name in self.key_names)
            if key in unseen:
                unseen.remove(key)
                found += _differing(name, key, self.write(self.expected[key]), item)
            else:
                first_version = self.key_names[0] == "repo-name" and "/" not in key[0]  # which knew no owners
                found.append(Difference(FIRST_VERSION if first_version else "extra", name, key))
        found += [Difference("missing", name, key) for key in unseen]
        return sorted(found, key=lambda difference: (difference.key, difference.attribute))


def _differing(name: str, key: Key, wanted: Item, held: Item) -> Iterator[Difference]:
    for attribute in sorted(wanted.keys() | held.keys()):
        expected = _expected(attribute, wanted.get(attribute), held.get(attribute))
        if expected != held.get(attribute):
            yield Difference("differs", name, key, attribute, expected, held.get(attribute))


def _expected(attribute: str, wanted: Any, held: Any) -> Any:
    """Leave out what earlier versions did not write: a record of theirs is right as it is.

    So is one to which a date that was run again has added only its own day of a refusal, which is not the latest.
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

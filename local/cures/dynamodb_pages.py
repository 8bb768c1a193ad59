"""How the local engine answers a Query or Scan of a table: it reads the rows of one page from the file, in order."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools
import hashlib
import json
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from ministack.services import dynamodb

from local.stored_items import NO_SORT, EngineTables

PAGE = 1024 * 1024  # bytes; DynamoDB's limit for a page, here of the items as text

Answer = tuple[Any, ...]  # status, headers and body
Handler = Callable[[Any], Answer]
Row = TypeVar("Row", bound=tuple[str, ...])


@dataclass
class Reading:
    """A Query or Scan while it is answered.

    Attributes:
        data: The request.
        table: ministack's table.
        scans: Whether it is a Scan.
        page: The items of a Scan's page, once they are read.
        served: Whether exactly the page was read, so that ministack does not have to look for its end.
        more: Whether other items follow the page.
        checked: Whether the key condition of a Query was evaluated once, to find errors in it.
    """

    data: Any
    table: Any
    scans: bool
    page: dict[str, dict[str, Any]] | None = None
    served: bool = False
    more: bool = False
    checked: bool = False

    def start(self, key: str) -> str | None:
        """Return a key of the item after which the page begins; None if it begins at the first item."""
        start = self.data.get("ExclusiveStartKey") or {}
        return dynamodb._extract_key_val(start[name]) if (name := self.table[key]) in start else None

    def scan(self, tables: EngineTables, name: str) -> dict[str, dict[str, Any]]:
        """Read the page of a Scan, by partition and ministack's sort key."""
        self.page = {}
        for partition, sort, text in self.fill(self._following(tables, name)):
            self.page.setdefault(partition, {})[sort or NO_SORT] = json.loads(text)
        return self.page

    def _following(self, tables: EngineTables, name: str) -> Iterator[tuple[str, str, str]]:
        """Yield partition, sort key and text of the items of a Scan that follow its start key, in order."""
        start, last = self.start("pk_name") or "", self.start("sk_name") or ""
        segment, segments = self.data.get("Segment"), self.data.get("TotalSegments")
        for partition in tables.partitions(name, start):
            if segments is not None and segment_of(partition, int(segments)) != int(segment):
                continue
            for sort, text in tables.rows(name, partition, last if partition == start else None):
                if (partition, sort) > (start, last):
                    yield partition, sort, text

    def fill(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Yield the rows of one page. The last element of a row is its text."""
        self.served, size = True, 0
        limit = self.data.get("Limit")
        for number, row in enumerate(rows, 1):
            size += len(row[-1].encode())
            self.more = number > 1 and size > PAGE
            if self.more:
                return
            yield row
            if number == limit:
                self.more = True
                return

    def query(self, tables: EngineTables, name: str, partition: str) -> Iterator[tuple[str, str]]:
        """Yield sort key and text of the items of a Query, in order: at least those of its page."""
        sort = self.table["sk_name"]
        if sort is None or dynamodb._get_attr_type(self.table, sort) != "S":
            return tables.rows(name, partition)
        forward = self.data.get("ScanIndexForward", True)
        begin, end, exact = sort_range(self.data, sort)
        start = self.start("sk_name")
        if start is not None and forward:
            begin = max(begin or start, start)
        elif start is not None:
            end = start if end is None else min(end, start)
        rows = tables.rows(name, partition, begin, end, backwards=not forward)
        found = (row for row in rows if row[0] != start)
        return self.fill(found) if exact else found


READING: ContextVar[Reading | None] = ContextVar("READING", default=None)


def by_page(handler: Handler, *, scans: bool = False) -> Handler:
    """Let a Query or Scan of a table, not of an index, read no more than a page."""

    @functools.wraps(handler)
    def handle(data: Any) -> Answer:
        table = dynamodb._tables.get(dynamodb._normalize_table_name(data.get("TableName")))
        token = READING.set(Reading(data, table, scans) if table and not data.get("IndexName") else None)
        try:
            return handler(data)
        finally:
            READING.reset(token)

    return handle


def sort_range(data: Any, sort: str) -> tuple[str | None, str | None, bool]:
    """Return the range of sort keys that a Query asks for, and whether it asks for all of that range.

    Returns:
        The lowest and the highest sort key, None if there is no limit; and False for conditions other than `=`, `<=`,
        `>=` and BETWEEN, which ministack has to evaluate.
    """
    condition = data.get("KeyConditionExpression")
    if not condition:
        return None, None, False
    names, values = data.get("ExpressionAttributeNames") or {}, data.get("ExpressionAttributeValues") or {}
    found: tuple[str | None, str | None, bool] = (None, None, True)
    for (_, name), *rest in dynamodb._key_condition_clauses(dynamodb._tokenize(condition)):
        kinds = [word.upper() if kind == "IDENT" else kind for kind, word in rest]
        given = [values[word].get("S") for kind, word in rest if kind == "VALUE_REF"]
        match kinds:
            case ["EQ", "VALUE_REF"] if names.get(name, name) != sort:
                pass
            case ["EQ", "VALUE_REF"]:
                found = (given[0], given[0], True)
            case ["GE", "VALUE_REF"]:
                found = (given[0], None, True)
            case ["LE", "VALUE_REF"]:
                found = (None, given[0], True)
            case ["BETWEEN", "VALUE_REF", "AND", "VALUE_REF"]:
                found = (given[0], given[1], True)
            case _:
                return None, None, False
    return found


def paginated(paginate: Callable[..., Any]) -> Callable[..., Any]:
    """Leave a page as it was read."""

    def paginate_if_needed(items: Any, *arguments: Any) -> Any:
        reading = READING.get()
        return (items, reading.more) if reading is not None and reading.served else paginate(items, *arguments)

    return paginate_if_needed


def evaluated(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    """Evaluate a key condition once: it holds for all items of a page that was read by it."""

    def evaluate_if_needed(expression: Any, *arguments: Any, slot: str = "ConditionExpression") -> Any:
        reading = READING.get()
        if reading is not None and reading.served and slot == "KeyConditionExpression":
            if reading.checked:
                return True
            reading.checked = True
        return evaluate(expression, *arguments, slot=slot)

    return evaluate_if_needed


def segment_of(partition: str, segments: int) -> int:
    """Return the segment of a parallel scan that a partition belongs to, as ministack computes it."""
    return int.from_bytes(hashlib.sha1(partition.encode(), usedforsecurity=False).digest()[:4], "big") % segments

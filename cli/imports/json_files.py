"""Reads JSON files: GitHub's own answers as tools keep them, and numbers or lists by day."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cli.imports.tool_history import EMPTY_FILES, KINDS, MONTHS, UNDATED, ToolHistory
from cli.imports.values import WrongCellError, is_day, is_month, read_count, read_utc_day
from cli.terminal import CommandError

GITHUBS, BY_DAY, GHTRAF = "github-json", "keyed-json", "ghtraf"

# The list of days in ghtraf's state.json and archive-YYYY-MM.json, and what its keys mean.
GHTRAF_DAYS = "dailyHistory"
GHTRAF_NUMBERS = {
    "views": "views-count",
    "uniqueViews": "views-uniques",
    "clones": "clones-count",
    "uniqueClones": "clones-uniques",
}

LISTS = {"referrer": "referrers", "path": "paths"}
WRAPPED = ("daily", "days", "history", "data")  # keys below which tools keep the numbers by day
NAMES = {  # of the numbers of one day, by kind; empty for the kind that the file is about
    "views": ("views", ("views_uniques", "unique_views", "views_unique", "unique_visitors", "uniques")),
    "clones": ("clones", ("clones_uniques", "unique_clones", "clones_unique", "unique_cloners", "uniques")),
    "": ("count", ("uniques",)),
}


class NoTrafficError(Exception):
    """A file of JSON has nothing that looks like traffic, for example a `package.json`."""


def read_json(file: Path, kind: str | None, *, uniques: bool) -> ToolHistory:
    """Read a file of JSON of one repository.

    Args:
        file: The file.
        kind: `views` or `clones`, if the names of the file and its folders tell it.
        uniques: Whether the file's name tells that its numbers are uniques.

    Raises:
        CommandError: A value is wrong, or the file does not tell what its numbers are.
        NoTrafficError: It has no traffic.
    """
    try:
        content = json.loads(file.read_bytes().decode("utf-8-sig") or "null")
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"{file} cannot be read as text: {exc}. Expected a JSON file in UTF-8.") from exc
    except ValueError as exc:
        raise CommandError(f"{file} is not JSON: {exc}. Use the complete file, then try again.") from exc
    reader = _Reader(file, kind, uniques=uniques)
    try:
        reader.read(content)
    except WrongCellError as exc:
        raise CommandError(f"{file}: {exc}. Nothing was imported: correct or remove it, then try again.") from exc
    return reader.history


class _Reader:
    """Reads one file into its history."""

    def __init__(self, file: Path, kind: str | None, *, uniques: bool) -> None:
        self.file, self.kind, self.uniques = file, kind, uniques
        self.history = ToolHistory(BY_DAY, [file.name])

    def read(self, content: Any) -> None:
        """Read the content of a file, by its form."""
        if (
            isinstance(content, dict)
            and "message" in content
            and ("documentation_url" in content or "status" in content)
        ):
            raise WrongCellError(f"it is an error of GitHub, {content['message']!r}, expected traffic")
        if content in (None, {}, []):
            self.history.left_out[EMPTY_FILES] += 1
        elif isinstance(content, list):
            self._read_array(content)
        elif not isinstance(content, dict):
            raise NoTrafficError
        elif any(is_day(key) for key in content):
            self._read_by_day(content)
        elif isinstance(content.get(GHTRAF_DAYS), list):
            self._read_ghtraf(content)
        elif "timestamp" in content and "count" in content and not set(KINDS) & content.keys():
            self._add_rows(self._only_kind(), [content])
        else:
            self._read_parts(content)

    def _read_parts(self, content: Mapping[str, Any]) -> None:
        parts = [(kind, content[kind]) for kind in KINDS if isinstance(content.get(kind), list | dict)]
        for kind, part in parts:
            rows = part.get(kind) if isinstance(part, dict) else part
            if not isinstance(rows, list):
                raise WrongCellError(f"{kind!r} has no list of days, expected GitHub's form")
            self.history.source = GITHUBS
            self._add_rows(kind, rows)
        wrapped = [content[key] for key in WRAPPED if isinstance(content.get(key), dict)]
        for part in wrapped:
            if any(is_day(key) for key in part):
                self._read_by_day(part)
                parts.append(("", part))
        if not parts:
            raise NoTrafficError

    def _read_ghtraf(self, content: Mapping[str, Any]) -> None:
        """Read a file of ghtraf. It writes zeros for days and numbers that GitHub did not report.

        Source:
            https://github.com/djdarcy/github-traffic-tracker: `dailyHistory` in templates/.../traffic-badges.yml.
        """
        self.history.source = GHTRAF
        for row in content[GHTRAF_DAYS]:
            if not isinstance(row, dict) or "date" not in row:
                raise WrongCellError(f"{GHTRAF_DAYS} has {str(row)[:80]!r}, expected an object with date")
            numbers = {metric: row.get(name) for name, metric in GHTRAF_NUMBERS.items()}
            self._add_day(row["date"], numbers, filled=True)
        lists = (content.get(name) for name in ("referrers", "popularPaths"))
        if undated := sum(len(rows) for rows in lists if isinstance(rows, list)):
            self.history.left_out[UNDATED] += undated
        if not content[GHTRAF_DAYS]:
            self.history.left_out[EMPTY_FILES] += 1

    def _read_array(self, content: list[Any]) -> None:
        if all(isinstance(row, dict) and LISTS.keys() & row.keys() for row in content):
            self.history.source = GITHUBS
            self.history.left_out[UNDATED] += len(content)
        elif all(isinstance(row, dict) and "timestamp" in row and "count" in row for row in content):
            self._add_rows(self._only_kind(), content)
        else:
            raise NoTrafficError

    def _add_rows(self, kind: str, rows: list[Any]) -> None:
        """Add days in GitHub's own form; a tool may have added months, or keys of its own."""
        if not rows:
            self.history.left_out[EMPTY_FILES] += 1
        for row in rows:
            if not isinstance(row, dict) or "timestamp" not in row:
                raise WrongCellError(
                    f"{kind} has {str(row)[:80]!r}, expected an object with timestamp, count and uniques"
                )
            self._add_day(row["timestamp"], {f"{kind}-count": row.get("count"), f"{kind}-uniques": row.get("uniques")})

    def _read_by_day(self, content: Mapping[str, Any]) -> None:
        for key, value in content.items():
            if not is_day(key):  # a total, or when the tool last ran
                continue
            if isinstance(value, list):
                self._add_list(key, value)
            elif isinstance(value, dict):
                pairs = dict(self._pairs(key, value))
                joined = len(pairs) == len(KINDS)
                for kind, pair in pairs.items():
                    metrics = dict(zip((f"{kind}-count", f"{kind}-uniques"), pair, strict=True))
                    self._add_day(key, metrics, filled=joined and not any(pair))
            else:
                self._add_day(key, {f"{self._only_kind()}-{'uniques' if self.uniques else 'count'}": value})

    def _pairs(self, day: str, value: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
        """Yield the count and the uniques of each kind that the numbers of a day have."""
        found = [kind for kind in KINDS if kind in value]
        for kind in found or [""]:
            count, uniques = NAMES[kind]
            names = [name for name in uniques if name in value and (name != "uniques" or len(found) < len(KINDS))]
            if count in value:
                yield kind or self._only_kind(), (value[count], value[names[0]] if names else None)
            elif not found:
                raise WrongCellError(
                    f"{day} has {str(dict(value))[:80]}, expected count and uniques, or views and clones"
                )

    def _add_list(self, day: str, rows: list[Any]) -> None:
        """Add the referrers or paths that a tool keeps by the day of their capture; it does not tell the hour."""
        name = next((name for name in LISTS if rows and isinstance(rows[0], dict) and name in rows[0]), None)
        if not rows:
            return
        if name is None:
            raise WrongCellError(f"{day} has {str(rows[0])[:80]}, expected rows of referrers or paths")
        kept: list[dict[str, object]] = []
        for row in rows:
            count, uniques = read_count(row.get("count")), read_count(row.get("uniques"))
            if not isinstance(row.get(name), str) or count is None or uniques is None:
                raise WrongCellError(f"{day} has {str(row)[:80]}, expected {name}, count and uniques")
            title = {"title": str(row.get("title") or "")} if name == "path" else {}
            kept.append({name: row[name], "count": count, "uniques": uniques, **title})
        self.history.add_snapshot(LISTS[name], kept, f"{read_utc_day(day)}T00:00:00Z")

    def _add_day(self, written: object, metrics: Mapping[str, object], *, filled: bool = False) -> None:
        if is_month(written):
            self.history.left_out[MONTHS] += 1
            return
        day = read_utc_day(written)
        try:
            numbers = {metric: read_count(value) for metric, value in metrics.items()}
        except WrongCellError as exc:
            raise WrongCellError(f"{day} has {exc}") from exc
        for metric, uniques in numbers.items():
            count = numbers.get(metric.replace("uniques", "count"))
            if uniques is not None and count is not None and uniques > count:
                raise WrongCellError(f"{day} has {uniques} uniques, expected no more than the day's total, {count}")
        (self.history.add_filled_day if filled else self.history.add_day)(day, numbers)

    def _only_kind(self) -> str:
        if self.kind is None:
            raise WrongCellError(
                "neither its content nor its name tells whether its numbers are views or clones, expected a name such"
                " as views.json"
            )
        return self.kind

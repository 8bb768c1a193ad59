"""Reads the CSV files of other tools. An error names the file, the line, the value and what was expected."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from cli.imports.tool_history import ToolHistory
from cli.terminal import CommandError
from traffic.record.traffic_answers import MOST_ROWS

NUMBER = re.compile(r"(\d{1,15})(\.0+)?")  # pandas writes 3.0 in a column that has an empty cell
MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})([ T]00:00:00(\.0+)?(Z|\+00:?00)?)?")

GHRS_COLUMNS = {
    "clones_total": "clones-count",
    "clones_unique": "clones-uniques",
    "views_total": "views-count",
    "views_unique": "views-uniques",
}
GHRS_HEADING = ("time_iso8601", *GHRS_COLUMNS)
AGGREGATE = "views_clones_aggregate.csv"
FRAGMENT = "_views_clones_series_fragment.csv"

# The headings that a list of referrers or paths can have: later versions of the tool renamed the columns.
GHRS_LISTS = {
    "_top_referrers_snapshot.csv": (
        "referrers",
        [("referrer", "views_total", "views_unique"), ("referrers", "count_total", "count_unique")],
    ),
    "_top_paths_snapshot.csv": (
        "paths",
        [("url_path", "views_total", "views_unique"), ("url_paths", "views_total", "views_unique")],
    ),
}
TAKEN = re.compile(r"(\d{4}-\d{2}-\d{2}_\d{6})_.*")  # a snapshot's name begins with its capture, in UTC

SANGONZAL = {
    kind: {f"total_{kind}": f"{kind}-count", f"unique_{kind}": f"{kind}-uniques"} for kind in ("views", "clones")
}


def read_github_repo_stats(paths: Sequence[Path]) -> ToolHistory:
    """Read what jgehrcke/github-repo-stats kept of one repository: its `ghrs-data` folder, or files in it.

    A zero in the aggregate is no measurement: the tool writes it also if GitHub reported the day for the other metric
    only. A fragment is one answer of GitHub: an empty cell means that GitHub did not report it, and a zero is GitHub's.

    Raises:
        CommandError: A file does not hold what its name promises, or there is no file.

    Source:
        https://github.com/jgehrcke/github-repo-stats: `df.fillna(0)` in analyze.py, `to_csv` in fetch.py.
    """
    history = ToolHistory("github-repo-stats")
    for file in _files(paths, (AGGREGATE, FRAGMENT, *GHRS_LISTS)):
        history.files.append(file.name)
        if file.name.endswith((AGGREGATE, FRAGMENT)):
            _read_days(history, file, "time_iso8601", GHRS_COLUMNS, zeros_count=file.name.endswith(FRAGMENT))
        else:
            _read_list(history, file)
    return history


def read_sangonzal(paths: Sequence[Path]) -> ToolHistory:
    """Read what sangonzal/repository-traffic-action kept of one repository: `views.csv` and `clones.csv`.

    Every number is GitHub's. A cell can be empty, because an early version wrote the days of views into `clones.csv`.

    Raises:
        CommandError: A file does not hold what its name promises, or there is no file.

    Source:
        https://github.com/sangonzal/repository-traffic-action: repostats.py, and main.py of the early versions.
    """
    history = ToolHistory("repository-traffic-action")
    for file in _files(paths, tuple(f"{kind}.csv" for kind in SANGONZAL)):
        history.files.append(file.name)
        kind = "views" if file.name.endswith("views.csv") else "clones"
        _read_days(history, file, "_date", SANGONZAL[kind], zeros_count=True)
    return history


FORMATS: Mapping[str, Callable[[Sequence[Path]], ToolHistory]] = {
    "github-repo-stats": read_github_repo_stats,
    "repository-traffic-action": read_sangonzal,
}


@dataclass(frozen=True)
class CsvLine:
    """One line of a CSV file.

    Attributes:
        file: The file.
        number: The line's number, from 1.
        cells: The texts by column.
    """

    file: Path
    number: int
    cells: Mapping[str, str]

    def refuse(self, column: str, expected: str) -> CommandError:
        """Return the error for a wrong cell."""
        return CommandError(
            f"{self.file}, line {self.number}: {column} is {self.cells[column]!r}, expected {expected}. "
            "Nothing was imported: correct or remove the line, then try again."
        )

    def day(self, column: str) -> str:
        """Read a UTC day, which some tools write as its midnight.

        Raises:
            CommandError: It is not a day, or it lies in the future.
        """
        found = MIDNIGHT.fullmatch(self.cells[column].strip())
        try:
            day = datetime.fromisoformat(found[1]).date().isoformat() if found else ""
        except ValueError:
            day = ""
        if not day:
            raise self.refuse(column, "a UTC day, 2026-11-20")
        if day > datetime.now(UTC).date().isoformat():
            raise self.refuse(column, "a day that has begun")
        return day

    def count(self, column: str) -> int | None:
        """Read a count; None if the cell is empty, which is how pandas writes an unknown number.

        Raises:
            CommandError: It is not an integer from 0.
        """
        text = self.cells[column].strip()
        if not text:
            return None
        found = NUMBER.fullmatch(text)
        if not found:
            raise self.refuse(column, "an integer from 0, or nothing")
        return int(found[1])


def read_lines(file: Path, headings: Sequence[Sequence[str]]) -> Iterator[CsvLine]:
    """Read a CSV file whose first line is one of the headings, with the columns in any order.

    Raises:
        CommandError: The file cannot be read, it has other columns, or a line has more or fewer cells.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"{file} cannot be read as text: {exc}. Expected a CSV file in UTF-8.") from exc
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        columns = next(rows, [])
        if sorted(columns) not in [sorted(heading) for heading in headings]:
            expected = " or ".join(repr(",".join(heading)) for heading in headings)
            raise CommandError(
                f"{file} begins with {','.join(columns)[:200]!r}, expected {expected}: did that tool write it?"
            )
        for cells in rows:
            if cells and len(cells) != len(columns):
                raise CommandError(
                    f"{file}, line {rows.line_num}: {len(cells)} cells, expected {len(columns)}. "
                    "Nothing was imported: use the complete file, then try again."
                )
            if cells:
                yield CsvLine(file, rows.line_num, dict(zip(columns, cells, strict=True)))
    except csv.Error as exc:
        raise CommandError(f"{file}, line {rows.line_num}: {exc}. Expected a CSV file; nothing was imported.") from exc


def _files(paths: Sequence[Path], endings: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise CommandError(f"{path} does not exist: name the file or the folder that the tool wrote.")
        inside = sorted(path.rglob("*.csv")) if path.is_dir() else [path]
        fitting = [file for file in inside if file.name.endswith(endings)]
        if not fitting:
            raise CommandError(f"{path} is not the tool's: expected files that end in {', '.join(endings)}.")
        found += fitting
    return found


def _read_days(
    history: ToolHistory, file: Path, day_column: str, columns: Mapping[str, str], *, zeros_count: bool
) -> None:
    seen: dict[str, int] = {}
    for line in read_lines(file, [(day_column, *columns)]):
        day = line.day(day_column)
        if day in seen:
            raise line.refuse(day_column, f"each day once, but line {seen[day]} has it too")
        seen[day] = line.number
        metrics = {metric: line.count(column) for column, metric in columns.items()}
        if not zeros_count:
            history.zeros += sum(value == 0 for value in metrics.values())
            metrics = {metric: value or None for metric, value in metrics.items()}
        _refuse_more_uniques(line, columns, metrics)
        history.add_day(day, metrics)
    if not seen:
        raise CommandError(f"{file} has no day. Nothing was imported: leave it out, or use the complete file.")


def _refuse_more_uniques(line: CsvLine, columns: Mapping[str, str], metrics: Mapping[str, int | None]) -> None:
    """Refuse columns that were mixed up: there cannot be more visitors than views."""
    for column, metric in columns.items():
        if metric.endswith("-uniques"):
            count, uniques = metrics[metric.replace("uniques", "count")], metrics[metric]
            if count is not None and uniques is not None and uniques > count:
                raise line.refuse(column, f"no more than the day's total, {count}")


def _read_list(history: ToolHistory, file: Path) -> None:
    endpoint, headings = next(GHRS_LISTS[ending] for ending in GHRS_LISTS if file.name.endswith(ending))
    taken = TAKEN.fullmatch(file.name)
    try:
        at = datetime.strptime(taken[1], "%Y-%m-%d_%H%M%S").replace(tzinfo=UTC) if taken else None
    except ValueError:
        at = None
    if at is None or at > datetime.now(UTC):
        raise CommandError(
            f"{file} does not begin with the time of its capture, expected 2026-11-20_231754_...: was it renamed?"
        )
    rows: list[dict[str, object]] = []
    for line in read_lines(file, headings):
        name, total, unique = next(heading for heading in headings if heading[0] in line.cells)
        count, uniques = line.count(total), line.count(unique)
        if count is None or uniques is None:
            raise line.refuse(total if count is None else unique, "an integer from 0")
        row: dict[str, object] = {endpoint.removesuffix("s"): line.cells[name], "count": count, "uniques": uniques}
        rows.append({**row, "title": ""} if endpoint == "paths" else row)
    history.add_snapshot(endpoint, rows[:MOST_ROWS], at.strftime("%Y-%m-%dT%H:%M:%SZ"))

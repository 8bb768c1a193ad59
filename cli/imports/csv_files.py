"""Reads CSV files: those of known tools, and any that has a column of days. An error names file, line and value."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from pathlib import Path
from sys import intern
from typing import TypeVar

from cli.imports.tool_history import (
    EMPTY_FILES,
    KINDS,
    MONTHS,
    UNDATED,
    UNTIMED_NUMBERS,
    ToolHistory,
)
from cli.imports.values import NO_YEAR, WrongCellError, is_month, read_count, read_utc_day, read_utc_moment
from cli.terminal import CommandError

Value = TypeVar("Value")

ACTION, ANY_CSV = "repository-traffic-action", "csv"
PIEBRO, GITLYTICS = "piebro", "gitlytics"

SANGONZAL = {
    kind: {f"total_{kind}": f"{kind}-count", f"unique_{kind}": f"{kind}-uniques"} for kind in ("views", "clones")
}

# The first column with a name, in a row of ten referrers or paths, and what it lists. Two columns of numbers follow it.
PIEBRO_LISTS = {"ref_1": ("referrers", "referrer"), "path_1": ("paths", "path")}
PIEBRO_FOLDERS = ("github_views", "github_clones", "github_paths", "github_referrers")  # of a file for each repository

GITLYTICS_NAME = re.compile(r"traffic_\d{4}(-\d{2})?\.csv")

# What the columns of any other CSV file mean, by their names in lower case without what is no letter.
DAY, REPOSITORY = "day", "repository"
MEANINGS = {
    **dict.fromkeys(("date", "day", "timestamp", "time", "timeiso"), DAY),
    **dict.fromkeys(("repo", "repository", "repositoryname", "reponame", "fullname"), REPOSITORY),
    **dict.fromkeys(("views", "totalviews", "viewstotal", "viewscount", "viewcount"), "views-count"),
    **dict.fromkeys(("clones", "totalclones", "clonestotal", "clonescount", "clonecount"), "clones-count"),
    **dict.fromkeys(
        ("uniqueviews", "viewsunique", "viewsuniques", "viewuniques", "uniquevisitors", "uniqueviewers", "visitors"),
        "views-uniques",
    ),
    **dict.fromkeys(
        ("uniqueclones", "clonesunique", "clonesuniques", "cloneuniques", "uniquecloners"), "clones-uniques"
    ),
    **dict.fromkeys(("count", "total"), "count"),  # of the one kind that the file is about
    **dict.fromkeys(("uniques", "unique", "uniquevisitorscloners"), "uniques"),
}
RUNNING = ("stars", "forks", "githubstars", "githubforks")
NOT_TRAFFIC = ("site", "referrer", "referrers", "path", "urlpath")  # lists without a day
COLUMN_NAMES = {  # what `--columns` accepts before the `=`
    DAY: DAY,
    REPOSITORY: REPOSITORY,
    **{
        f"{kind}{ending}": f"{kind}-{what}"
        for kind in KINDS
        for ending, what in (("", "count"), ("-uniques", "uniques"))
    },
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

    def refuse(self, column: str, wrong: object) -> CommandError:
        """Return the error for a wrong cell."""
        return CommandError(
            f"{self.file}, line {self.number}: {column} is {wrong}. "
            "Nothing was imported: correct or remove the line, then try again."
        )

    def day(self, column: str) -> str:
        """Read a UTC day.

        Raises:
            CommandError: It is not a day, or it lies in the future.
        """
        return self._read(column, read_utc_day)

    def moment(self, column: str) -> str:
        """Read a time, and return it in UTC.

        Raises:
            CommandError: It is not a time, or it lies in the future.
        """
        return self._read(column, read_utc_moment)

    def count(self, column: str) -> int | None:
        """Read a count; None if the cell is empty.

        Raises:
            CommandError: It is not an integer from 0.
        """
        return self._read(column, read_count)

    def _read(self, column: str, read: Callable[[str], Value]) -> Value:
        try:
            return read(self.cells[column])
        except WrongCellError as exc:
            raise self.refuse(column, exc) from exc


def heading_of(file: Path) -> tuple[str, ...]:
    """Return the columns of a CSV file; empty if it has no line.

    Raises:
        CommandError: It cannot be read.
    """
    return next(_rows(file), (0, ()))[1]


def read_action(file: Path) -> dict[str, ToolHistory]:
    """Read a file of sangonzal/repository-traffic-action: `views.csv` or `clones.csv` of one repository.

    Every number is GitHub's. A cell can be empty, because an early version wrote the days of views into `clones.csv`.

    Raises:
        CommandError: The file does not hold what its name promises.

    Source:
        https://github.com/sangonzal/repository-traffic-action: repostats.py, and main.py of the early versions.
    """
    history = ToolHistory(ACTION, [file.name])
    heading = heading_of(file)
    by_heading = [kind for kind in KINDS if f"total_{kind}" in heading]
    kind = by_heading[0] if by_heading else "views" if file.name.endswith("views.csv") else "clones"
    columns = SANGONZAL[kind]
    read_days(history, read_lines(file, [("_date", *columns)]), "_date", columns, filled=False)
    return {"": history}


def is_gitlytics(file: Path, heading: Sequence[str]) -> bool:
    """Whether a file is one of gitlytics, by its name and its columns."""
    return bool(GITLYTICS_NAME.fullmatch(file.name)) and heading[:2] in (("date", "repo_name"), ("date", "repository"))


def read_piebro_list(file: Path) -> dict[str, ToolHistory]:
    """Read referrers or paths of piebro/github-repo-traffic-stats: a row for each day of capture, with up to ten names.

    The tool runs late in the evening. The row does not have the hour, so it is taken for the first of the day.

    Raises:
        CommandError: A cell is wrong.

    Source:
        https://github.com/piebro/github-repo-traffic-stats: query_github_traffic_data.py.
    """
    heading = heading_of(file)
    endpoint, of = PIEBRO_LISTS[heading[1]]
    history = ToolHistory(PIEBRO, [file.name])
    for line in read_lines(file, [heading]):
        rows: list[dict[str, object]] = []
        for name, total, unique in zip(heading[1::3], heading[2::3], heading[3::3], strict=True):
            count, uniques = line.count(total), line.count(unique)
            if count is None or uniques is None:  # the tool fills the row up to ten
                continue
            title = {"title": ""} if of == "path" else {}
            rows.append({of: intern(line.cells[name]), "count": count, "uniques": uniques, **title})
        if rows:
            history.add_snapshot(endpoint, rows, f"{line.day(heading[0])}T00:00:00Z")
    if history.empty:
        history.left_out[EMPTY_FILES] += 1
    return {"": history}


def read_any_csv(file: Path, kind: str | None, named: Mapping[str, str], tool: str = ANY_CSV) -> dict[str, ToolHistory]:
    """Read any CSV file with a column of days, for one repository or with a column that names it.

    Stars and forks beside the days are left out: gitlytics writes those of its last run into the row of each day, and
    no file tells whether its tool does the same.

    A file with views and clones in one row was joined from two answers: a day that only one of them had is filled with
    zeros by most tools, so such a pair of zeros is left out. gitlytics fills all days of a window.

    Args:
        file: The file.
        kind: `views` or `clones`, if the names of the file and its folders tell it.
        named: The columns that the person named: what each means, by its name in the file.
        tool: The tool that wrote it, if its names tell it.

    Returns:
        The history of each repository, by its name in the file; by an empty name if the file has no such column.

    Raises:
        CommandError: No column is one of days, or of numbers, or a cell is wrong.
    """
    heading = heading_of(file)
    histories: dict[str, ToolHistory] = {}
    if not heading:
        return {"": _empty(file)}
    columns = meanings(file, heading, kind, named)
    if not columns:
        history = ToolHistory(tool, [file.name])
        history.left_out[UNDATED] += sum(1 for _ in read_lines(file, [heading]))
        return {"": history}
    day = next(column for column, meaning in columns.items() if meaning == DAY)
    repository = next((column for column, meaning in columns.items() if meaning == REPOSITORY), None)
    metrics = {column: meaning for column, meaning in columns.items() if meaning not in (DAY, REPOSITORY)}
    joined = tool == GITLYTICS or {metric.partition("-")[0] for metric in metrics.values()} == set(KINDS)
    for line in read_lines(file, [heading]):
        name = line.cells[repository].strip() if repository else ""
        if repository and not name:
            raise line.refuse(repository, "'', expected a repository, octo/docs")
        if name not in histories:
            histories[name] = ToolHistory(tool, [file.name])
        _add_line(histories[name], line, day, metrics, joined=joined)
    return histories or {"": _empty(file)}


def meanings(file: Path, heading: Sequence[str], kind: str | None, named: Mapping[str, str]) -> dict[str, str]:
    """Return what the columns of a CSV file mean, without those that have no meaning here.

    Returns:
        The meaning by column: DAY, REPOSITORY or a metric; empty if the rows are lists without a day.

    Raises:
        CommandError: The columns do not tell it.
    """
    shown = ",".join(heading)[:200]
    if named:
        missing = sorted(column for column in named if column not in heading)
        if missing:
            raise CommandError(f"{file} has no column {missing[0]!r}, which --columns names; it has {shown!r}.")
        return dict(named)
    letters = {column: _letters(column) for column in heading}
    found = {column: MEANINGS[name] for column, name in letters.items() if name in MEANINGS}
    own = {meaning.partition("-")[0] for meaning in found.values()} & set(KINDS)
    if DAY not in found.values():
        if set(letters.values()) & set(NOT_TRAFFIC):
            return {}
        if any(NO_YEAR.fullmatch(column.strip()) for column in heading):
            raise CommandError(f"{file} begins with {shown!r}: a date without a year could be any year's.")
        raise CommandError(
            f"{file} begins with {shown!r}, and no column of it is one of days: "
            "name the columns with --columns day=COLUMN,views=COLUMN, ..."
        )
    only = own.pop() if len(own) == 1 else kind if not own else None
    for column, meaning in list(found.items()):
        if meaning in ("count", "uniques"):
            if only is None:
                raise CommandError(
                    f"{file} does not tell whether {column!r} is of views or of clones: "
                    f"name the columns with --columns day=COLUMN,views={column}, ..."
                )
            found[column] = f"{only}-{meaning}"
    numbers = [meaning for meaning in found.values() if meaning not in (DAY, REPOSITORY)]
    if not numbers or len(set(found.values())) < len(found):
        problem = "no column of it has views or clones" if not numbers else "two of its columns mean the same"
        raise CommandError(
            f"{file} begins with {shown!r}, and {problem}: name the columns with --columns day=COLUMN,views=COLUMN, ..."
        )
    return found


def read_lines(file: Path, headings: Sequence[Sequence[str]]) -> Iterator[CsvLine]:
    """Read a CSV file whose first line is one of the headings, with the columns in any order.

    Raises:
        CommandError: The file cannot be read, it has other columns, or a line has more or fewer cells.
    """
    rows = _rows(file)
    columns = next(rows, (0, ()))[1]
    if columns and sorted(columns) not in [sorted(heading) for heading in headings]:
        expected = " or ".join(repr(",".join(heading)) for heading in headings)
        raise CommandError(
            f"{file} begins with {','.join(columns)[:200]!r}, expected {expected}: did that tool write it?"
        )
    for number, cells in rows:
        if len(cells) != len(columns):
            raise CommandError(
                f"{file}, line {number}: {len(cells)} cells, expected {len(columns)}. "
                "Nothing was imported: use the complete file, then try again."
            )
        yield CsvLine(file, number, dict(zip(columns, cells, strict=True)))


def read_days(
    history: ToolHistory, lines: Iterator[CsvLine], day_column: str, columns: Mapping[str, str], *, filled: bool
) -> None:
    """Read the days of lines into a history.

    Args:
        history: The history.
        lines: The lines.
        day_column: The column of days.
        columns: The metrics of the other columns.
        filled: Whether the tool writes a zero also if it does not know the number.

    Raises:
        CommandError: A cell is wrong.
    """
    empty = True
    for line in lines:
        empty = False
        metrics = _metrics(line, columns)
        (history.add_filled_day if filled else history.add_day)(line.day(day_column), metrics)
    if empty:
        history.left_out[EMPTY_FILES] += 1


def _rows(file: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the lines of a CSV file that are not empty, with their numbers."""
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandError(f"{file} cannot be read as text: {exc}. Expected a CSV file in UTF-8.") from exc
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        for cells in rows:
            if any(map(str.strip, cells)):
                yield rows.line_num, tuple(cells)
    except csv.Error as exc:
        raise CommandError(f"{file}, line {rows.line_num}: {exc}. Expected a CSV file; nothing was imported.") from exc


@lru_cache
def _letters(column: str) -> str:
    return "".join(filter(str.isalpha, column.lower()))


def _empty(file: Path) -> ToolHistory:
    history = ToolHistory(ANY_CSV, [file.name])
    history.left_out[EMPTY_FILES] += 1
    return history


def _add_line(
    history: ToolHistory, line: CsvLine, day_column: str, columns: Mapping[str, str], *, joined: bool
) -> None:
    if is_month(line.cells[day_column]):
        history.left_out[MONTHS] += 1
        return
    untimed = sum(_letters(column) in RUNNING and bool(cell.strip()) for column, cell in line.cells.items())
    if untimed:
        history.left_out[UNTIMED_NUMBERS] += untimed
    day, metrics = line.day(day_column), _metrics(line, columns)
    for kind in KINDS:
        pair = {metric: value for metric, value in metrics.items() if metric.startswith(kind)}
        filled = joined and not any(pair.values())
        (history.add_filled_day if filled else history.add_day)(day, pair)


def _metrics(line: CsvLine, columns: Mapping[str, str]) -> dict[str, int | None]:
    """Read the numbers of a line, and refuse columns that were mixed up: no day has more visitors than views."""
    metrics = {metric: line.count(column) for column, metric in columns.items()}
    for column, metric in columns.items():
        if metric.endswith("-uniques"):
            count, uniques = metrics.get(metric.replace("uniques", "count")), metrics[metric]
            if count is not None and uniques is not None and uniques > count:
                raise line.refuse(column, f"{line.cells[column]!r}, expected no more than the day's total, {count}")
    return metrics

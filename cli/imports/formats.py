"""The files of other tools, and what each of their cells means."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from cli.imports.files import Line, read_lines
from cli.imports.tool_history import History
from cli.terminal import CommandError
from traffic.record.snapshot import MOST_ROWS

GHRS_COLUMNS = {
    "clones_total": "clones-count",
    "clones_unique": "clones-uniques",
    "views_total": "views-count",
    "views_unique": "views-uniques",
}
GHRS_HEADING = ("time_iso8601", *GHRS_COLUMNS)
AGGREGATE = "views_clones_aggregate.csv"
FRAGMENT = "_views_clones_series_fragment.csv"

# What a list of referrers or paths may begin with: later versions renamed the columns.
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
TAKEN = re.compile(r"(\d{4}-\d{2}-\d{2}_\d{6})_.*")  # what a snapshot's name begins with: when it was taken, UTC

SANGONZAL = {
    kind: {f"total_{kind}": f"{kind}-count", f"unique_{kind}": f"{kind}-uniques"} for kind in ("views", "clones")
}


def read_github_repo_stats(paths: Sequence[Path]) -> History:
    """Read what jgehrcke/github-repo-stats kept of one repository: its `ghrs-data` folder, or files of it.

    A zero of the aggregate says nothing: the tool puts it wherever GitHub named the day for the other metric alone. In
    a fragment, which is one answer of GitHub's, an empty cell is such a day, and a zero is GitHub's.

    Raises:
        CommandError: A file is not what its name claims, or there is none.

    Source:
        https://github.com/jgehrcke/github-repo-stats: `df.fillna(0)` in analyze.py, `to_csv` in fetch.py.
    """
    history = History("github-repo-stats")
    for file in _files(paths, (AGGREGATE, FRAGMENT, *GHRS_LISTS)):
        history.files.append(file.name)
        if file.name.endswith((AGGREGATE, FRAGMENT)):
            _read_days(history, file, "time_iso8601", GHRS_COLUMNS, zeros_count=file.name.endswith(FRAGMENT))
        else:
            _read_list(history, file)
    return history


def read_sangonzal(paths: Sequence[Path]) -> History:
    """Read what sangonzal/repository-traffic-action kept of one repository: `views.csv` and `clones.csv`.

    Every number is GitHub's; a cell is empty where an early version wrote the days of views into `clones.csv`.

    Raises:
        CommandError: A file is not what its name claims, or there is none.

    Source:
        https://github.com/sangonzal/repository-traffic-action: repostats.py, and main.py of the early versions.
    """
    history = History("repository-traffic-action")
    for file in _files(paths, tuple(f"{kind}.csv" for kind in SANGONZAL)):
        history.files.append(file.name)
        kind = "views" if file.name.endswith("views.csv") else "clones"
        _read_days(history, file, "_date", SANGONZAL[kind], zeros_count=True)
    return history


FORMATS: Mapping[str, Callable[[Sequence[Path]], History]] = {
    "github-repo-stats": read_github_repo_stats,
    "repository-traffic-action": read_sangonzal,
}


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


def _read_days(history: History, file: Path, day_column: str, columns: Mapping[str, str], *, zeros_count: bool) -> None:
    seen: dict[str, int] = {}
    for line in read_lines(file, [(day_column, *columns)]):
        day = line.day(day_column)
        if day in seen:
            raise line.refuse(day_column, f"each day once, and it stands in line {seen[day]} too")
        seen[day] = line.number
        metrics = {metric: line.number_in(column) for column, metric in columns.items()}
        if not zeros_count:
            history.zeros += sum(value == 0 for value in metrics.values())
            metrics = {metric: value or None for metric, value in metrics.items()}
        _refuse_more_uniques(line, columns, metrics)
        history.add_day(day, metrics)
    if not seen:
        raise CommandError(f"{file} holds no day. Nothing was imported: leave it out, or bring the whole file.")


def _refuse_more_uniques(line: Line, columns: Mapping[str, str], metrics: Mapping[str, int | None]) -> None:
    """Refuse columns that were mixed up: nobody is one visitor without a view."""
    for column, metric in columns.items():
        if metric.endswith("-uniques"):
            count, uniques = metrics[metric.replace("uniques", "count")], metrics[metric]
            if count is not None and uniques is not None and uniques > count:
                raise line.refuse(column, f"no more than the day's total, {count}")


def _read_list(history: History, file: Path) -> None:
    endpoint, headings = next(GHRS_LISTS[ending] for ending in GHRS_LISTS if file.name.endswith(ending))
    taken = TAKEN.fullmatch(file.name)
    try:
        at = datetime.strptime(taken[1], "%Y-%m-%d_%H%M%S").replace(tzinfo=UTC) if taken else None
    except ValueError:
        at = None
    if at is None or at > datetime.now(UTC):
        raise CommandError(
            f"{file} does not begin with when it was taken, expected 2026-11-20_231754_...: is it renamed?"
        )
    rows: list[dict[str, object]] = []
    for line in read_lines(file, headings):
        name, total, unique = next(heading for heading in headings if heading[0] in line.cells)
        count, uniques = line.number_in(total), line.number_in(unique)
        if count is None or uniques is None:
            raise line.refuse(total if count is None else unique, "a whole number from 0")
        row: dict[str, object] = {endpoint.removesuffix("s"): line.cells[name], "count": count, "uniques": uniques}
        rows.append({**row, "title": ""} if endpoint == "paths" else row)
    history.add_snapshot(endpoint, rows[:MOST_ROWS], at.strftime("%Y-%m-%dT%H:%M:%SZ"))

"""Reads the files of jgehrcke/github-repo-stats. An error names file, line and value."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from sys import intern

from cli.imports.csv_files import read_days, read_lines
from cli.imports.tool_history import EMPTY_FILES, ToolHistory
from cli.terminal import CommandError
from traffic.contract import RunningNumber

STATS = "github-repo-stats"
TIME = "time_iso8601"

GHRS_COLUMNS = {
    "clones_total": "clones-count",
    "clones_unique": "clones-uniques",
    "views_total": "views-count",
    "views_unique": "views-uniques",
}
GHRS_HEADING = (TIME, *GHRS_COLUMNS)
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

# The columns with stars or forks: which of them it is, and what the record names as the source.
#
# GitHub reported `stargazers_cumulative_snapshot` at that time; the tool writes it down when it has changed.
#
# GitHub never reported the other two numbers. At each run the tool lists all stars or forks that there are now, with
# the time at which each began, and counts them up to each day. Those that ended before the run are missing, so on that
# day there were at least as many. The source says so, and the time is the beginning of the day: any number that GitHub
# reported on the same day replaces this one.
RECONSTRUCTED = f"{STATS} (reconstructed)"
NUMBERS: Mapping[str, tuple[RunningNumber, str]] = {
    "stargazers_cumulative_snapshot": ("stars", STATS),
    "stars_cumulative": ("stars", RECONSTRUCTED),
    "forks_cumulative": ("forks", RECONSTRUCTED),
}
GHRS_RUNNING = tuple((TIME, column) for column in NUMBERS)
GHRS_NAMES = (AGGREGATE, FRAGMENT, *GHRS_LISTS)


def read_stats(file: Path) -> dict[str, ToolHistory]:
    """Read a file of jgehrcke/github-repo-stats, which keeps a folder `ghrs-data` for each repository.

    A zero in the aggregate is no measurement: the tool writes it also if GitHub reported the day for the other metric
    only. A fragment is one answer of GitHub: an empty cell means that GitHub did not report it, and a zero is GitHub's.

    Raises:
        CommandError: The file does not hold what its name promises.

    Source:
        https://github.com/jgehrcke/github-repo-stats: `df.fillna(0)` and `resample_to_1d_resolution` in analyze.py;
        `to_csv`, `fetch_and_write_stargazer_ts` and `get_forks_over_time` in fetch.py.
    """
    history = ToolHistory(STATS, [file.name])
    if file.name.endswith(tuple(GHRS_LISTS)):
        _read_list(history, file)
    elif file.name.endswith((AGGREGATE, FRAGMENT)):
        lines = read_lines(file, [GHRS_HEADING])
        read_days(history, lines, TIME, GHRS_COLUMNS, filled=file.name.endswith(AGGREGATE))
    else:
        _read_numbers(history, file)
    return {"": history}


def _read_numbers(history: ToolHistory, file: Path) -> None:
    empty = True
    for line in read_lines(file, GHRS_RUNNING):
        empty = False
        column = next(column for column in line.cells if column != TIME)
        part, source = NUMBERS[column]
        number, at = line.count(column), line.moment(TIME)
        if number is not None:
            history.add_number(part, number, f"{at[:10]}T00:00:00Z" if source == RECONSTRUCTED else at, source)
    if empty:
        history.left_out[EMPTY_FILES] += 1


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
    of = endpoint.removesuffix("s")
    for line in read_lines(file, headings):
        name, total, unique = next(heading for heading in headings if heading[0] in line.cells)
        count, uniques = line.count(total), line.count(unique)
        if count is None or uniques is None:
            raise line.refuse(total if count is None else unique, "'', expected an integer from 0")
        row: dict[str, object] = {of: intern(line.cells[name]), "count": count, "uniques": uniques}
        if endpoint == "paths":
            row["title"] = ""
        rows.append(row)
    if rows:
        history.add_snapshot(endpoint, rows, at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    else:
        history.left_out[EMPTY_FILES] += 1

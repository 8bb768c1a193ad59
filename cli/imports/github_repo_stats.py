"""Reads the files of jgehrcke/github-repo-stats. An error names file, line and value."""

import re
from datetime import UTC, datetime
from pathlib import Path
from sys import intern

from cli.imports.csv_files import read_days, read_lines
from cli.imports.tool_history import EMPTY_FILES, RUNNING_NUMBERS, ToolHistory
from cli.terminal import CommandError

STATS = "github-repo-stats"

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
GHRS_RUNNING = (("time_iso8601", "stars_cumulative"), ("time_iso8601", "forks_cumulative"))
GHRS_NAMES = (AGGREGATE, FRAGMENT, *GHRS_LISTS)


def read_stats(file: Path) -> dict[str, ToolHistory]:
    """Read a file of jgehrcke/github-repo-stats, which keeps a folder `ghrs-data` for each repository.

    A zero in the aggregate is no measurement: the tool writes it also if GitHub reported the day for the other metric
    only. A fragment is one answer of GitHub: an empty cell means that GitHub did not report it, and a zero is GitHub's.

    Raises:
        CommandError: The file does not hold what its name promises.

    Source:
        https://github.com/jgehrcke/github-repo-stats: `df.fillna(0)` in analyze.py, `to_csv` in fetch.py.
    """
    history = ToolHistory(STATS, [file.name])
    if file.name.endswith(tuple(GHRS_LISTS)):
        _read_list(history, file)
    elif file.name.endswith((AGGREGATE, FRAGMENT)):
        lines = read_lines(file, [GHRS_HEADING])
        read_days(history, lines, "time_iso8601", GHRS_COLUMNS, filled=file.name.endswith(AGGREGATE))
    else:
        history.left_out[RUNNING_NUMBERS] += sum(1 for _ in read_lines(file, GHRS_RUNNING))
    return {"": history}


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

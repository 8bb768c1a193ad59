"""Reads the database of ghstats, which is SQLite."""

import sqlite3
from contextlib import closing
from pathlib import Path

from cli.imports.tool_history import ToolHistory
from cli.imports.values import WrongCellError, read_count, read_utc_day
from cli.terminal import CommandError

GHSTATS = "ghstats"
BEGINNING = b"SQLite format 3\0"
METRICS = ("views-count", "views-uniques", "clones-count", "clones-uniques")
DAYS = """SELECT repos.name, repo_stats.date, views_count, views_uniques, clones_count, clones_uniques
FROM repo_stats JOIN repos ON repos.id = repo_stats.repo_id ORDER BY repos.name, repo_stats.date"""


def read_ghstats(file: Path) -> dict[str, ToolHistory]:
    """Read the days of all repositories of ghstats.

    Every number of it defaults to 0, so a zero does not tell whether GitHub reported one: zeros are left out.

    Returns:
        The history of each repository, by its name.

    Raises:
        CommandError: It is not ghstats' database, or a value is wrong.

    Source:
        https://github.com/vladkens/ghstats: the tables `repos` and `repo_stats`.
    """
    histories: dict[str, ToolHistory] = {}
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            for name, date, *numbers in database.execute(DAYS):
                history = histories.setdefault(name, ToolHistory(GHSTATS, [file.name]))
                metrics = dict(zip(METRICS, map(read_count, numbers), strict=True))
                history.add_filled_day(read_utc_day(date), metrics)
    except sqlite3.Error as exc:
        raise CommandError(
            f"{file} is not a database of ghstats: {exc}. Expected its tables repos and repo_stats."
        ) from exc
    except WrongCellError as exc:
        raise CommandError(f"{file}: a row has {exc}. Nothing was imported.") from exc
    return histories

"""Opens the record in DuckDB, which reads the items as they are stored, from a temporary file of JSON Lines.

It converts and sorts a million of them in two seconds. The memory that this takes does not grow with the history.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cli.terminal import counted
from traffic.contract import METRICS
from traffic.record.archive import Archive
from traffic.record.notes import read_notes
from traffic.record.reading import KeptRepository, Record

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FOLDER = Path(__file__).parent

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,  # a missing extension must be an error, not a download
    "TimeZone": "UTC",
    "memory_limit": "1GB",  # what needs more, such as the sorting of ten million days, goes to the temporary folder
}

Pages = Iterable[Sequence[str]]  # JSON texts, many at a time


@dataclass(frozen=True)
class Relations:
    """The record in DuckDB.

    Attributes:
        database: A connection to a database in memory. Its table `kept` has the rows of `repositories`.
        folder: A temporary folder.
        record: The tables.
        archive: The archive, which has the notes.
        since: The first day to read; None for all. Repositories have no day, so it does not concern them.
        sources: Whether days have the columns of their sources.
    """

    database: "DuckDBPyConnection"
    folder: Path
    record: Record
    archive: Archive
    since: str | None = None
    sources: bool = False

    @contextmanager
    def select(self, name: str) -> Iterator[str]:
        """Yield a SELECT statement with the rows of a relation, in order. Execute it once before the block ends.

        Days and times are texts in it.

        Args:
            name: One of `RELATIONS`.
        """
        statement = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
        if name == "repositories":
            yield statement
            return
        if name == "days" and not self.sources:
            sources = ", ".join(f'"{metric}-source"' for metric in METRICS)
            statement = f"SELECT * EXCLUDE ({sources}) FROM ({statement})"  # noqa: S608 - constants
        with self.written(self._pages(name)):
            yield statement

    def _pages(self, name: str) -> Pages:
        """Return the items of a relation, or the notes."""
        since = self.since or ""
        if name == "days":
            return counted(self.record.traffic.pages({"timestamp": since} if since else None), "days")
        if name == "notes":
            notes = (note for note in read_notes(self.archive) if note.day >= since)
            return [[json.dumps({"repo-name": each.repo_name, "day": each.day, "text": each.text}) for each in notes]]
        return counted(self.record.snapshots.pages({"captured-on": since} if since else None), "captures")

    @contextmanager
    def written(self, pages: Pages) -> Iterator[None]:
        """Write JSON texts into a file, one on each line, for statements to read until the block ends.

        Not into a pipe: DuckDB keeps everything in memory that it reads from one.
        """
        path = self.folder / "lines"
        with path.open("w", encoding="utf-8") as lines:
            lines.writelines("\n".join(page) + "\n" for page in pages if page)
        self.database.execute("SET VARIABLE lines = ?", [str(path)])
        try:
            yield
        finally:
            path.unlink()


@contextmanager
def open_relations(
    record: Record, archive: Archive, *, since: str | None = None, sources: bool = False
) -> Iterator[Relations]:
    """Open the record, or what it holds since a day, in a new database in memory; see `Relations`."""
    import duckdb  # noqa: PLC0415  # it takes 0.2 s

    with TemporaryDirectory(prefix="traffic-") as folder:
        config = {**CONFIG, "temp_directory": str(Path(folder, "spilled"))}
        with duckdb.connect(config=config) as database:
            relations = Relations(database, Path(folder), record, archive, since, sources)
            with relations.written([[json.dumps(row_of(each)) for each in record.every_repository()]]):
                database.execute((FOLDER / "kept.sql").read_text(encoding="utf-8"))
            yield relations


def row_of(kept: KeptRepository) -> dict[str, str | int | None]:
    """Return a repository's row of `repositories`."""
    names = kept.entry.names
    former = sorted(names.keys() - {kept.name}, key=lambda name: (names[name].last, name))
    return {
        "repo-name": kept.repo_name,
        "repo-id": kept.id,
        "current-name": kept.name,
        "former-names": " ".join(former),
        "first-captured-on": min((seen.first[:10] for seen in names.values()), default=None),
        "captured-on": kept.entry.captured_on,
        "newest-day": kept.entry.newest_day,
        "views-active-on": kept.entry.active.get("views"),
        "clones-active-on": kept.entry.active.get("clones"),
    }

"""A note: what a person knows of a day, as an object of the archive bucket."""

import hashlib
from dataclasses import asdict, dataclass

from traffic.record.archive import Archive

NOTES = "notes/"


@dataclass(frozen=True, order=True)
class Note:
    """What somebody noted.

    Attributes:
        repo_name: The key of the repository's rows in `RepoTraffic`, which never changes.
        day: As `2026-11-20`.
        text: One line.
    """

    repo_name: str
    day: str
    text: str

    @property
    def key(self) -> str:
        """The key of its object: the same note has the same."""
        return f"{NOTES}{self.repo_name}/{self.day}-{hashlib.sha256(self.text.encode()).hexdigest()[:16]}.json"


def put_note(archive: Archive, note: Note) -> None:
    """Write a note; writing the same note again changes nothing."""
    archive.put_note(note.key, asdict(note))

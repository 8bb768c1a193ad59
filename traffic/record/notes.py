"""Notes: what people write about a day, such as a release, for the report to show.

Each note is an object of the archive bucket under `notes/`, so it outlives the stack and the local engine. Everybody
who can read the deployment sees it, two people who add notes at the same time cannot overwrite each other, and S3 keeps
an earlier version of a removed note. `traffic verify` and `traffic rebuild` do not read notes.
"""

import hashlib
from dataclasses import asdict, dataclass

from traffic.clock import start_of
from traffic.errors import RecordError
from traffic.record.archive import Archive

NOTES = "notes/"


@dataclass(frozen=True, order=True)
class Note:
    """What somebody wrote about a day of a repository.

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
        """The key of its object: the same note has the same key."""
        return f"{NOTES}{self.repo_name}/{self.day}-{hashlib.sha256(self.text.encode()).hexdigest()[:16]}.json"


def put_note(archive: Archive, note: Note) -> None:
    """Write a note; writing the same note again changes nothing."""
    archive.put_note(note.key, asdict(note))


def read_notes(archive: Archive, repo_name: str | None = None) -> list[Note]:
    """Read the notes of a repository, or all of them, sorted by repository and day.

    Raises:
        RecordError: An object is not a note.
    """
    return sorted(_read(archive, key) for key in archive.keys(f"{NOTES}{repo_name}/" if repo_name else NOTES))


def _read(archive: Archive, key: str) -> Note:
    try:
        note = Note(**(archive.read_note(key) or {}))
        start_of(note.day)
    except (ValueError, TypeError) as exc:
        raise RecordError(f"{key} in the archive bucket is not a note ({exc}): remove it.") from exc
    return note

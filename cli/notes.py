"""A note: what a person knows of a day, as an object of the archive bucket."""

import hashlib
import json
from dataclasses import asdict, dataclass

from cli.deployment import Deployment

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


def put_note(deployment: Deployment, note: Note) -> None:
    """Write a note; the same again changes nothing."""
    deployment.client("s3").put_object(
        Bucket=deployment.output("ArchiveBucket"),
        Key=note.key,
        Body=json.dumps(asdict(note), ensure_ascii=False).encode(),
        ContentType="application/json",
    )

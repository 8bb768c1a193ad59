"""What the local engine keeps on disk, in generations: a stop at any moment leaves the whole last one.

```
<history>/engine.log            what the engine says
<history>/s3/                   every object, at once and whole
<history>/engine/lock           held by the engine for as long as it lives
<history>/engine/users           held by each command that uses another one's engine
<history>/engine/running.json   where the engine that runs is found
<history>/engine/saved.json     which generation holds, and up to when the archive is in its tables
<history>/engine/state-000012/  that generation
<history>/engine/functions/     the code of functions, unpacked, with what Python compiled of it
```
"""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class HistoryFolder:
    """The folder of one local history, and where things lie in it."""

    root: Path

    @property
    def log(self) -> Path:
        """What the engine says, over all its starts."""
        return self.root / "engine.log"

    @property
    def objects(self) -> Path:
        """The objects of S3, as files."""
        return self.root / "s3"

    @property
    def engine(self) -> Path:
        """What the engine alone writes."""
        return self.root / "engine"

    @property
    def lock(self) -> Path:
        """Locked by the engine that runs; the kernel lets go of it however the engine ends."""
        return self.engine / "lock"

    @property
    def users(self) -> Path:
        """Locked, each for itself, by the commands that use an engine which another one started."""
        return self.engine / "users"

    @property
    def running(self) -> Path:
        """Process id, port and access key of the engine that runs, in JSON."""
        return self.engine / "running.json"

    @property
    def scratch(self) -> Path:
        """The engine's TMPDIR: unpacked functions, removed at its end."""
        return self.engine / "tmp"

    @property
    def functions(self) -> Path:
        """The unpacked code of functions; it can be deleted while no engine runs."""
        return self.engine / "functions"

    @property
    def marker(self) -> Path:
        """Which generation holds; see `Saved`."""
        return self.engine / "saved.json"

    def prepare(self) -> None:
        """Make the folders, readable by their owner only: the secret's value lies below."""
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.engine, self.objects):
            folder.mkdir(mode=0o700, exist_ok=True)


@dataclass(frozen=True)
class Saved:
    """What the marker says about the last whole generation.

    Attributes:
        generation: Name of its folder, `state-000012`; None before the first.
        stored_until: Every archive object last written before this time (ISO 8601, UTC, `Z`) is in its tables;
            None when nothing is known to be.
    """

    generation: str | None = None
    stored_until: str | None = None


def read_marker(history: HistoryFolder) -> Saved:
    """Say which generation holds; none where nothing was ever saved."""
    try:
        return Saved(**json.loads(history.marker.read_text()))
    except FileNotFoundError:
        return Saved()


def current_generation(history: HistoryFolder) -> Path:
    """Name the folder to load the state from, and clear away what a killed engine left half written."""
    saved = read_marker(history)
    keep = saved.generation or "state-000000"
    for folder in history.engine.glob("state-*"):
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)
    return history.engine / keep


def write_generation(history: HistoryFolder, stored_until: str | None, write: Callable[[Path], None]) -> None:
    """Write a new generation beside the one that holds, and let it hold only once it is whole and on disk.

    Args:
        history: Where.
        stored_until: See `Saved`.
        write: Fills the folder given; what it raises leaves the old generation in force.
    """
    number = int((read_marker(history).generation or "state-000000").removeprefix("state-")) + 1
    folder = history.engine / f"state-{number:06}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    write(folder)
    for path in [*folder.rglob("*"), folder]:
        flush_to_disk(path)
    write_json(history.marker, {"generation": folder.name, "stored_until": stored_until})
    current_generation(history)


def write_json(path: Path, content: Any) -> None:
    """Write a small file at once and whole: a reader, or a power cut, sees the old one or the new one."""
    draft = path.with_name(path.name + ".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content))
    flush_to_disk(draft)
    draft.replace(path)
    flush_to_disk(path.parent)


def flush_to_disk(path: Path) -> None:
    """Wait until a file's content, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

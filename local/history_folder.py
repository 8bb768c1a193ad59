"""The engine's files, in generations: after a stop at any moment, the last complete one is still there.

```
<history>/engine.log            the engine's log
<history>/s3/                   every object, complete as soon as it is put
<history>/engine/lock           locked by the engine while it runs
<history>/engine/users          locked by each command that uses another command's engine
<history>/engine/running.json   the address of the running engine
<history>/engine/saved.json     the valid generation, and until when the archive is in its tables
<history>/engine/state-000012/  that generation
<history>/engine/tables.sqlite  the items of the tables; see `local.stored_items`
<history>/engine/tables-before.jsonl  the items as an earlier version saved them, until `traffic verify`
<history>/engine/functions/     the unpacked code of functions, and what Python compiled from it
```
"""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ALREADY_RUNNING = os.EX_TEMPFAIL  # the exit code of an engine if another one has locked the history
MERGED = ("answers/", "imports/")  # the folders of the archive whose objects Store traffic merges into the tables


@dataclass(frozen=True)
class HistoryFolder:
    """The folder of one local history, and the paths in it."""

    root: Path

    @property
    def log(self) -> Path:
        """The engine's log, over all its starts."""
        return self.root / "engine.log"

    @property
    def objects(self) -> Path:
        """The objects of S3, as files."""
        return self.root / "s3"

    @property
    def engine(self) -> Path:
        """The folder that only the engine writes to."""
        return self.root / "engine"

    @property
    def lock(self) -> Path:
        """Locked by the running engine; the kernel releases it even if the engine is killed."""
        return self.engine / "lock"

    @property
    def users(self) -> Path:
        """Locked (shared) by the commands that use an engine which another command started."""
        return self.engine / "users"

    @property
    def running(self) -> Path:
        """Process id, port and access key of the running engine, in JSON."""
        return self.engine / "running.json"

    @property
    def tables(self) -> Path:
        """The items of the tables, each of them on disk before its writer gets an answer."""
        return self.engine / "tables.sqlite"

    @property
    def tables_before(self) -> Path:
        """The items as an earlier version saved them, kept until `traffic verify` finds no difference."""
        return self.engine / "tables-before.jsonl"

    @property
    def scratch(self) -> Path:
        """The engine's TMPDIR, removed when the engine ends."""
        return self.engine / "tmp"

    @property
    def functions(self) -> Path:
        """The unpacked code of functions; you can delete it while no engine runs."""
        return self.engine / "functions"

    @property
    def marker(self) -> Path:
        """The file with the valid generation; see `Saved`."""
        return self.engine / "saved.json"

    def prepare(self) -> None:
        """Create the folders, readable by their owner only: the secret's value is stored there."""
        self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.engine, self.objects):
            folder.mkdir(mode=0o700, exist_ok=True)


@dataclass(frozen=True)
class Saved:
    """The content of the marker: the valid generation.

    Attributes:
        generation: Name of its folder, `state-000012`; None before the first save.
        stored_until: Every archive object last written before this time (ISO 8601, UTC, `Z`) is in its tables;
            None if that is unknown.
        complete: Whether no engine has started since one ended with the complete archive in its tables.
    """

    generation: str | None = None
    stored_until: str | None = None
    complete: bool = False


def read_marker(history: HistoryFolder) -> Saved:
    """Read which generation is valid; `Saved()` if nothing was ever saved."""
    try:
        return Saved(**json.loads(history.marker.read_text()))
    except FileNotFoundError:
        return Saved()


def current_generation(history: HistoryFolder) -> Path:
    """Return the folder to load the state from, and delete incomplete ones that a killed engine left."""
    saved = read_marker(history)
    keep = saved.generation or "state-000000"
    for folder in history.engine.glob("state-*"):
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)
    return history.engine / keep


def write_marker(history: HistoryFolder, saved: Saved) -> None:
    """Replace the marker."""
    write_json(history.marker, asdict(saved))


def write_generation(
    history: HistoryFolder, stored_until: str | None, write: Callable[[Path], None], *, complete: bool = False
) -> None:
    """Write a new generation beside the valid one, which it replaces once it is complete and on disk.

    Args:
        history: The history to write to.
        stored_until: See `Saved`.
        write: Writes the files into a folder; if it raises, the old generation stays valid.
        complete: See `Saved`.
    """
    number = int((read_marker(history).generation or "state-000000").removeprefix("state-")) + 1
    folder = history.engine / f"state-{number:06}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    write(folder)
    for path in [*folder.rglob("*"), folder]:
        flush_to_disk(path)
    write_marker(history, Saved(folder.name, stored_until, complete))
    current_generation(history)


def write_json(path: Path, content: Any) -> None:
    """Replace a small file atomically: a reader, or a power cut, finds the old content or the new one."""
    draft = path.with_name(path.name + ".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content))
    flush_to_disk(draft)
    draft.replace(path)
    flush_to_disk(path.parent)


def flush_to_disk(path: Path) -> None:
    """Write a file's content, or a folder's names, to disk, so that they survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

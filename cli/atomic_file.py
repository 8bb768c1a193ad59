"""Files that appear under their name only when they are complete."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from cli.terminal import CommandError


@contextmanager
def atomic_file(path: Path | None) -> Iterator[TextIO]:
    """Open a text file as `atomic_path` does; without a path, standard output.

    Raises:
        CommandError: It cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary file to write; it replaces the file at `path` when the block ends without an error.

    Raises:
        CommandError: It cannot be written.
    """
    # In the same folder: a rename is atomic only within one file system.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            temporary.touch()  # so that the error is the same for every format
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as exc:
        raise CommandError(
            f"{str(path)!r} cannot be written ({exc.strerror}): give --output a file in a folder of yours."
        ) from exc

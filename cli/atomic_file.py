"""Files that appear under their name only when they are complete."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from cli.terminal import FULL, CommandError


@contextmanager
def atomic_file(path: Path | None, *, private: bool = False) -> Iterator[TextIO]:
    """Open a text file as `atomic_path` does; without a path, standard output.

    Raises:
        CommandError: It cannot be written.
    """
    if path is None:
        yield sys.stdout
        return
    with (
        atomic_path(path, private=private) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        yield file


@contextmanager
def atomic_path(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Yield a temporary file to write; it replaces the file at `path` when the block ends without an error.

    A file that exists keeps its mode.

    Args:
        path: The file to write.
        private: Whether a new file is readable by its owner only.

    Raises:
        CommandError: It cannot be written.
    """
    try:
        target = path.resolve()
        if not path.name or (target.exists() and not target.is_file()):
            raise CommandError(f"{str(path)!r} is not a file: give --output the name of a file.")
        mode = target.stat().st_mode & 0o7777 if target.exists() else None
        # In the same folder: a rename is atomic only within one file system. In a folder of its own, which nobody else
        # may open: libraries create files beside the one they write.
        with TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            temporary = Path(folder) / target.name
            temporary.touch(0o600 if private else 0o666)
            usual = temporary.stat().st_mode & 0o7777
            yield temporary
            temporary.chmod(usual if mode is None else mode)
            temporary.replace(target)
    except OSError as exc:
        advice = "free some space, or give" if exc.errno in FULL else "give"
        raise CommandError(
            f"{str(path)!r} cannot be written ({exc.strerror}): {advice} --output a file in a folder of yours."
        ) from exc

"""Files that appear under their name only when they are complete."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from cli.terminal import FULL, CommandError

STREAMS = {"/dev/stdout": "stdout", "/dev/stderr": "stderr"}


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

    A file that exists keeps its mode, and a link stays and leads to the new file. What is no plain file, such as a
    pipe or a device, gets a copy of the temporary file: some formats can only be written where a program can seek.

    Args:
        path: The file to write.
        private: Whether a new file is readable by its owner only.

    Raises:
        CommandError: It cannot be written.
    """
    try:
        if not path.name or path.is_dir():
            raise CommandError(f"{str(path)!r} is not a file: give --output the name of a file.")
        target = path.resolve() if is_plain(path) else None
        mode = target.stat().st_mode & 0o7777 if target and target.exists() else None
        # In the same folder: a rename is atomic only within one file system. In a folder of its own, which nobody else
        # may open: libraries create files beside the one they write.
        name = (target or path).name
        with TemporaryDirectory(prefix=f".{name}.", dir=target and target.parent) as folder:
            temporary = Path(folder) / name
            temporary.touch(0o600 if private else 0o666)
            usual = temporary.stat().st_mode & 0o7777
            yield temporary
            if target:
                temporary.chmod(usual if mode is None else mode)
                temporary.replace(target)
            else:
                _copy(temporary, path)
    except BrokenPipeError:
        raise  # as on standard output: who reads has ended
    except OSError as exc:
        advice = "free some space, or give" if exc.errno in FULL else "give"
        raise CommandError(
            f"{str(path)!r} cannot be written ({exc.strerror}): {advice} --output a file in a folder of yours."
        ) from exc


def is_plain(path: Path) -> bool:
    """Return whether a path is a plain file, or may become one: no pipe, no device and no open stream."""
    return str(path) not in STREAMS and (path.is_file() or not path.exists())


def _copy(temporary: Path, path: Path) -> None:
    """Copy a file to a pipe, a device or a stream. To open a stream by its path would overwrite a file that has it."""
    with temporary.open("rb") as written:
        if str(path) in STREAMS:
            stream = getattr(sys, STREAMS[str(path)])
            stream.flush()
            shutil.copyfileobj(written, stream.buffer)
            stream.flush()
        else:
            with path.open("wb") as file:
                shutil.copyfileobj(written, file)

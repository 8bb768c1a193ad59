"""Looks for a planted text in files, in archives within files, and in processes."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

UNRELATED = {".git", ".venv", "node_modules"}  # our commands do not write there


def processes_with(text: str) -> Iterator[tuple[str, str]]:
    """Yield processes with a text in their command line or environment: their id, and which of the two."""
    for kind in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{kind}"):
            try:
                if text.encode() in path.read_bytes():
                    yield path.parent.name, kind
            except OSError:
                continue  # it has ended meanwhile, or belongs to another user


def files_with(text: str, folder: Path) -> Iterator[Path]:
    """Yield files below a folder that contain a text, plain or compressed."""
    for path in folder.iterdir():
        if path.is_symlink() or path.name in UNRELATED:
            continue
        if path.is_dir():
            yield from files_with(text, path)
        elif path.is_file() and any(text.encode() in content for content in contents(path.read_bytes())):
            yield path


def contents(data: bytes) -> Iterator[bytes]:
    """Yield the bytes of a file and, if it is a gzip file or a zip, the unpacked content."""
    yield data
    if data.startswith(b"\x1f\x8b"):
        try:
            yield gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return
    elif data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())

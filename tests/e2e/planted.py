"""Looks for a planted text wherever something could have kept it: in files, archives within files, and processes."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

UNRELATED = {".git", ".venv", "node_modules"}  # its history, and packages of others: no command of ours writes there


def processes_that_hold(text: str) -> Iterator[tuple[str, str]]:
    """Find processes whose command line or environment holds a text: their id, and which of the two."""
    for kind in ("cmdline", "environ"):
        for path in Path("/proc").glob(f"[0-9]*/{kind}"):
            try:
                if text.encode() in path.read_bytes():
                    yield path.parent.name, kind
            except OSError:
                continue  # it has ended meanwhile, or is somebody else's


def files_that_hold(text: str, folder: Path) -> Iterator[Path]:
    """Find files below a folder that hold a text, in clear or compressed."""
    for path in folder.iterdir():
        if path.is_symlink() or path.name in UNRELATED:
            continue
        if path.is_dir():
            yield from files_that_hold(text, path)
        elif path.is_file() and any(text.encode() in content for content in contents(path.read_bytes())):
            yield path


def contents(data: bytes) -> Iterator[bytes]:
    """Give what a file holds: its bytes, and what they unpack to where they are gzip's or an archive's."""
    yield data
    if data.startswith(b"\x1f\x8b"):
        try:
            yield gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return
    elif data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from (archive.read(name) for name in archive.namelist())

"""Where ministack unpacks a function's code, and how often."""

import hashlib
import os
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime

from local.cures.errors import CureOutdatedError


def share_unpacked_code(folder: Path) -> None:
    """Unpack a function's code once, and keep what Python compiles of it for all its processes and later starts.

    ministack: unpacks the code for each process anew, where each compiles it again: 1 s of processor time of the 1.3 s
    that a start takes.
    AWS: starts functions on machines of its own.

    Args:
        folder: Where the code is kept, by the SHA-256 of its zip. Nothing of it may be in use yet.
    """
    if lambda_runtime.zipfile is not zipfile:
        raise CureOutdatedError("ministack unpacks functions in another way")
    forget_older_code(folder)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # of the engine; its functions inherit what is in the environment
    unpacking = threading.Lock()

    class UnpackedOnce(zipfile.ZipFile):
        """A zip whose content is linked to where it was unpacked before."""

        def extractall(self, path: Any = None, *others: Any) -> None:
            if Path(path).name != "code":
                super().extractall(path, *others)
                return
            kept = folder / hashlib.sha256(Path(str(self.filename)).read_bytes()).hexdigest()
            with unpacking:
                if not kept.exists():
                    unpacked = tempfile.mkdtemp(dir=folder)
                    super().extractall(unpacked)
                    os.sync()  # a power cut must not leave empty files under a name that stands for whole ones
                    Path(unpacked).rename(kept)
            Path(path).rmdir()
            Path(path).symlink_to(kept, target_is_directory=True)

    lambda_runtime.zipfile = SimpleNamespace(
        ZipFile=UnpackedOnce, BadZipFile=zipfile.BadZipFile, LargeZipFile=zipfile.LargeZipFile
    )


def forget_older_code(folder: Path) -> None:
    """Keep the code that was unpacked last; functions that an update replaced need theirs no longer."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for older in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)[:-1]:
        shutil.rmtree(older)

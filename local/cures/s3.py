"""Cure of ministack's S3."""

# ruff: noqa: SLF001 - patching ministack's inside is what this module is for

import functools
import os
from pathlib import Path
from typing import Any

from ministack.services import s3


def refuse_unwritten_objects() -> None:
    """Answer a PutObject with success only if the object is on disk.

    ministack: logs that it could not write the object, and answers 200; what it wrote may still be in the machine's
    memory.
    AWS: a 200 means that the object is stored.

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/DataDurability.html
    """
    write, persist = s3._atomic_write, s3._persist_object

    @functools.wraps(write)
    def write_through(path: str, data: Any, *, text: bool = False) -> None:
        write(path, data, text=text)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @functools.wraps(persist)
    def persist_or_raise(bucket: str, key: str, obj: Any) -> None:
        persist(bucket, key, obj)
        path = s3._object_disk_path(bucket, key)
        if path is None or not Path(path).is_file() or (isinstance(obj, dict) and obj.get("body") is not None):
            raise OSError(f"could not write {bucket}/{key} to disk")

    s3._atomic_write, s3._persist_object = write_through, persist_or_raise

"""The files of the engine's S3, read without the engine, hold what the engine returns."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.engine import running_engine
from local.history_folder import HistoryFolder
from local.stored_history import StoredObjects

KEYS = (
    "answers/capture_date=2026-11-20/20261120T090000Z-run-1.jsonl.gz",
    "answers/capture_date=2026-11-21/20261121T090000Z-run-1.jsonl.gz",
    "imports/20261120T090000Z.jsonl.gz",
    "notes/octo/docs/2026-11-20-0.json",
    "notes/octo/docs~7/2026-11-20-0.json",
    "notes/../odd//2026-11-20-0.json",  # keys that cannot be paths
    f"notes/{'long' * 60}/2026-11-20-0.json",
)
DELETED = "notes/octo/docs/2026-11-19-0.json"
PREFIXES = ("", "answers/", "answers/capture_date=2026-11-20", "notes/", "notes/octo/docs/", "absent/")


def seen(s3: Any) -> tuple[Any, ...]:
    """Return what a client lists and reads."""
    pages = s3.get_paginator("list_objects_v2")
    listed = [
        [found["Key"] for page in pages.paginate(Bucket="archive", Prefix=prefix) for found in page.get("Contents", [])]
        for prefix in PREFIXES
    ]
    days = pages.paginate(Bucket="archive", Prefix="answers/", Delimiter="/")
    folders = [found["Prefix"] for page in days for found in page.get("CommonPrefixes", [])]
    bodies = [s3.get_object(Bucket="archive", Key=key)["Body"].read() for key in KEYS]
    return listed, folders, bodies


@pytest.mark.parametrize("versions", [False, True])
def test_files_hold_what_the_engine_returns(tmp_path: Path, *, versions: bool) -> None:
    """Verify, report and notes read them, while the engine runs and after it."""
    files = StoredObjects(HistoryFolder(tmp_path).objects, lambda: pytest.fail("the engine was asked"))
    with running_engine(tmp_path) as engine:
        s3 = engine.client("s3")
        s3.create_bucket(Bucket="archive")
        if versions:
            s3.put_bucket_versioning(Bucket="archive", VersioningConfiguration={"Status": "Enabled"})
        for key in (*KEYS, DELETED):
            s3.put_object(Bucket="archive", Key=key, Body=b"before")
            s3.put_object(Bucket="archive", Key=key, Body=key.encode())
        s3.delete_object(Bucket="archive", Key=DELETED)
        expected = seen(s3)
        assert seen(files) == expected

    assert expected[0][0] == sorted(KEYS)
    assert seen(files) == expected
    for key in (DELETED, "notes/octo", "notes/absent.json"):
        with pytest.raises(ClientError, match="NoSuchKey"):
            files.get_object(Bucket="archive", Key=key)

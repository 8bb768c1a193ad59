"""One S3 bucket in memory, with what the archive uses: fast enough for thousands of runs."""

import io
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError


class FakeS3:
    """S3's calls on one bucket."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Key: str, Body: bytes, IfNoneMatch: str = "", **_rest: str) -> None:  # noqa: N803
        """Write an object; with `IfNoneMatch` only if it does not exist."""
        if IfNoneMatch and Key in self.objects:
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.objects[Key] = Body

    def get_object(self, *, Key: str, Range: str = "bytes=0-", **_rest: str) -> dict[str, Any]:  # noqa: N803
        """Read an object, or a range of its bytes; the last byte is included."""
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        first, _, last = Range.removeprefix("bytes=").partition("-")
        return {"Body": io.BytesIO(self.objects[Key][int(first) : int(last) + 1 if last else None])}

    def delete_object(self, *, Key: str, **_rest: str) -> None:  # noqa: N803
        """Delete an object, if it exists."""
        self.objects.pop(Key, None)

    def get_paginator(self, operation: str) -> "FakeS3":
        """Return itself: it is a paginator of listings."""
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Prefix: str, Delimiter: str = "", **_rest: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        """Yield all keys below a prefix, or the folders, in one page."""
        found = sorted(key for key in self.objects if key.startswith(Prefix))
        if Delimiter:
            folders = sorted({Prefix + key[len(Prefix) :].partition(Delimiter)[0] + Delimiter for key in found})
            yield {"CommonPrefixes": [{"Prefix": folder} for folder in folders]}
        else:
            yield {"Contents": [{"Key": key} for key in found]}

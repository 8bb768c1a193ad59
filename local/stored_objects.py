"""The objects of the local engine's S3, read from their files without the engine.

ministack stores an object at `<history>/s3/ACCOUNT/BUCKET/KEY`, or under an encoded name if its key cannot be a path.
The file `.meta.json` beside it has the key, and says whether the object is deleted.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from local.engine import ACCOUNT

ENCODED = ".ministack-keys"
ABOUT = ".meta.json"
NO_OBJECTS = (ABOUT, ".tmp")  # how the names of other files end


class StoredObjects:
    """An S3 client that reads files, and leaves every other call to the engine's client.

    Args:
        folder: See `HistoryFolder.objects`.
        client: Returns the engine's client.
    """

    def __init__(self, folder: Path, client: Callable[[], Any]) -> None:
        self._folder = folder / ACCOUNT
        self._client = client

    def __getattr__(self, call: str) -> Any:
        """Return a call of the engine's client."""
        return getattr(self._client(), call)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """Read an object.

        Raises:
            ClientError: There is no such object.
        """
        bucket = self._folder / Bucket
        for path in (bucket / Key, bucket / ENCODED / encoded(Key)):
            if path.is_file() and not about(path).get("is_delete_marker"):
                return {"Body": io.BytesIO(path.read_bytes())}
        raise ClientError({"Error": {"Code": "NoSuchKey", "Message": f"There is no object {Key}"}}, "GetObject")

    def get_paginator(self, operation: str) -> Any:
        """Return itself for listings: it is their paginator."""
        return self if operation == "list_objects_v2" else self._client().get_paginator(operation)

    def paginate(self, *, Bucket: str, Prefix: str, Delimiter: str = "") -> Iterator[dict[str, Any]]:  # noqa: N803
        """Yield the keys below a prefix in order, in one page; with a delimiter those up to it, each once."""
        keys = sorted(self._keys(self._folder / Bucket, Prefix))
        if Delimiter:
            folders = {Prefix + key.removeprefix(Prefix).partition(Delimiter)[0] + Delimiter for key in keys}
            yield {"CommonPrefixes": [{"Prefix": folder} for folder in sorted(folders)]}
        else:
            yield {"Contents": [{"Key": key} for key in keys]}

    def _keys(self, bucket: Path, prefix: str) -> Iterator[str]:
        for folder in (bucket / prefix.rpartition("/")[0], bucket / ENCODED):
            for parent, folders, names in os.walk(folder):
                folders[:] = [name for name in folders if name != ENCODED]
                for path in (Path(parent, name) for name in names if not name.endswith(NO_OBJECTS)):
                    known = about(path)
                    key = known.get("key") or path.relative_to(bucket).as_posix()
                    if key.startswith(prefix) and not known.get("is_delete_marker"):
                        yield key


def encoded(key: str) -> str:
    """Return the name of the file of an object whose key cannot be a path, as ministack makes it."""
    name = quote(key, safe="").replace(".", "%2E")
    return name if len(name) <= 200 else "sha256-" + hashlib.sha256(key.encode()).hexdigest()


def about(path: Path) -> dict[str, Any]:
    """Read what ministack wrote about an object; nothing if it was killed before."""
    try:
        return dict(json.loads(path.with_name(path.name + ABOUT).read_text()))
    except FileNotFoundError:
        return {}

"""The archive bucket: GitHub's raw answers, imports, people's notes, and the files that the steps of a run share."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from botocore.exceptions import ClientError

from traffic.contract import (
    ArchivedAnswer,
    Batch,
    ImportedHistory,
    archive_prefix,
    import_key,
    listings_prefix,
    run_folder,
)
from traffic.errors import ArchiveBusyError, RecordError
from traffic.record.transient import renamed_if_transient

PLACE = "The archive bucket"
IMPORTS = "imports/"
UNDONE = "undone/"  # imports that were taken back; nothing reads them
STORED = ("answers/", IMPORTS)  # the folders whose objects Store traffic merges into the tables

# The headers of GitHub's answers that are archived: about time, limits, token, version and access.
KEPT_HEADERS = (
    "date", "etag", "link", "location", "retry-after", "gh-limited-by", "x-github-sso", "x-github-request-id",
    "x-github-api-version-selected", "x-github-enterprise-version", "deprecation", "sunset",
    "x-accepted-github-permissions", "github-authentication-token-expiration",
    "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-used", "x-ratelimit-reset", "x-ratelimit-resource",
)  # fmt: skip


class Archive:
    """The archive bucket.

    Args:
        bucket: Its name.
        s3: An S3 client.
    """

    def __init__(self, bucket: str, s3: Any) -> None:
        self.bucket = bucket
        self._s3 = s3

    def put_answers(self, answers: Sequence[ArchivedAnswer]) -> str:
        """Write answers as one immutable object of gzipped JSON Lines.

        The key ends in the SHA-256 of the content, so no other content can replace it. The order of the names is the
        order of the captures.

        Returns:
            The object's key.
        """
        first = min(answer["captured_at"] for answer in answers)
        return self._put_captured(archive_prefix(first[:10]), answers[0]["run"], first, pack(answers))

    def put_listing(self, run_id: str, captured_at: str, content: bytes) -> str:
        """Write pages of a listing as one immutable object, named like those of `put_answers`.

        Args:
            run_id: The execution that listed.
            captured_at: The time of GitHub's answer with the first page.
            content: The pages as gzipped JSON Lines, each a `ListedPage`.

        Returns:
            The object's key.
        """
        return self._put_captured(listings_prefix(captured_at[:10]), run_id, captured_at, content)

    def put_import(self, history: ImportedHistory) -> str:
        """Write what another tool kept of one repository as one immutable object.

        Returns:
            The object's key.
        """
        content = pack([history])
        key = import_key(history["imported_at"], hashlib.sha256(content).hexdigest(), new=history["new"])
        self._put_once(key, content)
        return key

    def _put_captured(self, folder: str, run_id: str, captured_at: str, content: bytes) -> str:
        time = captured_at.replace("-", "").replace(":", "")
        key = f"{folder}{time}-{run_folder(run_id)}-{hashlib.sha256(content).hexdigest()}.jsonl.gz"
        self._put_once(key, content)
        return key

    def _put_once(self, key: str, content: bytes) -> None:
        """Write an object unless it exists already.

        Source:
            https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        try:
            self._put(Key=key, Body=content, ContentType="application/gzip", IfNoneMatch="*")
        except ClientError as exc:
            # 412: the object has this content already. boto3 repeats a write whose answer was lost, and finds its own.
            if exc.response["Error"]["Code"] != "PreconditionFailed":
                raise

    def read_answers(self, key: str) -> list[ArchivedAnswer]:
        """Read what `put_answers` or `put_import` wrote; the lines of both have `repo_id` and `repo`.

        Raises:
            RecordError: The object is damaged.
        """
        try:
            return unpack(self._read(key))
        except ValueError as exc:
            raise RecordError(
                f"{key} in the archive cannot be read ({exc}): bring its earlier version back, or move it elsewhere."
            ) from exc

    def stored_keys(self) -> list[str]:
        """Return the keys of all answers and imports, in an order in which Store traffic can merge them."""
        found = (key for folder in STORED for key in self.keys(folder))
        return sorted(found, key=lambda key: key.rpartition("/")[2])  # names begin with the time of the capture

    def put_note(self, key: str, note: Any) -> None:
        """Write an object of JSON."""
        body = json.dumps(note, ensure_ascii=False).encode()
        self._put(Key=key, Body=body, ContentType="application/json")

    def read_note(self, key: str) -> Any | None:
        """Read an object of JSON; None if it does not exist."""
        try:
            return json.loads(self._read(key))
        except ClientError as exc:
            if exc.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise

    def put_manifest(self, key: str, batches: Sequence[Batch]) -> int:
        """Write a run's batches as a JSON list, so that `read_batch` can read each without the others.

        Returns:
            The bytes of each line.
        """
        content, width = manifest_lines(batches)
        self._put(Key=key, Body=content, ContentType="application/json")
        return width

    def read_batch(self, key: str, number: int, width: int) -> Batch:
        """Read one batch of a manifest.

        Args:
            key: The manifest's key.
            number: The number of the batch, from 0.
            width: The bytes of each line, as `put_manifest` returned it.
        """
        first = number * width
        line = self._read(key, Range=f"bytes={first}-{first + width - 1}")
        batch: Batch = json.loads(line.strip(b"[], \n"))
        return batch

    def keys(self, prefix: str) -> Iterator[str]:
        """Return the keys below a prefix, in order."""
        for page in self._pages(Prefix=prefix):
            yield from (found["Key"] for found in page.get("Contents", []))

    def set_aside(self, key: str) -> ImportedHistory:
        """Move an import to `undone/`, where nothing reads it; it may be there already.

        Returns:
            What was imported.

        Raises:
            RecordError: There is no such import, or it is damaged.
        """
        undone = f"{UNDONE}{key.removeprefix(IMPORTS)}"
        for found in (key, undone):
            try:
                content = self._read(found)
                break
            except ClientError as exc:
                if exc.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                    raise
        else:
            raise RecordError(f"The archive has no import {key!r}: expected the key of an object below imports/.")
        self._put_once(undone, content)
        self.delete(key)
        (history,) = self.read_answers(undone)
        return cast("ImportedHistory", history)

    def delete(self, key: str) -> None:
        """Delete an object; in AWS, S3 keeps its earlier version."""
        with renamed_if_transient(ArchiveBusyError, PLACE):
            self._s3.delete_object(Bucket=self.bucket, Key=key)

    def capture_dates(self) -> list[str]:
        """Return the days on which GitHub was asked, in order."""
        pages = self._pages(Prefix=archive_prefix("").partition("/")[0] + "/", Delimiter="/")
        folders = (found["Prefix"] for page in pages for found in page.get("CommonPrefixes", []))
        return [folder.rpartition("=")[2].rstrip("/") for folder in folders]

    def _read(self, key: str, **request: str) -> bytes:
        with renamed_if_transient(ArchiveBusyError, PLACE):
            body: bytes = self._s3.get_object(Bucket=self.bucket, Key=key, **request)["Body"].read()
        return body

    def _put(self, **request: Any) -> None:
        with renamed_if_transient(ArchiveBusyError, PLACE):
            self._s3.put_object(Bucket=self.bucket, **request)

    def _pages(self, **request: str) -> Iterator[Any]:
        with renamed_if_transient(ArchiveBusyError, PLACE):
            yield from self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **request)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an answer that are archived with it."""
    return {name: headers[name] for name in KEPT_HEADERS if name in headers}


def manifest_lines(batches: Sequence[Batch]) -> tuple[bytes, int]:
    """Write batches as a JSON list, one on each line. Spaces make all lines equally long.

    Returns:
        The list, and the bytes of each line with the end of the line.
    """
    ends = [","] * (len(batches) - 1) + ["]"]
    # json.dumps escapes what is not ASCII, so that a character is a byte.
    lines = [f"{'[' if n == 0 else ' '}{json.dumps(batch)}{ends[n]}" for n, batch in enumerate(batches)] or ["[]"]
    width = max(map(len, lines)) + 1
    return "".join(f"{line:<{width - 1}}\n" for line in lines).encode(), width


def line(answer: Mapping[str, object]) -> bytes:
    """Write one line of an archive object."""
    return (json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def pack(answers: Iterable[Mapping[str, object]]) -> bytes:
    """Write answers, one on each line. The same answers become the same bytes, because gzip's time is left out."""
    return gzip.compress(b"".join(map(line, answers)), mtime=0)


def unpack(content: bytes) -> list[ArchivedAnswer]:
    """Read what `pack` wrote.

    Raises:
        ValueError: The content is something else, or not complete.
    """
    try:
        text = gzip.decompress(content).decode()
    except (OSError, EOFError, zlib.error) as exc:
        raise ValueError(f"not a complete gzip file: {exc}") from exc
    # Not splitlines: it would also cut at U+0085, U+2028 and U+2029, which JSON allows within a title.
    return [json.loads(line) for line in text.split("\n") if line]

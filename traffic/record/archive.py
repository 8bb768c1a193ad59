"""The bucket: GitHub's raw answers for good, and the notes that the steps of a run leave each other."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from traffic.contract import ArchivedAnswer, archive_prefix, listings_prefix, run_folder
from traffic.errors import ArchiveBusyError
from traffic.record.answer_lines import pack, unpack
from traffic.record.transient import FAILURES, passes


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

        The key ends in the SHA-256 of the content, so another content never takes its place; the names' order is the
        order of the captures.

        Returns:
            The object's key.
        """
        first = min(answer["captured_at"] for answer in answers)
        return self._put_captured(archive_prefix(first[:10]), answers[0]["run"], first, pack(answers))

    def put_listing(self, run_id: str, captured_at: str, content: bytes) -> str:
        """Write pages of a listing as one immutable object, named as `put_answers` names answers.

        Args:
            run_id: The execution that listed.
            captured_at: When GitHub answered with the first page.
            content: The pages as gzipped JSON Lines, each a `ListedPage`.

        Returns:
            The object's key.
        """
        return self._put_captured(listings_prefix(captured_at[:10]), run_id, captured_at, content)

    def _put_captured(self, folder: str, run_id: str, captured_at: str, content: bytes) -> str:
        time = captured_at.replace("-", "").replace(":", "")
        key = f"{folder}{time}-{run_folder(run_id)}-{hashlib.sha256(content).hexdigest()}.jsonl.gz"
        self._put_once(key, content)
        return key

    def _put_once(self, key: str, content: bytes) -> None:
        """Write an object that is not there yet; one that is stays as it is.

        Source:
            https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        try:
            self._put(Key=key, Body=content, ContentType="application/gzip", IfNoneMatch="*")
        except ClientError as exc:
            # 412: the key names this very content. boto3 repeats a write whose answer was lost, and meets its own.
            if exc.response["Error"]["Code"] != "PreconditionFailed":
                raise

    def read_answers(self, key: str) -> list[ArchivedAnswer]:
        """Read what `put_answers` wrote."""
        return unpack(self._read(key))

    def put_note(self, key: str, note: Any) -> None:
        """Write an object of JSON."""
        body = json.dumps(note, ensure_ascii=False).encode()
        self._put(Key=key, Body=body, ContentType="application/json")

    def read_note(self, key: str) -> Any | None:
        """Read an object of JSON; None where there is none."""
        try:
            return json.loads(self._read(key))
        except ClientError as exc:
            if exc.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise

    def keys(self, prefix: str) -> Iterator[str]:
        """List the keys below a prefix, in order."""
        for page in self._pages(Prefix=prefix):
            yield from (found["Key"] for found in page.get("Contents", []))

    def capture_dates(self) -> list[str]:
        """List the days on which GitHub was asked, in order."""
        pages = self._pages(Prefix=archive_prefix("").partition("/")[0] + "/", Delimiter="/")
        folders = (found["Prefix"] for page in pages for found in page.get("CommonPrefixes", []))
        return [folder.rpartition("=")[2].rstrip("/") for folder in folders]

    def _read(self, key: str) -> bytes:
        with _passing():
            body: bytes = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def _put(self, **request: Any) -> None:
        with _passing():
            self._s3.put_object(Bucket=self.bucket, **request)

    def _pages(self, **request: str) -> Iterator[Any]:
        with _passing():
            yield from self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **request)


@contextmanager
def _passing() -> Iterator[None]:
    """Give what passes by itself the name that the definition retries.

    Raises:
        ArchiveBusyError: S3 is throttled, or failed or could not be reached in passing.
    """
    try:
        yield
    except FAILURES as exc:
        if passes(exc):
            raise ArchiveBusyError(f"The archive bucket: {exc}") from exc
        raise

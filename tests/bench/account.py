"""An AWS account over HTTP, in a separate process: a bucket, a secret and the three tables, all in memory.

It answers as fast as possible, so that the measured time is the function's. The table of repositories can hold any
number of entries, because its pages are made when they are read.
"""

import json
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from botocore.exceptions import ClientError

from simulated_github.account import FIRST_REPOSITORY_ID
from tests.unit.fake_dynamodb import FakeDynamoDB

PAGE = 1_500  # repositories in one page of a scan: with an item for each name, about a megabyte
KEYS = 1_000  # in one page of S3's listing


@contextmanager
def account(repositories: int) -> Iterator[str]:
    """Serve an account whose table holds this number of repositories, all captured lately; yield its address."""
    command = [sys.executable, "-m", "tests.bench.account", str(repositories)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def ids(start: int, end: int) -> range:
    """Return the ids of some repositories; the simulated GitHub lists the same ids."""
    return range(FIRST_REPOSITORY_ID + start, FIRST_REPOSITORY_ID + end)


def name_of(id_: int) -> str:
    """Return the name of a repository."""
    return f"octo-org-{id_ % 97}/repository-with-a-usual-name-{id_}"


def entry(id_: int) -> dict[str, Any]:
    """Return the entry of a repository, in DynamoDB's format."""
    days = {"L": [{"S": "2025-11-01/2026-11-12"}]}
    return {
        "repo-id": {"S": str(id_)},
        "repo-name": {"S": name_of(id_)},
        "captured-on": {"S": "2026-11-13"},
        "newest-day": {"S": "2026-11-12"},
        "names": {"M": {name_of(id_): {"M": {"first": {"S": "2025-11-01T09:00:00Z"}, "last": {"S": "2026-11-13"}}}}},
        "covered": {"M": {"views": days, "clones": days}},
        "active": {"M": {"views": {"S": "2026-11-12"}, "clones": {"S": "2026-11-12"}} if id_ % 4 == 0 else {}},
    }


def pointer(id_: int) -> dict[str, Any]:
    """Return the item that leads from a repository's name to its id."""
    return {"repo-id": {"S": f"name {name_of(id_)}"}, "repo-ids": {"SS": [str(id_)]}, "owner-id": {"S": str(id_)}}


@lru_cache(maxsize=1_000)
def scan_page(repositories: int, start: int, wanted: tuple[str, ...], *, pointers: bool) -> bytes:
    """Return a page of a scan: the wanted attributes of the entries (all if none is named), and the items of names."""
    end = min(start + PAGE, repositories)
    items = [entry(id_) for id_ in ids(start, end)]
    items += [pointer(id_) for id_ in ids(start, end)] if pointers else []
    if wanted:
        items = [{name: item[name] for name in wanted if name in item} for item in items]
    page: dict[str, Any] = {"Items": items, "Count": len(items), "ScannedCount": 2 * (end - start)}
    if end < repositories:
        page["LastEvaluatedKey"] = {"repo-id": {"S": str(end)}}
    return json.dumps(page).encode()


class AccountServer(ThreadingHTTPServer):
    """The server, with everything that the account holds."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, repositories: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories = repositories
        self.objects: dict[str, bytes] = {}
        self.dynamodb = FakeDynamoDB()


class Handler(BaseHTTPRequestHandler):
    """Answers the calls of S3, DynamoDB and Secrets Manager that the functions make."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: two packets would take 40 ms longer
    server: AccountServer

    def handle_expect_100(self) -> bool:
        """Send `100 Continue` at once, as S3 does: boto3 waits for it up to a second before it sends an object."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def do_GET(self) -> None:
        """Answer S3's GetObject and ListObjectsV2."""
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if "list-type" in asked:
            self._send(200, self._listed(asked["prefix"], asked.get("continuation-token", "")), "application/xml")
        elif (body := self.server.objects.get(self._key())) is not None:
            self._send(200, body, "application/octet-stream")
        else:
            self._send(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>", "application/xml")

    def do_PUT(self) -> None:
        """Answer S3's PutObject."""
        self.server.objects[self._key()] = self._body()
        self._send(200, b"", "application/xml")

    def do_POST(self) -> None:
        """Answer DynamoDB and Secrets Manager."""
        operation, request = self.headers["x-amz-target"].rpartition(".")[2], json.loads(self._body())
        try:
            status, body = 200, self._answer(operation, request)
        except ClientError as exc:
            status, body = 400, json.dumps({"__type": f"com.amazonaws#{exc.response['Error']['Code']}"}).encode()
        self._send(status, body, "application/x-amz-json-1.0")

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _answer(self, operation: str, request: Mapping[str, Any]) -> bytes:
        if operation == "Scan":
            names = request.get("ExpressionAttributeNames", {})
            wanted = tuple(names[part.strip()] for part in request.get("ProjectionExpression", "").split(",") if part)
            start = int(request.get("ExclusiveStartKey", {"repo-id": {"S": "0"}})["repo-id"]["S"])
            return scan_page(self.server.repositories, start, wanted, pointers="FilterExpression" not in request)
        if operation == "Query" and "ProjectionExpression" in request:
            return b'{"Items": [], "Count": 0}'  # the usual numbers are read for at most fifty repositories
        if operation == "GetSecretValue":
            return json.dumps({"Name": "token", "SecretString": "github_pat_made_up"}).encode()
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        return json.dumps(getattr(self.server.dynamodb, method)(**request) or {}).encode()

    def _listed(self, prefix: str, begin: str) -> bytes:
        keys = sorted(key for key in self.server.objects if key.startswith(prefix) and key > begin)
        more = f"<NextContinuationToken>{escape(keys[KEYS - 1])}</NextContinuationToken>" if len(keys) > KEYS else ""
        found = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys[:KEYS])
        truncated = str(bool(more)).lower()
        return f"<ListBucketResult><IsTruncated>{truncated}</IsTruncated>{more}{found}</ListBucketResult>".encode()

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).split("/", 2)[2]

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["content-length"]))

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amz-crc32", str(zlib.crc32(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve, and print the address."""
    server = AccountServer(int(sys.argv[1]))
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    main()

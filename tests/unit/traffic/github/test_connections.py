"""Promise: nothing makes more calls at once than its client keeps connections.

With one thread more, each call of the last thread opens a new TLS connection and leaves a warning in the log.
"""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.endpoint import MAX_POOL_CONNECTIONS
from requests.adapters import DEFAULT_POOLSIZE

from cli.commands.news import READERS
from cli.stack.deployment import SEGMENTS
from lambdas.fetch_traffic.batch import TOGETHER
from lambdas.summarize_run import read_record
from tests.unit.serving import serving
from traffic.contract import ENDPOINTS
from traffic.github.client import MOST_AT_ONCE, GitHub
from traffic.github.pace import AT_ONCE
from traffic.planning import AT_ONCE as CHILDREN
from traffic.record import comparison
from traffic.record.archive import Archive

ROOT = Path(__file__).parents[4]

POOL = 10  # connections that boto3 and requests keep for a host

OBJECTS = 480

# Each file with a thread pool, and its largest number of threads.
THREADS = {
    "traffic/github/client.py": len(ENDPOINTS),
    "lambdas/fetch_traffic/batch.py": TOGETHER,
    "lambdas/summarize_run/read_record.py": read_record.READERS,
    "traffic/record/comparison.py": comparison.AT_ONCE,
    "traffic/record/item_table.py": SEGMENTS,
    "cli/commands/news.py": READERS,
}


class Server(ThreadingHTTPServer):
    """Serves a listing and objects, and counts the connections.

    Attributes:
        connections: How many were opened.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Objects)
        self.connections = 0

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self.server_port}"

    def get_request(self) -> Any:
        """Take a connection."""
        self.connections += 1
        return super().get_request()


class Objects(BaseHTTPRequestHandler):
    """Answers with a listing of S3 or with JSON, slowly enough that several calls overlap."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        keys = "".join(f"<Contents><Key>{number}</Key></Contents>" for number in range(OBJECTS))
        listing = f"<ListBucketResult>{keys}<IsTruncated>false</IsTruncated></ListBucketResult>"
        body = listing.encode() if "list-type" in self.path else json.dumps([self.path]).encode()
        time.sleep(0.002)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature of http.server
        """Write no log."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Serve on a free port of loopback."""
    with Server() as served, serving(served):
        yield served


@contextmanager
def archive_of(server: Server) -> Iterator[Archive]:
    """Yield the archive bucket with a client of S3 as the functions have it: with the default size of its pool."""
    path_style = Config(s3={"addressing_style": "path"}, proxies={})
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    client: Any = boto3.client("s3", endpoint_url=server.url, config=path_style, **keys)  # type: ignore[call-overload]
    yield Archive("archive", client)
    client.close()


def test_the_readers_of_a_run_keep_their_connections(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of 100,000 repositories leaves 4,000 objects, and the function has 300 seconds to read them."""
    with archive_of(server) as archive:
        monkeypatch.setattr(read_record, "archive", lambda: archive)
        notes = list(read_record.read_notes("runs/run-1/receipts/"))

    assert len(notes) == OBJECTS
    assert server.connections <= POOL


def test_calls_to_github_keep_their_connections(server: Server) -> None:
    """A handshake for each of a run's 90,000 calls would take longer than the calls."""
    github = GitHub(server.url, lambda **_fresh: "token")
    for _ in range(20):
        github.get_all([(f"/{endpoint}", None) for endpoint in ENDPOINTS])
    github._session.close()

    assert server.connections <= len(ENDPOINTS)


def test_several_repositories_at_once_keep_their_connections(server: Server) -> None:
    """The client never opens more connections than it keeps, and GitHub closes none for being too many."""
    github = GitHub(server.url, lambda **_fresh: "token")
    with ThreadPoolExecutor(TOGETHER) as callers:
        for _ in range(20 * TOGETHER):
            callers.submit(github.get_all, [(f"/{endpoint}", None) for endpoint in ENDPOINTS])
    github._session.close()

    assert server.connections <= TOGETHER * len(ENDPOINTS) <= MOST_AT_ONCE
    assert CHILDREN * len(ENDPOINTS) <= AT_ONCE
    assert MOST_AT_ONCE <= AT_ONCE


def test_no_thread_pool_is_larger_than_a_connection_pool() -> None:
    """A new thread pool must be added to the list here."""
    found = [file for folder in ("traffic", "lambdas", "cli", "local") for file in (ROOT / folder).rglob("*.py")]
    pools = {str(file.relative_to(ROOT)) for file in found if "ThreadPoolExecutor(" in file.read_text(encoding="utf-8")}

    assert pools == THREADS.keys()
    assert max(THREADS.values()) <= POOL
    assert MAX_POOL_CONNECTIONS == DEFAULT_POOLSIZE == POOL


def test_a_full_pool_is_noticed(server: Server, full_pools: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test with a full pool fails: this one shows that the check works."""
    monkeypatch.setattr(read_record, "READERS", 3 * POOL)
    with archive_of(server) as archive:
        monkeypatch.setattr(read_record, "archive", lambda: archive)
        list(read_record.read_notes("runs/run-1/receipts/"))

    assert server.connections > POOL
    assert full_pools
    full_pools.clear()

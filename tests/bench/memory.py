"""How much memory the functions take that see the whole fleet: List repositories and Summarize run.

Each runs in a process of its own, beside a bucket on disk and a table whose pages are made up as they are read.
"""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import boto3
from botocore.exceptions import ClientError

from tests.bench.world import peak_memory

REPOSITORIES = 100_000
FUNCTIONS = ("list_repos", "summarize_run")

RUN = {"id": "run", "started": "2026-11-20T09:00:00Z", "deadline": "2026-11-21T05:00:00Z"}
PART = 2_500  # repositories that one call of List repositories finds
BATCH = 25
PAGE = 2_000  # items in one page of a scan: about a megabyte


def memory(repositories: int = REPOSITORIES) -> dict[str, float]:
    """Give the megabytes that each function takes at most."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: _in_a_process_of_its_own(name, folder, repositories) for name in FUNCTIONS}


def _in_a_process_of_its_own(name: str, folder: str, repositories: int) -> float:
    command = [sys.executable, "-m", "tests.bench.memory", folder, str(repositories), name]
    made_up = dict.fromkeys(("ARCHIVE_BUCKET", "TRAFFIC_TABLE", "REPOSITORIES_TABLE", "SNAPSHOTS_TABLE"), "made-up")
    ended = subprocess.run(  # noqa: S603 - our own
        command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **made_up}
    )
    return float(ended.stdout.split()[-1])


class BucketOnDisk:
    """S3's calls on one bucket, as far as the functions make them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put_object(self, *, Key: str, Body: bytes, **_rest: str) -> None:  # noqa: N803 - boto3's names
        """Write an object."""
        (self.folder / quote(Key, safe="")).write_bytes(Body)

    def get_object(self, *, Key: str, **_rest: str) -> dict[str, Any]:  # noqa: N803
        """Read an object."""
        path = self.folder / quote(Key, safe="")
        if not path.exists():
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(path.read_bytes())}

    def get_paginator(self, _operation: str) -> "BucketOnDisk":
        """Be a paginator of listings."""
        return self

    def paginate(self, *, Prefix: str, **_rest: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        """Give all keys below a prefix, a thousand a page."""
        found = sorted(path.name for path in self.folder.glob(f"{quote(Prefix, safe='')}*"))
        for start in range(0, len(found), 1000):
            yield {"Contents": [{"Key": name.replace("%2F", "/")} for name in found[start : start + 1000]]}


class MadeUpTable:
    """DynamoDB's calls on a table of so many repositories that were all captured lately."""

    def __init__(self, repositories: int) -> None:
        self.repositories = repositories

    def scan(self, *, ExclusiveStartKey: Mapping[str, int] | None = None, **_rest: Any) -> dict[str, Any]:  # noqa: N803
        """Give a page of entries."""
        start = (ExclusiveStartKey or {"at": 0})["at"]
        end = min(start + PAGE, self.repositories)
        page: dict[str, Any] = {"Items": [_entry(id_) for id_ in range(start, end)]}
        return page if end == self.repositories else {**page, "LastEvaluatedKey": {"at": end}}

    def query(self, **_rest: Any) -> dict[str, Any]:
        """Give nothing: what is usual is read of fifty at most."""
        return {"Items": []}


def _name(id_: int) -> str:
    return f"octo-org-{id_ % 97}/repository-with-a-usual-name-{id_}"


def _entry(id_: int) -> dict[str, Any]:
    days = {"L": [{"S": "2025-11-01/2026-11-12"}]}
    return {
        "repo-id": {"S": str(id_)},
        "repo-name": {"S": _name(id_)},
        "captured-on": {"S": "2026-11-13"},
        "newest-day": {"S": "2026-11-12"},
        "names": {"M": {_name(id_): {"M": {"first": {"S": "2025-11-01T09:00:00Z"}, "last": {"S": "2026-11-13"}}}}},
        "covered": {"M": {"views": days, "clones": days}},
        "active": {"M": {"views": {"S": "2026-11-12"}, "clones": {"S": "2026-11-12"}} if id_ % 4 == 0 else {}},
    }


def list_repositories(repositories: int) -> None:
    """Do what List repositories does when the last page is read."""
    from lambdas.list_repos import every_token, handler  # noqa: PLC0415 - what the other imports is not to be counted
    from lambdas.list_repos.listing import Pages  # noqa: PLC0415
    from lambdas.shared.archive import archive  # noqa: PLC0415
    from lambdas.shared.contract import Listing, Run, listing_key  # noqa: PLC0415
    from lambdas.shared.settings import Selection  # noqa: PLC0415

    setattr(every_token, "read_tokens", lambda **_: {"*": "made-up"})  # noqa: B010 - it is another module's
    for part, start in enumerate(range(0, repositories, PART), start=1):
        end = min(start + PART, repositories)
        archive().put_note(listing_key("run", part), [{"id": id_, "name": _name(id_)} for id_ in range(start, end)])
    parts = -(-repositories // PART)
    listing = Listing(parts=parts, pauses=0, listed_at=RUN["started"], tokens={"*": {"limit": 5000, "remaining": 4000}})
    state = handler.finish(cast("Run", RUN), Pages(listing), Selection())
    archive().put_note("state.json", state)


def summarize(repositories: int) -> None:
    """Do what Summarize run does when all were asked, with several tokens, and are captured."""
    from lambdas.shared.archive import archive  # noqa: PLC0415 - as above
    from lambdas.shared.contract import ENDPOINTS, manifest_key, receipts_prefix  # noqa: PLC0415
    from lambdas.summarize_run import handler  # noqa: PLC0415

    every = [{"id": id_, "name": _name(id_)} for id_ in range(repositories)]
    batches = [{"repositories": every[start : start + BATCH]} for start in range(0, repositories, BATCH)]
    archive().put_note(manifest_key("run"), batches)
    for number, batch in enumerate(batches):
        receipts = [
            {
                **each, "repo_name": each["name"], "answered": list(ENDPOINTS), "outcome": "captured", "detail": "",
                "items_changed": 7, "lowered": 0, "newest_day": "2026-11-19",
                "ends": {kind: {"day": "2026-11-19", "behind": 0} for kind in ("views", "clones")},
                "recent": {"day": "2026-11-19", "views": 9, "before": 8, "weeks": [[60, 50], [9, 8]]},
            }
            for each in batch["repositories"]
        ]  # fmt: skip
        archive().put_note(f"{receipts_prefix('run')}{number:06}.json", receipts)
    del every, batches
    state = cast("Any", {**(archive().read_note("state.json") or {})})
    state["manifest"].pop("not_due", None)
    summary = handler.lambda_handler(state, cast("Any", _Context()))
    assert "captured" in summary["message"]


class _Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "made-up"


def main() -> None:
    """Run one function, and print the most memory that the process ever held."""
    folder, repositories, name = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    made: dict[str, Any] = {"s3": BucketOnDisk(folder), "dynamodb": MadeUpTable(repositories)}
    boto3.client = lambda service, **_: made[service]  # type: ignore[assignment]
    {"list_repos": list_repositories, "summarize_run": summarize}[name](repositories)
    print(peak_memory("self"))  # noqa: T201


if __name__ == "__main__":
    main()

"""The real stack on the engine: the tables match the archive, and can be rebuilt from it."""

import json
from collections.abc import Iterator, Mapping
from functools import partial

import pytest

from cli.commands.verify import verify
from cli.stack.deployment import Deployment
from local.history_folder import HistoryFolder
from local.recovery import unsaved
from local.stored_history import StoredTable
from simulated_github import SimulatedGitHub
from tests.integration.pipeline import Pipeline, deployed_pipeline
from traffic.record.archive import pack, unpack
from traffic.record.rebuilding import rebuild

KEYS: Mapping[str, tuple[str, ...]] = {
    "RepoTraffic": ("repo-name", "timestamp"),
    "RepoTrafficRepositories": ("repo-id",),
    "RepoTrafficSnapshots": ("repo-id", "captured-on"),
}


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A separate history after three runs, with a rename and a repository that was created again."""
    with deployed_pipeline(tmp_path_factory.mktemp("record") / "history") as pipeline:
        with SimulatedGitHub(repositories=6, seed=4, port=pipeline.port, at="2026-11-01T09:00:00Z") as github:
            first, second, *_ = github.names
            pipeline.run()
            github.rename(first, "octo/renamed")
            github.delete(second)
            github.create(second)
            for at in ("2026-11-05T09:00:00Z", "2026-11-05T15:00:00Z"):
                github.at(at)
                assert pipeline.run().status == "SUCCEEDED"
        yield pipeline


@pytest.mark.parametrize("by", ["the engine", "the file"])
def test_deleted_items_are_restored_item_for_item(captured: Pipeline, by: str) -> None:
    """A rebuild needs nothing but the archive, through the API as `--aws` does, and beside the engine."""
    before, stack = captured.tables(), deployment(captured, in_file=by == "the file")
    assert before.keys() == KEYS.keys()
    assert all(before.values())
    assert verify(stack.record, stack.archive) == []
    empty(captured)
    assert {difference.kind for difference in verify(stack.record, stack.archive)} == {"missing"}

    written, left = rebuild(stack.record, stack.archive, at_once=4)

    assert captured.tables() == before
    assert (written, left) == (sum(map(len, before.values())), [])
    assert verify(stack.record, stack.archive) == []
    assert rebuild(stack.record, stack.archive) == (0, [])


def test_listings_are_archived_and_never_treated_as_answers(captured: Pipeline) -> None:
    """Neither a rebuild nor a recovery may pass them to Store traffic."""
    bucket = captured.outputs["ArchiveBucket"]
    found = captured.engine.client("s3").list_objects_v2(Bucket=bucket, Prefix="listings/")["Contents"]
    pages = [page for each in found for page in unpack(captured.read(each["Key"]))]

    assert [len(json.loads(page["body"])) for page in pages] == [6, 6, 6]
    assert {key.partition("/")[0] for key in deployment(captured).archive.stored_keys()} == {"answers"}
    assert {key.partition("/")[0] for key in unsaved(captured.engine, bucket, None)} == {"answers"}


def test_an_archived_object_is_never_overwritten(captured: Pipeline) -> None:
    """The engine supports S3's conditional writes."""
    s3, bucket = captured.engine.client("s3"), captured.outputs["ArchiveBucket"]
    key = s3.list_objects_v2(Bucket=bucket, Prefix="answers/")["Contents"][0]["Key"]
    content = captured.read(key)

    with pytest.raises(s3.exceptions.ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=bucket, Key=key, Body=pack(unpack(content)[:1]), IfNoneMatch="*")

    assert captured.read(key) == content


@pytest.mark.parametrize("by", ["the engine", "the file"])
def test_a_rebuild_and_a_run_at_the_same_time_lose_nothing(captured: Pipeline, by: str) -> None:
    """Each gives way to the other, item by item."""
    stack = deployment(captured, in_file=by == "the file")
    empty(captured)
    with SimulatedGitHub(repositories=6, seed=4, port=captured.port, at="2026-11-06T09:00:00Z"):
        run = captured.start()
        while not captured.tables()["RepoTraffic"]:
            rebuild(stack.record, stack.archive)
        rebuild(stack.record, stack.archive)
        assert captured.finish(run).status == "SUCCEEDED"

    rebuild(stack.record, stack.archive)
    assert verify(stack.record, stack.archive) == []


def deployment(pipeline: Pipeline, *, in_file: bool = False) -> Deployment:
    """The stack as the commands see it: those with `--aws`, or those on this machine."""
    table = partial(StoredTable, HistoryFolder(pipeline.engine.history).tables) if in_file else None
    client = pipeline.engine.client
    return Deployment(outputs=pipeline.outputs, client=client, place="here", parameters={}, table=table)


def empty(pipeline: Pipeline) -> None:
    """Delete every item of every table, one by one."""
    client = pipeline.engine.client("dynamodb")
    for table, keys in KEYS.items():
        for item in pipeline.scan(table):
            client.delete_item(TableName=table, Key={key: {"S": item[key]} for key in keys})

"""A lane: one child captures the batches of one user, one after another, on two engines that share no code."""

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from simulated_github import SimulatedGitHub
from simulated_github.faults import primary_limit
from tests.integration.moto_pipeline import moto_pipeline
from tests.integration.pipeline import Execution, Pipeline
from traffic.contract import Batch, Repository, lanes_key, manifest_key
from traffic.record.archive import Archive

AT = "2026-11-20T09:00:00Z"
# In place of the listing: the manifest comes with the input.
GIVEN = {
    "Type": "Pass",
    "Parameters": {"run.$": "$.run", "manifest.$": "$.input.manifest", "listing": {"parts": 0, "pauses": 0}},
    "Next": "All listed?",
}


@contextmanager
def without_listing(machines: Any, arn: str) -> Iterator[None]:
    """Replace the state "List repositories" of a machine for a while."""
    deployed = machines.describe_state_machine(stateMachineArn=arn)["definition"]
    definition = json.loads(deployed)
    definition["States"]["List repositories"] = GIVEN
    machines.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
    try:
        yield
    finally:
        machines.update_state_machine(stateMachineArn=arn, definition=deployed)


def run_lanes(machines: Any, arn: str, archive: Archive, lanes: Sequence[Sequence[Batch]]) -> Execution:
    """Run with one lane for each list of batches, until the end."""
    name = f"lanes-{uuid.uuid4().hex[:8]}"
    batches = [batch for lane in lanes for batch in lane]
    width = archive.put_manifest(manifest_key(name), batches)
    items: list[Batch] = []
    first = 0
    for lane in lanes:
        last = first + len(lane) - 1
        items.append({"repositories": [], "lane": {"last": last, "width": width}, "at": {"part": first}})
        first = last + 1
    archive.put_note(lanes_key(name), items)
    manifest = {
        "bucket": archive.bucket,
        "key": lanes_key(name),
        "at_once": len(lanes),
        "batches": len(lanes),
        "repositories": sum(len(batch["repositories"]) for batch in batches),
    }
    with without_listing(machines, arn):
        started = machines.start_execution(stateMachineArn=arn, name=name, input=json.dumps({"manifest": manifest}))
        give_up = time.monotonic() + 60
        while (found := machines.describe_execution(executionArn=started["executionArn"]))["status"] == "RUNNING":
            assert time.monotonic() < give_up
            time.sleep(0.05)
    seconds = (found["stopDate"] - found["startDate"]).total_seconds()
    return Execution(
        name, started["executionArn"], found["status"], found.get("error", ""), found.get("cause", ""), seconds
    )


def run_locally(pipeline: Pipeline, *lanes: Sequence[Batch]) -> Execution:
    """Run on the local engine."""
    client = pipeline.engine.client
    archive = Archive(pipeline.outputs["ArchiveBucket"], client("s3"))
    return run_lanes(client("stepfunctions"), pipeline.outputs["StateMachineArn"], archive, lanes)


def run_on_moto(
    monkeypatch: pytest.MonkeyPatch, github: SimulatedGitHub, lane: Sequence[Batch]
) -> tuple[Execution, set[str]]:
    """Run one lane on moto, and return the names of the repositories that were captured, too."""
    with moto_pipeline(monkeypatch, github.url) as other:
        archive = Archive("archive", other.account.s3)
        execution = run_lanes(boto3.client("stepfunctions"), other.machine, archive, [lane])
        return execution, captured(other.receipts(execution))


def captured(receipts: Sequence[Any]) -> set[str]:
    """Return the names of the repositories that were captured."""
    return {receipt["name"] for receipt in receipts if receipt["outcome"] == "captured"}


def batches_of(github: SimulatedGitHub, size: int) -> list[Batch]:
    """Divide GitHub's repositories into batches."""
    listed: list[Repository] = [{"id": github.github.account.get(name).id, "name": name} for name in github.names]
    return [{"repositories": listed[start : start + size]} for start in range(0, len(listed), size)]


def with_a_failure(batches: Sequence[Batch]) -> list[Batch]:
    """Break the batch in the middle: Fetch traffic fails for it, and no retry helps."""
    nameless: Any = {"repositories": [{"id": 1}]}
    return [batches[0], nameless, *batches[1:]]


def test_a_batch_that_fails_in_the_middle_of_a_lane_fails_alone(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The batches after it are stored, and its child ends as failed, so that the console shows it."""
    with SimulatedGitHub(repositories=4, port=pipeline.port, at=AT) as github:
        batches = with_a_failure(batches_of(github, 2))
        local = run_locally(pipeline, batches)
        _, moto_captured = run_on_moto(monkeypatch, github, batches)

    (child,) = pipeline.children(local)
    assert captured(pipeline.receipts(local)) == moto_captured == set(github.names)
    assert child["status"] == "FAILED"
    assert pipeline.errors(local) == ("KeyError",)


def test_a_lane_goes_on_after_a_wait(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub's limit interrupts a batch; the state has what remains of it, and its place in the lane."""
    with SimulatedGitHub(repositories=6, port=pipeline.port, at=AT) as github:
        batches = batches_of(github, 2)
        third = github.names[2]
        github.add_fault(primary_limit(1), repository=third, endpoint="clones", count=1)
        local = run_locally(pipeline, batches)
        github.add_fault(primary_limit(1), repository=third, endpoint="clones", count=1)
        moto, moto_captured = run_on_moto(monkeypatch, github, batches)

    (child,) = pipeline.children(local)
    assert captured(pipeline.receipts(local)) == moto_captured == set(github.names)
    assert (child["status"], pipeline.waits(local)) == ("SUCCEEDED", 1)
    assert (local.status, moto.status) == ("SUCCEEDED", "SUCCEEDED")


def test_a_refused_token_stops_only_its_own_batches_of_a_lane(pipeline: Pipeline) -> None:
    """The user's other token still captures. The refused one is sent once, though its batches are gone through."""
    client, secret = pipeline.engine.client("secretsmanager"), pipeline.outputs["GitHubTokenSecret"]
    before = client.get_secret_value(SecretId=secret)["SecretString"]
    tokens = {"octo": "github_pat_refused", "acme": "github_pat_two"}
    names = ["acme/a", "acme/b", "octo/a", "octo/b"]
    try:
        client.put_secret_value(SecretId=secret, SecretString=json.dumps(tokens))
        with SimulatedGitHub(
            repositories=names, port=pipeline.port, at=AT, token={"github_pat_two": ["acme"]}
        ) as github:
            acme_a, acme_b, octo_a, octo_b = batches_of(github, 1)
            octos: list[Batch] = [{**batch, "owner": "octo"} for batch in (octo_a, octo_b)]
            acmes: list[Batch] = [{**batch, "owner": "acme"} for batch in (acme_a, acme_b)]
            local = run_locally(pipeline, [octos[0], acmes[0], octos[1], acmes[1]])
            refused = [call for call in github.calls if call.status == 401]
    finally:
        client.put_secret_value(SecretId=secret, SecretString=before)

    (child,) = pipeline.children(local)
    assert captured(pipeline.receipts(local)) == {"acme/a", "acme/b"}
    assert pipeline.errors(local) == ("GitHubAuthError", "RunStoppedError")
    assert len(refused) == 1
    assert (child["status"], local.error) == ("FAILED", "GitHubAuthError")

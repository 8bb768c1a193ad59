"""The real handlers on a moto account: they do what a child execution of the Map does, without an engine."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.parameters.constants import DEFAULT_PROVIDERS

from lambdas.fetch_traffic import handler as fetch_traffic
from lambdas.list_repos import handler as list_repos
from lambdas.shared import deployed_archive, deployed_tables, environment, github_access
from lambdas.store_traffic import handler as store_traffic
from lambdas.summarize_run import handler as summarize_run
from lambdas.summarize_run import run_metrics
from tests.unit.moto_account import moto_account
from traffic.contract import ChildState, RunState, Summary

HANDLERS = (list_repos, fetch_traffic, store_traffic, summarize_run)

TOKEN = "github_pat_made_up"
TOPIC = "arn:aws:sns:us-east-1:123456789012:summary"
CACHES = (
    deployed_archive.archive,
    deployed_tables.tables,
    deployed_tables.snapshots,
    github_access.github,
    environment.selection,
    run_metrics.sns,
)


class Context:
    """Lambda's description of an invocation."""

    function_name = "function"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id = "request"

    def __init__(self, seconds: float = 300) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left."""
        return int(self._seconds * 1000)


@dataclass
class Account:
    """An AWS account with what the stack deploys, which calls its functions as the definition does."""

    s3: Any
    dynamodb: Any
    secrets: Any

    def list_repositories(self, given: object = None, run_id: str = "run-1", seconds: float = 300) -> RunState:
        """Do what the state "List repositories" does, until there is a manifest or a wait."""
        run = {"id": run_id, "started": "2026-11-20T09:00:00Z"}
        event = cast("RunState", {"run": run, "input": {} if given is None else given})
        return list_repos.lambda_handler(event, cast("Any", Context(seconds)))

    def list_repositories_from(self, state: RunState, seconds: float = 300) -> RunState:
        """Go on with a listing, as the definition does after a wait."""
        return list_repos.lambda_handler(state, cast("Any", Context(seconds)))

    def fetch(self, state: ChildState, seconds: float = 300) -> ChildState:
        """Do what the state "Fetch traffic" does."""
        return fetch_traffic.lambda_handler(state, cast("Any", Context(seconds)))

    def store(self, state: ChildState) -> None:
        """Do what the state "Store traffic" does."""
        store_traffic.lambda_handler(state, cast("Any", Context()))

    def summarize(self, state: RunState) -> Summary:
        """Do what the state "Summarize run" does."""
        return summarize_run.lambda_handler(state, cast("Any", Context()))

    def capture(self, name: str, repo_id: int = 1, run_id: str = "run-1") -> ChildState:
        """Fetch and store one repository once, even if something remains."""
        state = self.fetch(child(name, repo_id, run_id))
        if "key" in state["batch"]:
            self.store(state)
        return state

    def days(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Read the complete table of days."""
        found = self.dynamodb.Table("RepoTraffic").scan(ConsistentRead=True)["Items"]
        return {(item["repo-name"], item["timestamp"][:10]): item for item in found}

    def repositories(self) -> dict[str, dict[str, Any]]:
        """Read the complete table of repositories and names."""
        found = self.dynamodb.Table("RepoTrafficRepositories").scan(ConsistentRead=True)["Items"]
        return {item["repo-id"]: item for item in found}

    def snapshots(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Read the complete table of snapshots."""
        found = self.dynamodb.Table("RepoTrafficSnapshots").scan(ConsistentRead=True)["Items"]
        return {(item["repo-id"], item["captured-on"]): item for item in found}


def child(name: str, repo_id: int = 1, run_id: str = "run-1") -> ChildState:
    """Make the input of a child execution for one repository."""
    return {
        "run": {"id": run_id, "started": "2026-11-20T09:00:00Z"},
        "batch": {"repositories": [{"id": repo_id, "name": name}]},
    }


@contextmanager
def account(monkeypatch: pytest.MonkeyPatch, github_url: str, **environment: str) -> Iterator[Account]:
    """Make an account whose functions ask the given GitHub."""
    deployed = {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "POWERTOOLS_SERVICE_NAME": "github-traffic-capture",
        "GITHUB_API_URL": github_url,
        "GITHUB_TOKEN_SECRET": "token",
        "ARCHIVE_BUCKET": "archive",
        "TRAFFIC_TABLE": "RepoTraffic",
        "REPOSITORIES_TABLE": "RepoTrafficRepositories",
        "SNAPSHOTS_TABLE": "RepoTrafficSnapshots",
        "SUMMARY_TOPIC_ARN": TOPIC,
    }
    for name, value in {**deployed, **environment}.items():
        monkeypatch.setenv(name, value)
    _forget()
    with moto_account():
        s3, dynamodb, secrets = boto3.client("s3"), boto3.resource("dynamodb"), boto3.client("secretsmanager")
        s3.create_bucket(Bucket="archive")
        boto3.client("sns").create_topic(Name=TOPIC.rpartition(":")[2])
        secrets.create_secret(Name="token", SecretString=TOKEN)
        _create_table(dynamodb, "RepoTraffic", "repo-name", "timestamp")
        _create_table(dynamodb, "RepoTrafficRepositories", "repo-id")
        _create_table(dynamodb, "RepoTrafficSnapshots", "repo-id", "captured-on")
        yield Account(s3, dynamodb, secrets)
    _forget()


def _create_table(dynamodb: Any, name: str, *keys: str) -> None:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


def _forget() -> None:
    """Make the functions cold: empty their caches."""
    fetch_traffic._tried.clear()
    for cached in CACHES:
        cached.cache_clear()
    for provider in DEFAULT_PROVIDERS.values():  # they keep their clients, as all accounts share them
        provider.clear_cache()


def logged(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Make the functions log to a stream; each logger keeps the standard output from when it was made."""
    stream = io.StringIO()
    for handler in HANDLERS:
        monkeypatch.setattr(handler.logger.registered_handler, "stream", stream)
    return stream


def records(log: io.StringIO) -> list[dict[str, Any]]:
    """Return the records of a log; fail if a line is not a JSON object."""
    return [json.loads(line) for line in log.getvalue().split("\n") if line]

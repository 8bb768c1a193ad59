"""An account with a record: captured from the simulated GitHub by the real handlers, and open to the commands."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from cli.stack.deployment import Deployment
from simulated_github import SimulatedGitHub
from tests.unit.cli_stack import OUTPUTS
from tests.unit.handlers import Account, account
from traffic.clock import from_text

TABLES = ("RepoTraffic", "RepoTrafficRepositories", "RepoTrafficSnapshots")


@dataclass
class StoreFunction:
    """The Lambda client, with Store traffic behind it.

    Attributes:
        failures: How many of the next invocations fail.
        runs: The run ids of the invocations.
    """

    aws: Account
    failures: int = 0
    runs: list[str] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        """Invoke the function, as Lambda does: an exception becomes an answer."""
        assert FunctionName == OUTPUTS["StoreTrafficFunction"]
        event = json.loads(Payload)
        self.runs.append(event["run"]["id"])
        if self.failures:
            self.failures -= 1
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(b'{"errorType": "TableBusyError"}')}
        self.aws.store(event)
        return {"Payload": io.BytesIO(b"null")}


@dataclass
class Record:
    """What was captured, and ways to look at it and to damage it."""

    aws: Account
    github: SimulatedGitHub
    function: StoreFunction

    @property
    def deployment(self) -> Deployment:
        """The stack as the commands see it."""
        return Deployment(outputs=OUTPUTS, client=self._client, place="/somewhere", parameters={})

    def _client(self, service: str) -> Any:
        return self.function if service == "lambda" else boto3.client(service)  # type: ignore[call-overload]

    def capture(self, at: str, *names: str) -> None:
        """Capture repositories, by default all, as a run at a time does."""
        self.github.at(at)
        for name in names or self.github.names:
            with self.github.github.lock:
                repo_id = self.github.github.account.get(name).id
            self.aws.capture(name, repo_id, f"run-{from_text(at):%Y%m%d%H%M}")

    def id_of(self, name: str) -> int:
        """Return the id of the repository that has a name now."""
        return self.github.github.account.get(name).id

    def key_of(self, repo_id: int) -> str:
        """Return the key of a repository's rows."""
        return str(self.aws.repositories()[str(repo_id)]["repo-name"])

    def days_of(self, repo_name: str) -> set[str]:
        """Return the days kept under a key."""
        return {day for name, day in self.aws.days() if name == repo_name}

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Return every item of every table, in order."""
        return {
            table: sorted(self.aws.dynamodb.Table(table).scan(ConsistentRead=True)["Items"], key=repr)
            for table in TABLES
        }

    def delete_items(self) -> None:
        """Empty every table."""
        for table in TABLES:
            keys = [key["AttributeName"] for key in self.aws.dynamodb.Table(table).key_schema]
            for item in self.dump()[table]:
                self.aws.dynamodb.Table(table).delete_item(Key={key: item[key] for key in keys})


@contextmanager
def record(monkeypatch: pytest.MonkeyPatch, *repositories: str, **github: Any) -> Iterator[Record]:
    """Make an account beside a simulated GitHub with these repositories."""
    with SimulatedGitHub(repositories=repositories, **github) as simulated, account(monkeypatch, simulated.url) as aws:
        yield Record(aws, simulated, StoreFunction(aws))

"""Promise: beyond 200 repositories one child captures for each user, and a user who waits takes nobody's place."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

from lambdas.list_repos import due
from simulated_github import SimulatedGitHub
from simulated_github.faults import primary_limit, retry_after
from simulated_github.sources import SeededTraffic
from simulated_github.windows import WindowRules
from tests.integration import moto_pipeline
from tests.integration.pipeline import Pipeline

TOKENS = {"octo": "github_pat_one", "acme": "github_pat_two", "zoo": "github_pat_three"}
SEEN = {token: [owner] for owner, token in TOKENS.items()}
# The tokens for octo and acme belong to one person.
USERS = {"github_pat_one": "mona", "github_pat_two": "mona", "github_pat_three": "lisa"}
MONAS = ("octo", "acme")


class Unviewed(SeededTraffic):
    """Repositories that nobody views: two calls each."""

    def counts(self, repository: Any, metric: Any, now: Any, per: Any) -> dict[str, Any]:
        """Return the answer to `/traffic/views` or `/traffic/clones`."""
        rows = super().counts(repository, metric, now, per)[metric]
        return {"count": 0, "uniques": 0, metric: [{**row, "count": 0, "uniques": 0} for row in rows]}


def serving(repositories: int, port: int = 0) -> SimulatedGitHub:
    """Return a GitHub with so many repositories of three owners, three quarters of them mona's."""
    owners = ("octo", "zoo", "acme", "octo")
    names = [f"{owners[number % 4]}/r{number:03}" for number in range(repositories)]
    source = Unviewed(seed=1, rules=WindowRules())
    return SimulatedGitHub(repositories=names, token=SEEN, users=USERS, port=port, source=source)


@pytest.fixture
def of_two_users(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The pipeline with three tokens of two users; afterwards it has its old token again."""
    client, secret = pipeline.engine.client("secretsmanager"), pipeline.outputs["GitHubTokenSecret"]
    before = client.get_secret_value(SecretId=secret)["SecretString"]
    client.put_secret_value(SecretId=secret, SecretString=json.dumps(TOKENS))
    yield pipeline
    client.put_secret_value(SecretId=secret, SecretString=before)


def test_a_user_who_waits_takes_nobodys_place(of_two_users: Pipeline) -> None:
    """Mona's limit outlasts the test: meanwhile all of lisa's repositories are captured, and nothing is sent for mona.

    Mona has two tokens, and one child: never two children of one user at once.
    """
    machines = of_two_users.engine.client("stepfunctions")
    with serving(208, of_two_users.port) as github:
        github.add_fault(retry_after(3600), endpoint="views", repository="acme/r002")
        github.add_fault(retry_after(3600), endpoint="views", repository="octo/r000")
        arn = of_two_users.start()
        lisas = {name for name in github.names if name.startswith("zoo/")}
        give_up = time.monotonic() + 150
        stored: set[str] = set()
        while not lisas <= stored and time.monotonic() < give_up:
            time.sleep(0.2)
            stored = {item["repo-name"] for item in of_two_users.repositories().values() if "repo-name" in item}
        running = machines.describe_execution(executionArn=arn)["status"]
        machines.stop_execution(executionArn=arn)
        execution = of_two_users.finish(arn)
        children = of_two_users.children(execution)
        monas = [call for call in github.calls if (call.repository or "").startswith(MONAS)]

    assert (stored, running) == (lisas, "RUNNING")
    assert [call.status for call in monas] == [403]
    assert len(children) == 2


def test_no_two_children_of_a_user_run_at_once_on_another_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moto's engine calls the functions in this process, so each call's user and time can be seen.

    Mona waits a second or two at the hour's limit: at the other limits a lane waits a minute at least.
    """
    monkeypatch.setattr(due, "SINGLES", 11)
    monkeypatch.setattr(due, "BATCH", 2)
    calls = defaultdict[str, list[tuple[float, float]]](list)
    lock = threading.Lock()
    original = moto_pipeline.invoke

    def watched(parameters: Any, *others: Any, **named: Any) -> dict[str, Any]:
        begun = time.monotonic()
        answer = original(parameters, *others, **named)
        batch = json.loads(parameters["Payload"]).get("batch", {})
        if "lane" in batch:
            user = "mona" if (answer["Payload"] or {}).get("batch", batch).get("owner") in MONAS else "lisa"
            with lock:
                calls[user].append((begun, time.monotonic()))
        return answer

    monkeypatch.setattr(moto_pipeline, "invoke", watched)
    with serving(12) as github, moto_pipeline.moto_pipeline(monkeypatch, github.url) as deployed:
        assert lambda_eval_utils._invoke_lambda_function is watched
        deployed.account.secrets.put_secret_value(SecretId="token", SecretString=json.dumps(TOKENS))
        github.add_fault(primary_limit(1), endpoint="views", repository="acme/r002", count=1)
        github.add_fault(primary_limit(1), endpoint="views", repository="octo/r000", count=1)
        execution = deployed.run()
        captured = {each["name"] for each in deployed.receipts(execution) if each["outcome"] == "captured"}

    assert execution.status == "SUCCEEDED"
    assert captured == set(github.names)
    assert set(calls) == {"mona", "lisa"}
    for of_user in calls.values():
        assert all(ended <= begun for (_, ended), (begun, _) in pairwise(of_user))
    (_, limited), (resumed, _), *_ = calls["mona"]
    assert resumed - limited > 1
    assert any(limited < begun < resumed for begun, _ in calls["lisa"]), "lisa's are captured while mona waits"

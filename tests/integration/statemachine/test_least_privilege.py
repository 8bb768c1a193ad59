"""Least privilege: the functions' roles allow exactly the calls that the functions make."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest

from local import engine as local_engine
from local.deploying import read_assembly
from simulated_github import SimulatedGitHub
from simulated_github.faults import retry_after, server_error
from tests.infrastructure.conftest import Template, many, role_of
from tests.integration.pipeline import ASSEMBLY, Pipeline, deployed_pipeline
from traffic.contract import ImportedHistory, import_key, listing_key
from traffic.record.archive import pack

FUNCTIONS = ("list_repos", "fetch_traffic", "store_traffic", "summarize_run")

# Actions of the Lambda service and its tracing with the function's role, besides its code.
# Sources:
#     https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html (permissions)
#     https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html (execution role permissions)
BY_THE_SERVICE = ("logs:", "xray:")

Right = tuple[str, str]  # an action, and the pattern of its resource: a table, keys, or a prefix of keys


@dataclass(frozen=True)
class Call:
    """A call by a function: an action and its resource."""

    action: str
    resource: str

    def needs(self, right: Right) -> bool:
        """Return whether a right allows this call."""
        return self.action == right[0] and fnmatchcase(self.resource, right[1])


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, set[Call]]]:
    """Let every function do everything that it can do, and return the calls of each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_engine, "LAUNCHER", "tests.integration.recording_launcher")
        patch.setenv("TRAFFIC_WAIT_SCALE", "0.02")
        with deployed_pipeline(tmp_path_factory.mktemp("recorded") / "history") as pipeline:
            name_functions(pipeline)
            live(pipeline)
            yield recorded(pipeline)


def name_functions(pipeline: Pipeline) -> None:
    """Let the SDK of each function send the function's name."""
    client = pipeline.engine.client("lambda")
    for function in client.list_functions()["Functions"]:
        variables = function["Environment"]["Variables"]
        named = {**variables, "AWS_SDK_UA_APP_ID": variables["POWERTOOLS_SERVICE_NAME"]}
        client.update_function_configuration(FunctionName=function["FunctionName"], Environment={"Variables": named})


def live(pipeline: Pipeline) -> None:
    """Do everything that functions do: limits, failures, dates, replays, imports, a refused token."""
    others = [f"zoo/watched-{number}" for number in range(100)]  # a second page
    with SimulatedGitHub(
        repositories=["octo/a", "octo/b"], readable=others, port=pipeline.port, limit=1000, at="2026-10-01T09:00:00Z"
    ) as github:
        github.add_fault(retry_after(1), endpoint="list", first=2, count=1)
        github.add_fault(server_error(), repository="octo/b", endpoint="views", count=1)
        captured = pipeline.run()
        dated = pipeline.run({"date": "2026-11-20"})
        replayed = pipeline.run({"date": "2026-09-20"})
        listed_beyond_the_budget(pipeline)
        github.revoke_token(after_repositories=1)
        stopped = pipeline.run()
    imported(pipeline)
    assert [run.status for run in (captured, dated, replayed)] == ["SUCCEEDED"] * 3, captured.cause + replayed.cause
    assert stopped.error == "GitHubAuthError"


def listed_beyond_the_budget(pipeline: Pipeline) -> None:
    """Continue a listing of more repositories than 1,000 calls an hour allow every day: it reads which ones are due."""
    listed = [{"id": number, "name": f"octo/{number}"} for number in range(1, 5_001)]
    pipeline.engine.client("s3").put_object(
        Bucket=pipeline.outputs["ArchiveBucket"], Key=listing_key("planned", 1), Body=json.dumps(listed).encode()
    )
    run = {"id": "planned", "started": "2026-10-01T09:00:00Z", "deadline": "2126-10-01T09:00:00Z"}
    functions = pipeline.engine.client("lambda").list_functions()["Functions"]
    (name,) = [each["FunctionName"] for each in functions if "list_repos" in each["Handler"]]
    answer = pipeline.engine.client("lambda").invoke(
        FunctionName=name, Payload=json.dumps({"run": run, "listing": {"parts": 1, "pauses": 0}})
    )
    assert "not_due" in json.load(answer["Payload"])["manifest"]


def imported(pipeline: Pipeline) -> None:
    """Store an import in the archive again, as `traffic rebuild` does."""
    line: ImportedHistory = {
        "source": "github-repo-stats", "files": [], "repo_id": 1296269, "repo": "octo/a", "new": False,
        "imported_at": "2026-10-02T09:00:00Z", "days": {"2026-01-01": {"views-count": 1}}, "snapshots": {},
    }  # fmt: skip
    key = import_key("2026-10-02T09:00:00Z", "0" * 64, new=False)
    pipeline.engine.client("s3").put_object(Bucket=pipeline.outputs["ArchiveBucket"], Key=key, Body=pack([line]))
    answer = pipeline.engine.client("lambda").invoke(
        FunctionName=pipeline.outputs["StoreTrafficFunction"],
        Payload=json.dumps({"run": {"id": "rebuild", "started": "2026-10-02T09:00:00Z"}, "batch": {"key": key}}),
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def recorded(pipeline: Pipeline) -> Mapping[str, set[Call]]:
    """Return the recorded calls; a missing key adds the permission that S3 then checks.

    Source:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (Permissions)
    """
    made: dict[str, set[Call]] = {function: set() for function in FUNCTIONS}
    for line in (pipeline.engine.history / "calls").read_text().splitlines():
        call = json.loads(line)
        action = call["action"].replace("HeadObject", "GetObject")
        made[call["function"]].add(Call(action, call["resource"]))
        if action == "s3:GetObject" and call["status"] == 404:
            made[call["function"]].add(Call("s3:ListBucket", call["resource"]))
    return made


def rights(template: Template, function: str) -> set[Right]:
    """Return the rights of a function's role, except those for the service."""
    return {
        (action, pattern)
        for statement in template.statements(role_of(template.function(function)))
        for action in many(statement["Action"])
        if not action.startswith(BY_THE_SERVICE)
        for resource in many(statement["Resource"])
        for pattern in patterns(template, action, resource, statement)
    }


def patterns(template: Template, action: str, resource: Any, statement: Mapping[str, Any]) -> Iterator[str]:
    """Yield the resource of an action: a table, a pattern of keys or prefixes, or an empty text for the secret."""
    if action == "s3:ListBucket":
        yield from many(statement["Condition"]["StringLikeIfExists"]["s3:prefix"])
    elif action.startswith("s3:"):
        yield resource["Fn::Join"][1][-1].removeprefix("/")
    elif action.startswith("dynamodb:"):
        yield template.resources[resource["Fn::GetAtt"][0]]["Properties"]["TableName"]
    else:
        yield ""


@pytest.fixture(scope="module")
def template(calls: Mapping[str, set[Call]]) -> Template:  # noqa: ARG001 - the deployment creates the assembly
    """The deployed template."""
    return Template(read_assembly(ASSEMBLY).template)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_makes_a_call_that_its_role_does_not_allow(
    calls: Mapping[str, set[Call]], template: Template, function: str
) -> None:
    """AWS refuses such a call, and a handler may hide the refusal."""
    allowed = rights(template, function)

    assert calls[function]
    assert {call for call in calls[function] if not any(call.needs(right) for right in allowed)} == set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_role_allows_a_call_that_its_function_never_makes(
    calls: Mapping[str, set[Call]], template: Template, function: str
) -> None:
    """An unused permission helps only an intruder."""
    made = calls[function]

    assert {right for right in rights(template, function) if not any(call.needs(right) for call in made)} == set()

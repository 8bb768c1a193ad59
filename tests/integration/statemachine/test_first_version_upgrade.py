"""Users of the first version deploy ours over it: no row is lost, and the history continues."""

from collections.abc import Iterator

import pytest

from cli.commands.verify import verify
from cli.imports.first_version_rows import read_first_version
from cli.imports.importing import bring, identify, plan
from cli.stack.deployment import Deployment, stack_of
from local.deploying import deploy
from local.engine import running_engine
from local.synthesis import synthesize
from simulated_github import SimulatedGitHub
from tests.integration.first_version import STACK, deploy_first_version, put_rows
from tests.integration.pipeline import ASSEMBLY, Pipeline, free_port
from traffic.record.rebuilding import rebuild

OLD = {"2024-02-28": (9, 4, 0, 0), "2024-02-29": (12, 5, 3, 1), "2024-03-01": (0, 0, 2, 2)}


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """An engine with the first version and its rows, then ours over it, with the same token."""
    history = tmp_path_factory.mktemp("upgrade") / "history"
    with running_engine(history) as engine:
        deploy_first_version(engine, "github_pat_of_the_first_version")
        put_rows(engine, "docs", OLD)
        put_rows(engine, "notes", {"2024-03-05": (1, 1, 0, 0)})
        port = free_port()
        outputs = deploy(
            engine,
            synthesize(ASSEMBLY),
            {"GitHubAccessToken": "github_pat_of_the_first_version", "GitHubApiUrl": f"http://127.0.0.1:{port}"},
        )
        yield Pipeline(engine, outputs, port, "")


def deployment_of(pipeline: Pipeline) -> Deployment:
    """Return the stack as the commands see it."""
    return stack_of(pipeline.engine.client, "here", save=lambda: None)


def numbers(pipeline: Pipeline, name: str) -> dict[str, tuple[int | None, ...]]:
    """Return the stored numbers of a key, by day."""
    return {day: cells for (repo_name, day), cells in pipeline.numbers().items() if repo_name == name}


def test_no_row_is_lost_and_the_token_stays(upgraded: Pipeline) -> None:
    """The table has the same logical id and name as before, and is retained from now on."""
    assert numbers(upgraded, "docs") == OLD
    assert numbers(upgraded, "notes") == {"2024-03-05": (1, 1, 0, 0)}
    secret = upgraded.engine.client("secretsmanager").get_secret_value(SecretId=upgraded.outputs["GitHubTokenSecret"])
    assert secret["SecretString"] == "github_pat_of_the_first_version"
    functions = upgraded.engine.client("lambda").list_functions()["Functions"]
    assert "getRepositoriesTraffic" not in {function["FunctionName"] for function in functions}


def test_the_log_group_of_runs_needs_no_entry_of_its_own_in_the_policy(upgraded: Pipeline) -> None:
    """Its name begins with /aws/vendedlogs/ and contains the stack's name and id, so each stack has its own."""
    groups = upgraded.engine.client("logs").describe_log_groups(logGroupNamePrefix="/aws/vendedlogs/states/")
    stack = upgraded.engine.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["StackId"]

    names = [group["logGroupName"] for group in groups["logGroups"]]
    assert names == [f"/aws/vendedlogs/states/{STACK}-{stack.split('/')[2]}"]


def test_the_import_stores_the_rows_with_their_owner(upgraded: Pipeline) -> None:
    """GitHub's present days are joined by those of the first version, except its zeros, which may be invented."""
    with SimulatedGitHub(repositories=["octo/docs", "octo/notes"], port=upgraded.port) as github:
        assert upgraded.run().status == "SUCCEEDED"
        captured = numbers(upgraded, "octo/docs")
        assert len(github.calls) > 0
    deployment = deployment_of(upgraded)
    record = deployment.record
    before = upgraded.tables()

    histories = read_first_version(record.traffic, {}, "octo", place="here")
    plans = [plan(record, identify(record, name, None), history) for name, history in histories.items()]
    assert upgraded.tables() == before, "a plan changes nothing"
    for each in plans:
        bring(record, deployment.archive, each, "2026-11-20T10:15:00Z")

    assert numbers(upgraded, "octo/docs") == captured | {
        "2024-02-28": (9, 4, None, None),
        "2024-02-29": (12, 5, 3, 1),
        "2024-03-01": (None, None, 2, 2),
    }
    assert numbers(upgraded, "docs") == OLD, "the old rows stay"
    assert {difference.kind for difference in verify(deployment.record, deployment.archive)} == {"first version"}

    imported = upgraded.tables()
    rebuild(deployment.record, deployment.archive)
    assert upgraded.tables() == imported


def test_the_rows_stay_after_the_stack_is_deleted(upgraded: Pipeline) -> None:
    """The first version's table was deleted with its stack; ours is retained."""
    rows = upgraded.numbers()
    upgraded.engine.client("cloudformation").delete_stack(StackName=STACK)

    outputs = deploy(upgraded.engine, synthesize(ASSEMBLY), {"GitHubAccessToken": "another"})

    assert outputs["TrafficTable"] == "RepoTraffic"
    assert upgraded.numbers() == rows

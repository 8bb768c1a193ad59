"""Deployments on the local engine: their changes, the data that they keep, and their errors."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.deploying import deploy
from local.engine import Engine, EngineError, running_engine
from tests.integration.engine_stack import (
    BUCKET,
    FIRST,
    STACK,
    TABLE,
    deploy_small,
    put_row,
    rows,
    secret,
    template,
    write_assembly,
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A fresh engine."""
    with running_engine(tmp_path / "history") as running:
        yield running


def test_a_second_deployment_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    """Every `make run` deploys, mostly without a change."""
    outputs = deploy_small(engine, tmp_path)
    put_row(engine, "octo/docs")

    assert deploy_small(engine, tmp_path) == outputs
    assert rows(engine) == ["octo/docs"]
    client = engine.client("cloudformation")
    changes = client.list_change_sets(StackName=STACK)["Summaries"]
    assert "FAILED" not in [change["Status"] for change in changes]  # one more at each run would pile up


def test_a_changed_parameter_reaches_the_functions(engine: Engine, tmp_path: Path) -> None:
    """The table keeps its rows."""
    deploy_small(engine, tmp_path)
    put_row(engine, "octo/docs")
    outputs = deploy_small(engine, tmp_path, Greeting="good morning")

    configuration = engine.client("lambda").get_function_configuration(FunctionName=outputs["EnvironmentFunction"])

    assert configuration["Environment"]["Variables"]["GREETING"] == "good morning"
    assert rows(engine) == ["octo/docs"]


def test_a_deleted_stack_leaves_its_table_to_the_next(engine: Engine, tmp_path: Path) -> None:
    """History outlives the stack; a plain create would empty the table."""
    deploy_small(engine, tmp_path)
    put_row(engine, "octo/docs")
    engine.client("cloudformation").delete_stack(StackName=STACK)
    engine.client("cloudformation").get_waiter("stack_delete_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 0.1, "MaxAttempts": 50}
    )

    deploy_small(engine, tmp_path)

    assert rows(engine) == ["octo/docs"]


def test_a_deployment_keeps_a_replaced_token(tmp_path: Path) -> None:
    """`traffic token` stored a new token; the environment still contains the old one, even after a restart."""
    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path, "ghp_old")
        engine.client("secretsmanager").put_secret_value(
            SecretId=outputs["GitHubTokenSecret"], SecretString="ghp_replaced"
        )
        deploy_small(engine, tmp_path, "ghp_old")
        assert secret(engine, outputs) == "ghp_replaced"

    with running_engine(tmp_path / "history") as engine:
        deploy_small(engine, tmp_path, "ghp_old", Greeting="changed")
        assert secret(engine, outputs) == "ghp_replaced"


def test_a_new_token_of_the_settings_is_deployed(tmp_path: Path) -> None:
    """A changed setting replaces the token of the secret."""
    with running_engine(tmp_path / "history") as engine:
        deploy_small(engine, tmp_path, "ghp_old")

    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path, "ghp_new")
        assert secret(engine, outputs) == "ghp_new"


def test_a_failed_deployment_reports_the_resource_and_the_reason(engine: Engine, tmp_path: Path) -> None:
    """The next deployment, without the fault, succeeds."""
    described = template()
    taken = {"BucketName": {"Ref": "Archive"}}
    described["Resources"]["Twin"] = {"Type": "AWS::S3::Bucket", "Properties": taken}
    assembly = write_assembly(tmp_path / "wrong", described)

    with pytest.raises(EngineError, match=r"the deployment failed: Twin: .*already exists"):
        deploy(engine, assembly, {"GitHubAccessToken": "ghp_first"})

    assert deploy_small(engine, tmp_path)["ArchiveBucket"].startswith("small-archive-")


def test_properties_of_tables_and_buckets_are_applied(engine: Engine, tmp_path: Path) -> None:
    """What protects a history is tested here as it is deployed on AWS."""
    described = template()
    table, bucket = (described["Resources"][name]["Properties"] for name in ("Table", "Archive"))
    table["PointInTimeRecoverySpecification"] = {"PointInTimeRecoveryEnabled": True}
    table["SSESpecification"] = {"SSEEnabled": True}
    rule = {"Id": "old", "Status": "Enabled", "Prefix": "logs/", "ExpirationInDays": 7}
    aborted = {"Id": "parts", "Status": "Enabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}}
    bucket["LifecycleConfiguration"] = {"Rules": [rule, aborted]}
    deploy(engine, write_assembly(tmp_path / "protected", described), {"GitHubAccessToken": FIRST})

    assert protection(engine) == ("ENABLED", "ENABLED")
    rules = engine.client("s3").get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert [(each["ID"], each["Status"]) for each in rules] == [("old", "Enabled"), ("parts", "Enabled")]
    assert (rules[0]["Expiration"], rules[0]["Filter"]) == ({"Days": 7}, {"Prefix": "logs/"})
    assert rules[1]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}

    table["PointInTimeRecoverySpecification"] = {"PointInTimeRecoveryEnabled": False}
    table["SSESpecification"] = {"SSEEnabled": False}
    deploy(engine, write_assembly(tmp_path / "protected", described), {"GitHubAccessToken": FIRST})
    assert protection(engine)[0] == "DISABLED"
    assert protection(engine)[1] != "ENABLED"


def protection(engine: Engine) -> tuple[str, str]:
    """Return the status of the table's point-in-time recovery, and of its encryption."""
    client = engine.client("dynamodb")
    backups = client.describe_continuous_backups(TableName=TABLE)["ContinuousBackupsDescription"]
    encryption = client.describe_table(TableName=TABLE)["Table"].get("SSEDescription", {}).get("Status", "")
    return backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"], encryption


@pytest.mark.parametrize("greeting", ["hello", "changed"])
def test_a_secret_of_an_earlier_version_is_referred_to_by_its_arn(tmp_path: Path, greeting: str) -> None:
    """Its stack refers to the secret by name, but a policy with a name allows nothing."""
    with running_engine(tmp_path / "history") as engine:
        arn = deploy_small(engine, tmp_path)["GitHubTokenSecret"]
    (saved,) = tmp_path.glob("history/engine/state-*/cloudformation.json")
    saved.write_text(named(saved.read_text(), arn))

    with running_engine(tmp_path / "history") as engine:
        outputs = deploy_small(engine, tmp_path, Greeting=greeting)
        assert secret(engine, outputs) == FIRST
        role = engine.client("iam").list_roles()["Roles"][0]["RoleName"]
        policy = engine.client("iam").get_role_policy(RoleName=role, PolicyName="token")["PolicyDocument"]
        engine.client("cloudformation").delete_stack(StackName=STACK)
        engine.client("cloudformation").get_waiter("stack_delete_complete").wait(
            StackName=STACK, WaiterConfig={"Delay": 0.1, "MaxAttempts": 50}
        )
        left = engine.client("secretsmanager").list_secrets()["SecretList"]

    assert outputs["GitHubTokenSecret"] == policy["Statement"][0]["Resource"] == arn
    assert left == []


def named(state: str, arn: str) -> str:
    """Replace the secret's ARN by its name, as ministack does, except in the secret's own attributes."""
    name = arn.partition(":secret:")[2].rpartition("-")[0]
    state = state.replace(arn, name)
    for attribute in ("Id", "Arn"):
        state = state.replace(f'"{attribute}": "{name}"', f'"{attribute}": "{arn}"')
    return state

"""Deployments to the local engine, against an engine whose AWS clients are fakes."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from local import deploying
from local.engine import Engine, EngineError

ABSENT = ClientError({"Error": {"Code": "ValidationError", "Message": "absent"}}, "Any")


def fake_engine(**clients: Any) -> Engine:
    """Return an engine with these AWS clients."""
    return Engine("http://127.0.0.1:1", 1, "KEY", Path(), clients)


class _FakeCloudFormation:
    """Answers with the stack's statuses in turn, and records its calls."""

    def __init__(self, *statuses: str | None, change: dict[str, str] | None = None) -> None:
        self.statuses, self.change = list(statuses), change or {"Status": "CREATE_COMPLETE"}
        self.calls: list[tuple[str, Any]] = []
        self.validations: list[dict[str, str]] = []
        self.events: list[dict[str, str]] = []
        self.outputs: dict[str, Any] = {}

    def describe_stacks(self, StackName: str) -> Any:  # noqa: N803 - boto3's name
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status is None:
            raise ABSENT
        return {"Stacks": [{"StackName": StackName, "StackStatus": status, **self.outputs}]}

    def describe_change_set(self, ChangeSetName: str) -> Any:  # noqa: N803
        assert ChangeSetName == "arn:change"
        return self.change

    def create_change_set(self, **arguments: Any) -> Any:
        self.calls.append(("create", arguments))
        return {"Id": "arn:change"}

    def delete_change_set(self, ChangeSetName: str) -> None:  # noqa: N803
        self.calls.append(("delete change set", ChangeSetName))

    def execute_change_set(self, ChangeSetName: str) -> None:  # noqa: N803
        self.calls.append(("execute", ChangeSetName))

    def delete_stack(self, StackName: str) -> None:  # noqa: N803
        self.calls.append(("delete stack", StackName))

    def describe_events(self, StackName: str) -> Any:  # noqa: N803
        assert StackName == "Small"
        return {"OperationEvents": self.validations}

    def describe_stack_events(self, StackName: str) -> Any:  # noqa: N803
        assert StackName == "Small"
        return {"StackEvents": self.events}


def assembly(**template: Any) -> deploying.Assembly:
    """Return an assembly without assets."""
    return deploying.Assembly(Path(), "Small", template, {})


def change(cloudformation: _FakeCloudFormation, **parameters: str) -> bool:
    """Change the stack; return whether anything changed."""
    described = assembly(Parameters={"GitHubAccessToken": {}, "Greeting": {}})
    return deploying.change_stack(fake_engine(cloudformation=cloudformation), described, "http://template", parameters)


@pytest.mark.parametrize(
    ("before", "kind"),
    [
        (None, "CREATE"),
        ("DELETE_COMPLETE", "CREATE"),
        *((f"{state}_COMPLETE", "UPDATE") for state in ("CREATE", "UPDATE", "UPDATE_ROLLBACK")),
    ],
)
def test_a_change_set_is_created_and_executed(before: str | None, kind: str) -> None:
    """It imports retained resources, and contains only parameters that the template has."""
    client = _FakeCloudFormation(before, "REVIEW_IN_PROGRESS", f"{kind}_COMPLETE")

    assert change(client, Greeting="hello", Unknown="x")

    (_, created), executed = client.calls
    assert executed == ("execute", "arn:change")
    assert created.pop("ChangeSetName").startswith("traffic-")
    assert created == {
        "StackName": "Small",
        "ChangeSetType": kind,
        "ImportExistingResources": True,
        "TemplateURL": "http://template",
        "Parameters": [{"ParameterKey": "Greeting", "ParameterValue": "hello"}],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    }


@pytest.mark.parametrize("reason", ["it didn't contain changes.", "No updates are to be performed."])
def test_a_change_set_without_changes_is_deleted(reason: str) -> None:
    """Otherwise each unchanged run leaves one more failed change set behind."""
    client = _FakeCloudFormation("CREATE_COMPLETE", change={"Status": "FAILED", "StatusReason": reason})

    assert not change(client)

    assert [call for call in client.calls if call[0] != "create"] == [("delete change set", "arn:change")]


def test_a_refused_change_set_is_deleted_and_its_reason_raised() -> None:
    """The user reads CloudFormation's own reason."""
    client = _FakeCloudFormation("CREATE_COMPLETE", change={"Status": "FAILED", "StatusReason": "Unresolved: Ref"})

    with pytest.raises(EngineError) as raised:
        change(client)

    assert str(raised.value) == "the deployment was refused: Unresolved: Ref"
    assert client.calls[-1] == ("delete change set", "arn:change")


def test_a_failed_deployment_raises_each_resource_with_its_reason() -> None:
    """Refusals before the operation come first, then failures of the last operation in order of time."""
    client = _FakeCloudFormation("CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
    client.validations = [
        {"LogicalResourceId": "Bucket", "ValidationStatus": "FAILED", "ValidationStatusReason": "it exists"},
        {"LogicalResourceId": "Fine", "ValidationStatus": "SKIPPED", "ValidationStatusReason": "-"},
    ]
    client.events = [
        {"LogicalResourceId": "Second", "ResourceStatus": "CREATE_FAILED"},
        {"LogicalResourceId": "Small", "ResourceStatus": "UPDATE_ROLLBACK_IN_PROGRESS_CLEANUP"},
        {"LogicalResourceId": "Second", "ResourceStatus": "CREATE_IN_PROGRESS"},
        {"LogicalResourceId": "First", "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "too long"},
        {"LogicalResourceId": "First", "ResourceStatus": "UPDATE_IN_PROGRESS"},
        {"LogicalResourceId": "Small", "ResourceStatus": "UPDATE_IN_PROGRESS"},
        {"LogicalResourceId": "Earlier", "ResourceStatus": "CREATE_FAILED"},
    ]

    with pytest.raises(EngineError) as raised:
        change(client)

    reasons = "Bucket: it exists; First: too long; Second: no reason given"
    assert str(raised.value) == f"the deployment failed: {reasons}"


@pytest.mark.parametrize("begun", ["CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"])
def test_a_failure_without_a_resource_has_a_message_of_its_own(begun: str) -> None:
    """Events before the creation belong to an earlier operation."""
    client = _FakeCloudFormation("X")
    client.events = [{"LogicalResourceId": "Small", "ResourceStatus": begun}]

    assert deploying.failure(client, "Small") == "no resource reports a reason"


def test_a_stack_that_cannot_be_updated_is_deleted_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that was killed during a deployment leaves such a stack."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    client = _FakeCloudFormation("ROLLBACK_COMPLETE", "DELETE_IN_PROGRESS", "DELETE_COMPLETE", "unexpected")

    assert not deploying.delete_if_not_updatable(fake_engine(cloudformation=client), "Small")

    assert client.calls == [("delete stack", "Small")]
    assert client.statuses == ["unexpected"]


@pytest.mark.parametrize("status", [None, "DELETE_COMPLETE"])
def test_a_stack_that_does_not_exist_is_not_deleted(status: str | None) -> None:
    """There is nothing to wait for."""
    client = _FakeCloudFormation(status)

    assert not deploying.delete_if_not_updatable(fake_engine(cloudformation=client), "Small")
    assert client.calls == []


def test_waiting_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment that hangs must not hang the command."""
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=iter(range(0, 1000, 100)).__next__, sleep=slept.append)
    monkeypatch.setattr(deploying, "time", clock)

    with pytest.raises(EngineError) as raised:
        deploying.poll(lambda: {"Status": "CREATE_PENDING"}, "Status")

    assert str(raised.value) == "the deployment did not end within 300 s"
    assert slept == [0.05, 0.05]


def test_a_manifest_is_read(tmp_path: Path) -> None:
    """The stack's name may differ from its artifact's."""
    write_manifest(tmp_path, {"Small": {"stackName": "Named"}})

    read = deploying.read_assembly(tmp_path)

    assert (read.folder, read.stack, read.template) == (tmp_path, "Named", {"Resources": {}})
    assert read.assets == {"hash": "asset"}


def test_a_stack_without_a_name_has_that_of_its_artifact(tmp_path: Path) -> None:
    """CDK omits a name that is the same."""
    write_manifest(tmp_path, {"Small": {}})

    assert deploying.read_assembly(tmp_path).stack == "Small"


@pytest.mark.parametrize("number", [0, 2])
def test_an_assembly_without_exactly_one_stack_is_refused(tmp_path: Path, number: int) -> None:
    """A second stack would silently not be deployed."""
    write_manifest(tmp_path, {f"Small{index}": {} for index in range(number)})

    with pytest.raises(EngineError) as raised:
        deploying.read_assembly(tmp_path)
    assert str(raised.value) == f"{tmp_path} holds {number} stacks instead of one"


def write_manifest(folder: Path, stacks: dict[str, dict[str, str]]) -> None:
    """Write an assembly with these stacks and one asset."""
    artifacts = {
        name: {"type": "aws:cloudformation:stack", "properties": {"templateFile": "template.json", **properties}}
        for name, properties in stacks.items()
    }
    assets = {"assets": {"type": "cdk:asset-manifest", "properties": {"file": "assets.json"}}}
    (folder / "manifest.json").write_text(
        json.dumps({"artifacts": {**artifacts, **assets, "tree": {"type": "cdk:tree"}}})
    )
    (folder / "assets.json").write_text(json.dumps({"files": {"hash": "asset"}}))
    (folder / "template.json").write_text(json.dumps({"Resources": {}}))


class _FakeS3:
    """Has one object, and records what is put."""

    def __init__(self) -> None:
        self.put: dict[tuple[str, str], bytes] = {}
        self.created: list[str] = []

    def head_object(self, Bucket: str, Key: str) -> None:  # noqa: N803
        if Key != "present":
            assert Bucket
            raise ABSENT

    def create_bucket(self, Bucket: str) -> None:  # noqa: N803
        self.created.append(Bucket)

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self.put[Bucket, Key] = Body


def test_assets_are_uploaded_unless_they_are_there(tmp_path: Path) -> None:
    """Keys are hashes, so an object under the same key has the same content."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.py").write_text("b")
    (tmp_path / "Small.template.json").write_text("{}")
    assets = {
        path: {"source": {"path": path}, "destinations": {"here": {"bucketName": BUCKET, "objectKey": key}}}
        for path, key in (("folder", "zip"), ("Small.template.json", "template"), ("old", "present"))
    }
    s3 = _FakeS3()
    identity = SimpleNamespace(get_caller_identity=lambda: {"Account": "123"})

    url = deploying.upload_assets(fake_engine(s3=s3, sts=identity), deploying.Assembly(tmp_path, "Small", {}, assets))

    assert url == "http://127.0.0.1:1/assets-123-us-east-1-aws/template"
    assert s3.created == ["assets-123-us-east-1-aws"] * 2
    assert s3.put == {
        ("assets-123-us-east-1-aws", "zip"): deploying.zipped(tmp_path / "folder"),
        ("assets-123-us-east-1-aws", "template"): b"{}",
    }


BUCKET = "assets-${AWS::AccountId}-${AWS::Region}-${AWS::Partition}"


def test_equal_folders_result_in_equal_zips(tmp_path: Path) -> None:
    """Times of files and the order of folders do not matter; rights and compression are fixed."""
    for folder, names in (("one", ("a.py", "sub/b.py")), ("two", ("sub/b.py", "a.py"))):
        for name in names:
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_text(name * 100)

    one, two = deploying.zipped(tmp_path / "one"), deploying.zipped(tmp_path / "two")

    assert one == two
    entries = zipfile.ZipFile(io.BytesIO(one)).infolist()
    assert [(entry.filename, entry.date_time, entry.external_attr >> 16, entry.compress_type) for entry in entries] == [
        (name, (1980, 1, 1, 0, 0, 0), 0o644, zipfile.ZIP_DEFLATED) for name in ("a.py", "sub/b.py")
    ]
    assert zipfile.ZipFile(io.BytesIO(one)).read("a.py") == b"a.py" * 100


class _FakeParameters:
    """Systems Manager with at most one parameter."""

    def __init__(self) -> None:
        self.stored: dict[str, Any] = {}

    def get_parameter(self, Name: str) -> Any:  # noqa: N803
        if self.stored.get("Name") != Name:
            raise ABSENT
        return {"Parameter": self.stored}

    def put_parameter(self, **stored: Any) -> None:
        self.stored = stored


def engine_with_secret(present: Callable[[], str]) -> Engine:
    """Return an engine whose stack has a secret."""
    client = _FakeCloudFormation("CREATE_COMPLETE")
    client.outputs = {"Outputs": [{"OutputKey": "GitHubTokenSecret", "OutputValue": "arn:secret"}]}

    def get_secret_value(SecretId: str) -> Any:  # noqa: N803
        assert SecretId == "arn:secret"
        return {"SecretString": present()}

    secrets = SimpleNamespace(get_secret_value=get_secret_value)
    return fake_engine(cloudformation=client, ssm=_FakeParameters(), secretsmanager=secrets)


def test_the_present_secret_stays_if_the_token_is_the_one_deployed_last() -> None:
    """`traffic token` replaced it; the environment still holds the old one."""
    engine = engine_with_secret(lambda: "ghp_replaced")
    deploying.remember_token(engine, {deploying.TOKEN: "ghp_old"})

    kept = deploying.keep_replaced_token(engine, "Small", {deploying.TOKEN: "ghp_old", "Greeting": "hello"})
    changed = deploying.keep_replaced_token(engine, "Small", {deploying.TOKEN: "ghp_new"})

    assert kept == {deploying.TOKEN: "ghp_replaced", "Greeting": "hello"}
    assert changed == {deploying.TOKEN: "ghp_new"}


def test_a_token_that_was_never_deployed_or_whose_secret_is_gone_is_deployed() -> None:
    """Both happen: the first deployment, and one after the stack was deleted."""

    def missing() -> str:
        raise ABSENT

    engine = engine_with_secret(missing)

    assert deploying.keep_replaced_token(engine, "Small", {deploying.TOKEN: "a"}) == {deploying.TOKEN: "a"}
    deploying.remember_token(engine, {deploying.TOKEN: "a"})
    assert deploying.keep_replaced_token(engine, "Small", {deploying.TOKEN: "a"}) == {deploying.TOKEN: "a"}


def test_only_a_salted_hash_of_the_token_is_stored() -> None:
    """Two stores of the same token differ."""
    engine = engine_with_secret(lambda: "")
    parameters = cast("_FakeParameters", engine.client("ssm"))

    deploying.remember_token(engine, {deploying.TOKEN: "ghp_secret"})
    first = dict(parameters.stored)
    deploying.remember_token(engine, {deploying.TOKEN: "ghp_secret"})

    assert first["Value"] != parameters.stored["Value"]
    assert "ghp_secret" not in first["Value"]
    assert len(first["Value"]) == 32 + 1 + 128
    assert first.keys() == {"Name", "Value", "Type", "Overwrite"}
    assert (first["Name"], first["Type"], first["Overwrite"]) == (deploying.DEPLOYED_TOKEN, "String", True)
    assert deploying.TOKEN == "GitHubAccessToken"
    assert deploying.DEPLOYED_TOKEN == "/github-traffic-capture/deployed-token"
    known = (
        "00:137b705878cb4c9954749ef06c6c2e030cd1dacedde2b1bc75c86f9e7f801e4d0ba"
        "d24c6fe060a1ed5f7d3858ea4444788bc77a19803736aee55a7beb0043443"
    )
    assert deploying.token_hash("a", "00") == known  # a changed hash would bring back replaced tokens


def test_a_stack_without_outputs_has_none() -> None:
    """CloudFormation then omits the field."""
    assert deploying.outputs(fake_engine(cloudformation=_FakeCloudFormation("CREATE_COMPLETE")), "Small") == {}


def test_a_stack_that_is_not_deleted_in_time_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The creation that follows then fails with CloudFormation's own reason."""
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=iter(range(0, 1000, 100)).__next__, sleep=slept.append)
    monkeypatch.setattr(deploying, "time", clock)
    client = _FakeCloudFormation("DELETE_FAILED")

    assert not deploying.delete_if_not_updatable(fake_engine(cloudformation=client), "Small")
    assert slept == [0.05, 0.05]


@pytest.mark.parametrize("changed", [True, False])
def test_a_deployment_does_its_steps_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changed: bool) -> None:
    """The token is remembered only after the stack has it; a change is saved at once, in case of a kill."""
    (tmp_path / "engine").mkdir()
    engine = Engine("http://127.0.0.1:1", 1, "KEY", tmp_path)
    steps: list[Any] = []
    results: dict[str, object] = {"upload_assets": "url", "keep_replaced_token": {"a": "kept"}, "outputs": {"Out": "1"}}
    results["change_stack"] = changed
    monkeypatch.setattr(Engine, "save", lambda _engine: steps.append(("save",)))
    for name in ("upload_assets", "keep_replaced_token", "change_stack", "remember_token", "outputs"):

        def step(*arguments: Any, name: str = name) -> Any:
            steps.append((name, *arguments[1:]))
            return results.get(name)

        monkeypatch.setattr(deploying, name, step)
    write_manifest(tmp_path, {"Small": {}})
    read = deploying.read_assembly(tmp_path)

    assert deploying.deploy(engine, tmp_path, {"a": "given"}) == {"Out": "1"}

    assert steps == [
        ("upload_assets", read),
        ("keep_replaced_token", "Small", {"a": "given"}),
        ("change_stack", read, "url", {"a": "kept"}),
        ("remember_token", {"a": "given"}),
        *([("save",)] if changed else []),
        ("outputs", "Small"),
    ]
    assert (tmp_path / "engine" / "deployment.lock").exists()

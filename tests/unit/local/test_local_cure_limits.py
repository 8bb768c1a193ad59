"""Limits, names and messages of the cures, on ministack's functions without an engine."""

import asyncio
import importlib
import json
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

OUTDATED = "ministack unpacks functions in another way"


@pytest.fixture(scope="module")
def cures(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`local.cures`: importing ministack writes a key into its state folder, which must be ours."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_DIR", str(tmp_path_factory.mktemp("state")))
        return importlib.import_module("local.cures")


def message_of(answer: Any) -> tuple[int, str, str]:
    """Return status, error and message of a refusal."""
    content = json.loads(answer[2])
    return answer[0], content["__type"], content["message"]


@pytest.mark.parametrize(("member", "longest"), [("input", 262_144), ("error", 256), ("cause", 32_768)])
def test_the_members_of_a_call_have_their_limits(cures: Any, member: str, longest: int) -> None:
    """The limits count bytes, and every other member has none."""
    operation = cures.payloads.refusing_long_members(lambda _data: "done")

    assert operation({member: "x" * longest}) == "done"
    assert operation({}) == operation({member: None, "name": "x" * 300_000}) == "done"
    for text in ("x" * (longest + 1), "ü" * (longest // 2 + 1)):
        assert message_of(operation({member: text})) == (
            400,
            "ValidationException",
            (
                f"1 validation error detected: Value at '{member}' failed to satisfy constraint: "
                f"Member must have length less than or equal to {longest}"
            ),
        )


def test_the_data_of_a_state_has_up_to_256_kib(cures: Any) -> None:
    """The limit counts the bytes of compact JSON."""
    data = {"a": "ü" * 131_068}  # 8 bytes around the text
    assert len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()) == 262_144

    assert cures.payloads.checked(data, "Fetch") is data
    with pytest.raises(cures.payloads.stepfunctions._ExecutionError) as raised:
        cures.payloads.checked({"a": "ü" * 131_068 + "x"}, "Fetch")

    assert raised.value.error == "States.DataLimitExceeded"
    assert raised.value.cause == (
        "The state/task 'Fetch' returned a result with a size exceeding the maximum number of bytes service limit."
    )


def test_a_state_is_named_as_in_its_messages(cures: Any) -> None:
    """The name is in the context; otherwise the resource, the label or the type replaces it."""
    name = cures.payloads.state_name

    assert name({"State": {"Name": "Fetch"}}, {"Resource": "arn", "Type": "Task"}) == "Fetch"
    assert name({}, {"Resource": "arn", "Label": "L", "Type": "Task"}) == "arn"
    assert name(None, {"Label": "L", "Type": "Map"}) == "L"
    assert name(None, {"Type": "Map"}) == "Map"


def test_an_error_has_up_to_256_characters_and_a_cause_up_to_32768(cures: Any) -> None:
    """More does not fit into the history."""
    cures.payloads.check_error("e" * 256, "c" * 32_768, "Fetch")

    for error, cause in (("e" * 257, "cause"), ("error", "c" * 32_769)):
        with pytest.raises(cures.payloads.stepfunctions._ExecutionError) as raised:
            cures.payloads.check_error(error, cause, "Fetch")
        assert raised.value.error == "States.DataLimitExceeded"
        assert raised.value.cause == (
            f"The state/task 'Fetch' failed with an error of {len(error)} characters, of at most 256, "
            f"and a cause of {len(cause)}, of at most 32768. It begins with: {cause[:200]}"
        )


def test_the_error_of_a_function_or_a_fail_state_is_checked(cures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of normal length stays as it is."""
    engine = cures.payloads.stepfunctions

    def call(_function: str, event: int) -> None:
        raise engine._ExecutionError("Ours", "c" * event)

    monkeypatch.setattr(engine, "_call_lambda", call)
    monkeypatch.setattr(engine, "_fail_state_error", lambda _state, given, _context: ("Ours", "c" * given))
    cures.payloads.refuse_long_causes()

    assert engine._fail_state_error({"Type": "Fail"}, 10) == ("Ours", "c" * 10)
    for length, error in ((10, "Ours"), (40_000, "States.DataLimitExceeded")):
        with pytest.raises(engine._ExecutionError) as raised:
            engine._call_lambda("fetch", length)
        assert raised.value.error == error
    assert "The state/task 'fetch' failed" in raised.value.cause
    with pytest.raises(engine._ExecutionError, match=r"The state/task 'Fail' failed|States.DataLimitExceeded"):
        engine._fail_state_error({"Type": "Fail"}, 40_000)


def test_a_response_has_up_to_6_mb(cures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit counts the bytes of the JSON of the body."""
    service = cures.payloads.lambda_svc
    monkeypatch.setattr(service, "_execute_function_warm", lambda length: {"body": "x" * length, "log": "kept"})
    cures.payloads.refuse_large_responses()

    assert service._execute_function_warm(6_291_554) == {"body": "x" * 6_291_554, "log": "kept"}
    assert service._execute_function_warm(6_291_555) == {
        "body": {
            "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        },
        "log": "kept",
        "error": True,
    }


def test_all_errors_match_except_two(cures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its own name matches `States.DataLimitExceeded`; nothing matches `States.Runtime`."""
    engine = cures.payloads.stepfunctions
    monkeypatch.setattr(engine, "_error_matches", engine._error_matches)
    cures.payloads.let_all_match_less()
    matches = engine._error_matches

    assert matches(["States.ALL"], "Ours")
    assert matches(["Ours"], "Ours")
    assert not matches(["Other"], "Ours")
    assert not matches(["States.ALL", "States.TaskFailed"], "States.DataLimitExceeded")
    assert matches(["States.DataLimitExceeded"], "States.DataLimitExceeded")
    assert not matches(["States.ALL", "States.Runtime"], "States.Runtime")


def test_a_secret_has_up_to_64_kib(cures: Any) -> None:
    """The limit counts bytes; a secret may be missing."""
    operation = cures.secretsmanager.refusing_large_secrets(lambda data, *more, **options: (data, more, options))

    assert operation({"SecretString": "x" * 65_536}, 1, a=2) == ({"SecretString": "x" * 65_536}, (1,), {"a": 2})
    assert operation({"SecretString": None})[0] == {"SecretString": None}
    assert message_of(operation({"SecretString": "ü" * 32_769})) == (
        400,
        "ValidationException",
        (
            "1 validation error detected: Value at 'secretString' failed to satisfy constraint: "
            "Member must have length less than or equal to 65536"
        ),
    )


def test_every_operation_that_stores_a_secret_has_the_limit(cures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret is created, replaced and updated."""
    service = cures.secretsmanager.secretsmanager
    for name in ("_create_secret", "_put_secret_value", "_update_secret"):
        monkeypatch.setattr(service, name, lambda _data: "done")
    cures.secretsmanager.refuse_large_secrets()

    for name in ("_create_secret", "_put_secret_value", "_update_secret"):
        assert getattr(service, name)({"SecretString": "x" * 65_537})[0] == 400
        assert getattr(service, name)({"SecretString": "x"}) == "done"


@pytest.fixture
def logs(cures: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The cure of CloudWatch Logs, on a service without policies."""
    service = cures.logs.cloudwatch_logs
    policies: dict[str, Any] = {}

    def put(data: dict[str, Any]) -> Any:
        policies[data["policyName"]] = data
        return 200, {}, b"{}"

    monkeypatch.setattr(service, "_resource_policies", policies)
    monkeypatch.setattr(service, "_put_resource_policy", put)
    for name in ("_create_state_machine", "_update_state_machine"):
        monkeypatch.setattr(cures.logs.stepfunctions, name, lambda _data: "done")
    handlers = cures.logs.provisioners._RESOURCE_HANDLERS
    machine = {"create": lambda name, _properties, _stack: f"created {name}"}
    monkeypatch.setitem(handlers, "AWS::StepFunctions::StateMachine", machine)
    cures.logs.limit_resource_policies()
    return cures.logs


def destination(group: str) -> dict[str, Any]:
    """Return the logging configuration of a state machine."""
    arn = f"arn:aws:logs:us-east-1:0:log-group:{group}:*"
    return {"level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]}


def test_a_policy_has_up_to_5120_characters(logs: Any) -> None:
    """A missing document counts as empty."""
    put = logs.cloudwatch_logs._put_resource_policy

    assert put({"policyName": "a", "policyDocument": "x" * 5_120})[0] == 200
    assert put({"policyName": "b", "policyDocument": None})[0] == 200
    assert message_of(put({"policyName": "c", "policyDocument": "x" * 5_121})) == (
        400,
        "InvalidParameterException",
        "Policy document length breaking Cloudwatch Logs Constraints, either < 1 or > 5120",
    )


def test_each_log_group_of_a_state_machine_is_added_to_one_policy(logs: Any) -> None:
    """Groups below /aws/vendedlogs/ share an entry; the same group is added once."""
    machines = logs.stepfunctions
    for group in ("/own/a", "/aws/vendedlogs/states/x", "/own/b", "/own/a"):
        assert machines._create_state_machine({"loggingConfiguration": destination(group)}) == "done"
    assert machines._update_state_machine({}) == "done"

    (policy,) = logs.cloudwatch_logs._resource_policies.values()
    assert policy["policyName"] == "AWSLogDeliveryWrite20150319"
    assert json.loads(policy["policyDocument"])["Statement"] == [
        {
            "Sid": "AWSLogDeliveryWrite20150319",
            "Effect": "Allow",
            "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [f"arn:aws:logs:us-east-1:0:log-group:/own/{name}:log-stream:*" for name in "ab"],
        }
    ]


def test_a_full_policy_refuses_the_state_machine(logs: Any) -> None:
    """The service and CloudFormation report it, each in its own form."""
    configuration = destination("/own/" + "x" * 5_100)
    full = (
        "Invalid Logging Configuration: The CloudWatch Logs Resource Policy size was exceeded. "
        "We suggest prefixing your CloudWatch log group name with /aws/vendedlogs/states/."
    )

    refused = logs.stepfunctions._update_state_machine({"loggingConfiguration": configuration})
    create = logs.provisioners._RESOURCE_HANDLERS["AWS::StepFunctions::StateMachine"]["create"]
    with pytest.raises(ValueError, match="Resource handler") as raised:
        create("Machine", {"LoggingConfiguration": configuration}, "Stack")

    assert message_of(refused) == (400, "InvalidLoggingConfiguration", full)
    assert str(raised.value) == f"Resource handler returned message: {full!r}"
    assert create("Machine", {}, "Stack") == "created Machine"


def test_a_subject_has_up_to_100_characters_and_no_control_characters(
    cures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message may have no subject."""
    service = cures.sns.sns
    monkeypatch.setattr(service, "publish_internal", lambda *arguments, **options: (arguments, options))
    cures.sns.refuse_bad_subjects()

    assert service.publish_internal("arn", "m", "x" * 100, a=1) == (("arn", "m", "x" * 100), {"a": 1})
    assert service.publish_internal("arn", "m") == (("arn", "m", ""), {})
    for subject in ("x" * 101, "a\nb", "a\x1fb", "a\x7fb", "\x00"):
        with pytest.raises(service.SnsPublishError) as raised:
            service.publish_internal("arn", "m", subject)
        assert raised.value.args[:2] == ("InvalidParameter", "Invalid parameter: Subject") or "Subject" in str(
            raised.value
        )


def test_the_error_of_sns_is_read_from_its_answer(cures: Any) -> None:
    """An answer without an error, or without a code, is an internal error."""
    spaced = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"'
    answer = f"<ErrorResponse {spaced}><Error>{{}}</Error></ErrorResponse>"

    read = cures.sns.read_error

    assert read(answer.format("<Code>NotFoundException</Code><Message>no topic</Message>")) == ("NotFound", "no topic")
    assert read(answer.format("<Message>broken</Message>")) == ("InternalError", "broken")
    assert read(answer.format("<Code>Throttled</Code>")) == ("Throttled", "")
    assert read(f"<Other {spaced}/>") == ("InternalError", f"<Other {spaced}/>")


def test_a_state_that_publishes_fails_with_the_error_of_sns(cures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The definition retries `SNS.ThrottledException`."""
    engine = cures.sns.stepfunctions
    cause = '<E xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Code>Throttled</Code></Error></E>'

    def publish(_resource: str, given: str) -> str:
        if given == "fail":
            raise engine._ExecutionError("SNS.PublishFailed", cause)
        return "published"

    monkeypatch.setattr(engine, "_invoke_sns_publish", publish)
    monkeypatch.setattr(engine, "_SERVICE_DISPATCH", {"arn:sns": publish, "arn:other": print})
    cures.sns.name_publish_errors()

    assert engine._SERVICE_DISPATCH["arn:other"] is print
    assert engine._SERVICE_DISPATCH["arn:sns"]("resource", "fine") == "published"
    with pytest.raises(engine._ExecutionError) as raised:
        engine._SERVICE_DISPATCH["arn:sns"]("resource", "fail")
    assert (raised.value.error, raised.value.cause) == ("SNS.ThrottledException", "")


def test_lifecycle_rules_are_written_as_s3_expects_them(cures: Any) -> None:
    """Names of CloudFormation become those of S3, and other properties stay."""
    rule = {
        "Id": "old",
        "Status": "Enabled",
        "Prefix": "logs/",
        "ExpirationInDays": 7,
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
    }

    written = cures.cloudformation.lifecycle_xml({"Rules": [rule]}).decode()

    assert written == (
        '<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ID>old</ID>'
        "<Status>Enabled</Status><Filter><Prefix>logs/</Prefix></Filter><Expiration><Days>7</Days></Expiration>"
        "<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation>"
        "</AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>"
    )


def test_longer_no_echo_values_are_hidden_first(cures: Any) -> None:
    """A value may begin with another one; empty values hide nothing."""
    state = {
        "a": [{"NoEcho": True, "Value": "ghp"}, {"NoEcho": True, "ParameterValue": "ghp_long"}],
        "b": {"NoEcho": True, "Value": "", "ParameterValue": None},
        "c": {"NoEcho": "true", "Value": "shown"},
        "text": "ghp_long ghp shown 1",
        "number": 1,
    }

    hidden = cures.cloudformation.without_no_echo(state)

    assert (hidden["text"], hidden["number"]) == ("**** **** shown 1", 1)


def test_an_unknown_integration_fails_with_the_file_to_change(cures: Any) -> None:
    """Nobody knows which permission it needs."""
    with pytest.raises(cures.iam.stepfunctions._ExecutionError) as raised:
        cures.iam.integration("arn:aws:states:::sqs:sendMessage")

    assert (raised.value.error, raised.value.cause) == (
        "States.Runtime",
        "local/cures/iam.py does not know which right arn:aws:states:::sqs:sendMessage needs. Add it to INTEGRATIONS.",
    )
    assert cures.iam.integration("arn:aws:states:::sns:publish") == ("sns:Publish", "TopicArn")


@pytest.mark.parametrize(
    ("source", "secure", "expected"),
    [("127.0.0.1", False, True), ("::1", False, True), ("10.0.0.1", False, False), ("10.0.0.1", True, True)],
)
def test_only_requests_on_loopback_count_as_encrypted(
    cures: Any, monkeypatch: pytest.MonkeyPatch, source: str, secure: bool, expected: bool
) -> None:
    """A bucket policy may require TLS."""
    pinned: list[Any] = []
    monkeypatch.setattr(cures.iam.app, "pin_request_origin", lambda *arguments: pinned.append(arguments))
    cures.iam.treat_loopback_as_encrypted()

    cures.iam.app.pin_request_origin(source, secure)

    assert pinned == [(source, expected)]


@pytest.mark.parametrize(
    ("method", "path", "status", "options", "refused", "expected"),
    [
        ("GET", "/bucket/key", 404, {}, "no", 403),
        ("HEAD", "/bucket/key", 404, {}, "no", 403),
        ("GET", "/bucket/key", 404, {}, None, 404),
        ("GET", "/bucket/key", 200, {}, "no", 200),
        ("PUT", "/bucket/key", 404, {}, "no", 404),
        ("GET", "/bucket", 404, {}, "no", 404),
        ("GET", "/bucket/key", 404, {"internal": True}, "no", 404),
    ],
)
def test_a_missing_object_is_hidden_from_callers_that_may_not_list(  # noqa: PLR0913, PLR0917 - one row of the table
    cures: Any,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    status: int,
    options: dict[str, Any],
    refused: str | None,
    expected: int,
) -> None:
    """The refusal is that of `s3:ListBucket` for the bucket."""
    asked: list[Any] = []

    async def handle(*_: Any, **__: Any) -> Any:
        return status, {"x-amz-request-id": "1"}, b"content"

    def refusal(*arguments: str) -> str | None:
        asked.append(arguments)
        return refused

    monkeypatch.setattr(cures.iam.s3, "handle_request", handle)
    monkeypatch.setattr(cures.iam.app, "extract_access_key_id", lambda *_: "KEY")
    monkeypatch.setattr(cures.iam, "refusal", refusal)
    cures.iam.hide_missing_objects()

    answer = asyncio.run(cures.iam.s3.handle_request(method, path, {}, b"", {}, **options))

    assert answer[0] == expected
    assert set(asked) <= {("KEY", "s3:ListBucket", "arn:aws:s3:::bucket")}
    assert (answer[2] == b"") == (expected == 403 and method == "HEAD")


def test_the_branches_of_a_parallel_state_run_as_usual(cures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the children of a distributed Map have an execution of their own."""
    ran: list[tuple[object, ...]] = []

    def run(*given: object) -> str:
        ran.append(given)
        return "output"

    monkeypatch.setattr(cures.step_functions.stepfunctions, "_run_sub_machine", run)
    cures.step_functions.record_states_of_children()
    given: tuple[Any, ...] = ({"Only": {"Type": "Pass"}}, "Only", {"number": 1}, {"events": []}, {"State": {}})

    assert cures.step_functions.stepfunctions._run_sub_machine(*given) == "output"
    assert ran == [given]


def test_only_the_newest_unpacked_code_is_kept(cures: Any, tmp_path: Path) -> None:
    """An update replaced the other functions."""
    folder = tmp_path / "functions"
    cures.lambda_functions.forget_older_code(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    for number, name in enumerate(("b", "c", "a")):
        (folder / name).mkdir()
        cures.lambda_functions.os.utime(folder / name, (number, number))

    cures.lambda_functions.forget_older_code(folder)

    assert [path.name for path in folder.iterdir()] == ["a"]


def test_a_functions_code_is_unpacked_once_and_a_layer_as_usual(
    cures: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Processes share a function's code by links; ministack unpacks layers into other folders."""
    monkeypatch.setattr(cures.lambda_functions.lambda_runtime, "zipfile", zipfile)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    packed = tmp_path / "function.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handlers.py", "A = 1")
    cures.lambda_functions.share_unpacked_code(tmp_path / "functions")

    for name in ("one/code", "two/code", "one/layer"):
        (tmp_path / name).mkdir(parents=True)
        with cures.lambda_functions.lambda_runtime.zipfile.ZipFile(packed) as opened:
            opened.extractall(tmp_path / name)

    (kept,) = (tmp_path / "functions").iterdir()
    assert (tmp_path / "one" / "code").resolve() == (tmp_path / "two" / "code").resolve() == kept.resolve()
    assert (kept / "handlers.py").read_text() == "A = 1"
    assert not (tmp_path / "one" / "layer").is_symlink()
    assert (tmp_path / "one" / "layer" / "handlers.py").read_text() == "A = 1"
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ


def test_another_way_to_unpack_is_an_error(cures: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The cure would silently have no effect."""
    monkeypatch.setattr(cures.lambda_functions.lambda_runtime, "zipfile", SimpleNamespace())

    with pytest.raises(cures.lambda_functions.CureOutdatedError) as raised:
        cures.lambda_functions.share_unpacked_code(tmp_path)
    assert str(raised.value) == OUTDATED


@pytest.mark.parametrize(
    ("error", "out_of_memory", "expected"),
    [
        ("Task timed out after 3.00 seconds", False, ("Sandbox.Timedout", "Task timed out after 3.00 seconds")),
        ("x", True, ("Runtime.OutOfMemory", "Runtime exited with error: signal: killed")),
        ("\0ImportError\0no\0name", False, ("Runtime.ImportModuleError", "no\0name")),
        ("\0SyntaxError\0bad", False, ("Runtime.UserCodeSyntaxError", "bad")),
        ("\0OurError\0why", False, ("OurError", "why")),
        ("it ended", False, ("Runtime.ExitError", "Runtime exited with error: exit status 3")),
    ],
)
def test_the_end_of_a_process_has_the_name_of_aws(
    cures: Any, error: str, out_of_memory: bool, expected: tuple[str, str]
) -> None:
    """The definition's retriers contain these names."""
    process = SimpleNamespace(wait=lambda: 3)

    assert cures.lambda_functions.end_of({"error": error}, process, out_of_memory) == expected


def test_a_process_above_its_memory_is_killed(cures: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default of a function is 128 MB; exactly the limit is allowed."""
    killed: list[Any] = []
    process = SimpleNamespace(pid=7, poll=lambda: None, kill=lambda: killed.append("killed"))
    peak = {7: 128 * 2**20}
    monkeypatch.setattr(cures.lambda_functions, "peak_memory", peak.__getitem__)
    watch = cures.lambda_functions.MemoryWatch(SimpleNamespace(config={}, _proc=process, func_name="fetch"))

    watch.check()
    assert (watch.exceeded, killed) == (False, [])
    peak[7] += 1
    with watch:
        pass
    assert watch.exceeded
    assert set(killed) == {"killed"}


def test_a_function_that_cannot_be_started_is_not_the_functions_own_failure(
    cures: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a process, there is no end of a process to report: the engine itself failed."""

    def fail(_worker: object, _event: object, _request_id: str) -> None:
        raise RuntimeError("no interpreter")

    runtime = cures.lambda_functions.lambda_runtime
    monkeypatch.setattr(runtime, "_signal", runtime._signal)
    monkeypatch.setattr(runtime.Worker, "_spawn", lambda _worker: None)
    monkeypatch.setattr(runtime.Worker, "invoke", fail)
    cures.lambda_functions.end_functions_at_their_limits()
    worker = SimpleNamespace(config={}, _proc=None, process=None, func_name="fetch")

    with pytest.raises(RuntimeError, match=r"^no interpreter$"):
        runtime.Worker.invoke(worker, {}, "request-1")


def test_the_peak_memory_of_a_process_is_read(cures: Any) -> None:
    """This process uses more than 10 MB and less than 10 GB."""
    assert 10 * 2**20 < cures.lambda_functions.peak_memory(cures.lambda_functions.os.getpid()) < 10 * 2**30


def test_an_object_counts_as_stored_only_if_its_file_exists(
    cures: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A failed write must not look like success."""
    service = cures.s3.s3
    file = tmp_path / "object"
    monkeypatch.setattr(service, "_atomic_write", lambda path, data, text: Path(path).write_bytes(data))  # noqa: ARG005
    monkeypatch.setattr(service, "_persist_object", lambda _bucket, _key, _obj: None)
    monkeypatch.setattr(service, "_object_disk_path", lambda _bucket, key: str(file) if key else None)
    cures.s3.refuse_unwritten_objects()
    service._atomic_write(str(file), b"content")
    assert file.read_bytes() == b"content"

    service._persist_object("bucket", "key", {"body": None})
    for key, obj in (("", {"body": None}), ("key", {"body": b"in memory"})):
        with pytest.raises(OSError, match=f"could not write bucket/{key} to disk"):
            service._persist_object("bucket", key, obj)
    file.unlink()
    with pytest.raises(OSError, match="could not write bucket/key to disk"):
        service._persist_object("bucket", "key", None)

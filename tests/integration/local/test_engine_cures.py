"""The cures of `local.cures`, tested on a running engine."""

import json
import re
import shutil
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.engine import Engine, running_engine
from local.history_folder import HistoryFolder, current_generation
from local.stored_history import StoredTable
from tests.integration.engine_stack import TABLE, alive, deploy_small, rows

TOKEN = "ghp_deployed0123456789"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the module's engine."""
    return tmp_path_factory.mktemp("engine")


@pytest.fixture(scope="module")
def engine(home: Path) -> Iterator[Engine]:
    """One engine, whose waits take a hundredth of their time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRAFFIC_WAIT_SCALE", "0.01")
        patch.setenv("GITHUB_TOKEN", TOKEN)
        patch.setenv("AWS_PROFILE", "somebody")
        with running_engine(home / "history") as running:
            yield running


@pytest.fixture(scope="module")
def outputs(engine: Engine, home: Path) -> dict[str, str]:
    """The small stack, deployed."""
    return deploy_small(engine, home, TOKEN)


def run(engine: Engine, outputs: dict[str, str], function: str, **given: Any) -> tuple[dict[str, Any], float]:
    """Run the machine on a function; return the execution and its seconds."""
    client, began = engine.client("stepfunctions"), time.monotonic()
    text = json.dumps({"function": outputs[function], **given})
    arn = client.start_execution(stateMachineArn=outputs["StateMachineArn"], input=text)
    while (execution := client.describe_execution(executionArn=arn["executionArn"]))["status"] == "RUNNING":
        time.sleep(0.05)
    return dict(execution), time.monotonic() - began


def test_an_answer_has_one_date(engine: Engine) -> None:
    """From two, the AWS SDK of the CDK command line computes an invalid clock, and fails."""
    with urllib.request.urlopen(f"{engine.url}/_ministack/health", timeout=10) as answer:  # noqa: S310 - on loopback
        assert len(answer.headers.get_all("Date")) == 1


def test_an_error_is_retried_and_caught_under_its_class_name(engine: Engine, outputs: dict[str, str]) -> None:
    """The definition contains the names of our errors, so retries must work here as on AWS."""
    execution, _ = run(engine, outputs, "FailFunction", seconds=0)

    problem = json.loads(execution["output"])["problem"]
    assert problem["Error"] == "GitHubUnavailableError"
    assert json.loads(problem["Cause"])["errorMessage"] == "GitHub is down"
    events = engine.client("stepfunctions").get_execution_history(executionArn=execution["executionArn"])["events"]
    assert [event["type"] for event in events].count("TaskFailed") == 3


ENDS = {
    "hang": ("Sandbox.Timedout", "Task timed out after 1.00 seconds"),
    "allocate": ("Runtime.OutOfMemory", "Runtime exited with error: signal: killed"),
    "peak": ("Runtime.OutOfMemory", "Runtime exited with error: signal: killed"),
    "exit": ("Runtime.ExitError", "Runtime exited with error: exit status 3"),
    "crash": ("Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
}

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


@pytest.mark.parametrize(
    "how", [pytest.param(how, marks=needs_proc if "OutOfMemory" in ENDS[how][0] else ()) for how in ENDS]
)
def test_the_end_of_a_functions_process_has_the_same_name_as_on_aws(
    engine: Engine, outputs: dict[str, str], how: str
) -> None:
    """The definition retries only these names; without the cure each would be `Runtime.HandlerError`."""
    name, reason = ENDS[how]

    execution, _ = run(engine, outputs, "EndFunction", how=how)

    assert (execution["status"], execution["error"]) == ("FAILED", name)
    cause = json.loads(execution["cause"])
    assert cause["errorType"] == name
    assert re.fullmatch(f"RequestId: [0-9a-f-]{{36}} Error: {re.escape(reason)}", cause["errorMessage"])


def test_a_function_that_timed_out_writes_nothing_afterwards(engine: Engine, outputs: dict[str, str]) -> None:
    """A later write would conflict with the retry's. The timeout is real time even if waits are scaled."""
    before = invoke(engine, outputs, "EndFunction", how="return")
    began = time.monotonic()
    answer = invoke(engine, outputs, "EndFunction", how="hang")
    seconds = time.monotonic() - began
    after = invoke(engine, outputs, "EndFunction", how="return")

    assert answer["errorType"] == "Sandbox.Timedout"
    assert seconds >= 1
    assert "written after the end" not in rows(engine)
    assert before != after
    assert not alive(before)


def test_a_failed_import_has_the_same_name_as_on_aws(engine: Engine, outputs: dict[str, str]) -> None:
    """A dependency that is missing in the asset must fail here as on AWS."""
    answer = invoke(engine, outputs, "BrokenFunction")

    assert answer == {"errorMessage": "No module named 'absent'", "errorType": "Runtime.ImportModuleError"}


def test_a_function_stays_warm_after_an_exception(engine: Engine, outputs: dict[str, str]) -> None:
    """On AWS an exception does not end the process, so the next call finds its memory."""
    before, error, after = (invoke(engine, outputs, "EndFunction", **given) for given in ({"how": ""}, {}, {"how": ""}))

    assert error["errorType"] == "KeyError"
    assert before == after


def invoke(engine: Engine, outputs: dict[str, str], function: str, **event: Any) -> Any:
    """Call a function, and return its result or error."""
    answer = engine.client("lambda").invoke(FunctionName=outputs[function], Payload=json.dumps(event))
    result = json.load(answer["Payload"])
    assert ("FunctionError" in answer) == (isinstance(result, dict) and "errorType" in result)
    return result


def test_a_retry_waits_no_longer_than_its_longest_delay(engine: Engine, outputs: dict[str, str]) -> None:
    """The retrier limits 600 s to 1 s, scaled 0.01 s; without the cure it waits 60 s, scaled 0.6 s.

    The times of events are rounded to milliseconds, so a wait of 0.6 s can look shorter.
    """
    execution, _ = run(engine, outputs, "FailFunction", seconds=0)

    failed = times(engine, execution, "TaskFailed")[:2]
    again = times(engine, execution, "TaskScheduled")[1:]
    assert len(again) == 2
    assert max(later - earlier for earlier, later in zip(failed, again, strict=True)) < 0.5


def test_waits_are_scaled(engine: Engine, outputs: dict[str, str]) -> None:
    """Waits take a hundredth of their time here: 0.6 s of 60 s, 2 s of 200 s."""
    waited = []
    for seconds in (60, 200):
        execution, _ = run(engine, outputs, "FailFunction", seconds=seconds)
        (entered,) = times(engine, execution, "WaitStateEntered")
        waited.append(execution["stopDate"].timestamp() - entered)

    assert waited[0] + 0.001 >= 0.6  # dates are rounded to milliseconds
    assert 2 <= waited[1] + 0.001 < 20


def test_the_history_of_a_child_execution_contains_its_states(engine: Engine, outputs: dict[str, str]) -> None:
    """The progress of a run is read from the histories of a Map's children."""
    mode = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    states = {
        "Pass on": {"Type": "Pass", "Result": {"seconds": 1}, "Next": "Wait for it"},
        "Wait for it": {"Type": "Wait", "SecondsPath": "$.seconds", "Next": "Done"},
        "Done": {"Type": "Succeed"},
    }
    processor = {"ProcessorConfig": mode, "StartAt": "Pass on", "States": states}
    output, (child,) = run_map(engine, outputs, {"ItemProcessor": processor}, [1])
    client = engine.client("stepfunctions")
    assert output == [{"seconds": 1}]

    events = client.get_execution_history(executionArn=child["executionArn"])["events"]
    entered = [event["stateEnteredEventDetails"] for event in events if event["type"].endswith("StateEntered")]
    exited = [event["stateExitedEventDetails"] for event in events if event["type"].endswith("StateExited")]

    assert [(each["name"], json.loads(each["input"])) for each in entered] == [
        ("Pass on", 1),
        ("Wait for it", {"seconds": 1}),
        ("Done", {"seconds": 1}),
    ]
    assert [(each["name"], json.loads(each["output"])) for each in exited[:2]] == [
        ("Pass on", {"seconds": 1}),
        ("Wait for it", {"seconds": 1}),
    ]


def run_map(
    engine: Engine, outputs: dict[str, str], state: dict[str, Any], given: Any
) -> tuple[Any, list[dict[str, Any]]]:
    """Run a machine that has only a Map; return its output and its child executions."""
    definition = {"StartAt": "Map", "States": {"Map": {"Type": "Map", **state, "End": True}}}
    client = engine.client("stepfunctions")
    role = client.describe_state_machine(stateMachineArn=outputs["StateMachineArn"])["roleArn"]
    name = f"maps-{len(client.list_state_machines()['stateMachines'])}"
    machine = client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=role)
    arn = client.start_execution(stateMachineArn=machine["stateMachineArn"], input=json.dumps(given))["executionArn"]
    while (execution := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
        time.sleep(0.05)
    assert execution["status"] == "SUCCEEDED"
    (map_run,) = client.list_map_runs(executionArn=arn)["mapRuns"]
    children = client.list_executions(mapRunArn=map_run["mapRunArn"])["executions"]
    return json.loads(execution["output"]), children


def test_a_map_runs_as_many_children_at_once_as_its_input_says(engine: Engine, outputs: dict[str, str]) -> None:
    """The number of GitHub's users is known only after the listing, and each user has one child."""
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Wait for it",
        "States": {"Wait for it": {"Type": "Wait", "Seconds": 20, "End": True}},
    }
    state = {"ItemsPath": "$.items", "MaxConcurrencyPath": "$.at_once", "ItemProcessor": processor}

    _, children = run_map(engine, outputs, state, {"at_once": 2, "items": [1, 2, 3, 4]})

    began = sorted(child["startDate"] for child in children)
    ended = sorted(child["stopDate"] for child in children)
    assert began[1] < ended[0] <= began[2]
    assert ended[1] <= began[3]


def test_an_e_mail_subscription_waits_for_its_confirmation(engine: Engine) -> None:
    """Nobody gets e-mails unasked: an address counts once its owner has opened the link."""
    client = engine.client("sns")
    topic = client.create_topic(Name="summaries")["TopicArn"]
    address = {"TopicArn": topic, "Protocol": "email", "Endpoint": "me+1@example.org"}
    assert client.subscribe(**address)["SubscriptionArn"] == "pending confirmation"
    assert subscriptions(engine, topic) == ["PendingConfirmation"]

    (mail,) = [each for each in engine.ask("GET", "mail")["mail"] if each["to"] == "me+1@example.org"]
    page, _, query = mail["link"].partition("?")
    (token,) = parse_qs(query)["Token"]
    assert page == "https://sns.us-east-1.amazonaws.com/confirmation.html"
    assert query == f"TopicArn={topic}&Token={token}&Endpoint=me%2B1%40example.org"
    with pytest.raises(ClientError, match=r"\(InvalidParameter\).*Invalid parameter: Token"):
        client.confirm_subscription(TopicArn=topic, Token="0")
    arn = client.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"]

    assert subscriptions(engine, topic) == [arn]
    attributes = client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert attributes["ConfirmationWasAuthenticated"] == "false"
    client.unsubscribe(SubscriptionArn=arn)
    assert subscriptions(engine, topic) == ["Deleted"]


def subscriptions(engine: Engine, topic: str) -> list[str]:
    """Return the ARN, or the word in its place, of each subscription to a topic."""
    listed = engine.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return [each["SubscriptionArn"] for each in listed]


def times(engine: Engine, execution: dict[str, Any], kind: str) -> list[float]:
    """Return the time of each event of a kind, in seconds."""
    events = engine.client("stepfunctions").get_execution_history(executionArn=execution["executionArn"])["events"]
    return [event["timestamp"].timestamp() for event in events if event["type"] == kind]


def test_functions_inherit_no_token_and_no_aws_settings(engine: Engine, outputs: dict[str, str]) -> None:
    """A function gets the token from the secret only."""
    answer = engine.client("lambda").invoke(FunctionName=outputs["EnvironmentFunction"])
    environment = json.load(answer["Payload"])

    assert TOKEN not in str(environment)
    assert "AWS_PROFILE" not in environment
    assert environment["GREETING"] == "hello"


def test_an_object_that_cannot_be_written_is_refused(engine: Engine, outputs: dict[str, str], home: Path) -> None:
    """A repository counts as stored if its object is on disk, so a full disk must be an error."""
    engine.client("s3").put_object(Bucket=outputs["ArchiveBucket"], Key="fine", Body=b"x")
    (folder,) = home.glob("history/s3/*/small-archive-*")
    (folder / "blocked.tmp").mkdir()  # in place of the file that is written first

    with pytest.raises((ClientError, BotoCoreError)):
        engine.client("s3").put_object(Bucket=outputs["ArchiveBucket"], Key="blocked", Body=b"x")


def test_an_object_is_a_file_as_soon_as_it_is_stored(engine: Engine, outputs: dict[str, str], home: Path) -> None:
    """The next start finds it even if the engine is killed now."""
    engine.client("s3").put_object(Bucket=outputs["ArchiveBucket"], Key="runs/1/x.json", Body=b"content")

    (file,) = home.glob("history/s3/*/small-archive-*/runs/1/x.json")
    assert file.read_bytes() == b"content"


@pytest.mark.usefixtures("outputs")
def test_items_of_every_type_survive_a_kill(engine: Engine, home: Path, tmp_path: Path) -> None:
    """A write is on disk before its answer. No save follows here, as after a kill."""
    engine.save()
    item = {
        "repo-name": {"S": "octo/\u00fcml\u00e4ut\n"},
        "timestamp": {"S": "2026-11-20T00:00:00Z"},
        "views-count": {"N": "12"},
        "views-complete": {"BOOL": True},
        "names": {"M": {"octo/docs": {"L": [{"NULL": True}, {"B": b"\x00\xff"}]}}},
        "repo-ids": {"SS": ["1", "2"]},
    }
    engine.client("dynamodb").put_item(TableName=TABLE, Item=item)

    copy_history(home / "history", tmp_path / "copy")
    with running_engine(tmp_path / "copy") as other:
        items = other.client("dynamodb").scan(TableName=TABLE)["Items"]

    assert items == [item]
    copied = HistoryFolder(tmp_path / "copy")
    assert "octo/" not in (current_generation(copied) / "dynamodb.json").read_text()
    assert list(StoredTable(copied.tables, TABLE).scan()) == [
        {**item, "names": {"M": {"octo/docs": {"L": [{"NULL": True}, {"B": "AP8="}]}}}}
    ]


def test_an_execution_of_more_than_90_days_ago_is_not_saved_again(
    engine: Engine, outputs: dict[str, str], home: Path, tmp_path: Path
) -> None:
    """Each save writes all executions, so it would become slower every day; AWS keeps them for 90 days, too."""
    run(engine, outputs, "FailFunction", seconds=0)
    engine.save()
    copy_history(home / "history", tmp_path / "copy")
    saved = current_generation(HistoryFolder(tmp_path / "copy")) / "stepfunctions.json"
    saved.write_text(re.sub(r'("stopDate": ")\d{4}', r"\g<1>2020", saved.read_text()))

    with running_engine(tmp_path / "copy") as other:
        client = other.client("stepfunctions")
        before = client.list_executions(stateMachineArn=outputs["StateMachineArn"])["executions"]
        other.save()
        after = client.list_executions(stateMachineArn=outputs["StateMachineArn"])["executions"]

    assert before
    assert after == []


@pytest.mark.usefixtures("outputs")
def test_the_token_is_stored_only_in_the_file_of_secrets(engine: Engine, home: Path) -> None:
    """It is not in the stack's saved parameters, in logs, change sets or temporary files."""
    engine.save()

    holders = [file.name for file in home.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]

    assert holders == ["secretsmanager.json"]


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_the_token_is_in_no_command_line_and_no_environment(engine: Engine) -> None:
    """Other users of the machine can read both, and functions inherit both."""
    process = Path(f"/proc/{engine.pid}")

    assert TOKEN.encode() not in (process / "cmdline").read_bytes()
    assert TOKEN.encode() not in (process / "environ").read_bytes()


def copy_history(source: Path, target: Path) -> None:
    """Copy the present files, as a kill would leave them."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("tmp", "blocked.tmp"))

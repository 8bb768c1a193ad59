"""The same definition on moto's Step Functions engine and other services, with the handlers in this process.

moto's engine shares no code with ministack's: if both have the same result, the definition is the reason.
"""

import importlib
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

from local.engine import ROOT
from tests.integration.pipeline import LONGEST, Execution
from tests.unit.handlers import Account, Context, account
from traffic.contract import receipts_prefix

FUNCTIONS = {
    "ListRepos": "list_repos",
    "FetchTraffic": "fetch_traffic",
    "StoreTraffic": "store_traffic",
    "SummarizeRun": "summarize_run",
}


@dataclass(frozen=True)
class MotoPipeline:
    """The definition, deployed to moto.

    Attributes:
        account: The account with the tables and the bucket.
        machine: The state machine's ARN.
    """

    account: Account
    machine: str

    def run(self) -> Execution:
        """Run once, until the end."""
        client = boto3.client("stepfunctions")
        name = f"run-{uuid.uuid4().hex[:12]}"
        arn = client.start_execution(stateMachineArn=self.machine, name=name, input="{}")["executionArn"]
        give_up = time.monotonic() + LONGEST
        while (found := client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < give_up, f"{arn} does not end"
            time.sleep(0.05)
        seconds = (found["stopDate"] - found["startDate"]).total_seconds()
        return Execution(name, arn, found["status"], found.get("error", ""), found.get("cause", ""), seconds)

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return all items of every table, in a stable order."""
        tables = self.account.dynamodb.tables.all()
        return {table.name: sorted(table.scan(ConsistentRead=True)["Items"], key=repr) for table in tables}

    def receipts(self, execution: Execution) -> list[dict[str, Any]]:
        """Return the receipts of Store traffic, in the order of the repositories' names."""
        s3 = self.account.s3
        listed = s3.list_objects_v2(Bucket="archive", Prefix=receipts_prefix(execution.name)).get("Contents", [])
        notes = [json.load(s3.get_object(Bucket="archive", Key=each["Key"])["Body"]) for each in listed]
        return sorted((receipt for note in notes for receipt in note), key=lambda receipt: str(receipt["name"]))


@contextmanager
def moto_pipeline(monkeypatch: pytest.MonkeyPatch, github_url: str) -> Iterator[MotoPipeline]:
    """Create the account and the state machine."""
    monkeypatch.setattr(lambda_eval_utils, "_invoke_lambda_function", invoke)
    executing: Any = {"stepfunctions": {"execute_state_machine": True}}
    with mock_aws(config=executing), account(monkeypatch, github_url) as deployed:
        topic = boto3.client("sns").create_topic(Name="summary")["TopicArn"]
        machine = boto3.client("stepfunctions").create_state_machine(
            name="CaptureTraffic", definition=definition(topic), roleArn="arn:aws:iam::123456789012:role/machine"
        )
        yield MotoPipeline(deployed, machine["stateMachineArn"])


def definition(topic: str) -> str:
    """Return the definition with its placeholders replaced, as the deployment does."""
    text = (ROOT / "statemachine" / "capture_traffic.asl.json").read_text()
    for name, module in FUNCTIONS.items():
        text = text.replace(f"${{{name}FunctionArn}}", f"arn:aws:lambda:us-east-1:123456789012:function:{module}")
    return text.replace("${SummaryTopicArn}", topic)


def invoke(parameters: Any, region: str, state_credentials: Any) -> dict[str, Any]:  # noqa: ARG001 - moto's signature
    """Call the handler in this process; report its result or exception as Lambda does.

    Source:
        https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    module = parameters["FunctionName"].rpartition(":")[2]
    handler = importlib.import_module(f"lambdas.{module}.handler")
    try:
        payload = handler.lambda_handler(json.loads(parameters["Payload"]), Context())
    except Exception as exc:  # noqa: BLE001 - Step Functions gets its name, whatever it is
        failed = {"errorMessage": str(exc), "errorType": type(exc).__name__}
        return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": failed}
    return {"StatusCode": 200, "Payload": json.loads(json.dumps(payload))}

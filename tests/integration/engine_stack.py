"""A small stack like the real one, as a cloud assembly, for the engine's own tests."""

import json
import os
import time
from pathlib import Path
from typing import Any

from local.deploying import deploy
from local.engine import Engine

STACK = "SmallStack"

TABLE = "Days"

BUCKET = "small-archive-000000000000-us-east-1"  # a plain name: AWS imports no other

HANDLERS = '''
import json, os, signal, sys, time
import boto3


class GitHubUnavailableError(Exception):
    """The error of the retrier."""


def store_traffic(event, context):
    """Write one row for each name in the archive object."""
    body = boto3.client("s3").get_object(Bucket=os.environ["ARCHIVE_BUCKET"], Key=event["batch"]["key"])["Body"]
    for name in json.load(body):
        put_row(name)


def put_row(name):
    """Write one row."""
    boto3.client("dynamodb").put_item(TableName="Days", Item={"repo-name": {"S": name}, "timestamp": {"S": "t"}})


def end(event, context):
    """End as the event describes, or return the process id."""
    match event["how"]:
        case "hang":
            signal.signal(signal.SIGTERM, lambda *_: put_row("written after the end"))
            time.sleep(60)
        case "exit":
            sys.exit(3)
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "allocate":
            kept = [b"x" * 4_000_000 for _ in range(100)]
            time.sleep(60)
        case "peak":
            len(b"x" * 200_000_000)
    return os.getpid()


def fail(event, context):
    """Fail with an error of our own."""
    raise GitHubUnavailableError("GitHub is down")


def environment(event, context):
    """Return the environment that functions inherit."""
    return dict(os.environ)
'''

RETRIER = {"ErrorEquals": ["GitHubUnavailableError"], "IntervalSeconds": 600, "MaxAttempts": 2, "MaxDelaySeconds": 1}

CATCHER = {"ErrorEquals": ["GitHubUnavailableError"], "ResultPath": "$.problem", "Next": "Caught"}

DEFINITION = {
    "StartAt": "Fail",
    "States": {
        "Fail": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName.$": "$.function", "Payload.$": "$"},
            "Retry": [RETRIER],
            "Catch": [CATCHER],
            "End": True,
        },
        "Caught": {"Type": "Wait", "SecondsPath": "$.seconds", "End": True},
    },
}

TRUSTED = [
    {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    for service in ("lambda.amazonaws.com", "states.amazonaws.com")
]

ALLOWED = [
    {"Effect": "Allow", "Action": action, "Resource": "*"}
    for action in ("s3:GetObject", "dynamodb:PutItem", "lambda:InvokeFunction", "states:StartExecution")
]

ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": TRUSTED},
        "Policies": [{"PolicyName": "allowed", "PolicyDocument": {"Version": "2012-10-17", "Statement": ALLOWED}}],
    },
}

READ_SECRET = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "Secret"}}

KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}


def template() -> dict[str, Any]:
    """Return a template: a table and an archive that are retained, a secret, functions and a machine."""
    return {
        "Parameters": {
            "GitHubAccessToken": {"Type": "String", "NoEcho": True},
            "Greeting": {"Type": "String", "Default": "hello"},
        },
        "Resources": {
            "Role": ROLE,
            "Table": table(),
            "Archive": {"Type": "AWS::S3::Bucket", **KEPT, "Properties": {"BucketName": BUCKET}},
            "ReadSecret": {
                "Type": "AWS::IAM::Policy",
                "Properties": {
                    "PolicyName": "token",
                    "Roles": [{"Ref": "Role"}],
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": [READ_SECRET]},
                },
            },
            "Secret": {
                "Type": "AWS::SecretsManager::Secret",
                "Properties": {"SecretString": {"Ref": "GitHubAccessToken"}},
            },
            "StoreTraffic": function("store_traffic"),
            "Fail": function("fail"),
            "End": function("end", Timeout=1, MemorySize=128),
            "Broken": function("fail", Handler="absent.fail"),
            "Environment": function("environment"),
            "Machine": machine(),
        },
        "Outputs": {
            "ArchiveBucket": {"Value": {"Ref": "Archive"}},
            "StoreTrafficFunction": {"Value": {"Ref": "StoreTraffic"}},
            "FailFunction": {"Value": {"Ref": "Fail"}},
            "EndFunction": {"Value": {"Ref": "End"}},
            "BrokenFunction": {"Value": {"Ref": "Broken"}},
            "EnvironmentFunction": {"Value": {"Ref": "Environment"}},
            "GitHubTokenSecret": {"Value": {"Ref": "Secret"}},
            "StateMachineArn": {"Value": {"Ref": "Machine"}},
        },
    }


def table() -> dict[str, Any]:
    """Return a table like RepoTraffic."""
    keys = {"repo-name": "HASH", "timestamp": "RANGE"}
    properties = {
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in keys],
    }
    return {"Type": "AWS::DynamoDB::Table", **KEPT, "Properties": properties}


def function(handler: str, **others: Any) -> dict[str, Any]:
    """Return a function of the one asset, with additional properties."""
    properties = {
        "Handler": f"handlers.{handler}",
        "Runtime": "python3.13",
        "Timeout": 20,
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Environment": {"Variables": {"ARCHIVE_BUCKET": {"Ref": "Archive"}, "GREETING": {"Ref": "Greeting"}}},
        "Code": {"S3Bucket": {"Fn::Sub": "assets-${AWS::AccountId}-${AWS::Region}"}, "S3Key": "handlers.zip"},
        **others,
    }
    return {"Type": "AWS::Lambda::Function", "Properties": properties}


def machine() -> dict[str, Any]:
    """Return the machine: it calls the function in its input, with a Retry and a Catch for our error."""
    properties = {"DefinitionString": json.dumps(DEFINITION), "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}
    return {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}


def write_assembly(folder: Path, described: dict[str, Any]) -> Path:
    """Write the template and its asset as CDK does."""
    (folder / "asset.handlers").mkdir(parents=True, exist_ok=True)
    (folder / "asset.handlers" / "handlers.py").write_text(HANDLERS)
    text = json.dumps(described)
    (folder / "Small.template.json").write_text(text)
    bucket = "assets-${AWS::AccountId}-${AWS::Region}"
    sources = {"asset.handlers": "handlers.zip", "Small.template.json": f"{hash(text)}.json"}
    files = {
        path: {"source": {"path": path}, "destinations": {"here": {"bucketName": bucket, "objectKey": key}}}
        for path, key in sources.items()
    }
    (folder / "Small.assets.json").write_text(json.dumps({"files": files}))
    stack = {"templateFile": "Small.template.json", "stackName": STACK}
    artifacts = {
        "Small.assets": {"type": "cdk:asset-manifest", "properties": {"file": "Small.assets.json"}},
        "Small": {"type": "aws:cloudformation:stack", "properties": stack},
    }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


FIRST = "ghp_first"


def deploy_small(engine: Engine, folder: Path, token: str = FIRST, **parameters: str) -> dict[str, str]:
    """Deploy the small stack."""
    assembly = write_assembly(folder / "assembly", template())
    return deploy(engine, assembly, {"GitHubAccessToken": token, **parameters})


def put_row(engine: Engine, name: str) -> None:
    """Write a row without an archive object."""
    engine.client("dynamodb").put_item(TableName=TABLE, Item={"repo-name": {"S": name}, "timestamp": {"S": "t"}})


def rows(engine: Engine) -> list[str]:
    """Return the names in the table's rows."""
    return sorted(item["repo-name"]["S"] for item in engine.client("dynamodb").scan(TableName=TABLE)["Items"])


def archive(engine: Engine, outputs: dict[str, str], key: str, *names: str) -> None:
    """Store an object as Fetch traffic does."""
    body = json.dumps(names).encode()
    engine.client("s3").put_object(Bucket=outputs["ArchiveBucket"], Key=f"answers/{key}", Body=body)


def secret(engine: Engine, outputs: dict[str, str]) -> str:
    """Return the token in the secret."""
    value = engine.client("secretsmanager").get_secret_value(SecretId=outputs["GitHubTokenSecret"])
    return str(value["SecretString"])


def ends(process_id: int) -> bool:
    """Return whether a process, not our child, ends within 10 s."""
    for _ in range(200):
        state = Path(f"/proc/{process_id}/stat")
        if not alive(process_id) or (state.exists() and ") Z" in state.read_text()):
            return True
        time.sleep(0.05)
    return False


def alive(process_id: int) -> bool:
    """Return whether a process exists."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True

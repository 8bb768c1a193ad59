"""Deploy a cloud assembly to the local engine, as `cdk deploy --import-existing-resources` does to AWS."""

import hashlib
import hmac
import io
import json
import os
import secrets
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.engine import REGION, Engine, EngineError, only_one

TOKEN = "GitHubAccessToken"  # noqa: S105 - a parameter's name

DEPLOYED_TOKEN = "/github-traffic-capture/deployed-token"  # noqa: S105 - where a hash is kept

DEADLINE = 300.0  # seconds; a deployment takes one or two

OLDEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # equal contents give equal bytes


@dataclass(frozen=True)
class Assembly:
    """What a cloud assembly says about its one stack."""

    folder: Path
    stack: str
    template: dict[str, Any]
    assets: dict[str, Any]


def deploy(engine: Engine, assembly: Path, parameters: Mapping[str, str]) -> dict[str, str]:
    """Deploy the assembly's stack; where nothing changed, nothing happens.

    Args:
        engine: Where.
        assembly: The folder that `local.synthesis` made.
        parameters: The stack's parameters, the token among them. Where the token is the one deployed last, the secret
            keeps what it holds now: `traffic token` may have replaced it since.

    Returns:
        The stack's outputs.

    Raises:
        EngineError: A resource could not be made; the message names it and says why.
    """
    read = read_assembly(assembly)
    with only_one(engine.history / "engine" / "deployment.lock"):
        template_url = upload_assets(engine, read)
        values = keep_replaced_token(engine, read.stack, parameters)
        change_stack(engine, read, template_url, values)
        remember_token(engine, parameters)
        return outputs(engine, read.stack)


def read_assembly(folder: Path) -> Assembly:
    """Read the manifest: the stack, its template and its assets.

    Raises:
        EngineError: There is not exactly one stack.
    """
    artifacts = json.loads((folder / "manifest.json").read_text())["artifacts"]
    stacks = [(name, a) for name, a in artifacts.items() if a["type"] == "aws:cloudformation:stack"]
    manifests = [a["properties"]["file"] for a in artifacts.values() if a["type"] == "cdk:asset-manifest"]
    if len(stacks) != 1:
        raise EngineError(f"{folder} holds {len(stacks)} stacks instead of one")
    name, stack = stacks[0]
    files: dict[str, Any] = {}
    for manifest in manifests:
        files.update(json.loads((folder / manifest).read_text())["files"])
    template = json.loads((folder / stack["properties"]["templateFile"]).read_text())
    return Assembly(folder, stack["properties"].get("stackName", name), template, files)


def upload_assets(engine: Engine, assembly: Assembly) -> str:
    """Put every file asset where the template expects it, and return the template's address."""
    s3 = engine.client("s3")
    account = engine.client("sts").get_caller_identity()["Account"]
    template_url = ""
    for asset in assembly.assets.values():
        path = assembly.folder / asset["source"]["path"]
        for destination in asset["destinations"].values():
            bucket = in_environment(destination["bucketName"], account)
            upload(s3, bucket, destination["objectKey"], path)
            if path.name.endswith(".template.json"):
                template_url = f"{engine.url}/{bucket}/{destination['objectKey']}"
    return template_url


def in_environment(text: str, account: str) -> str:
    """Fill in what a manifest leaves open until it is known where it is deployed."""
    values = {"${AWS::AccountId}": account, "${AWS::Region}": REGION, "${AWS::Partition}": "aws"}
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def upload(s3: Any, bucket: str, key: str, path: Path) -> None:
    """Put an asset into its bucket, made where absent; its name is its content's hash, so one that is there stays."""
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.create_bucket(Bucket=bucket)  # in us-east-1, making one's own bucket again is no error
        s3.put_object(Bucket=bucket, Key=key, Body=zipped(path) if path.is_dir() else path.read_bytes())


def zipped(folder: Path) -> bytes:
    """Zip a folder; equal contents give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(str(file.relative_to(folder)), OLDEST_ZIP_TIME)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    return buffer.getvalue()


def change_stack(engine: Engine, assembly: Assembly, template_url: str, parameters: Mapping[str, str]) -> None:
    """Make and execute a change set that adopts what an earlier stack left behind.

    Raises:
        EngineError: It failed.
    """
    client = engine.client("cloudformation")
    exists = clear_way(engine, assembly.stack)
    names = assembly.template.get("Parameters", {})
    change = client.create_change_set(
        StackName=assembly.stack,
        ChangeSetName=f"traffic-{secrets.token_hex(8)}",
        ChangeSetType="UPDATE" if exists else "CREATE",
        # A plain create empties tables that an earlier stack left behind; on AWS it fails over them.
        ImportExistingResources=True,
        TemplateURL=template_url,
        Parameters=[{"ParameterKey": n, "ParameterValue": v} for n, v in parameters.items() if n in names],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    described = poll(lambda: client.describe_change_set(ChangeSetName=change["Id"]), "Status")
    if described["Status"] == "FAILED":
        client.delete_change_set(ChangeSetName=change["Id"])
        if is_no_change(described.get("StatusReason", "")):
            return
        raise EngineError(f"the deployment was refused: {described.get('StatusReason')}")
    client.execute_change_set(ChangeSetName=change["Id"])
    stack = poll(lambda: client.describe_stacks(StackName=assembly.stack)["Stacks"][0], "StackStatus")
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise EngineError(f"the deployment failed: {failure(client, assembly.stack)}")


def is_no_change(reason: str) -> bool:
    """Say whether a change set failed only because there is nothing to change."""
    return "didn't contain changes" in reason or "No updates are to be performed" in reason


def poll(ask: Any, field: str) -> dict[str, Any]:
    """Ask again until the status in `field` is final; EngineError after the deadline."""
    give_up = time.monotonic() + DEADLINE
    while time.monotonic() < give_up:
        answer: dict[str, Any] = ask()
        # A stack in REVIEW_IN_PROGRESS waits for its change set, which was executed already when we ask.
        if not answer[field].endswith(("_IN_PROGRESS", "_PENDING")):
            return answer
        time.sleep(0.05)
    raise EngineError(f"the deployment did not end within {DEADLINE:.0f} s")


def status(engine: Engine, stack: str) -> str | None:
    """Say how the stack stands; None where there is none."""
    try:
        return str(engine.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
    except ClientError:
        return None


def clear_way(engine: Engine, stack: str) -> bool:
    """Say whether there is a stack to update; one that can't be updated is deleted first, what keeps history stays.

    One that is in progress was left so by an engine that stopped: other commands' deployments have ended.
    """
    state = status(engine, stack)
    if state in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"):
        return True
    if state is not None and state != "DELETE_COMPLETE":
        client = engine.client("cloudformation")
        client.delete_stack(StackName=stack)
        give_up = time.monotonic() + DEADLINE
        while status(engine, stack) not in (None, "DELETE_COMPLETE") and time.monotonic() < give_up:
            time.sleep(0.05)
    return False


def failure(client: Any, stack: str) -> str:
    """Say which resources failed in the last operation, and why: those first that were refused before it began."""
    refused = [
        f"{event['LogicalResourceId']}: {event['ValidationStatusReason']}"
        for event in client.describe_events(StackName=stack)["OperationEvents"]
        if event.get("ValidationStatus") == "FAILED"
    ]
    failed = []
    for event in client.describe_stack_events(StackName=stack)["StackEvents"]:  # the newest first
        if event["ResourceStatus"].endswith("_FAILED"):
            failed.append(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}")
        elif event["LogicalResourceId"] == stack and event["ResourceStatus"].endswith(
            ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
        ):
            break
    return "; ".join([*refused, *reversed(failed)]) or "no resource says why"


def keep_replaced_token(engine: Engine, stack: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Bring the secret's present value along where the parameter is the one deployed last.

    On AWS an unchanged parameter leaves the secret alone. Here it is not kept (see `local.cures`), so that it would be
    written again after each start, and bring back a token that `traffic token` replaced.
    """
    recorded = recorded_token(engine)
    token = parameters.get(TOKEN, "")
    if recorded is None or not hmac.compare_digest(token_hash(token, recorded.partition(":")[0]), recorded):
        return dict(parameters)
    try:
        secret = outputs(engine, stack)["GitHubTokenSecret"]
        present = engine.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    except (ClientError, KeyError):
        return dict(parameters)
    return {**parameters, TOKEN: present}


def recorded_token(engine: Engine) -> str | None:
    """Read the salted hash of the token deployed last; it lies in the engine, so it is as old as the secret."""
    try:
        return str(engine.client("ssm").get_parameter(Name=DEPLOYED_TOKEN)["Parameter"]["Value"])
    except ClientError:
        return None


def remember_token(engine: Engine, parameters: Mapping[str, str]) -> None:
    """Record, as a salted hash, which token was deployed."""
    value = token_hash(parameters.get(TOKEN, ""), os.urandom(16).hex())
    engine.client("ssm").put_parameter(Name=DEPLOYED_TOKEN, Value=value, Type="String", Overwrite=True)


def token_hash(token: str, salt: str) -> str:
    """Hash a token so that it can be recognized, not read: `salt:hash`."""
    return f"{salt}:{hashlib.scrypt(token.encode(), salt=salt.encode(), n=2**12, r=8, p=1).hex()}"


def outputs(engine: Engine, stack: str) -> dict[str, str]:
    """Read the stack's outputs."""
    described = engine.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

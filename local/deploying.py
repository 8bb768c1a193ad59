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
DEPLOYED_TOKEN = "/github-traffic-capture/deployed-token"  # noqa: S105 - the name under which a hash is stored
DEADLINE = 300.0  # seconds; a deployment takes one or two
OLDEST_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # equal contents give equal bytes


@dataclass(frozen=True)
class Assembly:
    """A cloud assembly with one stack."""

    folder: Path
    stack: str
    template: dict[str, Any]
    assets: dict[str, Any]


def deploy(engine: Engine, assembly: Path, parameters: Mapping[str, str]) -> dict[str, str]:
    """Deploy the assembly's stack; if nothing changed, do nothing.

    Args:
        engine: The engine to deploy to.
        assembly: The folder that `local.synthesis` made.
        parameters: The stack's parameters, including the token. If the token is the one deployed last, the secret
            keeps its present value, because `traffic token` may have replaced it since.

    Returns:
        The stack's outputs.

    Raises:
        EngineError: A resource could not be created; the message contains its name and the reason.
    """
    read = read_assembly(assembly)
    with only_one(engine.history / "engine" / "deployment.lock"):
        template_url = upload_assets(engine, read)
        values = keep_replaced_token(engine, read.stack, parameters)
        changed = change_stack(engine, read, template_url, values)
        remember_token(engine, parameters)
        if changed:
            engine.save()  # otherwise, after a kill there would be no stack to read with until the next deployment
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
    """Upload every file asset to where the template expects it, and return the template's URL."""
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
    """Replace the placeholders for account, region and partition in a text of the manifest."""
    values = {"${AWS::AccountId}": account, "${AWS::Region}": REGION, "${AWS::Partition}": "aws"}
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def upload(s3: Any, bucket: str, key: str, path: Path) -> None:
    """Upload an asset unless its bucket has it already: its key is the hash of its content."""
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        s3.create_bucket(Bucket=bucket)  # in us-east-1, creating your own bucket again is no error
        s3.put_object(Bucket=bucket, Key=key, Body=zipped(path) if path.is_dir() else path.read_bytes())


def zipped(folder: Path) -> bytes:
    """Zip a folder so that equal contents result in equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(str(file.relative_to(folder)), OLDEST_ZIP_TIME)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    return buffer.getvalue()


def change_stack(engine: Engine, assembly: Assembly, template_url: str, parameters: Mapping[str, str]) -> bool:
    """Create and execute a change set that imports the retained resources of an earlier stack.

    Returns:
        Whether anything changed.

    Raises:
        EngineError: The change set was refused, or its execution failed.
    """
    client = engine.client("cloudformation")
    exists = delete_if_not_updatable(engine, assembly.stack)
    names = assembly.template.get("Parameters", {})
    change = client.create_change_set(
        StackName=assembly.stack,
        ChangeSetName=f"traffic-{secrets.token_hex(8)}",
        ChangeSetType="UPDATE" if exists else "CREATE",
        # Without it, the names of tables and bucket that an earlier stack left behind are taken.
        ImportExistingResources=True,
        TemplateURL=template_url,
        Parameters=[{"ParameterKey": n, "ParameterValue": v} for n, v in parameters.items() if n in names],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    described = poll(lambda: client.describe_change_set(ChangeSetName=change["Id"]), "Status")
    if described["Status"] == "FAILED":
        client.delete_change_set(ChangeSetName=change["Id"])
        if is_no_change(described.get("StatusReason", "")):
            return False
        raise EngineError(f"the deployment was refused: {described.get('StatusReason')}")
    client.execute_change_set(ChangeSetName=change["Id"])
    stack = poll(lambda: client.describe_stacks(StackName=assembly.stack)["Stacks"][0], "StackStatus")
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise EngineError(f"the deployment failed: {failure(client, assembly.stack)}")
    return True


def is_no_change(reason: str) -> bool:
    """Return whether a change set failed only because there is nothing to change."""
    return "didn't contain changes" in reason or "No updates are to be performed" in reason


def poll(ask: Any, field: str) -> dict[str, Any]:
    """Call `ask` until the status in `field` is final, and return the last answer.

    Raises:
        EngineError: The deadline passed.
    """
    give_up = time.monotonic() + DEADLINE
    while time.monotonic() < give_up:
        answer: dict[str, Any] = ask()
        # A stack stays in REVIEW_IN_PROGRESS for a moment after its change set is executed.
        if not answer[field].endswith(("_IN_PROGRESS", "_PENDING")):
            return answer
        time.sleep(0.05)
    raise EngineError(f"the deployment did not end within {DEADLINE:.0f} s")


def stack_status(engine: Engine, stack: str) -> str | None:
    """Return the stack's status, or None if there is no such stack."""
    try:
        return str(engine.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
    except ClientError:
        return None


def delete_if_not_updatable(engine: Engine, stack: str) -> bool:
    """Return whether there is a stack to update, after deleting one that cannot be updated.

    Deleting a stack keeps its history. If a stack is in progress, its engine was stopped during the deployment: the
    lock is ours, so no other command is deploying now.
    """
    state = stack_status(engine, stack)
    if state in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"):
        return True
    if state is not None and state != "DELETE_COMPLETE":
        client = engine.client("cloudformation")
        client.delete_stack(StackName=stack)
        give_up = time.monotonic() + DEADLINE
        while stack_status(engine, stack) not in (None, "DELETE_COMPLETE") and time.monotonic() < give_up:
            time.sleep(0.05)
    return False


def failure(client: Any, stack: str) -> str:
    """Return which resources failed in the last operation, and why.

    Resources that were refused before the operation began come first.
    """
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
    return "; ".join([*refused, *reversed(failed)]) or "no resource reports a reason"


def keep_replaced_token(engine: Engine, stack: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters, with the secret's present value if the token is the one deployed last.

    On AWS an unchanged parameter does not touch the secret. Here the stack's NoEcho values are not saved (see
    `local.cures`), so each start would write the token again and undo what `traffic token` did.
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
    """Read the salted hash of the token deployed last. The engine stores it, so it is as old as the secret."""
    try:
        return str(engine.client("ssm").get_parameter(Name=DEPLOYED_TOKEN)["Parameter"]["Value"])
    except ClientError:
        return None


def remember_token(engine: Engine, parameters: Mapping[str, str]) -> None:
    """Store a salted hash of the deployed token."""
    value = token_hash(parameters.get(TOKEN, ""), os.urandom(16).hex())
    engine.client("ssm").put_parameter(Name=DEPLOYED_TOKEN, Value=value, Type="String", Overwrite=True)


def token_hash(token: str, salt: str) -> str:
    """Return `salt:hash` of a token: it can be recognized, but not read."""
    return f"{salt}:{hashlib.scrypt(token.encode(), salt=salt.encode(), n=2**12, r=8, p=1).hex()}"


def outputs(engine: Engine, stack: str) -> dict[str, str]:
    """Read the stack's outputs."""
    described = engine.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

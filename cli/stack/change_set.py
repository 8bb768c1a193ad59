"""Changes parameters of a deployed stack, and nothing else in it."""

import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from cli.terminal import CommandError
from local.deploying import failure, is_no_change

LOOK_EVERY = 0.5  # seconds
DEADLINE = 900.0  # seconds; an update of four functions takes about one minute


def change_parameters(client: Any, stack: str, names: Iterable[str], changed: Mapping[str, str]) -> bool:
    """Change parameters by a change set. The template, the token and all other parameters stay as they are deployed.

    Args:
        client: The client of CloudFormation.
        stack: The stack's name.
        names: All parameters that the stack has.
        changed: New values by parameter.

    Returns:
        Whether CloudFormation found anything to change.

    Raises:
        CommandError: CloudFormation refuses the change, or the change failed and was rolled back.
    """
    change = _create(client, stack, names, changed)
    executed = False
    try:
        described = _final(lambda: client.describe_change_set(StackName=stack, ChangeSetName=change), "Status")
        if described["Status"] == "FAILED":
            reason = described.get("StatusReason", "it gave no reason.")
            if is_no_change(reason):
                return False
            raise CommandError(f"CloudFormation refuses the change: {reason} Nothing was changed.")
        before = _stack(client, stack)["StackStatus"]
        client.execute_change_set(StackName=stack, ChangeSetName=change)
        executed = True
    finally:
        if not executed:  # also after Ctrl-C: somebody could execute a forgotten change set by mistake
            client.delete_change_set(StackName=stack, ChangeSetName=change)
    _follow(client, stack, changed, before)
    return True


def _create(client: Any, stack: str, names: Iterable[str], changed: Mapping[str, str]) -> str:
    parameters = [
        {"ParameterKey": name, "ParameterValue": changed[name]}
        if name in changed
        else {"ParameterKey": name, "UsePreviousValue": True}
        for name in names
    ]
    try:
        answer = client.create_change_set(
            StackName=stack,
            ChangeSetName=f"traffic-settings-{secrets.token_hex(8)}",
            ChangeSetType="UPDATE",
            UsePreviousTemplate=True,
            Parameters=parameters,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ValidationError":
            raise
        # The value is wrong, or another update of the stack is going on.
        message = exc.response["Error"]["Message"].rstrip(".")
        raise CommandError(f"CloudFormation refuses the change: {message}. Nothing was changed.") from exc
    return str(answer["Id"])


def _follow(client: Any, stack: str, changed: Mapping[str, str], before: str) -> None:
    """Wait for the end of the update.

    Raises:
        CommandError: The update failed, or did not end in time.
    """
    give_up, moved = time.monotonic() + DEADLINE, False
    while time.monotonic() < give_up:
        described = _stack(client, stack)
        status = described["StackStatus"]
        # Just after the execution the stack may still show its old status.
        moved = moved or status != before
        deployed = {each["ParameterKey"]: each.get("ParameterValue", "") for each in described["Parameters"]}
        if status == "UPDATE_COMPLETE" and changed.items() <= deployed.items():
            return
        if moved and status.endswith(("ROLLBACK_COMPLETE", "_FAILED")):
            raise CommandError(f"The change failed, the stack is {status}: {_reason(client, stack)}.")
        time.sleep(LOOK_EVERY)
    raise CommandError(f"The change did not end within {DEADLINE / 60:.0f} minutes: look at the stack in the console.")


def _reason(client: Any, stack: str) -> str:
    try:
        return failure(client, stack)
    except ClientError as exc:
        return f"its events cannot be read ({exc.response['Error']['Code']})"


def _stack(client: Any, stack: str) -> Any:
    return client.describe_stacks(StackName=stack)["Stacks"][0]


def _final(ask: Any, field: str) -> Any:
    """Ask again until the status is final.

    Raises:
        CommandError: The status did not become final in time.
    """
    give_up = time.monotonic() + DEADLINE
    while time.monotonic() < give_up:
        answer = ask()
        if not answer[field].endswith(("_IN_PROGRESS", "_PENDING")):
            return answer
        time.sleep(LOOK_EVERY)
    raise CommandError(f"CloudFormation did not answer within {DEADLINE / 60:.0f} minutes. Nothing was changed.")

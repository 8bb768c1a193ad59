"""Runs the AWS commands that the doctor recommends on an engine: AWS's command line is not installed here."""

import json
import shlex
from typing import Any

from botocore import xform_name

from local.engine import Engine

SERVICES = {"s3api": "s3"}


def run_aws_command(engine: Engine, command: str) -> None:
    """Do what `aws SERVICE OPERATION --option value` does; each option must be a parameter of the operation."""
    words = shlex.split(command)
    assert words.pop(0) == "aws"
    while words[0] in ("--region", "--profile"):
        words = words[2:]
    service, operation, *rest = words
    client = engine.client(SERVICES.get(service, service))
    if operation == "wait":
        client.get_waiter(rest[0].replace("-", "_")).wait(TableName=rest[2], WaiterConfig={"Delay": 0.1})
        return
    method = operation.replace("-", "_")
    members = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method]).input_shape.members
    by_option = {f"--{xform_name(name, '-')}": (name, shape) for name, shape in members.items()}
    starts = [number for number, word in enumerate(rest) if word.startswith("--")]
    given = {
        by_option[rest[start]][0]: read(by_option[rest[start]][1], rest[start + 1 : end])
        for start, end in zip(starts, [*starts[1:], len(rest)], strict=True)
    }
    getattr(client, method)(**given)


def read(shape: Any, words: list[str]) -> Any:
    """Parse the value of an option: JSON, AWS's shorthand (`Name=value,Name=value`, one an entry), or a string."""
    if words[0].startswith(("{", "[")):
        return json.loads(words[0])
    if shape.type_name == "list":
        return [read(shape.member, [word]) for word in words]
    (word,) = words
    if shape.type_name == "structure":
        pairs = (part.split("=", 1) for part in word.split(","))
        return {name: read(shape.members[name], [value]) for name, value in pairs}
    return word == "true" if shape.type_name == "boolean" else word

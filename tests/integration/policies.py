"""Remove permissions from a deployed role."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.integration.pipeline import Pipeline


@contextmanager
def without(pipeline: Pipeline, role_arn: str, action: str) -> Iterator[None]:
    """Remove an action from a role during the block."""
    iam, role = pipeline.engine.client("iam"), role_arn.rpartition("/")[2]
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    kept = {name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
    assert action in json.dumps(kept)
    for name, document in kept.items():
        left = {**document, "Statement": [deprived(each, action) for each in document["Statement"]]}
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(left))
    try:
        yield
    finally:
        for name, document in kept.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def deprived(statement: dict[str, Any], action: str) -> dict[str, Any]:
    """Return a statement without an action."""
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    return {**statement, "Action": [each for each in actions if each != action] or ["none:None"]}

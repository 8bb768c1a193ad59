"""The names that a local history is read by, without the engine, are those of the template."""

from typing import Any

from cli.stack.deployment import NAMES
from local.engine import ACCOUNT, REGION
from tests.infrastructure.conftest import Template

PSEUDO = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION}


def test_what_is_read_without_the_engine_has_the_templates_names(template: Template) -> None:
    """The engine knows the names from the stack's outputs; who reads without it takes them from a constant."""

    def named(output: str) -> str:
        resource: Any = template.resources[template.body["Outputs"][output]["Value"]["Ref"]]["Properties"]
        name = resource.get("TableName") or resource["BucketName"]
        if isinstance(name, str):
            return name
        separator, parts = name["Fn::Join"]
        return str(separator.join(part if isinstance(part, str) else PSEUDO[part["Ref"]] for part in parts))

    assert {output: named(output) for output in NAMES} == NAMES

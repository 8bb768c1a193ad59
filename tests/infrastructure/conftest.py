"""The template that the set-up synthesized, and functions that search it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.command import STACK_NAME
from local.synthesis import ASSEMBLY, synthesize

DEFINITION = Path(__file__).parents[2] / "statemachine" / "capture_traffic.asl.json"


class Template:
    """A synthesized template."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.resources: Mapping[str, Mapping[str, Any]] = body["Resources"]

    def of_type(self, type_: str) -> dict[str, Mapping[str, Any]]:
        """Return the resources of a type, by logical id; there must be one, or a loop over them would test nothing."""
        resources = {id_: found for id_, found in self.resources.items() if found["Type"] == type_}
        assert resources, f"the template has no {type_}"
        return resources

    def only(self, type_: str) -> Mapping[str, Any]:
        """Return the properties of the only resource of a type."""
        (found,) = self.of_type(type_).values()
        properties: Mapping[str, Any] = found["Properties"]
        return properties

    def function(self, folder: str) -> Mapping[str, Any]:
        """Return the properties of the function whose code is in a folder of lambdas/."""
        handler = f"lambdas.{folder}.handler.lambda_handler"
        functions = (found["Properties"] for found in self.of_type("AWS::Lambda::Function").values())
        properties: Mapping[str, Any] = next(found for found in functions if found["Handler"] == handler)
        return properties

    def statements(self, role: str) -> list[Mapping[str, Any]]:
        """Return every statement of the policies of a role, which is given by its logical id; there must be one."""
        statements = [
            statement
            for policy in self.of_type("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Properties"]["Roles"]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]
        assert statements, f"{role} has no rights"
        return statements


def many(value: Any) -> list[Any]:
    """Return a list, because IAM and CloudFormation take one value or a list."""
    return value if isinstance(value, list) else [value]


def role_of(properties: Mapping[str, Any]) -> str:
    """Return the logical id of the role of a function or a state machine."""
    role: str = (properties.get("Role") or properties["RoleArn"])["Fn::GetAtt"][0]
    return role


def states(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return every state of a definition, including those inside of Maps."""
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


def template_at_hand() -> Mapping[str, Any]:
    """Read the template that the set-up synthesized: a synthesis in each process takes longer than most tests."""
    body: Mapping[str, Any] = json.loads((synthesize(ASSEMBLY) / f"{STACK_NAME}.template.json").read_text("utf-8"))
    return body


@pytest.fixture(scope="session")
def template() -> Template:
    """Return the template that a deployment to the local engine uses."""
    return Template(template_at_hand())


@pytest.fixture(scope="session")
def definition() -> Mapping[str, Any]:
    """Read the state machine's definition."""
    read: Mapping[str, Any] = json.loads(DEFINITION.read_text(encoding="utf-8"))
    return read

"""The template, synthesized once for all tests here, and ways to walk it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from stacks.traffic_stack import STACK_NAME, traffic_app

DEFINITION = Path(__file__).parents[2] / "statemachine" / "capture_traffic.asl.json"


class Template:
    """A synthesized template."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.resources: Mapping[str, Mapping[str, Any]] = body["Resources"]

    def of_type(self, type_: str) -> dict[str, Mapping[str, Any]]:
        """The resources of a type, by logical id."""
        return {id_: found for id_, found in self.resources.items() if found["Type"] == type_}

    def only(self, type_: str) -> Mapping[str, Any]:
        """The properties of the one resource of a type."""
        (found,) = self.of_type(type_).values()
        properties: Mapping[str, Any] = found["Properties"]
        return properties

    def function(self, folder: str) -> Mapping[str, Any]:
        """The properties of the function whose code lies in a folder of lambdas/."""
        handler = f"lambdas.{folder}.handler.lambda_handler"
        functions = (found["Properties"] for found in self.of_type("AWS::Lambda::Function").values())
        properties: Mapping[str, Any] = next(found for found in functions if found["Handler"] == handler)
        return properties

    def statements(self, role: str) -> list[Mapping[str, Any]]:
        """Every statement that a role's policies hold; the role by its logical id."""
        return [
            statement
            for policy in self.of_type("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Properties"]["Roles"]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]


def many(value: Any) -> list[Any]:
    """Give a list, where IAM and CloudFormation take one thing or a list of them."""
    return value if isinstance(value, list) else [value]


def role_of(properties: Mapping[str, Any]) -> str:
    """The logical id of the role that a function or a state machine has."""
    role: str = (properties.get("Role") or properties["RoleArn"])["Fn::GetAtt"][0]
    return role


def states(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every state of a definition, with those inside of Maps."""
    for name, state in definition["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"])


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template as `cdk deploy` would send it; without bundling, which changes nothing in it."""
    app = traffic_app(bundling=False, outdir=str(tmp_path_factory.mktemp("assembly")))
    return Template(app.synth().get_stack_by_name(STACK_NAME).template)


@pytest.fixture(scope="session")
def definition() -> Mapping[str, Any]:
    """The state machine's definition."""
    read: Mapping[str, Any] = json.loads(DEFINITION.read_text(encoding="utf-8"))
    return read

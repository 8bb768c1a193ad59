"""Promise: links lead to the console of the partition in which the stack is deployed."""

import json
import re
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.loaders import Loader

from stacks.console import DOMAINS
from tests.infrastructure.conftest import Template

REGION = {"Ref": "AWS::Region"}
REGIONS = {
    "aws": "eu-west-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-eusc": "eusc-de-east-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
}


def resolved(template: Template, value: Any, partition: str) -> str:
    """Resolve a value as CloudFormation does in a partition; a value of the deployment becomes `<logical id>`."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(resolved(template, part, partition) for part in parts)
    if "Fn::FindInMap" in value:
        keys = [resolved(template, key, partition) for key in value["Fn::FindInMap"]]
        return str(template.body["Mappings"][keys[0]][keys[1]][keys[2]])
    known = {"AWS::Partition": partition, "AWS::Region": REGIONS[partition]}
    return known.get(value.get("Ref"), f"<{value.get('Ref')}>")


def links(template: Template, partition: str) -> Mapping[str, str]:
    """Return every link to the console in the template."""
    (rule,) = [
        found["Properties"]
        for found in template.of_type("AWS::Events::Rule").values()
        if "EventPattern" in found["Properties"]
    ]
    values = {
        "runs": template.body["Outputs"]["ConsoleUrl"]["Value"],
        "dashboard": template.body["Outputs"]["DashboardUrl"]["Value"],
        "bad end": rule["Targets"][0]["InputTransformer"]["InputTemplate"],
        "summary": template.function("summarize_run")["Environment"]["Variables"]["CONSOLE_URL"],
    }
    texts = {name: resolved(template, value, partition) for name, value in values.items()}
    return {name: re.findall(r"https://[^ ]+", text)[0] for name, text in texts.items()}


@pytest.mark.parametrize("partition", DOMAINS)
def test_every_link_leads_to_the_console_of_its_partition(template: Template, partition: str) -> None:
    """A link to another partition's console leads to a sign-in where the account does not exist."""
    region = REGIONS[partition]
    here = f"https://{region}.{DOMAINS[partition]}"

    assert boto3.Session().get_partition_for_region(region) == partition
    found = links(template, partition)
    assert found["runs"].startswith(f"{here}/states/home?region={region}#/statemachines/view/<")
    assert found["dashboard"].startswith(f"{here}/cloudwatch/home?region={region}#dashboards/dashboard/<")
    assert found["bad end"].startswith(f"{here}/states/home?region={region}#/v2/executions/details/<")
    assert found["summary"] == here


def test_every_partition_of_aws_has_its_console() -> None:
    """A deployment fails in a partition that the table lacks, so a new partition must be added to it.

    botocore lists the address of the sign-in page by partition; the console has the same domain.
    """
    endpoints = json.dumps(Loader().load_service_model("signin", "endpoint-rule-set-1"))
    signed_in = set(re.findall(r"\{Region\}\.signin\.([a-z0-9.-]+)\"", endpoints))

    assert set(boto3.Session().get_available_partitions()) == set(DOMAINS)
    assert signed_in == {domain.removeprefix("console.") for domain in DOMAINS.values()}


def test_the_template_has_no_other_address_of_a_console(template: Template) -> None:
    """An address that is not from the table would be right in one partition only."""
    without_the_table = {key: value for key, value in template.body.items() if key != "Mappings"}

    assert not re.findall(r"console\.(?:aws|amazon|c2s|sc2s|csp)[a-z.-]*", json.dumps(without_the_table))

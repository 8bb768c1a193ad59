"""Promise: Athena reads the archive as it is, costs nothing until somebody asks, and deletes answers after a day."""

from collections.abc import Mapping
from typing import Any

import pytest

from stacks.queries import ANSWERS, FIRST_DAY, IMPORTS, MOST_BYTES
from tests.infrastructure.conftest import Template
from traffic.contract import ArchivedAnswer, ImportedHistory, archive_prefix, import_key

# What Glue and Athena charge nothing for while nobody asks. A crawler, a trigger or an index would run or be paid for.
# Sources: https://aws.amazon.com/glue/pricing/ (the first million objects), https://aws.amazon.com/athena/pricing/
FREE = {"AWS::Glue::Database": 1, "AWS::Glue::Table": 3, "AWS::Athena::WorkGroup": 1}


def table(template: Template, name: str) -> Mapping[str, Any]:
    """Return a table's definition by its name."""
    inputs = (found["Properties"]["TableInput"] for found in template.of_type("AWS::Glue::Table").values())
    definition: Mapping[str, Any] = next(each for each in inputs if each["Name"] == name)
    return definition


def test_nothing_costs_anything_while_nobody_asks(template: Template) -> None:
    """A laptop's user who tries AWS for a day must not find a crawler on the bill a year later."""
    types = [found["Type"] for found in template.resources.values()]
    found = {type_: types.count(type_) for type_ in types if type_.startswith(("AWS::Glue::", "AWS::Athena::"))}

    assert found == FREE


def test_results_are_encrypted_and_written_below_queries_whatever_a_client_says(template: Template) -> None:
    """Results have the names of private repositories: they belong nowhere else.

    Source:
        https://docs.aws.amazon.com/athena/latest/ug/workgroups-settings-override.html
    """
    configuration = template.only("AWS::Athena::WorkGroup")["WorkGroupConfiguration"]
    results = configuration["ResultConfiguration"]
    _, (scheme, bucket, folder) = results["OutputLocation"]["Fn::Join"]

    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert (scheme, folder) == ("s3://", "/queries/")
    assert template.resources[bucket["Ref"]]["Type"] == "AWS::S3::Bucket"
    assert results["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}


def test_results_are_deleted_after_a_day(template: Template) -> None:
    """Nobody looks for them there: `--output` writes an answer to a file."""
    rules = template.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    (rule,) = (rule for rule in rules if rule.get("Prefix") == "queries/")

    assert rule["ExpirationInDays"] == rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 1
    assert rule["Status"] == "Enabled"


def test_a_query_that_would_cost_more_than_five_dollars_is_stopped(template: Template) -> None:
    """A mistake in a question must not become a bill.

    Source:
        https://docs.aws.amazon.com/athena/latest/ug/workgroups-setting-control-limits-cloudwatch.html
    """
    configuration = template.only("AWS::Athena::WorkGroup")["WorkGroupConfiguration"]

    assert configuration["BytesScannedCutoffPerQuery"] == MOST_BYTES <= 5 / 5 * 1024**4


def test_the_stack_can_be_deleted_although_somebody_saved_a_query(template: Template) -> None:
    """CloudFormation would keep the workgroup, and the next deployment would fail because of its name.

    Source:
        https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-athena-workgroup.html
    """
    assert template.only("AWS::Athena::WorkGroup")["RecursiveDeleteOption"] is True


@pytest.mark.parametrize(
    ("name", "day", "key"),
    [
        ("answers", "capture_date", archive_prefix("2026-11-20") + "x.jsonl.gz"),
        ("imports", "import_date", import_key("2026-11-20T09:00:00Z", "x", new=True)),
    ],
)
def test_the_partitions_are_computed_from_the_names_of_the_archives_folders(
    template: Template, name: str, day: str, key: str
) -> None:
    """Without this, Athena would see no object until somebody adds a partition for each day.

    Source:
        https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
    """
    definition = table(template, name)
    parameters = definition["Parameters"]
    _, (scheme, _bucket, rest) = parameters["storage.location.template"]["Fn::Join"]

    assert definition["PartitionKeys"] == [{"Name": day, "Type": "string"}]
    assert parameters["projection.enabled"] == "true"
    assert parameters[f"projection.{day}.type"] == "date"
    assert parameters[f"projection.{day}.format"] == "yyyy-MM-dd"
    assert parameters[f"projection.{day}.range"] == f"{FIRST_DAY},NOW+1DAYS"
    assert (scheme, rest.replace(f"${{{day}}}", "2026-11-20")) == ("s3://", f"/{key.rpartition('/')[0]}/")


@pytest.mark.parametrize(
    ("name", "fields", "columns"),
    [("answers", ArchivedAnswer, ANSWERS), ("imports", ImportedHistory, IMPORTS)],
)
def test_the_tables_have_the_fields_of_the_archives_lines(
    template: Template, name: str, fields: type, columns: Mapping[str, str]
) -> None:
    """A field that is renamed would be null in every answer."""
    storage = table(template, name)["StorageDescriptor"]

    assert {column["Name"]: column["Type"] for column in storage["Columns"]} == columns
    assert list(columns) == list(fields.__annotations__)
    assert storage["SerdeInfo"]["SerializationLibrary"] == "org.openx.data.jsonserde.JsonSerDe"


def test_no_role_of_the_stack_may_ask_or_change_the_tables(template: Template) -> None:
    """Only people ask; what they may is theirs."""
    policies = str(template.of_type("AWS::IAM::Policy"))

    assert "athena:" not in policies
    assert "glue:" not in policies

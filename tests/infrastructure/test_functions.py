"""Promise: what is deployed is what runs here, and the same sources give the same template."""

import json
import re
from pathlib import Path

import pytest

from cli.runs.prices import ALARMS, LOGS_KEPT, MEMORY, METRICS, RUN_DAYS
from stacks import bundling
from stacks.log_metrics import NAMESPACE
from tests.infrastructure.conftest import Template
from traffic.settings import SELECTION_SIZE

TIMEOUT = 300  # seconds; no function should need more than half

BENCHMARKS = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text(encoding="utf-8")

FOLDERS = ("list_repos", "fetch_traffic", "store_traffic", "summarize_run")
GITHUB = {"GITHUB_API_URL", "GITHUB_TOKEN_SECRET"}
TABLES = {"TRAFFIC_TABLE", "REPOSITORIES_TABLE"}
SELECTION = {
    f"TRAFFIC_{name}"
    for name in ("OWNERS", "REPOSITORIES", "INCLUDE", "EXCLUDE", "TOPICS", "VISIBILITY", "FORKS", "ARCHIVED")
}
EVERYWHERE = {"ARCHIVE_BUCKET", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
SETTINGS = {
    "list_repos": GITHUB | SELECTION | {"REPOSITORIES_TABLE"},
    "fetch_traffic": GITHUB,
    "store_traffic": TABLES | {"SNAPSHOTS_TABLE"},
    "summarize_run": TABLES | {"SNAPSHOTS_TABLE", "SUMMARY_MAIL", "CONSOLE_URL", "SUMMARY_TOPIC_ARN"},
}
PUBLIC_OUTPUTS = {
    "StateMachineArn",
    "RunCommand",
    "TrafficTable",
    "RepositoriesTable",
    "SnapshotsTable",
    "ArchiveBucket",
    "SummaryTopicArn",
    "ConsoleUrl",
    "DashboardUrl",
    "GitHubTokenSecret",
    "StoreTrafficFunction",
    "QueryDatabase",
    "QueryWorkgroup",
}


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_function_gets_exactly_the_variables_that_its_code_reads(template: Template, folder: str) -> None:
    """A missing variable would be noticed only at the first run."""
    variables = template.function(folder)["Environment"]["Variables"]

    assert set(variables) == SETTINGS[folder] | EVERYWHERE


def test_the_longest_selection_fits_into_the_environment(template: Template) -> None:
    """A function has room for 4 KB of names and values: a selection that `traffic` accepts must not fail there.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    variables = template.function("list_repos")["Environment"]["Variables"]
    # A secret's ARN in the longest region's name has 110 characters, an address of an Enterprise Server seldom more.
    longest = {name: value if isinstance(value, str) else "x" * 115 for name, value in variables.items()}
    longest |= dict.fromkeys(SELECTION, "")

    assert len(json.dumps(longest)) + len("include") * 2 + SELECTION_SIZE <= 4096


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_handler_exists(template: Template, folder: str) -> None:
    """Lambda imports the handler by its name in the template."""
    assert template.function(folder)["Runtime"] == "python3.13"
    assert template.function(folder)["Architectures"] == ["arm64"]
    assert template.function(folder)["TracingConfig"] == {"Mode": "Active"}
    assert (bundling.ROOT / "lambdas" / folder / "handler.py").is_file()


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_function_has_the_memory_with_which_it_was_measured(template: Template, folder: str) -> None:
    """Memory means processor time: with less, a function that is fast enough on a laptop times out."""
    name = folder.title().replace("_", "")

    assert template.function(folder)["MemorySize"] == MEMORY[name]
    assert template.function(folder)["Timeout"] == TIMEOUT
    given = re.findall(rf"^\| {name} \| [^|]+ \| (\d+) \|", BENCHMARKS, re.MULTILINE)
    assert str(MEMORY[name]) in given


def test_the_cost_table_counts_the_alarms_and_metrics_that_are_deployed(template: Template) -> None:
    """Each alarm costs ten cents, and each metric thirty, whatever the number of runs."""
    alarms = template.of_type("AWS::CloudWatch::Alarm")
    watched = {alarm["Properties"].get("MetricName") for alarm in alarms.values() if NAMESPACE in json.dumps(alarm)}
    shown = re.findall(rf'"{NAMESPACE}\\*",\\*"(\w+)', json.dumps(template.only("AWS::CloudWatch::Dashboard")))

    assert len(alarms) == ALARMS.value
    assert len(watched | set(shown)) == METRICS.value


def test_the_cost_table_uses_the_real_retention_of_logs_and_files(template: Template) -> None:
    """A longer retention costs more."""
    groups = template.of_type("AWS::Logs::LogGroup").values()
    rules = template.only("AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]
    (runs,) = (rule for rule in rules if rule.get("Prefix") == "runs/")

    assert {group["Properties"]["RetentionInDays"] / 30 for group in groups} == {LOGS_KEPT.value}
    kept = runs["ExpirationInDays"] + runs["NoncurrentVersionExpiration"]["NoncurrentDays"]
    assert kept == RUN_DAYS.value


def test_every_log_group_has_a_retention(template: Template) -> None:
    """Logs that are kept forever cost money forever."""
    groups = template.of_type("AWS::Logs::LogGroup").values()

    assert len(groups) == len(FOLDERS) + 1
    assert all(group["Properties"]["RetentionInDays"] for group in groups)


def test_the_log_group_of_the_state_machine_adds_to_no_policy_of_the_account(template: Template) -> None:
    """Without the prefix each one adds to a policy of 5,120 characters; when it is full, the deployment fails.

    Only the deployed stack has the rest of the name: with a plain name it would adopt the group of a deleted stack.

    Sources:
        https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-automatically.html
    """
    machine = template.only("AWS::StepFunctions::StateMachine")
    logged_to = [
        destination["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"][0]
        for destination in machine["LoggingConfiguration"]["Destinations"]
    ]

    assert logged_to
    for group in logged_to:
        separator, parts = template.resources[group]["Properties"]["LogGroupName"]["Fn::Join"]
        assert separator == ""
        assert parts[0].startswith("/aws/vendedlogs/states/")
        assert {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]} in parts


def test_the_bundle_contains_sources_and_pinned_wheels_and_nothing_compiled(tmp_path: Path) -> None:
    """One zip serves every architecture, and does not depend on the machine that made it."""
    assert bundling.PipBundling().try_bundle(str(tmp_path))

    assert (tmp_path / "lambdas" / "fetch_traffic" / "handler.py").is_file()
    assert (tmp_path / "requests" / "__init__.py").is_file()
    assert (tmp_path / "aws_lambda_powertools" / "__init__.py").is_file()
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".so", ".pyc", ".pyd") or path.name == "bin"]


def test_every_wheel_is_pinned() -> None:
    """The asset's hash is the hash of the sources: an open version would change the zip but not the hash."""
    lines = (bundling.ROOT / bundling.REQUIREMENTS).read_text(encoding="utf-8").splitlines()
    wheels = [line for line in lines if line.strip() and not line.startswith("#")]

    assert wheels
    assert all("==" in wheel for wheel in wheels)


def test_the_stack_has_the_outputs_that_commands_read(template: Template) -> None:
    """`traffic` finds everything by the outputs; a renamed one breaks it."""
    assert set(template.body["Outputs"]) == PUBLIC_OUTPUTS


def test_only_the_token_must_be_set(template: Template) -> None:
    """Every other parameter has a default, and CDK adds no parameter that would hinder a local deployment."""
    without_default = {name for name, found in template.body["Parameters"].items() if "Default" not in found}

    assert without_default == {"GitHubAccessToken"}

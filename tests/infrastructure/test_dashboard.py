"""Promise: alarms and dashboard use numbers that exist, and CloudWatch accepts the dashboard."""

import contextlib
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from simulated_github import SimulatedGitHub, faults
from tests.infrastructure.cloudwatch import DOCUMENTED
from tests.infrastructure.conftest import Template
from tests.unit.handlers import account
from tests.unit.whole_run import Written, metrics_in, run

NAMESPACE = "GitHubTrafficCapture"

# The type of resource whose name or ARN is the value of each documented dimension.
TYPES = {
    "StateMachineArn": "AWS::StepFunctions::StateMachine",
    "QueueName": "AWS::SQS::Queue",
    "FunctionName": "AWS::Lambda::Function",
}


@pytest.fixture(scope="module")
def written() -> list[Written]:
    """Collect every metric that the real functions write in a run that meets a limit and a token that expires."""
    log = io.StringIO()
    with (
        SimulatedGitHub(repositories=2, at="2026-09-01T09:00:00Z", token_expires="2026-09-10 09:00:00 UTC") as github,
        pytest.MonkeyPatch.context() as patch,
        account(patch, github.url) as aws,
        contextlib.redirect_stdout(log),
    ):
        github.add_fault(faults.retry_after(60), endpoint="views", count=1)
        run(aws)
    return metrics_in(log.getvalue())


def resolved(template: Template, value: Any) -> str:
    """Resolve a value as in the deployed stack; a reference becomes `<logical id>`."""
    if isinstance(value, str):
        return value
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(resolved(template, part) for part in parts)
    if "Fn::FindInMap" in value:
        mapping, _, key = value["Fn::FindInMap"]
        return str(template.body["Mappings"][mapping]["aws"][key])
    return f"<{value['Ref'] if 'Ref' in value else value['Fn::GetAtt'][0]}>"


def body(template: Template) -> Mapping[str, Any]:
    """Return the dashboard's body."""
    text = resolved(template, template.only("AWS::CloudWatch::Dashboard")["DashboardBody"])
    read: Mapping[str, Any] = json.loads(text)
    return read


def widgets(template: Template, type_: str) -> list[Mapping[str, Any]]:
    """Return the properties of the dashboard's widgets of a type; there must be one."""
    found = [widget["properties"] for widget in body(template)["widgets"] if widget["type"] == type_]
    assert found, f"the dashboard has no widget of type {type_}"
    return found


def shown(template: Template) -> list[tuple[str, str, dict[str, str]]]:
    """Return namespace, name and dimensions of each metric on the dashboard."""
    rows = [row for widget in widgets(template, "metric") for row in widget.get("metrics", [])]
    names = [[part for part in row if isinstance(part, str)] for row in rows]
    return [(row[0], row[1], dict(zip(row[2::2], row[3::2], strict=True))) for row in names]


def watched(template: Template) -> list[tuple[str, str, dict[str, str]]]:
    """Return namespace, name and dimensions of each alarm's metric."""
    return [
        (
            alarm["Namespace"],
            alarm["MetricName"],
            {each["Name"]: resolved(template, each["Value"]) for each in alarm["Dimensions"]},
        )
        for alarm in (found["Properties"] for found in template.of_type("AWS::CloudWatch::Alarm").values())
    ]


def test_each_number_that_is_watched_or_shown_is_written_or_documented(
    template: Template, written: list[Written]
) -> None:
    """With one wrong letter an alarm is silent for good, and looks well."""
    own = {metric.identity for metric in written}
    of_alarms, of_dashboard = watched(template), shown(template)

    assert of_alarms
    assert of_dashboard
    for namespace, name, dimensions in [*of_alarms, *of_dashboard]:
        if namespace == NAMESPACE:
            assert (namespace, name, tuple(sorted(dimensions.items()))) in own
        else:
            ((dimension, value),) = dimensions.items()
            assert name in DOCUMENTED[namespace, dimension]
            assert value.strip("<>") in template.of_type(TYPES[dimension])


def test_each_number_that_is_written_is_on_the_dashboard_or_in_an_alarm(
    template: Template, written: list[Written]
) -> None:
    """A number that nobody looks at costs money, too."""
    assert written
    looked_at = {(namespace, name) for namespace, name, _ in [*watched(template), *shown(template)]}

    assert {(metric.namespace, metric.name) for metric in written} <= looked_at


def test_metrics_and_dashboard_cost_what_the_documents_state(template: Template, written: list[Written]) -> None:
    """Ten metrics and alarms of an account are free, and three dashboards of up to 50 metrics each.

    Source:
        https://aws.amazon.com/cloudwatch/pricing/ (free tier)
    """
    assert len({metric.identity for metric in written}) == 9
    assert len(watched(template)) == 10
    assert len(shown(template)) <= 50


def test_the_dashboard_begins_with_the_status_of_every_alarm(template: Template) -> None:
    """Nobody would see a red alarm that is missing there.

    The alarm that exists only with an address must be missing: without an address, the deployment would fail.
    """
    first = body(template)["widgets"][0]
    alarms = template.of_type("AWS::CloudWatch::Alarm")

    assert (first["type"], first["x"], first["y"]) == ("alarm", 0, 0)
    assert {arn.strip("<>") for arn in first["properties"]["alarms"]} == {
        id_ for id_, found in alarms.items() if "Condition" not in found
    }


def test_the_dashboard_shows_more_days_than_github_keeps(template: Template) -> None:
    """Days older than 14 days are lost at GitHub, and must be visible, too."""
    assert body(template)["start"] == "-P28D"
    assert {row[-1]["period"] for widget in widgets(template, "metric") for row in widget.get("metrics", [])} == {86400}


def test_the_widgets_follow_cloudwatchs_documentation(template: Template) -> None:
    """PutDashboard refuses other widgets, and the deployment fails.

    Source:
        https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """
    required = {"alarm": {"alarms"}, "metric": {"region", "view"}, "log": {"region", "query"}}
    found = body(template)["widgets"]

    assert 0 < len(found) <= 500
    for widget in found:
        assert required[widget["type"]] <= widget["properties"].keys()
        assert 0 <= widget["x"] < widget["x"] + widget["width"] <= 24
        assert widget["y"] >= 0
        assert 1 <= widget["height"] <= 1000
    for metric in widgets(template, "metric"):
        assert metric["view"] == "timeSeries"
        assert metric.get("metrics") or metric["annotations"]["alarms"]


def test_no_widget_covers_another(template: Template) -> None:
    """CloudWatch would move a covered widget to another place."""
    cells = [
        (column, row)
        for widget in body(template)["widgets"]
        for column in range(widget["x"], widget["x"] + widget["width"])
        for row in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(cells) == len(set(cells))


def test_the_dashboard_shows_the_warnings_of_every_function(template: Template) -> None:
    """They show which repository failed and why: the fields are those of the structured logs."""
    (log,) = widgets(template, "log")
    sources = {part.strip("' <>") for part in log["query"].partition("| fields")[0].replace("SOURCE", "").split("|")}
    functions = template.of_type("AWS::Lambda::Function").values()

    assert {found["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] for found in functions} == sources
    assert "filter level in ['WARNING', 'ERROR', 'CRITICAL']" in log["query"]


def test_the_output_leads_to_the_dashboard(template: Template) -> None:
    """CloudFormation chooses the dashboard's name; nobody should have to search for it."""
    (dashboard,) = template.of_type("AWS::CloudWatch::Dashboard")

    assert resolved(template, template.body["Outputs"]["DashboardUrl"]["Value"]) == (
        "https://<AWS::Region>.console.aws.amazon.com/cloudwatch/home"
        f"?region=<AWS::Region>#dashboards/dashboard/<{dashboard}>"
    )

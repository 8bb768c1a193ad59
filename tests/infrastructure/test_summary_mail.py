"""Promise: people who want fewer mails get fewer, and still learn about every problem."""

from collections.abc import Mapping
from typing import Any

from lambdas.summarize_run.headline import WANTED
from tests.infrastructure.conftest import Template
from traffic.settings import BY_KEY


def test_the_parameter_accepts_exactly_what_the_function_accepts(template: Template) -> None:
    """A value that can be deployed and that the function refuses would end every run without a summary."""
    parameter = template.body["Parameters"]["SummaryMail"]
    environment = template.function("summarize_run")["Environment"]["Variables"]

    assert environment["SUMMARY_MAIL"] == {"Ref": "SummaryMail"}
    assert tuple(parameter["AllowedValues"]) == BY_KEY["summary-mail"].shape.words == tuple(WANTED)
    assert parameter["Default"] == "all"


def test_a_problem_is_published_whatever_the_setting(definition: Mapping[str, Any]) -> None:
    """The rule on failed runs leaves out runs whose summary reported the failure, so that summary must be sent."""
    choice = definition["States"]["Summary wanted?"]

    assert all("problem" in kinds for kinds in WANTED.values())
    assert choice["Choices"] == [{"Variable": "$.wanted", "BooleanEquals": True, "Next": "Publish summary"}]
    assert choice["Default"] == definition["States"]["Publish summary"]["Next"]


def test_a_subscription_has_no_filter_of_its_own(template: Template) -> None:
    """Alarms have no attributes, and SNS then matches no filter on attributes, not even `"exists": false`.

    Source:
        https://docs.aws.amazon.com/sns/latest/dg/attribute-key-matching.html (Note)
    """
    assert "FilterPolicy" not in template.only("AWS::SNS::Subscription")


def test_a_summary_has_attributes_by_which_other_subscriptions_can_filter(definition: Mapping[str, Any]) -> None:
    """A chat channel may want only failures, while people want the mail."""
    attributes = definition["States"]["Publish summary"]["Parameters"]["MessageAttributes"]

    assert attributes == {name: {"DataType": "String", "StringValue.$": f"$.{name}"} for name in ("outcome", "kind")}
